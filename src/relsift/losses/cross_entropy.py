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
    """L = - w log(e^f_gold / sum_(all C and 0) e^f), the weighted mean over pairs; gold is 0 for an unrelated pair.

    With `none_smoothing` s an unrelated pair has the target 1 - s for 0 and s / C for each column, in case a relation of it was overlooked.
    """

    SUMMARY = 'one softmax over the relation types and "no relation"'
    SEVERAL_LABELS = False
    NONE_COLUMN = True

    other_weight: float = 1.0  # w of an unrelated pair, > 0; a related one weighs 1
    none_smoothing: float = 0.0  # s, in [0, 1)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        label = first_label(labels)
        return other_cross_entropy(logits, label, other_weight=self.other_weight, none_smoothing=self.none_smoothing)

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)  at 0: arg-max over C + 1


def other_cross_entropy(logits: Tensor, label: Tensor, *, other_weight: float = 1.0, none_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy over K relation types and an explicit "no relation".

    Args:
        logits: (P, K + 1), the last column "no relation".
        label: (P,) int64, 0..K-1 or NO_RELATION.
        other_weight: > 0, of an unrelated pair; a related one weighs 1.
        none_smoothing: as of `weighted_cross_entropy`.
    Returns: () float >= 0, the weighted mean over P.
    """
    column = torch.where(label == NO_RELATION, logits.shape[1] - 1, label)                    # (P,)
    return weighted_cross_entropy(logits, column, other_weight, none_smoothing)


def gold_column(labels: Tensor) -> Tensor:
    """(P, C) bool -> (P,) int64: the column of a pair's first label among C + 1, C for an unrelated pair."""
    label = first_label(labels)
    return torch.where(label == NO_RELATION, labels.shape[1], label)


def weighted_cross_entropy(logits: Tensor, column: Tensor, other_weight: float, none_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy whose last column is "no relation".

    Args:
        logits: (P, C).
        column: (P,) int64 in 0..C-1, the correct column.
        other_weight: > 0, of a pair whose correct column is the last one; any other weighs 1.
        none_smoothing: in [0, 1), the part of such a pair's target that the other columns share.
    Returns: () float >= 0, the weighted mean over P.
    """
    if not none_smoothing:
        weight = None
        if other_weight != 1.0:
            weight = logits.new_ones(logits.shape[1])                                         # (C,)
            weight[-1] = other_weight
        return F.cross_entropy(logits, column, weight)
    minus_log = -F.log_softmax(logits, dim=1)                                                 # (P, C)
    of_pairs = minus_log.gather(1, column[:, None]).squeeze(1)                                # (P,)
    unrelated = column == logits.shape[1] - 1                                                 # (P,)
    smooth = (1 - none_smoothing) * of_pairs + none_smoothing * minus_log[:, :-1].mean(dim=1)
    return mean_with_none(torch.where(unrelated, smooth, of_pairs), unrelated, other_weight)


def mean_with_none(of_pairs: Tensor, unrelated: Tensor, other_weight: float) -> Tensor:
    """(P,) losses -> their weighted mean. Args: unrelated: (P,) bool, the pairs that weigh `other_weight`; all others weigh 1."""
    weight = torch.where(unrelated, other_weight, torch.ones_like(of_pairs))
    return (weight * of_pairs).sum() / weight.sum()
