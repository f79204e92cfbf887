"""The description of a named corpus: its raw files, how they are read, and what to know about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relsift.candidates import Direction
from relsift.readers.base import Reader, ReadReport
from relsift.registry import find
from relsift.schema import Document

TRAIN, DEV, TEST = "train", "dev", "test"
SPLITS = (TRAIN, DEV, TEST)

Split = str | Callable[[int, Document], str]
"""The name of a split, or a function that gives it for a document and its position in the reading (from 0)."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One input in its original format: a file or a folder."""

    path: str  # below the folder of raw files; a download under another name is recognised by its checksum
    sha256: str  # of the file, or `folder_sha256` of the folder
    suffixes: tuple[str, ...] = ()  # for a folder: the suffixes of the files that count; empty for a file

    @property
    def is_folder(self) -> bool:
        return bool(self.suffixes)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one raw input is read, and which split each document goes to."""

    raw: str  # `Raw.path` of the input
    reader: str | Reader  # the name of a format, or a reader for this corpus only
    split: Split
    options: Mapping[str, str] = field(default_factory=dict)  # of the reader

    def read(self, path: Path, report: ReadReport) -> Iterator[tuple[str, Document]]:
        """Every document with the name of its split."""
        reader = find("reader", self.reader) if isinstance(self.reader, str) else self.reader
        for position, document in enumerate(reader.read(path, report, **self.options)):
            yield (self.split if isinstance(self.split, str) else self.split(position, document)), document


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A named corpus: what it is, where it comes from, how it is read."""

    name: str
    title: str
    language: str
    domain: str
    licence: str  # as the source states it
    source: str
    citation: str
    direction: Direction  # how its relations are usually scored; the default of training
    readings: tuple[Reading, ...]
    raw: tuple[Raw, ...] = ()
    homepage: str | None = None  # None: there is no public page
    download: str | None = None  # address of a zip archive; None: there is no public file
    notes: tuple[str, ...] = ()
    leave_out: Callable[[Document], str | None] | None = None  # why a document is left out (a plural noun phrase), or None
    shipped: Path | None = None  # folder inside the package, for a corpus that needs no preparation
