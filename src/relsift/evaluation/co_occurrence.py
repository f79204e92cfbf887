"""Pairs that merely stand in one sentence: how many of them a model calls related, where its threshold finds a wanted share of relations.

A threshold trades recall for such pairs, so models are compared at the same recall. Pairs whose entity types no relation has do not count:
any model leaves them alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from relsift.errors import DataError, require

RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class AtRecall:
    """What a threshold costs. All but `recall` is None where no threshold finds so many relations."""

    recall: float  # the wanted share of the annotated relations
    threshold: float | None = None  # the highest one that finds it, in units of the model's scores
    false_positives: float | None = None  # unrelated pairs that are called related, of each hundred of them
    precision: float | None = None  # of all relations found, those of related pairs with a wrong type too


@dataclass(frozen=True)
class CoOccurrences:
    """The result of `co_occurrences`."""

    unrelated: int  # pairs of types that some relation has, without a relation
    relations: int  # annotated
    rows: tuple[AtRecall, ...]

    def to_json(self) -> dict[str, Any]:
        return {"unrelated_pairs": self.unrelated, "relations": self.relations, "at_recall": [asdict(row) for row in self.rows]}


def co_occurrences(
    right: Sequence[float], wrong: Sequence[float], unrelated: Sequence[float], *, relations: int, recalls: Sequence[float] = RECALLS
) -> CoOccurrences:
    """False positives among unrelated pairs, and precision, at each recall.

    Args:
        right: scores of the right relations that a threshold can find. wrong: of all wrong ones, those of unrelated pairs among them.
        unrelated: the best score of each unrelated pair. relations: all annotated ones, those that no score can find included.
    Raises: DataError without annotated relations or without unrelated pairs; ConfigError for a recall outside (0, 1].

    >>> result = co_occurrences([3.0, 2.0, 0.5], [2.5, 1.0], [2.5, 1.0, -1.0, -2.0], relations=4, recalls=(0.5, 0.75, 1.0))
    >>> [(row.recall, row.threshold, row.false_positives) for row in result.rows]
    [(0.5, 2.0, 25.0), (0.75, 0.5, 50.0), (1.0, None, None)]
    """
    for recall in recalls:
        require(0 < recall <= 1, "recall", expected="a share above 0, at most 1", got=recall)
    if not relations or not len(unrelated):
        got = "no annotated relation" if not relations else "no pair without a relation"
        raise DataError(f"co-occurrence: expected annotated relations, and unrelated pairs of fitting types, got {got}")
    hits, misses, pairs = (np.sort(np.asarray(scores, np.float64)) for scores in (right, wrong, unrelated))
    rows = []
    for recall in recalls:
        needed = math.ceil(recall * relations - 1e-9)  # 0.7 * 10 is a little more than 7
        if needed > len(hits):
            rows.append(AtRecall(recall))
            continue
        threshold = float(hits[-needed])
        found, false, taken = (len(scores) - int(np.searchsorted(scores, threshold)) for scores in (hits, misses, pairs))
        rows.append(AtRecall(recall, threshold, 100 * taken / len(pairs), found / (found + false)))
    return CoOccurrences(len(pairs), relations, tuple(rows))
