"""spaCy pipelines by name: what is installed, in which version, and which text it can read. spaCy itself is not imported."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from relsift.errors import ConfigError
from relsift.text import is_mostly_cjk

_INSTALL = "pip install 'relsift[spacy]' and the pipeline's own package"
_CJK_LANGUAGES = {"zh", "ja", "ko", "yue", "xx"}  # of pipelines that read CJK text; xx: any language


def installed_pipeline(name: str, where: str) -> tuple[str, str]:
    """The versions of the pipeline and of spaCy.

    Args: name: an installed package, or a folder. where: what names the pipeline, for the message.
    Raises: ConfigError if spaCy or the pipeline is not installed.
    """
    try:
        spacy = importlib.metadata.version("spacy")
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(f"{where}: expected spaCy for {name!r}, which is not installed: {_INSTALL}") from error
    version = _package_version(name) or _folder_version(name)
    if version is None:
        installed = sorted({point.name for point in importlib.metadata.entry_points(group="spacy_models")})
        raise ConfigError(
            f"{where}: expected an installed spaCy pipeline or its folder, got {name!r}; installed: {', '.join(installed) or 'none'}"
        )
    return version, spacy


def pipeline_folder(name: str) -> Path | None:
    """The folder of a pipeline that is no installed package; None for any other name."""
    return Path(name) if _package_version(name) is None and _folder_version(name) is not None else None


def is_other_script(nlp: Any, tokens: Collection[str]) -> bool:
    """Whether most tokens are Chinese characters, for which the pipeline was not made."""
    return nlp.lang not in _CJK_LANGUAGES and is_mostly_cjk(tokens)


def _package_version(name: str) -> str | None:
    """Without importing the package."""
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def _folder_version(name: str) -> str | None:
    try:
        meta = json.loads((Path(name) / "meta.json").read_text(encoding="utf-8"))
        return str(meta["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
