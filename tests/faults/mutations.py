"""Ways to break a file: each takes the bytes of a file and random numbers, and returns other bytes, or None where it does not apply."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes | None]

HUGE = ("9" * 5000, "1e400", str(2**63), str(2**31), "-1", "99999", "-0", "NaN", "1.5", "")
ODD: tuple[Any, ...] = (None, True, 0, -1, 2**63, 10**30, 1.5, "", "x", "\ud800", "\x00", [], [None], [[]], ["x", "x"], {}, {"x": None})
DEPTH = 100_000  # of nested brackets and tags
LONG = 1_000_000  # characters

# What such a mutation changes is one value: no sentence and no relation goes away, unless the reader says so.
COUNT_KEEPING = frozenset({"number", "bom", "crlf", "invalid UTF-8", "NUL", "long word"})


def _cut(data: bytes, draw: random.Random) -> bytes | None:
    return data[: draw.randrange(len(data))] if data else None


def _flip(data: bytes, draw: random.Random) -> bytes | None:
    if not data:
        return None
    changed = bytearray(data)
    changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _flips(data: bytes, draw: random.Random) -> bytes | None:
    changed = bytearray(data)
    for _ in range(draw.randint(2, 12) if data else 0):
        changed[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(changed)


def _insert(what: bytes) -> Mutation:
    def insert(data: bytes, draw: random.Random) -> bytes:
        place = draw.randrange(len(data) + 1)
        return data[:place] + what + data[place:]

    return insert


def _odd_character(data: bytes, draw: random.Random) -> bytes | None:
    return _insert(draw.choice(("\u2028", "\x85", "\x0b", "\u202e", "\U0001f600", "\x1b")).encode())(data, draw)


def _in_word(what: bytes) -> Mutation:
    """Inside a run of letters, where no structure of the format is hit."""

    def insert(data: bytes, draw: random.Random) -> bytes | None:
        places = [found.start() + 1 for found in re.finditer(rb"[A-Za-z]{2,}", data)]
        if not places:
            return None
        place = draw.choice(places)
        return data[:place] + what + data[place:]

    return insert


def _delete(data: bytes, draw: random.Random) -> bytes | None:
    if len(data) < 2:
        return None
    start = draw.randrange(len(data))
    return data[:start] + data[start + draw.randint(1, 1 + len(data) // 4) :]


def _repeat(data: bytes, draw: random.Random) -> bytes | None:
    if len(data) < 2:
        return None
    start = draw.randrange(len(data))
    end = start + draw.randint(1, 1 + len(data) // 4)
    return data[:end] + data[start:end] + data[end:]


def _crlf(data: bytes, draw: random.Random) -> bytes | None:
    return data.replace(b"\n", b"\r\n") if b"\r" not in data else None


def _bom(data: bytes, draw: random.Random) -> bytes | None:
    return b"\xef\xbb\xbf" + data


def _utf16(data: bytes, draw: random.Random) -> bytes | None:
    try:
        return data.decode("utf-8").encode("utf-16")
    except UnicodeDecodeError:
        return None


def _empty(data: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"", b"\n", b" \n\n", b"\x00" * 64, b"null", b"[]", b"{}"))


def _lines(change: Callable[[list[bytes], random.Random], None]) -> Mutation:
    def lines(data: bytes, draw: random.Random) -> bytes | None:
        parts = data.splitlines(keepends=True)
        if len(parts) < 2:
            return None
        change(parts, draw)
        return b"".join(parts)

    return lines


def _double_line(lines: list[bytes], draw: random.Random) -> None:
    place = draw.randrange(len(lines))
    lines.insert(place, lines[place])


def _drop_line(lines: list[bytes], draw: random.Random) -> None:
    del lines[draw.randrange(len(lines))]


def _swap_lines(lines: list[bytes], draw: random.Random) -> None:
    one, other = draw.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]


def _number(data: bytes, draw: random.Random) -> bytes | None:
    found = list(re.finditer(rb"(?<![A-Za-z0-9_.])\d+(?![A-Za-z0-9_.])", data))
    if not found:
        return None
    match = draw.choice(found)
    return data[: match.start()] + draw.choice(HUGE).encode() + data[match.end() :]


def _swap_fields(data: bytes, draw: random.Random) -> bytes | None:
    """Two neighbours of a line, between tabs, commas, bars or quotes."""
    mark = draw.choice((b"\t", b",", b"|", b'"', b" "))
    parts = data.split(mark)
    if len(parts) < 3:
        return None
    place = draw.randrange(len(parts) - 1)
    parts[place], parts[place + 1] = parts[place + 1], parts[place]
    return mark.join(parts)


def _json_places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key."""
    if isinstance(value, dict):
        return [place for key, part in value.items() for place in [(value, key), *_json_places(part)]]
    if isinstance(value, list):
        return [place for key, part in enumerate(value) for place in [(value, key), *_json_places(part)]]
    return []


def _json(change: Callable[[Any, list[tuple[Any, Any]], random.Random], None]) -> Mutation:
    """Of a file that is one JSON value, or of one of its JSON lines."""

    def mutate(data: bytes, draw: random.Random) -> bytes | None:
        lines, number = [data], 0
        try:
            value = json.loads(data)
        except ValueError:
            lines = data.splitlines(keepends=True)
            number = draw.randrange(len(lines)) if lines else 0
            try:
                value = json.loads(lines[number])
            except (ValueError, IndexError):
                return None
        places = _json_places(value)
        if len(places) < 2:
            return None
        change(value, places, draw)
        lines[number] = json.dumps(value).encode() + b"\n"
        return b"".join(lines)

    return mutate


def _json_odd(value: Any, places: list[tuple[Any, Any]], draw: random.Random) -> None:
    parent, key = draw.choice(places)
    parent[key] = draw.choice(ODD)


def _json_delete(value: Any, places: list[tuple[Any, Any]], draw: random.Random) -> None:
    parent, key = draw.choice(places)
    del parent[key]


def _json_swap(value: Any, places: list[tuple[Any, Any]], draw: random.Random) -> None:
    (one, key), (other, name) = draw.sample(places, 2)
    one[key], other[name] = json.loads(json.dumps(other[name])), json.loads(json.dumps(one[key]))


def _json_same(value: Any, places: list[tuple[Any, Any]], draw: random.Random) -> None:
    """Two values of one kind become equal, as two ids might."""
    (one, key), (other, name) = draw.sample(places, 2)
    for _ in range(20):
        if type(one[key]) is type(other[name]) and not isinstance(one[key], dict | list):
            break
        (one, key), (other, name) = draw.sample(places, 2)
    one[key] = json.loads(json.dumps(other[name]))


def _nested(data: bytes, draw: random.Random) -> bytes | None:
    """Brackets, objects or tags in one another, in place of a value or anywhere."""
    if b"<" in data[:200]:
        places = [found.end() for found in re.finditer(rb">", data)]
        what = draw.choice((b"<a>" * DEPTH, b"<a>" * DEPTH + b"</a>" * DEPTH))
    else:
        places = [found.start() for found in re.finditer(rb'"|\d|\[', data)] or [0]
        what = draw.choice((b"[" * DEPTH, b"[" * DEPTH + b"]" * DEPTH + b",", b'{"a":' * DEPTH, b"{" * DEPTH))
    place = draw.choice(places) if places else 0
    return data[:place] + what + data[place:]


def _laughs(data: bytes, draw: random.Random) -> bytes | None:
    """Entities that grow into gigabytes, at the first value of an XML file."""
    if b"<" not in data[:200] or b">" not in data:
        return None
    entities = b"".join(b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10) for number in range(1, 12))
    head, _, rest = data.partition(b"?>")
    if not rest:
        head, rest = b"", data
    place = rest.rfind(b"</")
    return (head + b"?>" if head else b"") + b'<!DOCTYPE x [<!ENTITY e0 "ha">' + entities + b"]>" + rest[:place] + b"&e11;" + rest[place:]


MUTATIONS: dict[str, Mutation] = {
    "truncated": _cut, "bit flipped": _flip, "bytes altered": _flips, "bytes deleted": _delete, "bytes repeated": _repeat,
    "emptied": _empty, "invalid UTF-8": _in_word(b"\xff"), "surrogate": _in_word(b"\xed\xa0\x80"), "NUL": _in_word(b"\x00"),
    "odd character": _odd_character,
    "bom": _bom, "crlf": _crlf, "utf-16": _utf16, "line doubled": _lines(_double_line), "line missing": _lines(_drop_line),
    "lines swapped": _lines(_swap_lines), "number": _number, "fields swapped": _swap_fields, "value odd": _json(_json_odd),
    "value missing": _json(_json_delete), "values swapped": _json(_json_swap), "values equal": _json(_json_same), "nested": _nested,
    "entities expand": _laughs, "long word": _in_word(b"x" * LONG),
}  # fmt: skip
"""Name -> mutation."""
BINARY = ("truncated", "bit flipped", "bytes altered", "bytes deleted", "bytes repeated", "emptied")
"""Those for files that are no text."""
