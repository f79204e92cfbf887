"""Random choices that depend on a key alone: the same on every machine, in every order, in every process."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

RANGE = 2**64


def stable_integer(*key: Any) -> int:
    """A number in 0 .. RANGE - 1, uniform over keys and always the same for one key.

    Args:
        key: numbers, strings, and sequences of them; a list and a tuple are the same key.
    """
    return int.from_bytes(blake2b(json.dumps(key).encode(), digest_size=8).digest())
