"""Byte strings by their number, in a file, and sequences of what is made of them: for what does not fit into memory."""

from __future__ import annotations

import tempfile
import weakref
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeVar, overload
from zlib import crc32

from relsift.errors import OutputError
from relsift.locks import output_errors, reason

Item = TypeVar("Item", covariant=True)
_MEBI = 2**20  # bytes
_SUM_BYTES = 4  # of the checksum before each record


class RecordFile:
    """Written once, then read in any order. The file has no name and is gone with the process, however that ends; memory: 8 bytes a record.

    >>> records = RecordFile(Path("."), "an example", [b"one", b"", b"three"])
    >>> len(records), records[2], list(records)
    (3, b'three', [b'one', b'', b'three'])
    """

    def __init__(self, folder: Path, what: str, records: Iterable[bytes]) -> None:
        """Args: folder: of the file; one that is not there yet is not made: the file lies around it. what: the records are, for a message.

        Raises: OutputError if the folder cannot be written, or its disk is full.
        """
        folder = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
        self._name = f"{folder} ({what})"
        with output_errors(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with its last use
        weakref.finalize(self, _close, self._file)
        self._starts = array("Q", [0])  # of each record, and where the next one would be
        for record in records:
            with output_errors(f"{folder} ({what}, {self.size / _MEBI:.0f} MB so far)"):
                self._file.write(_sum_of(record) + record)
            self._starts.append(self._starts[-1] + _SUM_BYTES + len(record))
        with output_errors(f"{folder} ({what}, {self.size / _MEBI:.0f} MB)"):
            self._file.flush()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._starts[-1]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> bytes:
        """Args: number: 0 or more.

        Raises: IndexError if there is no such record; OutputError if the disk does not give back what was written.
        """
        start = self._starts[number]
        size = self._starts[number + 1] - start
        try:
            self._file.seek(start)  # which the next record in order has in the file's buffer
            found = self._file.read(size)
        except OSError as error:
            raise self._damaged(reason(error)) from error
        record = found[_SUM_BYTES:]
        if len(found) != size or found[:_SUM_BYTES] != _sum_of(record):
            raise self._damaged(f"{len(found)} of {size} bytes" if len(found) != size else "other bytes")
        return record

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(len(self)))

    def _damaged(self, got: str) -> OutputError:
        return OutputError(
            f"{self._name}: expected what was written there to be read again, got {got}; the disk may be broken or full: "
            "go on with --resume, or name another --out"
        )


def _sum_of(record: bytes) -> bytes:
    return crc32(record).to_bytes(_SUM_BYTES, "little")


class MadeItems(Sequence[Item]):
    """A sequence that keeps no item: every look at one makes it anew. A slice is a list."""

    @abstractmethod
    def made(self, number: int) -> Item:
        """Args: number: of the item, from 0, less than the length."""

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        numbers = range(len(self))
        return [self.made(number) for number in numbers[place]] if isinstance(place, slice) else self.made(numbers[place])

    def __iter__(self) -> Iterator[Item]:
        return map(self.made, range(len(self)))


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # of a full disk, which has been reported
        file.close()
