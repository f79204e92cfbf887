"""The contract of a reader: a named format, a way to recognise it, and a generator of documents.

A reader translates one format into the data model (half-open token spans, head and tail positions) and does nothing else: no
vocabulary, no tensors, no download. Broken input raises DataError naming file and line. What the data model cannot hold (a relation
across sentences, a discontinuous span) is counted in the ReadReport, never dropped in silence.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.schema import Document

EXAMPLES_KEPT = 3  # per reason, for the message to the user


@dataclass
class ReadReport:
    """What a reader had to leave out or change, counted by reason."""

    dropped: Counter[str] = field(default_factory=Counter)  # reason -> number of items
    examples: dict[str, list[str]] = field(default_factory=dict)  # reason -> the first few places

    def drop(self, reason: str, where: str) -> None:
        """Count one item left out. `reason` is a plural noun phrase: "relations across sentences"."""
        self.dropped[reason] += 1
        places = self.examples.setdefault(reason, [])
        if len(places) < EXAMPLES_KEPT:
            places.append(where)

    def lines(self) -> list[str]:
        """One line a reason, most frequent first."""
        return [f"{count} {reason} (first: {self.examples[reason][0]})" for reason, count in self.dropped.most_common()]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One file format.

    `recognises` must be strict: a path that two readers recognise is refused as ambiguous.
    """

    name: str
    summary: str  # one line for lists
    read: Callable[..., Iterator[Document]]  # (path, report, **options): the documents of a file or folder, in file order
    recognises: Callable[[Path], bool]  # does the path look like this format, by its name and first bytes?
    samples: Mapping[str, str]  # file name -> invented content; readable as a folder with default options
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> allowed values, the default first


def input_files(path: Path, *suffixes: str) -> list[Path]:
    """The file itself, or the files below the folder with one of the suffixes, sorted by path.

    Raises DataError if nothing is there.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: expected a file or a folder, got a path that does not exist")
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in suffixes)
    if not files:
        raise DataError(f"{path}: expected a folder with {' or '.join(suffixes)} files, got none")
    return files


def read_text(path: Path) -> str:
    """The file as UTF-8 text, with its own line ends, without a byte-order mark. Raises DataError naming line and byte."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, got {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}:{line}: expected UTF-8 text, got byte 0x{data[error.start]:02x} at offset {error.start}; "
            "convert the file first, for example with `iconv -f GB18030 -t UTF-8`"
        ) from error


def parse_json(text: str, file: Path | str, *, expected: str, line: int = 1) -> Any:
    """The value of a JSON text that begins on `line` of the file.

    Raises: DataError naming file and line, also for valid JSON that no later step can hold: nesting thousands deep, numbers of
        thousands of digits, a lone surrogate (half a character).
    """
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # only an escape can hold a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"{file}:{line + error.lineno - 1}"
        raise DataError(f"{where}: expected {expected}, got {error.msg} at column {error.colno}") from error
    except UnicodeEncodeError as error:
        surrogate = ascii(error.object[error.start])
        raise DataError(f"{file}:{line}: expected whole characters, got half of one, the lone surrogate {surrogate}") from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{file}:{line}: expected {expected}, got {error}") from error
    return value


def beginning_of(path: Path, size: int = 4096) -> str:
    """The first `size` bytes of a file as text, for `recognises`. Undecodable bytes become U+FFFD; '' for a folder or a missing file."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(size).decode("utf-8", errors="replace")
