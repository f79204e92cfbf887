"""Adaptive focal loss: adaptive thresholding, with more weight on relations that are not yet above the threshold.

Source: Tan, He, Bing & Ng, "Document-level relation extraction with adaptive focal loss and knowledge distillation" (KD-DocRE), Findings of
ACL 2022. The paper weighs a relation by (1 - p)^gamma; the released code, and this one, by 1 + (1 - p)^gamma, so that a relation that is
decided well keeps its gradient.
Letters: P pairs, C columns with a score each, f logits, 0 the threshold's column.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.losses.atloss import threshold_above_others
from relsift.losses.base import PairLoss
from relsift.losses.focal import power


@dataclass(frozen=True)
class AdaptiveFocal(PairLoss):
    """L = - sum_(r in Pos) (1 + (1 - p_r)^gamma) log p_r - log(e^f_0 / sum_(Neg and 0) e^f), the mean over pairs.

    p_r = 1 / (1 + e^(f_0 - f_r)). Pos are the columns that hold for a pair, Neg those that do not. Each of Pos is compared with the
    threshold alone: unlike in `atloss`, they do not share one softmax. The second term is that of `atloss`.
    """

    SUMMARY = "a threshold learned for each pair, more weight on relations that are not above it (KD-DocRE, Tan et al. 2022)"
    SEVERAL_LABELS = True
    NONE_COLUMN = True

    focal_gamma: float = 2.0  # gamma, >= 0

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        margin = self.scores(logits)                                                          # (P, C)
        weight = 1 + power(torch.sigmoid(-margin), self.focal_gamma)
        lift = (weight * F.softplus(-margin)).masked_fill(~labels, 0).sum(dim=1)              # (P,)
        return (lift + threshold_above_others(logits, labels)).mean()

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)
