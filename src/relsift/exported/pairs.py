"""Further features of a pair: its two entities' spans and types, and what stands between them.

Letters: N tokens, E entities, P pairs, V different tokens, D token features.
"""

from __future__ import annotations

import numpy as np

from relsift.encoding.arrays import IntArray
from relsift.exported.functions import group_maxima
from relsift.exported.inputs import Inputs
from relsift.exported.weights import FloatArray

FIRST_TOKENS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)  # as in `relsift.layers.between`
MOST_ENTITIES = 5
BUCKETS = len(FIRST_TOKENS) + 1  # the last one is for entities that overlap


def span_maxima(features: FloatArray, place: IntArray, inputs: Inputs) -> FloatArray:
    """(E, D): of each entity, the maxima of the token features over its tokens. Args: features: (V, D). place: (N,)."""
    start, end = inputs.entities.span.T                                                 # (E,)
    length = end - start
    shift = inputs.first[inputs.entities.sentence] + start - (length.cumsum() - length)
    rows = np.arange(length.sum()) + np.repeat(shift, length)
    return group_maxima(features[place[rows]], length)


def kinds(inputs: Inputs, num_types: int) -> IntArray:
    """(P,) row of a table of pairs of types; the last type stands for those that training did not have. Args: num_types: with that one."""
    kind = np.where(inputs.entities.type >= 0, inputs.entities.type, num_types - 1)
    rows: IntArray = kind[inputs.pairs.head] * num_types + kind[inputs.pairs.tail]
    return rows


def between(inputs: Inputs) -> tuple[IntArray, IntArray]:
    """(P,) rows of the tables of tokens and of entities between the two (see `relsift.layers.between`)."""
    start, end = inputs.entities.span.T                                                 # (E,)
    head, tail = inputs.pairs.head, inputs.pairs.tail                                   # (P,)
    behind = (start[head] > start[tail]) | ((start[head] == start[tail]) & (end[head] > end[tail]))
    first, second = np.where(behind, tail, head), np.where(behind, head, tail)
    stop, again = end[first], start[second]                                             # the text between, exclusive
    bucket = np.searchsorted(FIRST_TOKENS, np.maximum(again - stop, 0), side="right") - 1
    bucket = np.where(again >= stop, bucket, BUCKETS - 1)
    counts = np.zeros((len(inputs.lengths), int(inputs.lengths.max()) + 1), np.int64)
    np.add.at(counts, (inputs.entities.sentence, start + 1), 1)
    begun = counts.cumsum(axis=1)                                                       # entities that begin before each token
    sentence = inputs.pairs.sentence
    entities = np.clip(begun[sentence, again] - begun[sentence, stop], 0, MOST_ENTITIES)
    return bucket + behind * BUCKETS, entities
