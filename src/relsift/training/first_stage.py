"""The filter of `model.identification_at_prediction=filter`: which pairs are too surely unrelated to be classified.

The lowest log-odds that a pair may have are chosen on development data, anew after every epoch, so that a given share of the related pairs
stays (`model.identification_recall`). They are part of the model's state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from relsift.inference import Scorer, score
from relsift.layers.relation_classifier import FAR, RelationClassifier
from relsift.schema import Sentence


def tune_filters(scorer: Scorer, development: Sequence[Sentence]) -> dict[str, Tensor]:
    """Set the filter of the model; returns it by its name in the model's state. Nothing without one."""
    tuned = {}
    for name, part in scorer.trainable.named_modules():
        if isinstance(part, RelationClassifier) and part.at_prediction == "filter":
            with part.only_identifying():
                scored = score(scorer, development)
            odds = [float(row[0]) for sentence in scored for row in sentence.scores]
            related = [bool(pair.types) for sentence in scored for pair in sentence.pairs]
            part.floor.fill_(recall_floor(odds, related, part.recall))
            tuned[f"{name}.floor" if name else "floor"] = part.floor.detach().clone()
    return tuned


def recall_floor(odds: Sequence[float], related: Sequence[bool], recall: float) -> float:
    """The highest bound that at least this share of the related pairs reaches; half-way to the next lower pair, as rounding may differ.

    >>> recall_floor([2.0, 1.0, 0.0, -1.0], [True, False, True, False], recall=1.0)
    -0.5
    >>> recall_floor([2.0, 1.0, 0.0, -1.0], [True, False, True, False], recall=0.5)
    1.5
    """
    positive = sorted((value for value, is_related in zip(odds, related) if is_related), reverse=True)
    if not positive:
        return -FAR  # nothing to tune on: no pair is left out
    lowest = positive[math.ceil(recall * len(positive)) - 1]
    below = [value for value in odds if value < lowest]
    return (lowest + max(below)) / 2 if below else lowest - 1.0
