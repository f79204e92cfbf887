"""The distance between two entities as one of a few buckets, the wider the farther."""

from __future__ import annotations

import torch
from torch import Tensor

from relsift.encoding.batch import Batch

STARTS = (0, 1, 2, 3, 4, 6, 9, 14, 20, 30, 50)  # tokens between the two from which each bucket begins; below 0: they overlap
BUCKETS = len(STARTS) + 1


def tokens_between(batch: Batch, first: Tensor, second: Tensor) -> Tensor:
    """(X,) tokens between two entities; negative where they overlap. Args: first, second: (X,) rows of the entity tensors."""
    one, other = batch.entities.span[first], batch.entities.span[second]                # (X, 2)
    return torch.maximum(one[:, 0], other[:, 0]) - torch.minimum(one[:, 1], other[:, 1])


def bucket(distance: Tensor) -> Tensor:
    """(…,) int64 in 0 .. BUCKETS - 1"""
    return torch.bucketize(distance, torch.tensor(STARTS, device=distance.device), right=True)
