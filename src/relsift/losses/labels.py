"""Labels (P, K) of pairs with any number of relations, for losses that take one relation a pair."""

from __future__ import annotations

import torch
from torch import Tensor

from relsift.candidates import NO_RELATION


def first_label(labels: Tensor) -> Tensor:
    """(P, K) bool -> (P,) int64: the first column that is True, NO_RELATION where none is.

    The further relations of a pair are left out; `relsift.training.training_set` counts them.
    """
    return torch.where(labels.any(dim=1), labels.int().argmax(dim=1), NO_RELATION)
