"""Binary cross-entropy: of every pair and relation type, a decision of its own whether it holds.

Source: Eberts & Ulges, "Span-based joint entity and relation extraction with transformer pre-training" (SpERT), ECAI 2020, the relation
loss. Their code takes the mean over relation types too, as is done here.
Letters: P pairs, C columns with a score each, f logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from relsift.losses.base import PairLoss


@dataclass(frozen=True)
class BinaryCrossEntropy(PairLoss):
    """L = mean over columns of log(1 + e^-f_r) where r holds, log(1 + e^f_r) where it does not; the mean over pairs.

    No column competes with another one, so a pair may have any number of relations. Every column of an unrelated pair counts as much as
    the one that holds: with few related pairs the logits are low, and the source decides at a probability of 0.4.
    """

    SUMMARY = "each relation of a pair by itself, a sigmoid each (SpERT, Eberts & Ulges 2020)"
    SEVERAL_LABELS = True
    NONE_COLUMN = False

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))

    def scores(self, logits: Tensor) -> Tensor:
        return logits                                                                         # (P, C)
