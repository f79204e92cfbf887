"""From a native file to JSON values with their places: JSON lines, and also one JSON array or objects over several lines.

A line is decoded and parsed only when it is asked for, so that a reader can leave out a broken line and go on with the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import parse_json
from relsift.readers.encodings import UTF8, decode
from relsift.readers.likely_encoding import encoding_hint

_BYTE_ORDER_MARK = "\ufeff"
_NOTHING = ("", _BYTE_ORDER_MARK, b"", _BYTE_ORDER_MARK.encode())  # lines without a value
_BLANKS = " \t\r\n"  # of JSON
_SKIPPED = re.compile(rf"[{_BLANKS}]*")
_end_of_value = json.JSONDecoder().raw_decode


class Place(NamedTuple):
    """One JSON value of a file."""

    where: str  # file and line, or file and item
    number: int  # of the line from 1, or of the item of an array from 0
    value: Callable[[], Any]  # raises DataError if it is broken
    line: bytes | str = ""  # what it was read from, if it is one line of JSON lines


def lines_of(file: Path, encoding: str = UTF8) -> Iterator[tuple[int, bytes | str]]:
    """(line number from 1, line). A file in UTF-8 is never in memory as a whole. Raises DataError for a wrong `encoding`."""
    try:
        if encoding == UTF8:
            with file.open("rb") as stream:
                yield from numbered_lines(stream)
        else:
            text = decode(file.read_bytes(), file, encoding).removeprefix(_BYTE_ORDER_MARK)
            yield from enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


def numbered_lines(stream: Iterable[bytes], name: str = "") -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line) of UTF-8 text; a lone carriage return ends a line too, since JSON strings hold none."""
    number = 0
    for raw in stream:
        if b"\r" in raw[:-2]:
            for line in raw.rstrip(b"\r\n").split(b"\r"):
                number += 1
                yield number, line
        else:
            number += 1
            yield number, raw


def values_of(lines: Iterable[tuple[int, bytes | str]], name: str, *, each_line: bool = False) -> Iterator[Place]:
    """The values of numbered lines; of the whole text if it is an array, or if its first object goes on in the next line.

    Args: name: of the file, for places. each_line: the lines come from the middle of a file that has one value a line.
    """
    stream = (item for item in lines if not _is_blank(item[1]))
    beginning = list(islice(stream, 2))
    if not each_line and is_whole([line for _, line in beginning]):
        first_line = last = beginning[0][0]
        parts = []
        for number, line in chain(beginning, stream):
            parts += ["\n" * (number - last), _decoded(line, f"{name}:{number}").rstrip("\r\n")]  # blank lines count too
            last = number
        yield from _values_of_whole("".join(parts).lstrip(_BYTE_ORDER_MARK + _BLANKS), name, first_line)
        return
    for number, line in chain(beginning, stream):
        yield Place(f"{name}:{number}", number, partial(_parsed, line, name, number), line)


def is_whole(beginning: Sequence[bytes | str]) -> bool:
    """Whether a file is one JSON array, or objects over several lines. Args: beginning: its first two lines that are not blank."""
    texts = [_text_or_nothing(line) for line in beginning]
    is_array = texts[:1] != [] and texts[0].startswith("[") and not (len(texts) == 2 and texts[0].endswith("]"))
    goes_on = len(texts) == 2 and texts[0].startswith("{") and not texts[0].endswith("}") and not texts[1].startswith("{")
    return is_array or goes_on


def _is_blank(line: bytes | str) -> bool:
    return line[:1] not in (b"{", "{") and line.strip() in _NOTHING


def _text_or_nothing(line: bytes | str) -> str:
    try:
        text = line.decode() if isinstance(line, bytes) else line
    except UnicodeDecodeError:
        return ""
    return text.lstrip(_BYTE_ORDER_MARK).strip(_BLANKS)


def _values_of_whole(text: str, name: str, line: int) -> Iterator[Place]:
    if text.startswith("["):
        items = parse_json(text, name, expected="one JSON array", line=line)
        yield from (Place(f"{name}: item {number}", number, partial(_same, item)) for number, item in enumerate(items))
        return
    position = 0
    while position < len(text):
        try:
            _, end = _end_of_value(text, position)
        except (ValueError, RecursionError):
            end = len(text)  # parsing it says what is wrong
        yield Place(f"{name}:{line}", line, partial(parse_json, text[position:end], name, expected="JSON objects", line=line))
        next_position = _SKIPPED.match(text, end).end()  # type: ignore[union-attr]  # it matches everywhere
        line += text.count("\n", position, next_position)
        position = next_position


def _same(value: Any) -> Any:
    return value


def _parsed(line: bytes | str, name: str, number: int) -> Any:
    text = _decoded(line, f"{name}:{number}").lstrip(_BYTE_ORDER_MARK).rstrip("\r\n")
    return parse_json(text, name, expected="one JSON object a line", line=number)


def _decoded(line: bytes | str, where: str) -> str:
    if isinstance(line, str):
        return line
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        place, _, _ = where.rpartition(":")
        raise DataError(
            f"{where}: expected UTF-8 text, got byte 0x{line[error.start]:02x} at column {error.start}; "
            f"{encoding_hint(line, Path(place))}"
        ) from error
