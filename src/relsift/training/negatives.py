"""Unrelated pairs drawn anew for every epoch, so many for each related one; all of them are seen in time, few in one epoch.

Which ones depends on the run's seed and the epoch alone. Development data keep all their pairs, so the threshold is tuned for the true
share of related ones.
"""

from __future__ import annotations

import random
from dataclasses import replace

from relsift.candidates import count_of_negatives
from relsift.config import TrainingConfig
from relsift.encoding.example import Example
from relsift.training.training_set import TrainingSet


def with_drawn_negatives(training_set: TrainingSet, ratio: float, seed: int) -> tuple[TrainingSet, list[list[int]]]:
    """The training set of one epoch: all related pairs, and `ratio` unrelated ones for each of them, or all if there are fewer.

    Returns: it, and of each of its groups the pairs that are kept, by their positions in the whole group. Groups stay where they are; one
        may be left without pairs.
    """
    places = [[(e, pair) for e, example in enumerate(group) for pair in range(len(example.heads))] for group in training_set.groups]
    unrelated = []
    for number, group in enumerate(training_set.groups):
        related = {(e, pair) for e, example in enumerate(group) for pair, _ in example.labels}
        unrelated += [(number, position) for position, place in enumerate(places[number]) if place not in related]
    positive = sum(map(len, places)) - len(unrelated)
    count = min(len(unrelated), count_of_negatives(ratio, positive))
    left_out = set(unrelated) - set(random.Random(f"negatives {seed}").sample(unrelated, count))
    kept = [[position for position in range(len(group)) if (number, position) not in left_out] for number, group in enumerate(places)]
    groups = []
    for group, group_places, positions in zip(training_set.groups, places, kept):
        chosen: list[list[int]] = [[] for _ in group]
        for position in positions:
            e, pair = group_places[position]
            chosen[e].append(pair)
        reduced = [with_pairs(example, pairs) for example, pairs in zip(group, chosen)]
        groups.append([example for example in reduced if example.heads] or reduced[:1])
    return replace(training_set, groups=groups), kept


def seed_of(c: TrainingConfig, epoch: int) -> int:
    """Of all random numbers of an epoch. Args: epoch: counted from 1."""
    return c.seed * 1_000_003 + epoch


def with_pairs(example: Example, pairs: list[int]) -> Example:
    """The example with some of its pairs alone. Args: pairs: their positions, every related one among them."""
    place = {pair: number for number, pair in enumerate(pairs)}
    return replace(
        example, heads=[example.heads[pair] for pair in pairs], tails=[example.tails[pair] for pair in pairs],
        labels=[(place[pair], column) for pair, column in example.labels], places=[example.places[pair] for pair in pairs],
    )  # fmt: skip
