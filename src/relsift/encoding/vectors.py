"""Pre-trained word vectors from a file: GloVe text, word2vec text, or a numpy array with a vocabulary beside it.

Only the words asked for are kept, so that a file of gigabytes needs little memory. Text files (`.gz` too) are one word a line:
    the 0.418 0.24968 …         GloVe, from the first line on
    400000 50                   word2vec and fastText: first a line with the number of words and the size
NAME.npy is an array (words, size); NAME.txt or NAME.vocab has the words, one a line. Text is compared as UTF-8 bytes.
Every text line must have the right number of fields; that they are numbers is checked for the words that are kept.
Sources of the formats: Pennington et al., EMNLP 2014 (GloVe); Mikolov et al., 2013 (word2vec).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from relsift.errors import DataError
from relsift.files import file_sha256

Vector = NDArray[np.float32]
LONGEST_LINE = 2**20  # bytes: a vector of 1000 numbers takes 20,000
MOST_DIGITS = 12  # of the number of words in a first line
VOCABULARIES = (".txt", ".vocab")  # beside an .npy file


@dataclass(frozen=True)
class VectorReport:
    """Which file, and how much of a vocabulary it covers."""

    file: str
    sha256: str
    size: int  # dimensions
    words: int  # of the vocabulary
    found: int  # of them, in the file as they are
    found_lower: int  # of them, in the file only in lower case
    duplicates: int  # repeated lines with a word of the vocabulary; the first line counts
    further: int = 0  # words of the file that the vocabulary took in, beside those that are counted above

    @property
    def missing(self) -> int:
        return self.words - self.found - self.found_lower

    def line(self) -> str:
        lower = f", {self.found_lower} only in lower case" if self.found_lower else ""
        twice = f"; {self.duplicates} repeated lines left out" if self.duplicates else ""
        more = f"; {self.further} further words" if self.further else ""
        found = f"{self.found} of {self.words} words found{lower}, {self.missing} start at random"
        return f"word vectors from {self.file}: {found}{more}{twice}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"missing": self.missing}


@dataclass(frozen=True)
class WordVectors:
    """The vectors of those words of a vocabulary that have one. Letters: n words with a vector, D dimensions."""

    positions: NDArray[np.int64]  # (n,) in the vocabulary
    values: Vector  # (n, D), as they are in the file
    report: VectorReport


def read_vectors(path: Path, words: Sequence[str]) -> WordVectors:
    """The vectors of `words`; a word that is not in the file takes the vector of its lower-case form if that is there.

    Raises: DataError naming file and line for a broken line, another number of dimensions, or a number that is not finite.
    """
    sha256 = vectors_sha256(path)
    wanted = {form.encode() for word in words for form in (word, word.lower())}
    vectors: dict[bytes, Vector] = {}
    duplicates = 0
    for word, vector in _array(path, wanted) if path.suffix.lower() == ".npy" else _text(path, wanted):
        if word in vectors:
            duplicates += 1
        else:
            vectors[word] = vector
    exact = [(position, word.encode()) for position, word in enumerate(words)]
    lower = [(position, word.lower().encode()) for position, word in enumerate(words) if word.encode() not in vectors]
    rows = [(position, vectors[key]) for position, key in exact + lower if key in vectors]
    num_lower, size = sum(key in vectors for _, key in lower), _size(path)
    report = VectorReport(path.name, sha256, size, len(words), len(rows) - num_lower, num_lower, duplicates)
    values = np.array([vector for _, vector in rows], np.float32).reshape(len(rows), size)
    return WordVectors(np.array([position for position, _ in rows], np.int64), values, report)


def first_words(path: Path, count: int) -> list[str]:
    """The first `count` words of a file of word vectors; what is no UTF-8 text is left out, as no token can equal it.

    Raises: DataError naming file and line for a line without a word and its numbers.
    """
    vectors_sha256(path)  # that there is such a file
    words = []
    for word in islice(_names(path) if path.suffix.lower() == ".npy" else _text_words(path), count):
        with suppress(UnicodeDecodeError):
            words.append(word.decode())
    return words


# ---- text


def _text(path: Path, wanted: set[bytes]) -> Iterator[tuple[bytes, Vector]]:
    with _open(path) as stream:
        lines = _lines(path, stream)
        first = next(lines, b"")
        count, size = _shape(path, first)
        if count is None:
            lines = chain([first], lines)
        words = 0
        for words, line in enumerate(lines, start=1):
            yield from _row(path, words + (count is not None), line, size, wanted)
    if count is not None and words != count:
        raise DataError(f"{path}:1: expected {count} words as its first line says, got {words}; copy the file again")


def _text_words(path: Path) -> Iterator[bytes]:
    with _open(path) as stream:
        lines = _lines(path, stream)
        first = next(lines, b"")
        count, size = _shape(path, first)
        for number, line in enumerate(lines if count is not None else chain([first], lines), start=1 + (count is not None)):
            yield _word_and_numbers(path, number, line.rstrip(b" \t\r\n"), size)[0]


def _row(path: Path, number: int, line: bytes, size: int, wanted: set[bytes]) -> list[tuple[bytes, Vector]]:
    """The line's word and vector if the word is wanted."""
    word, numbers = _word_and_numbers(path, number, line.rstrip(b" \t\r\n"), size)
    if word not in wanted:
        return []
    try:
        if b"_" in numbers:  # Python's own numbers may hold one
            raise ValueError("an underscore")
        with np.errstate(over="ignore"):  # what single precision cannot hold becomes infinite, and is refused below
            vector = np.array(numbers.split(b" "), np.float64).astype(np.float32)
    except ValueError as error:
        raise DataError(f"{path}:{number}: expected {size} numbers after the word, got {_excerpt(numbers)}") from error
    if not np.isfinite(vector).all():
        raise DataError(f"{path}:{number}: expected finite numbers, got {_excerpt(numbers)}")
    return [(word, vector)]


def _word_and_numbers(path: Path, number: int, line: bytes, size: int) -> tuple[bytes, bytes]:
    if line.count(b" ") == size:
        word, _, numbers = line.partition(b" ")
    else:  # GloVe 840B has words with spaces in them: the numbers are counted from the right
        *start, numbers = _split_right(line, size)
        word = b"".join(start)
        if not word or _is_number(word.rpartition(b" ")[2]):
            fields = len(line.split(b" ")) if line else 0
            raise DataError(f"{path}:{number}: expected a word and {size} numbers, got {fields} fields: {_excerpt(line)}")
    if not word:
        raise DataError(f"{path}:{number}: expected a word before the numbers, got none: {_excerpt(line)}")
    return word, numbers


def _split_right(line: bytes, size: int) -> list[bytes]:
    """[word, numbers], or [numbers] if there is no room for a word."""
    parts = line.rsplit(b" ", size)
    return [parts[0], b" ".join(parts[1:])] if len(parts) == size + 1 else [line]


def _shape(path: Path, first: bytes) -> tuple[int | None, int]:
    """Number of words, if the first line says so, and dimensions."""
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) <= MOST_DIGITS for field in fields):
        count, size = map(int, fields)
    else:
        count, size = None, len(fields) - 1
    if size < 1:
        raise DataError(f'{path}:1: expected a word and its numbers, or "words size", got {_excerpt(first.strip())}')
    return count, size


def _lines(path: Path, stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """The lines, none of which takes more memory than LONGEST_LINE, whatever a few compressed bytes may stand for."""
    try:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(f"{path}:{number}: expected a word and its numbers, got a line of more than {LONGEST_LINE} bytes")
            yield line
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: expected a readable file, got {error}; copy it again") from error


def _open(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _excerpt(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else text[:60] + "…")


# ---- numpy


def _array(path: Path, wanted: set[bytes]) -> Iterator[tuple[bytes, Vector]]:
    table = _load(path)
    number = 0
    for number, word in enumerate(_names(path), start=1):
        if word in wanted and number <= len(table):
            vector = table[number - 1].astype(np.float32)
            if not np.isfinite(vector).all():
                raise DataError(f"{path}: row {number - 1}: expected finite numbers, got {_excerpt(str(vector).encode())}")
            yield word, vector
    if number != len(table):
        raise DataError(f"{_vocabulary(path)}: expected {len(table)} words, one for each row of {path.name}, got {number}")


def _names(path: Path) -> Iterator[bytes]:
    """The words of an array, in the order of its rows."""
    names = _vocabulary(path)
    with names.open("rb") as stream:
        for number, line in enumerate(_lines(names, stream), start=1):
            word = line.rstrip(b"\r\n")
            if not word:
                raise DataError(f"{names}:{number}: expected a word, got an empty line")
            yield word


def _load(path: Path) -> NDArray[Any]:
    try:
        with np.errstate(over="ignore"):  # of a shape that no file has, which is refused
            table: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")  # refuses arrays of Python objects
    except (OSError, ValueError, EOFError, OverflowError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError) as error:
        raise DataError(f"{path}: expected a numpy array of numbers, got {' '.join(str(error).split())[:200]}") from error
    if table.ndim != 2 or table.shape[1] < 1 or table.dtype.kind != "f":
        raise DataError(f"{path}: expected floating-point numbers (words, size), got {table.dtype} {table.shape}")
    return table


def _vocabulary(path: Path) -> Path:
    for suffix in VOCABULARIES:
        if (names := path.with_suffix(suffix)).is_file():
            return names
    expected = " or ".join(path.with_suffix(suffix).name for suffix in VOCABULARIES)
    raise DataError(f"{path}: expected its words beside it in {expected}, one a line, got neither")


# ---- both


def _size(path: Path) -> int:
    if path.suffix.lower() == ".npy":
        return int(_load(path).shape[1])
    with _open(path) as stream:
        return _shape(path, next(_lines(path, stream), b""))[1]


def vectors_sha256(path: Path) -> str:
    """SHA-256 of the file. Raises DataError if there is no such file."""
    if not path.is_file():
        raise DataError(f"{path}: expected a file of word vectors, got {'a folder' if path.is_dir() else 'nothing'}")
    return file_sha256(path)
