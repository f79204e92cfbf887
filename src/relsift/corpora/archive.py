"""Unpack a zip archive that comes from elsewhere: all of it as it says, or nothing and one line that says why not.

What `zipfile` mends in silence is refused: absolute names and `..` (it cuts them), links (it writes the target as text), a name twice (the
last one wins). Sizes are counted as they are written, whatever the archive declares.
"""

from __future__ import annotations

import errno
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from relsift.errors import DataError

ARCHIVE_SUFFIX = ".zip"
LARGEST = 500 << 20  # bytes, of an archive and of its unpacked content; the largest of the named corpora has 20 MB
MOST_MEMBERS = 50_000  # files and folders; the largest of the named corpora has 2,000
_DEEPEST = 100  # folders within each other
_BLOCK = 1 << 18  # bytes
_ENCRYPTED = 0x1  # bit of `ZipInfo.flag_bits`
# Others expand too much at once to be bounded while they are read, and no public corpus uses them.
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError)
_DRIVE = re.compile(r"[A-Za-z]:")  # of Windows, which makes a name absolute
_SHOWN = 80  # characters of a member's name in a message


def unpack(archive: Path, folder: Path, where: str, *, most: int = LARGEST) -> None:
    """Write all members below a new folder; after an error the folder is gone.

    Args: where: what messages call the archive, such as its address. most: bytes of its unpacked content.
    Raises: DataError if it is no zip archive, is broken or encrypted, holds what is no plain file below the folder, or is too large.
    """
    folder.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            with zipfile.ZipFile(archive) as packed:
                room = most
                for member in _checked(packed.infolist(), where, most):
                    room -= _write(packed, member, folder, room, where)
        except _BROKEN as error:
            raise DataError(f"{where}: expected a whole zip archive, got something else or a part of one: {str(error)[:200]}") from error
        except OSError as error:
            raise DataError(f"{where}: expected a readable archive, got {error.strerror or error}") from error
        undo.pop_all()


def _checked(members: list[zipfile.ZipInfo], where: str, most: int) -> Iterator[zipfile.ZipInfo]:
    """The members, after a look at all of them."""
    if len(members) > MOST_MEMBERS:
        raise DataError(f"{where}: expected at most {MOST_MEMBERS} files and folders, got {len(members)}")
    if (size := sum(member.file_size for member in members)) > most:
        raise DataError(f"{where}: expected at most {most} bytes unpacked, got {size}")
    files: set[str] = set()
    folders: set[str] = set()
    for member in members:
        place = f"{where}: {_shown(member.filename)}"
        _check_kind(member, place)
        parts = _parts(member, place)
        name = "/".join(parts)
        if name in files or (name in folders and not _is_folder(member)):
            raise DataError(f"{place}: expected one file or folder of a name, got two")
        (folders if _is_folder(member) else files).add(name)
        folders.update("/".join(parts[:length]) for length in range(1, len(parts)))
    if both := sorted(files & folders):
        raise DataError(f"{where}: {_shown(both[0])}: expected one file or folder of a name, got both")
    yield from members


def _check_kind(member: zipfile.ZipInfo, place: str) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise DataError(f"{place}: expected a file without password, got an encrypted one")
    if member.compress_type not in _METHODS:
        known = " or ".join(_METHODS.values())
        raise DataError(f"{place}: expected a file that is {known}, got compression method {member.compress_type}")
    kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the archive was made without Unix modes
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{place}: expected a file or a folder, got a {'link' if kind == stat.S_IFLNK else 'device'}")


def _parts(member: zipfile.ZipInfo, place: str) -> list[str]:
    """The names on the way to a member; archives made on Windows may part them by backslashes.

    Raises: DataError if they could lead out of the folder, on any system, or change how a terminal shows them.
    """
    name = member.filename.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts:
        raise DataError(f"{place}: expected a name below the archive's own folder, got one that leads out of it")
    if not parts or any(unicodedata.category(character) == "Cc" for character in name):
        raise DataError(f"{place}: expected a name without control characters, got another")
    if len(parts) > _DEEPEST:
        raise DataError(f"{place}: expected at most {_DEEPEST} folders within each other, got {len(parts)}")
    return parts


def _write(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, room: int, where: str) -> int:
    """Write one member, and return its size in bytes; `room` is the most it may have."""
    place = f"{where}: {_shown(member.filename)}"
    target = folder.joinpath(*_parts(member, place))
    written = 0
    try:
        (target if _is_folder(member) else target.parent).mkdir(parents=True, exist_ok=True)
        if _is_folder(member):
            return 0
        with packed.open(member) as source, target.open("xb") as stream:
            while block := source.read(_BLOCK):
                written += len(block)
                if written > room:
                    raise DataError(f"{where}: expected no more bytes unpacked than the archive may have, got more")
                stream.write(block)
    except OSError as error:
        advice = "; set $TMPDIR to a folder with more room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise DataError(f"{place}: expected to unpack it below {folder}, got {error.strerror or error}{advice}") from error
    if written != member.file_size:
        raise DataError(f"{place}: expected {member.file_size} bytes, as the archive says, got {written}")
    return written


def _is_folder(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith(("/", "\\"))


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}…{name[-_SHOWN // 2 :]}")
