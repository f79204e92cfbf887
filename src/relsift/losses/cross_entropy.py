"""Softmax over the relation types and an explicit "no relation"."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION


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
