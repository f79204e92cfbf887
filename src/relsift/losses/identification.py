"""Is there any relation at all?"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION


def identification_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Is there any relation at all? Cross-entropy of (P, 2) logits, column 1 = related; the mean over P. Source: Ye et al. 2019, eq. 3."""
    return F.cross_entropy(logits, (label != NO_RELATION).long())
