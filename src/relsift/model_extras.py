"""What lies in a model folder beside the model: the card, written by relsift or by hand, and files of the user's own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

CARD_FILE = "README.md"
_MARK = re.compile(r"\n<!-- written by relsift; with another sha256 than ([0-9a-f]{64}) it counts as written by hand -->\n\Z")


def marked(card: str) -> str:
    """A card that `is_written_by_relsift` knows until someone changes it. Args: card: ends with a line break."""
    return f"{card}\n<!-- written by relsift; with another sha256 than {_sha256(card)} it counts as written by hand -->\n"


def is_written_by_relsift(file: Path) -> bool:
    """Whether the file is a card from `marked`, unchanged. False if it is not there."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    mark = _MARK.search(text)
    return mark is not None and mark[1] == _sha256(text[: mark.start()])


def keep_files(old: Path, fresh: Path, parts: Iterable[str]) -> None:
    """Give a new model folder what else the old one holds, but not the card that relsift wrote of the old model.

    Nothing is taken from the old folder: large files get a second name. Args: parts: names of what belongs to a model.
    Raises: OSError for what cannot be read or written.
    """
    gone = {*parts, *([CARD_FILE] if is_written_by_relsift(old / CARD_FILE) else [])}
    for path in old.iterdir() if old.is_dir() else ():
        place = fresh / path.name
        if path.name in gone or place.exists():
            continue
        if path.is_symlink():
            place.symlink_to(path.readlink())
        elif path.is_dir():
            shutil.copytree(path, place, symlinks=True, copy_function=_linked)
        else:
            _linked(str(path), str(place))


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without further names
        shutil.copy2(source, target)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
