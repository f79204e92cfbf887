"""The loss of the second task: is a pair related at all?"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION


def identification_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Cross-entropy of "unrelated" and "related".

    Args: logits: (P, 2), column 1 = related. label: (P,) int64, a relation type, or NO_RELATION.
    Returns: () float >= 0, the mean over P.
    Source: Ye et al., ACL 2019, eq. 3.
    """
    return F.cross_entropy(logits, (label != NO_RELATION).long())
