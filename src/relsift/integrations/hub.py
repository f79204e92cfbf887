"""Models on the hub of Hugging Face: fetch one, publish one. `$HF_ENDPOINT` names another hub, `$HF_TOKEN` a token.

A token is passed on to huggingface_hub and stands in no message. Nothing of a fetched folder is run: it holds weights and JSON.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from relsift.errors import CheckpointError, ConfigError
from relsift.model_extras import CARD_FILE

if TYPE_CHECKING:
    from relsift.extractor import RelationExtractor

INSTALL = "pip install 'relsift[hub]'"
_ID = re.compile(r"[\w-][\w.-]{0,95}(/[\w-][\w.-]{0,95})?", re.ASCII)
_PARTS = ("model.json", "decision.json", "annotators.json", "model.safetensors", "transformer.onnx", "encoder/*", "annotators/*", CARD_FILE)
FILES = (*_PARTS, *(f"member-*/{name}" for name in _PARTS))  # what a model folder holds; nothing else is fetched or published
_TOKEN = re.compile(r"hf_\w+|[Bb]earer\s+\S+")
_WAIT = 10.0  # seconds for the hub's first answer


def fetched(name: str, revision: str | None = None) -> Path:
    """The folder of a model of the hub, in the cache of huggingface_hub. Args: name: `owner/name`, or `owner/name@revision`.

    Raises: ConfigError for what is no such name, or if huggingface_hub is not installed; CheckpointError if the hub does not have the
        model or cannot be reached, and it is not in the cache.
    """
    repository, at, behind = name.partition("@")
    if at and revision is not None and behind != revision:
        raise ConfigError(f"hub:{name}: expected one revision, got another one too, {revision!r}")
    wanted = behind if at else revision
    _check_name(repository)
    if wanted == "":
        raise ConfigError(f"hub:{name}: expected a branch, a tag or a commit behind @, got nothing")
    api = _api(None)
    try:
        return Path(api.snapshot_download(repository, revision=wanted, allow_patterns=list(FILES), etag_timeout=_WAIT))
    except Exception as error:  # of many kinds, from several packages
        _fail(f"hub:{repository}" + ("" if wanted is None else f"@{wanted}"), "a model of the hub", error, None)


def push(
    extractor: RelationExtractor, name: str, *, private: bool, revision: str | None, token: str | None, message: str | None
) -> str:
    """Publish the model folder with its card; returns the address. Raises as `fetched`."""
    _check_name(name)
    api = _api(token)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / name.rpartition("/")[2]
        extractor.save_pretrained(folder)
        try:
            api.create_repo(name, private=private, exist_ok=True)
            done = api.upload_folder(
                repo_id=name, folder_path=folder, revision=revision, allow_patterns=list(FILES),
                commit_message=message or "Add the model, by relsift",
            )  # fmt: skip
        except Exception as error:  # of many kinds, from several packages
            _fail(f"hub:{name}", "a hub that takes the model", error, token)
    return str(getattr(done, "commit_url", done))


def _api(token: str | None) -> Any:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        raise ConfigError(f"hub: expected the package huggingface_hub, got none ({error}); {INSTALL}") from error
    disable_progress_bars()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token or os.environ.get("HF_TOKEN") or None, library_name="relsift")


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not _ID.fullmatch(name) or ".." in name or "--" in name:
        raise ConfigError(f"hub: expected a name such as owner/name, got {name!r}")


def _fail(where: str, expected: str, error: Exception, token: str | None) -> NoReturn:
    """Raises CheckpointError with what the package says, in one line and without a token."""
    kind = type(error).__name__
    known = {
        "RepositoryNotFoundError": "none of this name that may be read; if it is private, set $HF_TOKEN",
        "RevisionNotFoundError": "no such revision",
        "GatedRepoError": "one that asks for consent; give it on the page of the model, and set $HF_TOKEN",
        "LocalEntryNotFoundError": "no answer, and nothing of it on this machine",
        "OfflineModeIsEnabled": "none on this machine, and $HF_HUB_OFFLINE is set",
    }
    text = _TOKEN.sub("…", " ".join(str(error).split()))
    if token:
        text = text.replace(token, "…")
    got = known.get(kind) or f"{kind}: {text[:200]}"
    raise CheckpointError(f"{where}: expected {expected}, got {got}") from None
