"""Pairwise ranking: the gold relation above a margin, its best rival below another. "No relation" has no score of its own.

Of a pair with several relations it learns the first; the others count as rivals.
Source: dos Santos et al., ACL 2015, eq. 1; Ye et al., ACL 2019, eq. 5-7.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION
from relsift.errors import ShapeError
from relsift.losses.base import PairLoss
from relsift.losses.labels import first_label


@dataclass(frozen=True)
class Ranking(PairLoss):
    """`ranking_loss` of the first label. The logits are the scores."""

    SUMMARY = "the gold relation above a margin, its best rival below another (dos Santos et al. 2015)"
    SEVERAL_LABELS = False
    NONE_COLUMN = False

    gamma: float = 2.0  # steepness, > 0
    margin_pos: float = 2.5  # in units of the scores
    margin_neg: float = 0.5  # in units of the scores
    threshold: float = 0.0  # the source's decision threshold, in units of the scores

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        return ranking_loss(logits, first_label(labels), gamma=self.gamma, margin_pos=self.margin_pos, margin_neg=self.margin_neg)

    def scores(self, logits: Tensor) -> Tensor:
        return logits                                                                         # (P, C)


def ranking_loss(scores: Tensor, label: Tensor, *, gamma: float = 2.0, margin_pos: float = 2.5, margin_neg: float = 0.5) -> Tensor:
    """Lift the gold relation's score above `margin_pos`, push its best rival's below `-margin_neg`.

    L = log(1 + exp(gamma (margin_pos - s_gold))) + log(1 + exp(gamma (margin_neg + s_rival))); a NO_RELATION pair has no gold column
    and only pushes its best column down.

    Args:
        scores: (P, K) float, unbounded; not probabilities.
        label: (P,) int64, a column of `scores`, or NO_RELATION (-1).
        gamma: steepness, > 0. margin_pos, margin_neg: in units of `scores`.
    Returns: () float >= 0, the mean over P.
    Raises: ShapeError if `label` is not (P,) or P is 0 (the mean would be NaN).
    Source: dos Santos et al., ACL 2015, eq. 1; Ye et al., ACL 2019, eq. 5-7.
    """
    if label.shape != scores.shape[:1] or len(label) == 0:
        raise ShapeError("label", expected=f"(P,), P >= 1, given scores {tuple(scores.shape)}", got=tuple(label.shape))
    related = label != NO_RELATION                                                            # (P,)
    column = label.clamp(min=0)[:, None]                                                      # (P, 1)  0 stands in if unrelated
    gold = scores.gather(1, column).squeeze(1)                                                # (P,)    ignored if unrelated
    is_gold = torch.zeros_like(scores, dtype=torch.bool).scatter(1, column, related[:, None])  # (P, K)
    rival = scores.masked_fill(is_gold, float("-inf")).amax(dim=1)                            # (P,)    -inf if K is 1: no rival, no loss
    return (F.softplus(gamma * (margin_neg + rival)) + related * F.softplus(gamma * (margin_pos - gold))).mean()
