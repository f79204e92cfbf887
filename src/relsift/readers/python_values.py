"""Values that Python users have (tuples, numpy numbers and arrays, entities of ours) as the values that JSON would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import shown
from relsift.schema import Entity

_LARGEST_NUMBER = 2**63 - 1
_PLAIN = (int, float, bool, type(None))


def as_json(value: Any, where: str) -> Any:
    """Lists, dicts with texts as keys, texts, numbers, true, false and None. Arrays and other sequences become lists.

    Raises: DataError for anything else, for half of a character (a lone surrogate), for the character U+0000, as readers do, and for a
        value that holds itself.
    """
    try:
        return _as_json(value, where)
    except RecursionError:
        raise DataError(f"{where}: expected lists and mappings of texts and numbers, got a value nested thousands deep") from None


def _as_json(value: Any, where: str) -> Any:
    kind = type(value)
    if kind is str:
        return _whole_characters(value, where)
    if kind in _PLAIN:
        if kind is int and abs(value) > _LARGEST_NUMBER:
            raise DataError(f"{where}: expected numbers that fit into 64 bits, got one of {value.bit_length()} bits")
        return value
    if isinstance(value, Entity):
        return {name: _as_json(part, where) for name in Entity.__slots__ if (part := getattr(value, name)) is not None}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise DataError(f"{where}: expected texts as keys, got {key!r}")
        return {str(key): _as_json(part, where) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(part, where) for part in value]
    if callable(getattr(value, "tolist", None)):  # numpy, pandas, torch: scalars become numbers and texts, arrays become lists
        return _as_json(value.tolist(), where)
    for plain in (str, int, float):  # subclasses, such as an enumeration's members
        if isinstance(value, plain):
            return _as_json(plain(value.value if hasattr(value, "value") else value), where)
    raise DataError(f"{where}: expected lists and mappings of texts and numbers, got {kind.__name__}")


def _whole_characters(text: str, where: str) -> str:
    if "\0" in text:
        raise DataError(f"{where}: expected text, got the character U+0000 in {shown(text)}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            surrogate = ascii(text[error.start])
            raise DataError(f"{where}: expected whole characters, got half of one, the lone surrogate {surrogate}") from error
    return text
