"""The folder for prepared corpora and caches: `$RELSIFT_HOME`, or `~/.cache/relsift`."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "RELSIFT_HOME"
_DEFAULT = "~/.cache/relsift"


def home() -> Path:
    """The home folder; the environment variable is read at each call."""
    return Path(os.environ.get(HOME_VARIABLE) or _DEFAULT).expanduser()


def corpus_folder(name: str, root: Path | None = None) -> Path:
    """The folder of a prepared corpus below `root`, or below the home folder."""
    return (root if root is not None else home()) / "corpora" / name
