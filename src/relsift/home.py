"""Where relsift keeps what it prepared: `$RELSIFT_HOME`, or `~/.cache/relsift`."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "RELSIFT_HOME"
_DEFAULT = "~/.cache/relsift"


def home() -> Path:
    """Read at call time, so that a test or a job script can change it."""
    return Path(os.environ.get(VARIABLE) or _DEFAULT).expanduser()


def corpus_folder(name: str, root: Path | None = None) -> Path:
    """The folder of a prepared corpus below `root`, or below the home folder."""
    return (root if root is not None else home()) / "corpora" / name
