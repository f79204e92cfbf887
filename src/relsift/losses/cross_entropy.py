"""Softmax over the relation types and an explicit "no relation"; of a pair with several relations it learns the first.

Letters: P pairs, C columns with a score each, as a rule the K relation types, f logits, 0 the column "no relation".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION
from relsift.losses.base import PairLoss
from relsift.losses.labels import first_label


@dataclass(frozen=True)
class CrossEntropy(PairLoss):
    """L = - w log(e^f_gold / sum_(all C and 0) e^f), the weighted mean over pairs; gold is 0 for an unrelated pair."""

    SUMMARY = 'one softmax over the relation types and "no relation"'
    SEVERAL_LABELS = False
    NONE_COLUMN = True

    other_weight: float = 1.0  # w of an unrelated pair, > 0; a related one weighs 1

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        return other_cross_entropy(logits, first_label(labels), other_weight=self.other_weight)

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)  at 0: arg-max over C + 1


def other_cross_entropy(logits: Tensor, label: Tensor, *, other_weight: float = 1.0) -> Tensor:
    """Cross-entropy over K relation types and an explicit "no relation".

    Args:
        logits: (P, K + 1), the last column "no relation".
        label: (P,) int64, 0..K-1 or NO_RELATION.
        other_weight: > 0, of an unrelated pair; a related one weighs 1.
    Returns: () float >= 0, the weighted mean over P.
    """
    return weighted_cross_entropy(logits, torch.where(label == NO_RELATION, logits.shape[1] - 1, label), other_weight)


def weighted_cross_entropy(logits: Tensor, column: Tensor, other_weight: float) -> Tensor:
    """Cross-entropy whose last column is "no relation".

    Args:
        logits: (P, C).
        column: (P,) int64 in 0..C-1, the correct column.
        other_weight: > 0, of a pair whose correct column is the last one; any other weighs 1.
    Returns: () float >= 0, the weighted mean over P.
    """
    weight = None
    if other_weight != 1.0:
        weight = logits.new_ones(logits.shape[1])                                             # (C,)
        weight[-1] = other_weight
    return F.cross_entropy(logits, column, weight)
