"""Checksums, locks, and files and folders that are replaced as a whole.

A process that reads while another one writes sees the old file or folder, or the complete new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TextIO

from relsift.errors import CheckpointError, DataError

# ---- checksums


def file_sha256(file: Path) -> str:
    """Raises DataError if the file cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files below the folder that have one of the suffixes (any file if there are none given), sorted by relative path."""
    wanted = frozenset(suffixes)
    files = [p for p in folder.rglob("*") if p.is_file() and (not wanted or p.suffix in wanted)]
    return sorted(files, key=lambda p: p.relative_to(folder).as_posix())


def folder_sha256(folder: Path, suffixes: Iterable[str] = (), digest: Callable[[Path], str] = file_sha256) -> str:
    """One digest of a folder: over the lines `relative path, tab, digest of the file`, sorted by path.

    Only files with one of the suffixes count, so that what an operating system leaves behind (`.DS_Store`) changes nothing.
    """
    return joint_sha256({p.relative_to(folder).as_posix(): digest(p) for p in files_below(folder, suffixes)})


def joint_sha256(digests: Mapping[str, str]) -> str:
    """One digest of several, with their names."""
    lines = "".join(f"{name}\t{digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


# ---- replacing files and folders


def write_json(path: Path, value: Any) -> None:
    """Write JSON. Readers see the old file or the complete new one, also after a power cut."""
    with replaced_file(path) as stream:
        json.dump(value, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def replaced_file(path: Path) -> Iterator[TextIO]:
    """A text stream whose content takes the place of `path` when the block ends; an error in the block leaves `path` as it was.

    Raises: DataError if nothing can be written there.
    """
    if path.is_dir():
        raise DataError(f"{path}: expected a file to write, got a folder; name another place")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        stream = temporary.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"{path}: expected a place to write to, got {error.strerror}") from error
    try:
        with stream:
            yield stream
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends; an error in the block leaves `folder` as it was.

    A link stays, and what it points to is replaced. Raises: DataError for a file in the folder's place, and for the working folder.
    """
    folder = folder.resolve()
    if (folder.exists() and not folder.is_dir()) or folder == Path.cwd() or folder in Path.cwd().parents:
        obstacle = "the working folder, or one around it" if folder.is_dir() else "a file"
        raise DataError(f"{folder}: expected a folder that can be written or replaced, got {obstacle}; name another place")
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if folder.exists():
            old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
            folder.rename(old)
            fresh.rename(folder)
            shutil.rmtree(old)
        else:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


# ---- locks


@contextmanager
def locked(file: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock on an empty file within the block. It is released when the process ends, in whatever way.

    Args: busy: the error message if another process holds the lock.
    Raises: CheckpointError with `busy` if another process holds it; DataError if the file cannot be locked.
    """
    with ExitStack() as stack:
        try:
            # SQLite's lock on an empty file: the one lock of the standard library that is the same on all systems.
            connection = stack.enter_context(closing(sqlite3.connect(file, timeout=0, isolation_level=None)))
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise CheckpointError(busy) from error
            raise DataError(f"{file}: expected an empty file to lock, in a folder to write in, got {error}") from error
        yield
