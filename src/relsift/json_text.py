"""JSON without surprises: a key twice, or what is valid JSON and no later step can hold, is an error and not a guess.

`decode` is for any JSON; `read_json` for the files that relsift writes itself, of which it also knows that numbers are finite. Those that
decide what comes out are `sealed`: the checksum of their content stands in them, so that a bit that a disk or a copy has turned does not
change a result in silence.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from relsift.errors import CheckpointError, RelsiftError

SEAL = "content_sha256"  # key of a sealed file: the checksum of the rest
MOST_DEPTH = 64  # brackets within brackets; what relsift writes has ten at most
_BITS = 64  # of a whole number


def decode(text: str) -> Any:
    """The value of a JSON text.

    Raises: ValueError for what is no JSON (then a JSONDecodeError with the place), a number of thousands of digits, and a key twice in one
        object, of which all but one value would be lost; RecursionError for nesting thousands deep.
    """
    return _decode(text)


def decode_finite(text: str) -> Any:
    """`decode` that also raises ValueError for NaN and Infinity, which JSON does not have."""
    return _decode_finite(text)


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """The same with the checksum of its content, which `read_json` compares and takes out. Layout and order of keys do not count.

    >>> sealed({"threshold": 0.5})["content_sha256"][:16]
    '78223d46fdb18349'
    """
    return value | {SEAL: _content_sha256(json.loads(json.dumps(value)))}


def read_json(
    file: Path, *, error: type[RelsiftError] = CheckpointError, advice: str = "copy the folder again", is_editable: bool = False
) -> Any:
    """The value of a JSON file that relsift wrote; of a sealed one, without its seal.

    Args:
        error: the class to raise. advice: what the user can do, the end of the message.
        is_editable: users may change the file by hand: a seal, which older versions wrote, is taken out unseen.
    Raises: `error` naming the file, if it cannot be read, or is altered; for what `decode` refuses; and for nesting deeper than
        `MOST_DEPTH`, half a character, a number that is not finite, and a whole number beyond 64 bits.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # editors put a mark before a file that was edited by hand
        value = decode(text)
        _check(value)
        if "\\ud" in text or "\\uD" in text:  # only an escape can hold half a character
            json.dumps(value, ensure_ascii=False).encode()
    except OSError as fault:
        raise error(f"{file}: expected a readable file, got {fault.strerror}; {advice}") from fault
    except (ValueError, RecursionError) as fault:
        correct = "correct it there, or " if is_editable else ""
        raise error(f"{file}: expected JSON, got {fault}; {correct}{advice}") from fault
    if isinstance(value, dict) and SEAL in value:
        seal = value.pop(SEAL)
        if not is_editable and (got := _content_sha256(value)) != seal:
            expected = f"content of the sha256 {str(seal)[:64]}, as its key {SEAL} says"
            raise error(f"{file}: expected {expected}, got {got}; it was altered: {advice}")
    return value


def _content_sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check(value: Any) -> None:
    """Raises ValueError for nesting or numbers that relsift does not write. Not by recursion, whose depth is what is checked."""
    parts: list[tuple[Any, int]] = [(value, 1)]
    while parts:
        part, depth = parts.pop()
        if isinstance(part, (dict, list)):
            if depth > MOST_DEPTH:
                raise ValueError(f"brackets more than {MOST_DEPTH} deep")
            parts += [(item, depth + 1) for item in (part.values() if isinstance(part, dict) else part) if not isinstance(item, str)]
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError(f"the number {part}, which is not finite")
        elif isinstance(part, int) and part.bit_length() > _BITS:
            raise ValueError(f"a whole number beyond {_BITS} bits")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        key = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {key[:40]!r} twice in one object")
    return value


_decode = json.JSONDecoder(object_pairs_hook=_unique_keys).decode


def _refused(constant: str) -> None:
    raise ValueError(f"{constant}, which JSON does not have")


_decode_finite = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refused).decode
