"""Positive-unlabelled learning under a shift of the prior: some pairs without an annotated relation may have one.

Source: Wang, Liu, Chen & Li, "A unified positive-unlabeled learning framework for document-level relation extraction with different levels
of labeling" (SSR-PU), EMNLP 2022, with the squared ranking loss.
Differs from the released code: where the estimated risk of the negatives is below 0 it counts as 0, as in the paper's equation; the code
climbs instead.
Letters: P pairs, C columns with a score each, f logits, 0 the threshold's column.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.losses.base import LabelCounts, PairLoss

LEAST, MOST = 1e-6, 0.99  # of a prior


@dataclass(frozen=True)
class ShiftedPositiveUnlabelled(PairLoss):
    """L = sum_r [pi w l+(Pos) + max(0, (1 - pi) / (1 - pi_u) l-(Rest) - pi_u (1 - pi) / (1 - pi_u) l-(Pos))].

    *Pos* are the pairs of the batch that are annotated with r, *Rest* the others. l+ and l- are means over them of (x - m)^2 / 4 and
    (x + m)^2 / 4, with x = f_r - f_0. Shares of pairs, all of which depend on r:
    - pi_l is the share that is annotated with r.
    - pi = `pu_prior_factor` pi_l is the supposed share for which r holds, at most 0.99. With a factor of 1 every annotation is taken to be
      there.
    - pi_u = (pi - pi_l) / (1 - pi_l) is the share for which r holds among the rest.
    - w is the square root of (1 - pi) / pi.
    """

    SUMMARY = "squared margins to a threshold, some unannotated pairs taken to be related (SSR-PU, Wang et al. 2022)"
    SEVERAL_LABELS = True
    NONE_COLUMN = True
    NEEDS_COUNTS = True

    pu_prior_factor: float = 1.5  # >= 1
    pu_margin: float = 1.0  # m, > 0, in units of the logits
    counts: LabelCounts | None = None  # None: shares are those of the batch, and every annotation is taken to be there

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        x, holds = self.scores(logits), labels.to(logits.dtype)                               # (P, C)
        high, low = (x - self.pu_margin) ** 2 / 4, (x + self.pu_margin) ** 2 / 4
        positive = holds.sum(dim=0)                                                           # (C,)
        annotated, rest = positive.clamp(min=1), (len(x) - positive).clamp(min=1)
        pi_l = self._annotated_shares(positive, len(x)).clamp(LEAST, MOST)                    # (C,)
        pi = (pi_l if self.counts is None else self.pu_prior_factor * pi_l).clamp(max=MOST)
        pi_u = (pi - pi_l) / (1 - pi_l)
        lift = (pi * (1 - pi)).sqrt() * (holds * high).sum(dim=0) / annotated                 # pi w = (pi (1 - pi))^0.5
        missed = pi_u * (holds * low).sum(dim=0) / annotated
        push = (1 - pi) / (1 - pi_u) * (((1 - holds) * low).sum(dim=0) / rest - missed)
        return (lift + torch.clamp(push, min=0)).sum()

    def _annotated_shares(self, positive: Tensor, pairs: int) -> Tensor:
        """(C,) Args: positive, pairs: of the batch."""
        if self.counts is None:
            return positive / pairs
        return positive.new_tensor(self.counts.of_columns) / max(1, self.counts.pairs)

    def scores(self, logits: Tensor) -> Tensor:
        return logits[:, :-1] - logits[:, -1:]                                                # (P, C)
