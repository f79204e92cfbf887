"""Class-balanced cross-entropy: a class weighs the less the more pairs of the training data it has.

Source: Cui, Jia, Lin, Song & Belongie, "Class-balanced loss based on effective number of samples", CVPR 2019, equation 12 with a softmax.
Letters: P pairs, C columns with a score each, f logits, 0 the column "no relation", n pairs of a class in the training data.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from relsift.losses.base import LabelCounts, PairLoss
from relsift.losses.cross_entropy import gold_column


@dataclass(frozen=True)
class ClassBalanced(PairLoss):
    """L = - w_gold log(e^f_gold / sum_(all C and 0) e^f), the mean over pairs; gold is 0 for an unrelated pair.

    w is proportional to (1 - beta) / (1 - beta^n), the inverse of the effective number of pairs; the mean of the C + 1 weights is 1. With
    beta 0 all weights are 1; near 1 they are proportional to 1 / n. A class without a pair weighs as much as one with a single pair.
    """

    SUMMARY = 'softmax over the relation types and "no relation", rare classes weigh more (Cui et al. 2019)'
    SEVERAL_LABELS = False
    NONE_COLUMN = True
    NEEDS_COUNTS = True

    balance_beta: float = 0.999  # beta, in [0, 1)
    counts: LabelCounts | None = None  # None: all classes weigh the same

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        of_pairs = F.cross_entropy(logits, column := gold_column(labels), reduction="none")   # (P,)
        return (logits.new_tensor(self.weights(logits.shape[1]))[column] * of_pairs).mean()

    def weights(self, classes: int) -> list[float]:
        """Of each class, "no relation" last. Args: classes: C + 1."""
        if self.counts is None:
            return [1.0] * classes
        inverse = [(1 - self.balance_beta) / (1 - self.balance_beta ** max(1, count)) for count in self.counts.of_classes()]
        return [classes * value / sum(inverse) for value in inverse]

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)
