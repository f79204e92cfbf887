"""How numbers are written in tables and captions: percent with one decimal, differences in points with their sign."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence


def percent(share: float | None) -> str:
    """A share (1 is all) in percent, without the percent sign; None is a dash."""
    return "–" if share is None else f"{100 * share:.1f}"


def with_deviation(mean: float, deviation: float | None) -> str:
    """`61.3 ± 1.2`: mean and standard deviation of shares, in percent; the mean alone if there is no deviation."""
    return percent(mean) + ("" if deviation is None else f" ± {percent(deviation)}")


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign: `+1.2`, `−0.3`, `0.0`."""
    return signed(100 * difference, 1)


def interval(bounds: tuple[float, float]) -> str:
    """`−0.3 to +1.2`, in points."""
    return " to ".join(map(points, bounds))


def signed(value: float, decimals: int) -> str:
    """A number with plus or minus; if it rounds to zero, without a sign."""
    text = f"{value:+.{decimals}f}"
    return minus(text) if text.strip("+-0.") else text[1:]


def minus(text: str) -> str:
    """A number with the minus sign that is as wide as a plus."""
    return text.replace("-", "−")


def p_value(p: float) -> str:
    """`0.024`, `0.0031`, `< 0.0001`."""
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.3f}"


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """`1 fold`, `1,441 cells`. Args: nouns: the plural; None: the noun with an s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def some_values(values: Mapping[str, object], names: Sequence[str], most: int = 4) -> str:
    """`epochs=2, seed=1 and 3 more`: the first of these names with their values; a long value is cut.

    >>> some_values({"a": 1, "b": "two", "c": None}, ["a", "b", "c"], most=2)
    "a=1, b='two' and 1 more"
    """
    shown = ", ".join(f"{name}={shortened(repr(values.get(name)), 60)}" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def display_width(text: str) -> int:
    """In columns of a terminal, or Latin letters of a line: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def shortened(text: str, most: int) -> str:
    """The text in at most so many columns (see `display_width`). A longer one keeps its beginning and its end, where names often differ."""
    if display_width(text) <= most:
        return text
    head, tail = "", ""
    for first, last in zip(text, reversed(text)):
        if display_width(head + first + tail) >= most:
            break
        head += first
        if display_width(head + last + tail) >= most:
            break
        tail = last + tail
    return f"{head.rstrip()}…{tail.lstrip()}"
