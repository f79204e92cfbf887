"""Group sentences by their number of entities, for models that relate every entity to every other one.

Such models compute arrays of (sentences, entities, entities, …). With padding to the most entities of the batch, most of the work would be
wasted (a sentence of 3 entities would cost as much as one of 12), and memory would have no bound. A group holds sentences with similar
numbers of entities, as many as fit a bound.
Letters: G sentences of a group, M entities of the largest of them, T tokens of the longest, E entities of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from relsift.encoding.batch import Batch

GROWTH = 1.5  # most entities of a group's largest sentence, as a multiple of its smallest


@dataclass(frozen=True)
class Group:
    """Sentences with similar numbers of entities, padded to the largest."""

    sentences: Tensor  # (G,)    rows of the batch
    entities: Tensor  # (G, M)  rows of the entity tensors; padding repeats the sentence's first entity
    real: Tensor  # (G, M)  bool, False = padding
    tokens: int  # T

    @property
    def size(self) -> int:
        """M"""
        return self.entities.shape[1]


def slots(batch: Batch) -> tuple[Tensor, Tensor]:
    """(S,) number of entities of each sentence, and (E,) each entity's position in its sentence."""
    counts = torch.bincount(batch.entities.sentence, minlength=len(batch.lengths))            # (S,)
    starts = counts.cumsum(0) - counts
    rows = torch.arange(len(batch.entities), device=counts.device)
    return counts, rows - starts[batch.entities.sentence]


def groups(batch: Batch, cost: Callable[[int, int], int], limit: int) -> Iterator[Group]:
    """Yield groups; every sentence with at least two entities is in one of them.

    Args:
        cost: of one sentence padded to (entities, tokens), in numbers held at once. limit: of the cost of a group; a sentence above it is
            a group of its own.
    """
    counts, _ = slots(batch)
    starts = counts.cumsum(0) - counts
    sizes, lengths = counts.tolist(), batch.lengths.tolist()
    group: list[int] = []
    max_tokens = 0
    for sentence in sorted((s for s, size in enumerate(sizes) if size > 1), key=lambda s: (sizes[s], lengths[s])):
        size, tokens = sizes[sentence], max(max_tokens, lengths[sentence])
        if group and (size > GROWTH * sizes[group[0]] or cost(size, tokens) * (len(group) + 1) > limit):
            yield _group(group, counts, starts, max_tokens)
            group, tokens = [], lengths[sentence]
        group.append(sentence)
        max_tokens = tokens
    if group:
        yield _group(group, counts, starts, max_tokens)


def _group(sentences: list[int], counts: Tensor, starts: Tensor, num_tokens: int) -> Group:
    rows = torch.tensor(sentences, device=counts.device)                                      # (G,)
    place = torch.arange(int(counts[sentences[-1]]), device=counts.device)[None, :]           # (1, M)  the last sentence is the largest
    real = place < counts[rows, None]                                                         # (G, M)
    return Group(rows, starts[rows, None] + place * real, real, num_tokens)


def position_ids(start: Tensor, end: Tensor, other_start: Tensor, other_end: Tensor, limit: int) -> Tensor:
    """The position of the span [start, end) relative to another span, as a row of a table of `num_positions(limit)`.

    The distance in tokens (negative before the other span, 0 where they overlap), clipped to +-limit and shifted to be >= 0. Two further
    rows are for a span inside the other one and for a span around it (equal spans: distance 0).
    """
    before = (end - 1 - other_start).clamp(max=0)
    after = (start - other_end + 1).clamp(min=0)
    inside = (start >= other_start) & (end <= other_end)
    around = (start <= other_start) & (end >= other_end)
    row = (before + after).clamp(-limit, limit) + limit
    row = torch.where(inside & ~around, 2 * limit + 1, row)
    return torch.where(around & ~inside, 2 * limit + 2, row)


def num_positions(limit: int) -> int:
    """Rows of the table for `position_ids`."""
    return 2 * limit + 3
