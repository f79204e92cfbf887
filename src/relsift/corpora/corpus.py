"""What relsift knows about a named corpus before it has seen a file of it."""

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
"""A split's name, or what tells it from a document and its place (from 0) in the reading."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One input in its original format: a file, or a folder of many files if `suffixes` says which of them count."""

    path: str
    """As it is called below the folder of raw files; a download that calls it otherwise is recognised by its checksum."""
    sha256: str
    """Of the file, or `folder_sha256` of the folder."""
    suffixes: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        return bool(self.suffixes)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One pass over one raw input: which reader, with which options, and which split each document goes to."""

    raw: str
    reader: str | Reader  # a format's name, or a reader that is of use to this corpus only
    split: Split
    options: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: Path, report: ReadReport) -> Iterator[tuple[str, Document]]:
        """Every document with the name of its split."""
        reader = find("reader", self.reader) if isinstance(self.reader, str) else self.reader
        for position, document in enumerate(reader.read(path, report, **self.options)):
            yield (self.split if isinstance(self.split, str) else self.split(position, document)), document


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A named corpus: what it is, where it comes from, how it is read.

    licence: as the source states it. homepage, download: None where there is no public page or file.
    direction: how its relations are usually scored, and what training takes if nothing else is asked for.
    leave_out: a reason (a plural noun phrase) to leave a document out, or None; every one left out is counted.
    shipped: the folder inside the package, for a corpus that needs no preparing.
    """

    name: str
    title: str
    language: str
    domain: str
    licence: str
    source: str
    citation: str
    direction: Direction
    readings: tuple[Reading, ...]
    raw: tuple[Raw, ...] = ()
    homepage: str | None = None
    download: str | None = None
    notes: tuple[str, ...] = ()
    leave_out: Callable[[Document], str | None] | None = None
    shipped: Path | None = None
