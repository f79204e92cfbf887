"""What stands between the two entities of a pair, as rows of tables.

Letters: S sentences, T tokens, E entities, P pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from relsift.encoding.batch import Batch

FIRST_TOKENS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)  # the smallest number of tokens in each bucket
MOST_ENTITIES = 5  # more entities between count as so many
_BUCKETS = len(FIRST_TOKENS) + 1  # the last one is for entities that overlap
NUM_TOKENS, NUM_ENTITIES = 2 * _BUCKETS, MOST_ENTITIES + 1  # rows of the two tables


class Between(NamedTuple):
    """Rows of tables, (P,) int64 each."""

    tokens: Tensor  # the bucket of the number of tokens between; another half of the rows is for a head behind its tail
    entities: Tensor  # how many entities begin after the first of the two has ended and before the second begins


def between(batch: Batch) -> Between:
    """Of every pair. The first of the two entities is the one that begins first, of two that begin together the one that ends first."""
    start, end = batch.entities.span.unbind(1)                                          # (E,)
    head, tail = batch.pairs.head, batch.pairs.tail                                     # (P,)
    behind = (start[head] > start[tail]) | ((start[head] == start[tail]) & (end[head] > end[tail]))
    first, second = head.where(~behind, tail), tail.where(~behind, head)
    stop, again = end[first], start[second]                                             # (P,)  the text between, exclusive
    bounds = torch.tensor(FIRST_TOKENS, device=head.device)
    bucket = torch.bucketize((again - stop).clamp(min=0), bounds, right=True) - 1
    bucket = bucket.where(again >= stop, _BUCKETS - 1)
    begun = _begun(batch)                                                               # (S, T + 1)
    sentence = batch.pairs.sentence
    entities = (begun[sentence, again] - begun[sentence, stop]).clamp(0, MOST_ENTITIES)
    return Between(bucket + behind * _BUCKETS, entities)


def _begun(batch: Batch) -> Tensor:
    """(S, T + 1) int64: how many entities of the sentence begin before each token."""
    counts = torch.zeros(len(batch.lengths), batch.num_tokens + 1, dtype=torch.int64, device=batch.lengths.device)
    place = (batch.entities.sentence, batch.entities.span[:, 0] + 1)
    return counts.index_put(place, torch.ones_like(place[0]), accumulate=True).cumsum(1)
