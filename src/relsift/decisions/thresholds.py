"""Decision thresholds: which score is enough to call a pair related. Tuned on development data, never on test data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from relsift.decisions.aims import F1, Aim
from relsift.errors import DataError


def best_threshold(scores: Sequence[float], correct: Sequence[bool], num_gold: int, aim: Aim = F1) -> tuple[float, float]:
    """The threshold with the highest micro F1, or what else is aimed at, and that value.

    Args:
        scores: of each candidate pair's best relation, or of all relations that the decision could take.
        correct: whether that relation is a gold one of the pair.
        num_gold: all gold relations, those that no candidate covers included.
    Returns: (threshold, value). A pair is related if its score is at least the threshold. The threshold lies half-way between the lowest
        score that is taken and the highest that is not, so that rounding cannot change a decision. The lowest score - 1 takes all
        pairs; the highest + 1 takes none, where F1 is 0 in any case.
    Raises: DataError if there are no scores, or one is not finite.
    """
    if not scores:
        advice = "compare its entity types with those of the training data (`relsift stats`)"
        raise DataError(f"threshold: expected candidate pairs in the development data, got none; {advice}")
    if not all(map(math.isfinite, scores)):
        broken = "the model's weights are broken; train again"
        raise DataError(f"threshold: expected finite numbers as scores, got infinity or not-a-number: {broken}")
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    ranked, hits = np.asarray(scores, np.float64)[order], np.cumsum(np.asarray(correct, np.int64)[order])
    cuts = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # last one of each run of equal scores: they stand or fall together
    values = aim.value(hits[cuts], cuts + 1, num_gold)
    if not (best := float(values.max())) > 0:
        return float(ranked[0]) + 1.0, 0.0
    last = int(cuts[values.argmax()])
    return (float(ranked[last] + ranked[last + 1]) / 2 if last + 1 < len(ranked) else float(ranked[last]) - 1.0), best
