"""Softmax cross-entropy for any number of labels: every relation of a pair above 0, all others below it.

Source: a note of J. Su in Chinese on softmax and cross-entropy for several labels (kexue.fm, 2020), published by Su et al. as "ZLPR: a
novel loss for multi-label classification", arXiv 2208.02955, 2022. DocuNet (Zhang et al., IJCAI 2021) uses it for relations, as "balanced
softmax".
Letters: P pairs, C columns with a score each, f logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.losses.base import PairLoss


@dataclass(frozen=True)
class MultilabelCrossEntropy(PairLoss):
    """L = log(1 + sum_(n in Neg) e^f_n) + log(1 + sum_(p in Pos) e^-f_p), the mean over pairs.

    Pos are the columns that hold for a pair, Neg those that do not. The highest of Neg is pushed below 0 most, and the lowest of Pos lifted
    above 0 most: a soft form of the ranking loss, without margins, in which every column takes part.
    """

    SUMMARY = "all relations of a pair above 0, the others below (ZLPR, Su et al. 2022)"
    SEVERAL_LABELS = True
    NONE_COLUMN = False

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        minus_infinity = float("-inf")
        one = logits.new_zeros(len(logits), 1)                                                # (P, 1)      e^0 = 1
        push = torch.cat([logits.masked_fill(labels, minus_infinity), one], dim=1)            # (P, C + 1)  Neg
        lift = torch.cat([(-logits).masked_fill(~labels, minus_infinity), one], dim=1)        # (P, C + 1)  Pos
        return (push.logsumexp(dim=1) + lift.logsumexp(dim=1)).mean()

    def scores(self, logits: Tensor) -> Tensor:
        return logits                                                                         # (P, C)
