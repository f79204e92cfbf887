"""DistanceContexts of distances: all that a window can see of the distances to one entity, from one token.

Sentences are many, stretches few: what surrounds a token is known by where the entity starts and ends from here and by how near the
sentence's edges are. Far from both, thousands of (entity, token) places share one stretch.
Letters: E entities, T tokens, U different stretches, L tokens that the widest window sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.encoding.batch import Batch


@dataclass(frozen=True)
class DistanceContexts:
    """left, right: tokens seen before and after the own one. limit: farther distances count as this one."""

    left: int
    right: int
    limit: int

    @property
    def count(self) -> int:
        """Keys are smaller than this."""
        return (2 * self._reach + 1) ** 2 * (self.left + 1) * (self.right + 2)

    def keys(self, batch: Batch, *, merge: bool = False) -> Tensor:
        """(E, T) int64: which stretch surrounds each token for each entity; what stands in the padding means nothing.

        merge: one key for what looks the same from here: an entity that no window reaches is as good as one of a single token. Half
            the rows and less; not for training, where rows that are merged have their gradients summed in another order.
        """
        i = torch.arange(batch.tokens.shape[1], device=batch.tokens.device)[None, :]    # (1, T)
        start, end = batch.entity_span[:, :1], batch.entity_span[:, 1:]                 # (E, 1)
        length = batch.lengths[batch.entity_sentence][:, None]                          # (E, 1)
        reach, number = self._reach, 2 * self._reach + 1
        start, end = (start - i).clamp(-reach, reach), (end - i).clamp(-reach, reach)   # (E, T) as seen from each token
        if merge:
            end = end.where(start <= self.right, (start + 1).clamp(max=reach))
            start = start.where(end > -self.left, (end - 1).clamp(min=-reach))
        key = (start + reach) * number + (end + reach)
        key = key * (self.left + 1) + i.clamp(max=self.left)
        key = key * (self.right + 2) + (length - i).clamp(0, self.right + 1)
        return key.where(i < length, key[:, :1])                                        # padding repeats a stretch that is there

    def rows(self, keys: Tensor) -> Tensor:
        """(U,) keys -> (U, L) int64 rows of a distance table, -1 beyond the sentence."""
        number = 2 * self._reach + 1
        rest, after = keys // (self.right + 2), keys % (self.right + 2)                 # after: tokens from here to the sentence's end
        rest, before = rest // (self.left + 1), rest % (self.left + 1)
        start, end = rest // number - self._reach, rest % number - self._reach
        step = torch.arange(-self.left, self.right + 1, device=keys.device)[None, :]    # (1, L)
        seen = distances(step, start[:, None], end[:, None], self.limit)
        return seen.masked_fill((step < -before[:, None]) | (step >= after[:, None]), -1)

    @property
    def _reach(self) -> int:
        """An entity this far away is too far for every token that a window sees."""
        return self.limit + self.left + self.right + 1


def distances(position: Tensor, start: Tensor, end: Tensor, limit: int) -> Tensor:
    """Row of a distance table: tokens from the span [start, end), 0 inside, negative before it; clipped to +-limit, shifted to be >= 0."""
    before = (position - start).clamp(max=0)
    after = (position - end + 1).clamp(min=0)
    return (before + after).clamp(-limit, limit) + limit
