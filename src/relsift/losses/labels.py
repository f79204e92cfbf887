"""Labels (P, K) of pairs with any number of relations, for losses that take one relation a pair."""

from __future__ import annotations

import torch
from torch import Tensor

from relsift.candidates import NO_RELATION


def first_label(labels: Tensor) -> Tensor:
    """(P, K) bool -> (P,) int64: the first column that holds, NO_RELATION where none does.

    A pair's further relations are not learned from; training counts them.
    """
    return torch.where(labels.any(dim=1), labels.int().argmax(dim=1), NO_RELATION)
