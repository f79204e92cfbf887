"""The folder for prepared corpora and caches: `$RELSIFT_HOME`, or `~/.cache/relsift`."""

from __future__ import annotations

import os
from pathlib import Path

from relsift.errors import ConfigError

HOME_VARIABLE = "RELSIFT_HOME"
_DEFAULT = "~/.cache/relsift"


def home() -> Path:
    """The home folder; the environment variable is read at each call. Raises ConfigError if the system knows no home of the user."""
    name = os.environ.get(HOME_VARIABLE) or _DEFAULT
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{name}: expected a user with a home folder, got none; set ${HOME_VARIABLE} to a folder to write in") from error


def corpus_folder(name: str, root: Path | None = None) -> Path:
    """The folder of a prepared corpus below `root`, or below the home folder."""
    return (root if root is not None else home()) / "corpora" / name
