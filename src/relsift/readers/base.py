"""What a reader is: a named format, a way to recognise it, and a generator of documents.

A reader turns one format's habits into ours (half-open token spans, head and tail positions) and nothing else: no vocabulary,
no tensors, no download. Broken input raises DataError naming file and line; what the format allows but the data model cannot hold
(a relation across sentences, a discontinuous span) is counted in the ReadReport, never dropped in silence.
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
    """Counts what a reader had to leave out or change, by reason, with the first few places."""

    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

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

    read(path, report, **options) accepts a file or a folder of such files and yields documents in file order.
    recognises(path) says, from the name and the first bytes, whether the path looks like this format; it must be sure, since a
    file that two readers recognise is refused as ambiguous.
    samples: file name -> invented content in the format; written to a folder they must be readable with default options.
    options: name -> allowed values, the first one the default.
    """

    name: str
    summary: str
    read: Callable[..., Iterator[Document]]
    recognises: Callable[[Path], bool]
    samples: Mapping[str, str]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
    """The file as UTF-8 text, line ends kept as they are, a byte-order mark removed. Raises DataError with the byte's place."""
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

    Raises: DataError naming file and line, also for what JSON allows and no later step could hold: nesting thousands deep,
        numbers of thousands of digits, half a character (a lone surrogate).
    """
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # only an escape can smuggle half a character in
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"{file}:{line + error.lineno - 1}"
        raise DataError(f"{where}: expected {expected}, got {error.msg} at column {error.colno}") from error
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise DataError(f"{file}:{line}: expected whole characters, got half of one, the lone surrogate {half}") from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{file}:{line}: expected {expected}, got {error}") from error
    return value


def head_of(path: Path, size: int = 4096) -> str:
    """The beginning of a file for `recognises`; undecodable bytes become U+FFFD, a folder or a missing file gives ''."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(size).decode("utf-8", errors="replace")
