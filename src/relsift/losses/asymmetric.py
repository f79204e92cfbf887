"""Asymmetric loss: of every relation a decision of its own, in which the many relations that do not hold count less the surer they are.

Source: Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter & Zelnik-Manor, "Asymmetric loss for multi-label classification" (ASL), ICCV 2021.
Differs from the released code, which lets no gradient through the focusing weights by default: here it is that of the equation.
Letters: P pairs, C columns with a score each, f logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.losses.base import PairLoss
from relsift.losses.focal import power


@dataclass(frozen=True)
class Asymmetric(PairLoss):
    """L = - sum_(r in Pos) (1 - p_r)^gamma_pos log p_r - sum_(r in Neg) q_r^gamma_neg log(1 - q_r), the mean over pairs.

    p_r = 1 / (1 + e^-f_r) and q_r = max(p_r - m, 0). Pos are the columns that hold for a pair, Neg those that do not. One of Neg with a
    probability below m costs nothing. One near 1 has hardly any gradient either: the source takes it for a missing label.
    """

    SUMMARY = "each relation of a pair by itself, sure negatives count less (ASL, Ridnik et al. 2021)"
    SEVERAL_LABELS = True
    NONE_COLUMN = False

    focal_gamma_pos: float = 0.0  # of relations that hold, >= 0
    focal_gamma_neg: float = 4.0  # of those that do not, >= 0
    probability_margin: float = 0.05  # m, in [0, 1)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.require_shapes(logits, labels)
        lift = power(torch.sigmoid(-logits), self.focal_gamma_pos) * F.softplus(-logits)      # (P, C)
        shifted = torch.sigmoid(logits) - self.probability_margin
        push = power(shifted, self.focal_gamma_neg) * push_to_margin(logits, self.probability_margin)
        return torch.where(labels, lift, push).sum(dim=1).mean()

    def scores(self, logits: Tensor) -> Tensor:
        return logits                                                                         # (P, C)


def push_to_margin(logits: Tensor, margin: float) -> Tensor:
    """- log(1 - max(p - margin, 0)) with p = 1 / (1 + e^-logit): 0 where p is below the margin. Args: margin: in [0, 1)."""
    return -(torch.sigmoid(-logits) + margin).clamp(max=1).log() if margin else F.softplus(logits)
