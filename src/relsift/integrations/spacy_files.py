"""A model folder as bytes, for spaCy's `to_bytes`: its files by name, packed with msgpack."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import srsly

from relsift.errors import CheckpointError
from relsift.files import files_below, make_folder


def files_of(save: Callable[[Path], None]) -> bytes:
    """The files that `save` writes into a folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        save(folder)
        files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in files_below(folder, ())}
    packed: bytes = srsly.msgpack_dumps(files)
    return packed


@contextmanager
def folder_of(data: bytes) -> Iterator[Path]:
    """A folder with the files, for the time of the block. Raises CheckpointError for anything but what `files_of` gives."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        for name, content in _files(data).items():
            make_folder((folder / name).parent)
            (folder / name).write_bytes(content)
        yield folder


def _files(data: bytes) -> dict[str, bytes]:
    expected = "relsift, from_bytes: expected the files of a model folder, as to_bytes gives them"
    try:
        files: Any = srsly.msgpack_loads(data)
    except Exception as error:  # msgpack has errors of many kinds
        raise CheckpointError(f"{expected}, got {type(error).__name__}") from error
    if not isinstance(files, dict) or not all(isinstance(name, str) and isinstance(files[name], bytes) for name in files):
        raise CheckpointError(f"{expected}, got {type(files).__name__}")
    for name in files:
        if PurePosixPath(name).is_absolute() or not {"..", "\\", ":"}.isdisjoint((*PurePosixPath(name).parts, *name)) or not name:
            raise CheckpointError(f"{expected}, got a file outside the folder: {name[:80]!r}")
    return files
