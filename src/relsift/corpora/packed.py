"""Data in an archive, read as if somebody had unpacked it.

notes.jsonl.gz          one file, packed by gzip
export.zip  brat.tgz    a file, or a folder of files; also .tar and .tar.gz
export.zip!/train.json  one file or folder of an archive

The content lies in a folder of its own below $TMPDIR while the data are in use. Messages name its files as in the last line above.
What `relsift.archive` refuses is refused here too, and so is an archive in an archive.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relsift.archive import unpack, unpack_gzip, unpack_tar
from relsift.errors import ConfigError, DataError
from relsift.readers.base import is_hidden

INSIDE = "!/"  # between the name of an archive and that of a file in it
_GZIP, _TAR, _ZIP, _PACKED_TAR = ".gz", ".tar", ".zip", ".tgz"
_SUFFIXES = (_ZIP, _GZIP, _PACKED_TAR, _TAR)
_NESTED = (*_SUFFIXES, ".bz2", ".xz", ".7z", ".rar")
_ADVICE = "unpack the outer one, and name the folder or file to read"


def is_archive(path: Path) -> bool:
    """Whether it is a file that ends as archives do that can be read."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def archive_and_place(path: Path) -> tuple[Path, str] | None:
    """The archive, and the place in it ("" for all of it), that a path names; None for other paths."""
    before, inside, place = str(path).partition(INSIDE)
    archive = Path(before)
    return (archive, place) if is_archive(archive) and (not inside or place.strip("/")) else None


class Unpacked:
    """What an archive holds, in a folder that is deleted when this object is, or at the end of the process."""

    def __init__(self, archive: Path) -> None:
        """Raises: DataError if the archive cannot be unpacked, or holds another one."""
        self.archive = archive
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="relsift-"))
        except OSError as error:
            raise DataError(f"{archive}: expected a place to unpack it, got {error.strerror}; set $TMPDIR to a folder with room") from error
        weakref.finalize(self, _delete, self.folder, os.getpid())
        self._content = self.folder / "content"
        self._is_one_file = False
        self._unpack()

    def _unpack(self) -> None:
        where, name = str(self.archive), self.archive.name
        if self.archive.suffix.lower() == _ZIP:
            unpack(self.archive, self._content, where)
            return
        inner = self.archive
        if self.archive.suffix.lower() != _TAR:
            inner = self.folder / "gzip" / (name[: -len(_GZIP)] if name.lower().endswith(_GZIP) else f"{self.archive.stem}{_TAR}")
            unpack_gzip(self.archive, inner, where)
        if inner.suffix.lower() == _TAR:
            unpack_tar(inner, self._content, where)
        else:
            self._content, self._is_one_file = inner, True

    def path_of(self, inner: str = "") -> Path:
        """Where a file or folder of the archive lies now; for "", what the archive is about: its one file, or the folder that holds all.

        Raises: DataError if it holds nothing of that name, or an archive there.
        """
        found = self._content.joinpath(*Path(inner).parts)
        if inner and found not in self._content.rglob("*"):  # also if it leads out of the folder
            raise DataError(f"{self.archive}{INSIDE}{inner}: expected a file or folder of the archive, got a name that it does not hold")
        while not inner and found.is_dir() and len(children := [child for child in found.iterdir() if not is_hidden(child, found)]) == 1:
            found = children[0]
        for file in [found] if found.is_file() else sorted(found.rglob("*")):
            if file.suffix.lower() in _NESTED and file.is_file() and not is_hidden(file, self._content.parent):
                raise DataError(self.as_named(f"{file}: expected a file to read, got an archive in an archive; {_ADVICE}"))
        return found

    def as_named(self, message: str) -> str:
        """A message with the names that the user knows."""
        if self._is_one_file:
            return message.replace(str(self._content), str(self.archive))
        return message.replace(f"{self._content}{os.sep}", f"{self.archive}{INSIDE}").replace(str(self._content), str(self.archive))

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors in the block have the names that the user knows."""
        try:
            yield
        except (DataError, ConfigError) as error:
            message = self.as_named(str(error))
            if message == str(error):
                raise
            raise type(error)(message) from error


def _delete(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a child of the process shares the folder
        shutil.rmtree(folder, ignore_errors=True)

