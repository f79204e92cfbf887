"""None class ranking loss: every relation that holds above "none", "none" above all others.

Source: Zhou & Lee, "None class ranking loss for document-level relation extraction", IJCAI 2022. The released code has no shift by default
and cuts probabilities at 1e-8; here logarithms are exact.
Letters: P pairs, C columns with a score each, f logits, 0 the column of "none".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.losses.asymmetric import push_to_margin
from relsift.losses.base import PairLoss


@dataclass(frozen=True)
class NoneClassRanking(PairLoss):
    """L = sum_r l(f_r - f_0, r holds) + l(f_0 - mean_r f_r, none holds), the mean over pairs.

    l(x, true) = - log p and l(x, false) = - log min(1, 1 - p + s), with p = 1 / (1 + e^-x). A margin below that of the probability s costs
    nothing where it should be low.
    """

    SUMMARY = 'the margin of each relation to "none", and that of "none" to their mean (NCRL, Zhou & Lee 2022)'
    SEVERAL_LABELS = True
    NONE_COLUMN = True

    probability_margin: float = 0.05  # s, in [0, 1)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        none = logits[:, -1:] - logits[:, :-1].mean(dim=1, keepdim=True)                      # (P, 1)
        margins = torch.cat([self.scores(logits), none], dim=1)                               # (P, C + 1)
        holds = torch.cat([labels, ~labels.any(dim=1, keepdim=True)], dim=1)                  # (P, C + 1)
        of_margins = torch.where(holds, F.softplus(-margins), push_to_margin(margins, self.probability_margin))
        return of_margins.sum(dim=1).mean()

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)
