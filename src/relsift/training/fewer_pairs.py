"""Examples with some of their pairs alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from relsift.encoding.example import Example


def num_unrelated(group: Sequence[Example]) -> int:
    """How many of the pairs have no relation."""
    return sum(len(example.heads) - len({pair for pair, _ in example.labels}) for example in group)


def reduced(group: Sequence[Example], are_kept: Iterable[int]) -> tuple[list[Example], list[int]]:
    """The group with all its related pairs and some others; examples that are left without pairs go, as long as one stays.

    Args: are_kept: of each unrelated pair in order, whether it stays.
    Returns: also the pairs that stay, by their positions in the whole group.
    """
    next_kept, examples, kept, start = iter(are_kept), list[Example](), list[int](), 0
    for example in group:
        related = {pair for pair, _ in example.labels}
        pairs = [pair for pair in range(len(example.heads)) if pair in related or next(next_kept)]
        examples.append(with_pairs(example, pairs))
        kept += [start + pair for pair in pairs]
        start += len(example.heads)
    return [example for example in examples if example.heads] or examples[:1], kept


def with_pairs(example: Example, pairs: list[int]) -> Example:
    """The example with some of its pairs alone. Args: pairs: their positions, every related one among them."""
    place = {pair: number for number, pair in enumerate(pairs)}
    return replace(
        example, heads=[example.heads[pair] for pair in pairs], tails=[example.tails[pair] for pair in pairs],
        labels=[(place[pair], column) for pair, column in example.labels], places=[example.places[pair] for pair in pairs],
    )  # fmt: skip
