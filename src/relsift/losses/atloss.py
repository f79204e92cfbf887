"""Adaptive thresholding: a pair's relations above a threshold that the model learns for each pair, all others below it.

Source: Zhou, Huang, Ma & Huang, "Document-level relation extraction with adaptive thresholding and localized context pooling" (ATLOP),
AAAI 2021, the adaptive-thresholding loss. Their code has the threshold in the first column; here it is the last one.
Letters: P pairs, C columns with a score each, f logits, 0 the threshold's column.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.losses.base import PairLoss


@dataclass(frozen=True)
class ATLoss(PairLoss):
    """L = - sum_(r in Pos) log(e^f_r / sum_(Pos and 0) e^f) - log(e^f_0 / sum_(Neg and 0) e^f), the mean over pairs.

    Pos are the columns that hold for a pair, Neg those that do not. The first term lifts each of Pos above the threshold, the second one
    the threshold above all of Neg. Pos and Neg never compete, so a pair may have any number of relations. With |Pos| of them the first term
    is at least |Pos| log |Pos|, not 0: they share one softmax.
    """

    SUMMARY = "a threshold learned for each pair, all its relations above it, the others below (ATLOP, Zhou et al. 2021)"
    SEVERAL_LABELS = True
    NONE_COLUMN = True

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        columns, threshold = logits[:, :-1], logits[:, -1:]                                   # (P, C), (P, 1)
        above = torch.cat([columns.masked_fill(~labels, float("-inf")), threshold], dim=1)    # (P, C + 1)  Pos and 0
        # A difference for each column, not |Pos| log-sums less a sum: none is below 0, however large the logits.
        lift = (above.logsumexp(dim=1, keepdim=True) - columns).masked_fill(~labels, 0).sum(dim=1)  # (P,)
        return (lift + threshold_above_others(logits, labels)).mean()

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)


def threshold_above_others(logits: Tensor, labels: Tensor) -> Tensor:
    """(P,): - log(e^f_0 / sum_(Neg and 0) e^f), which lifts the threshold above the columns that do not hold."""
    columns, threshold = logits[:, :-1], logits[:, -1:]                                       # (P, C), (P, 1)
    below = torch.cat([columns.masked_fill(labels, float("-inf")), threshold], dim=1)         # (P, C + 1)  Neg and 0
    return below.logsumexp(dim=1) - threshold.squeeze(1)
