"""Decision thresholds: which score is enough to call a pair related. Tuned on development data, never on test data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from relsift.errors import DataError


def best_threshold(scores: Sequence[float], correct: Sequence[bool], num_gold: int) -> tuple[float, float]:
    """The threshold with the highest micro F1, and that F1.

    Args:
        scores: of each candidate pair's best relation.
        correct: whether that relation is the pair's gold one.
        num_gold: all gold relations, those that no candidate covers included.
    Returns: (threshold, F1). A pair is related if its score is at least the threshold. The threshold lies half-way between the lowest
        score that is taken and the highest that is not, so that rounding cannot change a decision. The lowest score - 1 takes all
        pairs; the highest + 1 takes none, where F1 is 0 in any case.
    Raises: DataError if there are no scores, or one is not finite.
    """
    if not scores:
        raise DataError("threshold: expected candidate pairs in the development data, got none")
    if not all(map(math.isfinite, scores)):
        broken = "the model's weights are broken; train again"
        raise DataError(f"threshold: expected finite numbers as scores, got infinity or not-a-number: {broken}")
    ranked = sorted(zip(scores, correct), key=lambda item: -item[0])
    best, threshold = 0.0, ranked[0][0] + 1.0
    hits = 0
    for taken, (score, right) in enumerate(ranked, start=1):
        hits += right
        if taken < len(ranked) and ranked[taken][0] == score:
            continue  # pairs of equal score stand or fall together
        f1 = 2 * hits / (taken + num_gold)
        if f1 > best:
            best = f1
            threshold = (score + ranked[taken][0]) / 2 if taken < len(ranked) else score - 1.0
    return threshold, best
