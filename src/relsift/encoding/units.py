"""Which candidate pairs share one reading of their sentence: one row of words, tags and trees in a batch.

sentence    all pairs: what the model reads does not depend on the pair
pair        the two orders of the same two entities: tags or words mark the two entities
head        all pairs with one head: tags or words mark the head
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

from relsift.candidates import Pair

Unit = Literal["sentence", "pair", "head"]


def grouped(pairs: Sequence[Pair], unit: Unit) -> list[list[int]]:
    """Positions in `pairs` of those that share a reading, in the order of their first pair; one empty group if there are no pairs."""
    if unit == "sentence":
        return [list(range(len(pairs)))]
    groups: dict[Hashable, list[int]] = {}
    for position, pair in enumerate(pairs):
        groups.setdefault(_key(pair, unit), []).append(position)
    return list(groups.values()) or [[]]


def _key(pair: Pair, unit: Unit) -> Hashable:
    return pair.head if unit == "head" else frozenset((pair.head, pair.tail))
