"""Dropout for transformers on a CPU, where drawing one random number for each value is a good part of a training step.

Letters: … any dimensions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 256  # of a random byte


def drop(x: Tensor, share: float, training: bool) -> Tensor:
    """(…,) -> the same with a share of the values set to 0 in training, and the others scaled up so that the mean stays.

    On a CPU a random *byte* decides on each value, so the share is rounded to 1/256; the scale fits the rounded share. Eight values take
    one draw of the generator in place of eight.
    """
    if not training or not share:
        return x
    dropped = round(share * LEVELS)
    if x.device.type != "cpu" or not 0 < dropped < LEVELS:
        return F.dropout(x, share, training)
    count = x.numel()
    words = torch.empty(count // 8 + 1, dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
    kept = words.view(torch.uint8)[:count].view(x.shape) >= dropped
    return x * kept * (LEVELS / (LEVELS - dropped))
