"""How programs count positions in a text, and which code point a position means.

Offsets in files are often counted by another program than the one that reads them. A convention has up to three parts, written with
"+" between them, such as `utf16+crlf-as-one`; a part that is left out has its first value.

    unit         characters (code points), utf16 (16-bit units: an emoji counts two, as in JavaScript, Java and C#),
                 bytes (of UTF-8)
    line ends    as in the file, crlf-as-one (CR LF counts one, as in browsers and Python's text mode),
                 lf-as-two (LF counts two: the file had CR LF when it was annotated)
    mark         not counted, bom (the byte-order mark at the beginning of the file counts)
"""

from __future__ import annotations

import bisect
import codecs
from collections.abc import Callable, Sequence
from itertools import accumulate, product
from pathlib import Path

UNITS = ("characters", "utf16", "bytes")
LINE_ENDS = ("", "crlf-as-one", "lf-as-two")
MARKS = ("", "bom")
CHARACTERS = UNITS[0]
_BYTE_ORDER_MARK = "\ufeff"
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _name(unit: str, line_ends: str, mark: str) -> str:
    parts = [part for part in ("" if unit == CHARACTERS else unit, line_ends, mark) if part]
    return "+".join(parts) or CHARACTERS


CONVENTIONS = tuple(_name(*parts) for parts in product(UNITS, LINE_ENDS, MARKS))  # the usual one first
_PARTS = dict(zip(CONVENTIONS, product(UNITS, LINE_ENDS, MARKS), strict=True))


_IN_WORDS = {
    CHARACTERS: "characters", "utf16": "UTF-16 code units, as JavaScript, Java and C# do", "bytes": "bytes of UTF-8",
    "crlf-as-one": "CR LF as one", "lf-as-two": "LF as two, since it was CR LF before", "bom": "the byte-order mark too",
}  # fmt: skip


def in_words(convention: str) -> str:
    """What the positions of a convention count."""
    return " and ".join(_IN_WORDS[part] for part in convention.split("+"))


class Positions:
    """Code-point offsets of the positions that a convention counts in one text."""

    def __init__(self, text: str, convention: str = CHARACTERS, *, has_mark: bool = False) -> None:
        """Args: has_mark: the file begins with a byte-order mark, which `text` leaves out. Raises: KeyError for an unknown convention."""
        unit, line_ends, mark = _PARTS[convention]
        widths = _widths(text, unit, line_ends)
        first = _WIDTH[unit](_BYTE_ORDER_MARK) if mark and has_mark else 0
        self._length = len(text)
        # Of each offset 0..length in `text`; None: they are the offsets themselves.
        self._positions = None if widths is None and not first else list(accumulate(widths or [1] * len(text), initial=first))

    @property
    def are_offsets(self) -> bool:
        """Whether the convention counts this text as Python does."""
        return self._positions is None

    def offset(self, position: int) -> int | None:
        """The code point at which `position` lies; None if it is outside the text or inside a character."""
        if self._positions is None:
            return position if 0 <= position <= self._length else None
        found = bisect.bisect_left(self._positions, position)
        return found if found <= self._length and self._positions[found] == position else None

    def key(self) -> tuple[int, ...]:
        """Equal for two conventions that count this text in the same way."""
        return () if self._positions is None else tuple(self._positions)


_WIDTH: dict[str, Callable[[str], int]] = {
    "characters": lambda character: 1,
    "utf16": lambda character: 1 + (character > "\uffff"),
    "bytes": lambda character: 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff"),
}


def _widths(text: str, unit: str, line_ends: str) -> Sequence[int] | None:
    """How much each character counts; None if each counts one."""
    if unit == CHARACTERS or text.isascii() or (unit == "utf16" and max(text) <= "\uffff"):
        widths = None
    else:
        widths = [_WIDTH[unit](character) for character in text]
    if line_ends == "crlf-as-one" and "\r\n" in text:
        widths = widths or [1] * len(text)
        for number in _places(text, "\r\n"):
            widths[number] = 0
    elif line_ends == "lf-as-two" and "\n" in text:
        widths = widths or [1] * len(text)
        for number in _places(text, "\n"):
            widths[number] = 1 if text[number - 1 : number] == "\r" else 2
    return widths


def _places(text: str, part: str) -> list[int]:
    places, place = list[int](), text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + 1)
    return places


def begins_with_mark(path: Path) -> bool:
    """Whether the file begins with a byte-order mark."""
    with path.open("rb") as stream:
        return stream.read(3).startswith(_BYTE_ORDER_MARKS)


def fits(
    text: str, num_fitting: Callable[[Positions], int], *, has_mark: bool = False, conventions: Sequence[str] = CONVENTIONS
) -> dict[str, int]:
    """What `num_fitting` says of each convention: how many mentions have their own words at their positions."""
    counted: dict[tuple[int, ...], int] = {}  # several conventions often count one text in the same way
    numbers: dict[str, int] = {}
    for convention in conventions:
        positions = Positions(text, convention, has_mark=has_mark)
        key = positions.key()
        if key not in counted:
            counted[key] = num_fitting(positions)
        numbers[convention] = counted[key]
    return numbers
