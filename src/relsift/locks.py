"""Locks between processes, and what is said where nothing can be written."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from relsift.errors import CheckpointError, DataError, OutputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk or a quota that is full, and of a limit that is reached


@contextmanager
def output_errors(place: Path | str) -> Iterator[None]:
    """OutputError in place of what the system says when it cannot write. A pipe that its reader has closed stays a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{place}: expected to write on, got {reason(error)}") from error


def reason(error: OSError) -> str:
    """What the system says, without its number and the path: `No space left on device`; what to do where that is not plain."""
    advice = " (check its permissions and those of the folders above it)" if isinstance(error, PermissionError) else ""
    return (error.strerror or str(error) or type(error).__name__) + advice


def is_full(error: OSError) -> bool:
    """Whether the disk or a quota is full, or a limit is reached: no fault of the name."""
    return error.errno in FULL


def no_place(path: Path, error: OSError | ValueError) -> DataError | OutputError:
    """The error for a place that cannot be opened or made for writing."""
    why = reason(error) if isinstance(error, OSError) else str(error)
    kind = OutputError if isinstance(error, OSError) and is_full(error) else DataError
    return kind(f"{path}: expected a place to write to, got {why}")


@contextmanager
def locked(file: Path, *, busy: str, wait: float = 0.0, remove: bool = False, place: Path | None = None) -> Iterator[None]:
    """Hold a lock on an empty file within the block. It is released when the process ends, in whatever way.

    Args:
        busy: the error message if another process holds the lock.
        wait: seconds to wait for it.
        remove: delete the file at the end.
        place: what the lock protects, for messages; the file itself if left out.
    Raises: CheckpointError with `busy` if another process holds it; DataError if the file cannot be locked.
    """
    while True:
        before = _identity(file, place or file)
        connection = _locked_connection(file, busy, wait)
        if not remove or before == _identity(file, place or file):
            break
        connection.close()  # its holder has deleted the file meanwhile: lock the new one
    with closing(connection):
        try:
            yield
        finally:
            if remove:
                with suppress(OSError):
                    file.unlink()  # while it is held: who waits for it sees that it is gone


def _locked_connection(file: Path, busy: str, wait: float) -> sqlite3.Connection:
    with ExitStack() as stack:
        try:
            # SQLite's lock on an empty file: the one lock of the standard library that is the same on all systems.
            connection = stack.enter_context(closing(sqlite3.connect(file, timeout=wait, isolation_level=None)))
            connection.execute("PRAGMA journal_mode = MEMORY")  # no second file, which a kill would leave
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise CheckpointError(busy) from error
            raise DataError(f"{file}: expected an empty file to lock, in a folder to write in, got {error}") from error
        stack.pop_all()
        return connection


def _identity(file: Path, place: Path) -> tuple[int, int, int]:
    """What tells a file from another one of the same name; the file is made if it is not there."""
    try:
        try:
            facts = file.lstat()
        except FileNotFoundError:
            # Never opened if it is there: closing it would release the lock that another thread of this process holds.
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
            facts = file.lstat()
    except OSError as error:
        raise no_place(place, error) from error
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns
