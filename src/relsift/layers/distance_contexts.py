"""Contexts of distances: all that a window can see of the distances to one entity, from one token.

Sentences are many, contexts few: what surrounds a token is known by where the entity starts and ends from here and by how near the
sentence's edges are. Far from both, thousands of (entity, token) places share one context.
Letters: A entities that pairs refer to, E all entities, T tokens, U different contexts, P pairs, L tokens that the widest window sees.
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

    def keys(self, batch: Batch, entities: Tensor, *, merge: bool = False) -> Tensor:
        """(A, T) int64: which context surrounds each token for each entity; what stands in the padding means nothing.

        Args:
            entities: (A,) rows of the entity tensors.
            merge: one key for what looks the same from here: an entity that no window reaches is as good as one of a single token. Half
                the rows and less; not for training, where rows that are merged have their gradients summed in another order.
        """
        i = torch.arange(batch.num_tokens, device=entities.device)[None, :]             # (1, T)
        span = batch.entities.span[entities]                                            # (A, 2)
        start, end = span[:, :1], span[:, 1:]                                           # (A, 1)
        length = batch.lengths[batch.entities.sentence[entities]][:, None]              # (A, 1)
        reach, number = self._reach, 2 * self._reach + 1
        start, end = (start - i).clamp(-reach, reach), (end - i).clamp(-reach, reach)   # (A, T) as seen from each token
        if merge:
            end = end.where(start <= self.right, (start + 1).clamp(max=reach))
            start = start.where(end > -self.left, (end - 1).clamp(min=-reach))
        key = (start + reach) * number + (end + reach)
        key = key * (self.left + 1) + i.clamp(max=self.left)
        key = key * (self.right + 2) + (length - i).clamp(0, self.right + 1)
        return key.where(i < length, key[:, :1])                                        # padding repeats a context that is there

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


def referred_entities(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """(A,) rows of the entities that are a head or a tail, in order, and (P,) each pair's head and tail as positions in them.

    Where few of the entities are asked about (a type filter, one reading a pair), keys for all of them would be most of the memory.
    """
    head, tail = batch.pairs.head, batch.pairs.tail
    is_used = torch.zeros(len(batch.entities), dtype=torch.bool, device=head.device)
    is_used[head] = True
    is_used[tail] = True
    position = is_used.cumsum(0) - 1                                                    # (E,)
    return is_used.nonzero().squeeze(1), position[head], position[tail]


def distances(position: Tensor, start: Tensor, end: Tensor, limit: int) -> Tensor:
    """Row of a distance table: tokens from the span [start, end), 0 inside, negative before it; clipped to +-limit, shifted to be >= 0."""
    before = (position - start).clamp(max=0)
    after = (position - end + 1).clamp(min=0)
    return (before + after).clamp(-limit, limit) + limit
