"""Unrelated pairs drawn anew for every epoch, so many for each related one; all of them are seen in time, few in one epoch.

Which ones depends on the run's seed and the epoch alone. Development data keep all their pairs, so the threshold is tuned for the true
share of related ones.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import accumulate

from relsift.candidates import count_of_negatives
from relsift.config import TrainingConfig
from relsift.training.example_file import ExampleFile
from relsift.training.fewer_pairs import num_unrelated, reduced
from relsift.training.training_set import TrainingSet


def with_drawn_negatives(training_set: TrainingSet, ratio: float, seed: int) -> tuple[TrainingSet, list[list[int]]]:
    """The training set of one epoch: all related pairs, and `ratio` unrelated ones for each of them, or all if there are fewer.

    Returns: it, and of each of its groups the pairs that are kept, by their positions in the whole group; no positions of groups in a
        file. Groups stay where they are; one may be left without pairs.
    """
    groups = training_set.groups
    if isinstance(groups, ExampleFile):
        drawn = _drawn(sum(groups.unrelated), sum(groups.pairs) - sum(groups.unrelated), ratio, seed)
        return replace(training_set, groups=groups.reduced(drawn)), []
    unrelated = list(map(num_unrelated, groups))
    drawn = _drawn(sum(unrelated), sum(work.pairs for work in training_set.works()) - sum(unrelated), ratio, seed)
    starts = accumulate(unrelated, initial=0)
    results = [reduced(group, drawn[start : start + size]) for group, start, size in zip(groups, starts, unrelated)]
    return replace(training_set, groups=[group for group, _ in results]), [kept for _, kept in results]


def _drawn(unrelated: int, positive: int, ratio: float, seed: int) -> bytearray:
    """Of each unrelated pair 1 if it is kept, else 0."""
    drawn = bytearray(unrelated)
    for number in random.Random(f"negatives {seed}").sample(range(unrelated), min(unrelated, count_of_negatives(ratio, positive))):
        drawn[number] = 1
    return drawn


def seed_of(c: TrainingConfig, epoch: int) -> int:
    """Of all random numbers of an epoch. Args: epoch: counted from 1."""
    return c.seed * 1_000_003 + epoch
