"""Sentences side by side by how many entities they have, for models that relate every entity to every other one.

Such models make arrays of (sentences, entities, entities, …). Padding all sentences of a batch to the one with the most entities would
waste most of the work (a product over three entities costs a sentence of 3 as much as one of 12) and has no bound; a group holds
sentences of similar numbers of entities, and as many as fit a bound.
Letters: G sentences of a group, M entities of the largest of them, T tokens of the longest, E entities of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.encoding.batch import Batch

GROWTH = 1.5  # the largest sentence of a group has at most so many times the entities of the smallest


@dataclass(frozen=True)
class Group:
    sentences: Tensor  # (G,)    rows of the batch
    entities: Tensor  # (G, M)  rows of the entity tensors; padding repeats the sentence's first entity
    real: Tensor  # (G, M)  bool, False = padding
    tokens: int  # T

    @property
    def size(self) -> int:
        """M"""
        return self.entities.shape[1]


def slots(batch: Batch) -> tuple[Tensor, Tensor]:
    """(S,) entities of each sentence, and (E,) each entity's place among those of its sentence."""
    counts = torch.bincount(batch.entities.sentence, minlength=len(batch.lengths))              # (S,)
    starts = counts.cumsum(0) - counts
    rows = torch.arange(len(batch.entities), device=counts.device)
    return counts, rows - starts[batch.entities.sentence]


def groups(batch: Batch, cost: Callable[[int, int], int], limit: int) -> Iterator[Group]:
    """Every sentence with two entities or more is in one group.

    Args:
        cost: of one sentence padded to (entities, tokens), in numbers held at once. limit: of a group; a sentence that passes it by itself
            is a group of its own.
    """
    counts, _ = slots(batch)
    starts = counts.cumsum(0) - counts
    sizes, lengths = counts.tolist(), batch.lengths.tolist()
    chosen: list[int] = []
    longest = 0
    for sentence in sorted((s for s, size in enumerate(sizes) if size > 1), key=lambda s: (sizes[s], lengths[s])):
        size, tokens = sizes[sentence], max(longest, lengths[sentence])
        if chosen and (size > GROWTH * sizes[chosen[0]] or cost(size, tokens) * (len(chosen) + 1) > limit):
            yield _group(chosen, counts, starts, longest)
            chosen, tokens = [], lengths[sentence]
        chosen.append(sentence)
        longest = tokens
    if chosen:
        yield _group(chosen, counts, starts, longest)


def _group(chosen: list[int], counts: Tensor, starts: Tensor, tokens: int) -> Group:
    rows = torch.tensor(chosen, device=counts.device)                                         # (G,)
    place = torch.arange(int(counts[chosen[-1]]), device=counts.device)[None, :]              # (1, M)  the last one is the largest
    real = place < counts[rows, None]                                                         # (G, M)
    return Group(rows, starts[rows, None] + place * real, real, tokens)


def position_ids(start: Tensor, end: Tensor, other_start: Tensor, other_end: Tensor, limit: int) -> Tensor:
    """Row of a table of `num_positions(limit)`: how the span [start, end) lies to the other one.

    Tokens from the other one, negative before it, 0 where they overlap, clipped to +-limit and shifted to be >= 0; two further rows for a
    span inside the other one and for one outside it, around it (equal spans: 0).
    """
    before = (end - 1 - other_start).clamp(max=0)
    after = (start - other_end + 1).clamp(min=0)
    inside = (start >= other_start) & (end <= other_end)
    outside = (start <= other_start) & (end >= other_end)
    row = (before + after).clamp(-limit, limit) + limit
    row = torch.where(inside & ~outside, 2 * limit + 1, row)
    return torch.where(outside & ~inside, 2 * limit + 2, row)


def num_positions(limit: int) -> int:
    return 2 * limit + 3
