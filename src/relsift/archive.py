"""Unpack an archive that comes from elsewhere: all of it as it says, or nothing and one line that says why not.

What `zipfile` mends in silence is refused: absolute names and `..` (it cuts them), links (it writes the target as text), a name twice (the
last one wins). `tarfile` is held to the same rules. Sizes are counted as they are written, whatever the archive declares.
"""

from __future__ import annotations

import errno
import gzip
import io
import re
import shutil
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from relsift.errors import DataError
from relsift.text import half_character

ARCHIVE_SUFFIX = ".zip"
LARGEST = 500 << 20  # bytes, of an archive and of its unpacked content; the largest of the named corpora has 20 MB
MOST_MEMBERS = 50_000  # files and folders; the largest of the named corpora has 2,000
_DEEPEST = 100  # folders within each other
_BLOCK = 1 << 18  # bytes
_LONGEST_READ = 1 << 20  # bytes
_ENCRYPTED = 0x1  # bit of `ZipInfo.flag_bits`
# Others expand too much at once to be bounded while they are read, and no public corpus uses them.
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError,
)  # fmt: skip
_DRIVE = re.compile(r"[A-Za-z]:")  # of Windows, which makes a name absolute
_SHOWN = 80  # characters of a member's name in a message


@dataclass(frozen=True, slots=True)
class _Member:
    """A file or folder of an archive."""

    name: str
    size: int  # bytes, as the archive says
    is_folder: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, where: str, *, most: int | None = None) -> None:
    """Write all members of a zip archive below a new folder; after an error the folder is gone.

    Args: where: what messages call the archive, such as its address. most: bytes of its unpacked content; LARGEST if left out.
    Raises: DataError if it is no zip archive, is broken or encrypted, holds what is no plain file below the folder, or is too large.
    """
    with _new_folder(folder, where, "zip archive"), zipfile.ZipFile(archive) as packed:
        _write_all(partial(_zip_members, packed, where), folder, where, LARGEST if most is None else most)


def unpack_tar(archive: Path, folder: Path, where: str) -> None:
    """The same for a tar archive that is not packed, or was by `unpack_gzip`."""
    with ExitStack() as stack:
        stack.enter_context(_new_folder(folder, where, "tar archive"))
        stream = stack.enter_context(archive.open("rb"))
        packed = stack.enter_context(tarfile.open(fileobj=_Bounded(stream), mode="r:"))  # headers can ask for any amount of memory
        _write_all(partial(_tar_members, packed, where), folder, where, LARGEST)


def unpack_gzip(packed: Path, target: Path, where: str) -> None:
    """Write what a file packed by gzip holds; after an error there is no such file.

    Raises: DataError if it is no gzip file, is broken, or is too large.
    """
    with _new_folder(target.parent, where, "file packed by gzip"), gzip.open(packed) as source:
        _copy(source, target, LARGEST, where)


@contextmanager
def _new_folder(folder: Path, where: str, kind: str) -> Iterator[None]:
    folder.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            yield
        except (*_BROKEN, gzip.BadGzipFile) as error:
            raise DataError(f"{where}: expected a whole {kind}, got something else or a part of one: {str(error)[:200]}") from error
        except OSError as error:
            raise DataError(f"{where}: expected a readable archive, got {error.strerror or error}") from error
        undo.pop_all()


class _Bounded(io.RawIOBase):
    """A file whose reads are never longer than `_LONGEST_READ`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return self.stream.seek(place, whence)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise tarfile.TarError(f"a header of more than {_LONGEST_READ} bytes")
        return self.stream.read(size)


def _zip_members(packed: zipfile.ZipFile, where: str) -> Iterator[_Member]:
    for info in packed.infolist():
        _check_kind(info, f"{where}: {_shown(info.filename)}")
        yield _Member(info.filename, info.file_size, info.filename.endswith(("/", "\\")), partial(packed.open, info))


def _check_kind(member: zipfile.ZipInfo, place: str) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise DataError(f"{place}: expected a file without password, got an encrypted one")
    if member.compress_type not in _METHODS:
        known = " or ".join(_METHODS.values())
        raise DataError(f"{place}: expected a file that is {known}, got compression method {member.compress_type}")
    kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the archive was made without Unix modes
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{place}: expected a file or a folder, got a {'link' if kind == stat.S_IFLNK else 'device'}")


def _tar_members(packed: tarfile.TarFile, where: str) -> Iterator[_Member]:
    for info in packed:
        place = f"{where}: {_shown(info.name)}"
        if not (info.isreg() or info.isdir()) or info.issparse():
            kind = "link" if info.issym() or info.islnk() else "file with gaps" if info.issparse() else "device"
            raise DataError(f"{place}: expected a file or a folder, got a {kind}")
        if info.isreg() or info.name.strip("./"):  # not the folder itself, `./`
            yield _Member(info.name, info.size, info.isdir(), partial(_opened, packed, info))


def _opened(packed: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = packed.extractfile(info)
    if stream is None:
        raise tarfile.TarError(f"nothing in {_shown(info.name)}")
    return stream


def _write_all(members: Callable[[], Iterable[_Member]], folder: Path, where: str, most: int) -> None:
    room = most
    for member in _checked(members(), where, most):
        room -= _write(member, folder, room, where)


def _checked(members: Iterable[_Member], where: str, most: int) -> list[_Member]:
    """The members, after a look at all of them."""
    files: set[str] = set()
    folders: set[str] = set()
    found: list[_Member] = []
    for member in members:
        found.append(member)
        if len(found) > MOST_MEMBERS:
            raise DataError(f"{where}: expected at most {MOST_MEMBERS} files and folders, got {len(found)}")
    if (size := sum(member.size for member in found)) > most:
        raise DataError(f"{where}: expected at most {most} bytes unpacked, got {size}")
    for member in found:
        place = f"{where}: {_shown(member.name)}"
        parts = _parts(member.name, place)
        name = "/".join(parts)
        if name in files or (name in folders and not member.is_folder):
            raise DataError(f"{place}: expected one file or folder of a name, got two")
        (folders if member.is_folder else files).add(name)
        folders.update("/".join(parts[:length]) for length in range(1, len(parts)))
    if both := sorted(files & folders):
        raise DataError(f"{where}: {_shown(both[0])}: expected one file or folder of a name, got both")
    return found


def _parts(name: str, place: str) -> list[str]:
    """The names on the way to a member; archives made on Windows may part them by backslashes.

    Raises: DataError if they could lead out of the folder, on any system, or change how a terminal shows them.
    """
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts:
        raise DataError(f"{place}: expected a name below the archive's own folder, got one that leads out of it")
    if not parts or any(unicodedata.category(character) == "Cc" for character in name):
        raise DataError(f"{place}: expected a name without control characters, got another")
    if half_character(name):
        raise DataError(f"{place}: expected a name in UTF-8, got other bytes")
    if len(parts) > _DEEPEST:
        raise DataError(f"{place}: expected at most {_DEEPEST} folders within each other, got {len(parts)}")
    return parts


def _write(member: _Member, folder: Path, room: int, where: str) -> int:
    """Write one member, and return its size in bytes; `room` is the most it may have."""
    place = f"{where}: {_shown(member.name)}"
    target = folder.joinpath(*_parts(member.name, place))
    try:
        (target if member.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        if member.is_folder:
            return 0
        with member.open() as source:
            written = _copy(source, target, room, where)
    except OSError as error:
        advice = "; set $TMPDIR to a folder with more room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise DataError(f"{place}: expected to unpack it below {folder}, got {error.strerror or error}{advice}") from error
    if written != member.size:
        raise DataError(f"{place}: expected {member.size} bytes, as the archive says, got {written}")
    return written


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, room: int, where: str) -> int:
    written = 0
    with target.open("xb") as stream:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > room:
                raise DataError(f"{where}: expected at most {room} bytes unpacked, got more")
            stream.write(block)
    return written


def _shown(name: str) -> str:
    short = name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}…{name[-_SHOWN // 2 :]}"
    return ascii(short) if half_character(short) else repr(short)
