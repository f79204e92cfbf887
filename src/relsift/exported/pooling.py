"""Pool the convolution of every pair over the tokens, in NumPy, or in the kernel of Numba where it is installed and there is much to do.

Letters: N tokens of all sentences, S sentences, T tokens of the longest, A entities that pairs refer to, U different distance contexts,
P pairs, Q pieces of a sentence, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from relsift.encoding.arrays import IntArray
from relsift.exported.functions import relu
from relsift.exported.weights import FloatArray

VALUES_AT_ONCE = 4_000_000  # pair x token x channel values held at once (16 MB of float32)
MUCH = 50_000_000  # such values of a batch from which on Numba pays, whose import and kernels take half a second once


class PairParts(NamedTuple):
    """The values of every pair at every token as the sum of three parts; the fields of `relsift.kernels.pair_index` behind them."""

    sentence: FloatArray  # (N, C)
    head: FloatArray  # (U, C)
    tail: FloatArray  # (U, C)
    first: IntArray  # (S,) row of each sentence's first token
    lengths: IntArray  # (S,)
    place: IntArray  # (A, T) row of the distance parts for each entity and token
    pair_sentence: IntArray  # (P,)
    pair_head: IntArray  # (P,) rows of `place`
    pair_tail: IntArray  # (P,)


def maxima(parts: PairParts, cuts: IntArray) -> FloatArray:
    """(P, Q, C): the maximum over each piece of the sentence; 0 for a piece without tokens. Args: cuts: (P, Q + 1), never falling."""
    result = np.zeros((len(cuts), cuts.shape[1] - 1, parts.sentence.shape[1]), np.float32)
    if len(cuts) * parts.place.shape[1] * parts.sentence.shape[1] >= MUCH and find_spec("numba") is not None:
        from relsift.kernels.pair_pool_loops import forward_max  # compiles on first use

        forward_max(*map(np.ascontiguousarray, (*parts, cuts)), np.float32(-np.inf), result, np.empty((0, 0, 0), np.int32))
        return result
    for pairs, flat in _values(parts):                                                  # (p * T + 1, C)
        own = cuts[pairs]
        shift = np.arange(len(own))[:, None] * ((len(flat) - 1) // len(own))
        bounds = np.stack([own[:, :-1] + shift, own[:, 1:] + shift], axis=2)            # (p, Q, 2) start and stop of each piece
        pooled = np.maximum.reduceat(flat, bounds.ravel(), axis=0)[::2]                 # (p * Q, C); what is between pieces goes
        has_tokens = own[:, 1:] > own[:, :-1]
        result[pairs] = np.where(has_tokens[:, :, None], pooled.reshape(*has_tokens.shape, -1), np.float32(0))
    return result


def average(parts: PairParts) -> FloatArray:
    """(P, C): the mean over the tokens after ReLU."""
    result = np.empty((len(parts.pair_head), parts.sentence.shape[1]), np.float32)
    for pairs, flat in _values(parts):
        result[pairs] = relu(flat[:-1]).reshape(pairs.stop - pairs.start, -1, flat.shape[1]).mean(axis=1)
    return result


def _values(parts: PairParts) -> Iterator[tuple[slice, FloatArray]]:
    """Pairs that share their sentence, and (p * T + 1, C) the values of each at each token of it; the last row is there for `reduceat`."""
    count = len(parts.pair_head)
    changes = np.flatnonzero(np.diff(parts.pair_sentence)) + 1
    for begin, end in zip([0, *changes], [*changes, count] if count else []):
        s = parts.pair_sentence[begin]
        length = int(parts.lengths[s])
        text = parts.sentence[parts.first[s] : parts.first[s] + length]                 # (T, C)
        entities = parts.place[:, :length]
        size = max(1, VALUES_AT_ONCE // text.size)
        for start in range(begin, end, size):
            pairs = slice(start, min(end, start + size))
            heads, own_head = np.unique(parts.pair_head[pairs], return_inverse=True)
            tails, own_tail = np.unique(parts.pair_tail[pairs], return_inverse=True)
            with_head = text + parts.head[entities[heads]]                              # (a, T, C)
            flat = np.zeros((len(own_head) * length + 1, text.shape[1]), np.float32)
            np.add(with_head[own_head], parts.tail[entities[tails]][own_tail], out=flat[:-1].reshape(-1, *text.shape))
            yield pairs, flat
