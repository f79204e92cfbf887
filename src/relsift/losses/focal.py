"""Focal loss: the cross-entropy, with less weight on pairs that are decided well already.

Source: Lin, Goyal, Girshick, He & Dollar, "Focal loss for dense object detection", ICCV 2017, equation 5, written for a softmax in which
"no relation" is a class. Their weight alpha of a class is `other_weight` for "no relation" and 1 for each relation.
Letters: P pairs, C columns with a score each, f logits, 0 the column "no relation".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.losses.base import PairLoss
from relsift.losses.cross_entropy import gold_column, mean_with_none

LEAST = 1e-30  # of a number whose power is taken: the gradient of a power below 1 is infinite at 0


@dataclass(frozen=True)
class Focal(PairLoss):
    """L = - w (1 - p)^gamma log p with p = e^f_gold / sum_(all C and 0) e^f, the weighted mean over pairs; gold is 0 for an unrelated pair.

    With gamma 0 it is the cross-entropy.
    """

    SUMMARY = "cross-entropy with less weight on pairs that are decided well already (Lin et al. 2017)"
    SEVERAL_LABELS = False
    NONE_COLUMN = True

    focal_gamma: float = 2.0  # gamma, >= 0
    other_weight: float = 1.0  # w of an unrelated pair, > 0; a related one weighs 1

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        column = gold_column(labels)                                                          # (P,)
        log_p = F.log_softmax(logits, dim=1).gather(1, column[:, None]).squeeze(1)            # (P,)
        of_pairs = -power(-torch.expm1(log_p), self.focal_gamma) * log_p
        return mean_with_none(of_pairs, column == labels.shape[1], self.other_weight)

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)


def power(share: Tensor, exponent: float) -> Tensor:
    """share^exponent, with a finite gradient at 0. Args: share: >= 0, but for rounding. exponent: >= 0."""
    return share.clamp(min=LEAST) ** exponent
