"""Logit adjustment: the logits learn what the frequency of a class does not say.

Source: Menon, Jayasumana, Rawat, Jain, Veit & Kumar, "Long-tail learning via logit adjustment", ICLR 2021, equation 10.
Letters: P pairs, C columns with a score each, f logits, 0 the column "no relation", pi the share of a class in the training data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from relsift.losses.base import LabelCounts, PairLoss
from relsift.losses.cross_entropy import gold_column


@dataclass(frozen=True)
class LogitAdjustment(PairLoss):
    """L = - log(e^g_gold / sum_(all C and 0) e^g) with g_c = f_c + tau log pi_c, the mean over pairs; gold is 0 for an unrelated pair.

    Scores come from f, without the shares: log-odds as if all classes were equally frequent. So rare relations are favoured, and the
    threshold, tuned on development data, is above 0 as a rule. A class without a pair counts as one with a single pair.
    """

    SUMMARY = "softmax whose logits are shifted by the frequency of each class, in training only (Menon et al. 2021)"
    SEVERAL_LABELS = False
    NONE_COLUMN = True
    NEEDS_COUNTS = True

    adjustment_tau: float = 1.0  # tau, >= 0; at 0 it is the cross-entropy
    counts: LabelCounts | None = None  # None: all classes are equally frequent

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        if self.counts is not None:
            logits = logits + logits.new_tensor(self.shifts(self.counts))
        return F.cross_entropy(logits, gold_column(labels))

    def shifts(self, counts: LabelCounts) -> list[float]:
        """tau log pi of each class, "no relation" last."""
        return [self.adjustment_tau * math.log(max(1, count) / max(1, counts.pairs)) for count in counts.of_classes()]

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)
