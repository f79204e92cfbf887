"""The fused CPU kernel of `pair_max` (Numba): a running maximum a pair, nothing of size pairs x tokens x channels is ever allocated.

Bit for bit the values of the reference: the same three numbers are added in the same order, and the first maximum wins.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, kernel
from relsift.kernels.pair_pool import PairIndex, reference

BLOCK = 64  # channels a thread scatters at a time in the backward pass; blocks are disjoint, so the sums are deterministic


def fused(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """See `relsift.kernels.pair_pool.pair_max`; float32 on the CPU."""
    if not all(part.sum().isfinite() for part in (sentence, head, tail)):
        # A running maximum passes over not-a-number, and a broken model would look sound.
        return reference(sentence, head, tail, index)
    pooled: Tensor = _Fused.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return pooled


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        parts = arrays(sentence, head, tail)
        where = arrays(index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
        pooled = np.empty((len(index.pair_sentence), sentence.shape[1]), dtype=np.float32)
        if any(ctx.needs_input_grad[:3]):
            best = np.empty(pooled.shape, dtype=np.int32)
            _forward_with_index(*parts, *where, pooled, best)
            ctx.where, ctx.best, ctx.lengths = where, best, (len(sentence), len(head), len(tail))
        else:
            _forward(*parts, *where, pooled)
        return torch.from_numpy(pooled)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = arrays(gradients[0])
        parts = [np.zeros((count, gradient.shape[1]), dtype=np.float32) for count in ctx.lengths]
        first, _, place, pair_sentence, pair_head, pair_tail = ctx.where
        _backward(gradient, ctx.best, first, place, pair_sentence, pair_head, pair_tail, *parts)
        return (*(torch.from_numpy(part) for part in parts), None)


@kernel
def _forward(
    sentence: Any,
    head: Any,
    tail: Any,
    first: Any,
    lengths: Any,
    place: Any,
    pair_sentence: Any,
    pair_head: Any,
    pair_tail: Any,
    pooled: Any,
) -> None:
    for p in numba.prange(len(pair_sentence)):
        row = first[pair_sentence[p]]
        h, t, best = place[pair_head[p]], place[pair_tail[p]], pooled[p]
        best[:] = sentence[row] + head[h[0]] + tail[t[0]]
        for i in range(1, lengths[pair_sentence[p]]):
            x, y, z = sentence[row + i], head[h[i]], tail[t[i]]
            for c in range(best.shape[0]):
                value = x[c] + y[c] + z[c]
                best[c] = value if value > best[c] else best[c]


@kernel
def _forward_with_index(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any, pair_tail: Any,
    pooled: Any, index: Any,
) -> None:  # fmt: skip
    for p in numba.prange(len(pair_sentence)):
        row = first[pair_sentence[p]]
        h, t, best, at = place[pair_head[p]], place[pair_tail[p]], pooled[p], index[p]
        best[:] = sentence[row] + head[h[0]] + tail[t[0]]
        at[:] = 0
        for i in range(1, lengths[pair_sentence[p]]):
            x, y, z = sentence[row + i], head[h[i]], tail[t[i]]
            token = np.int32(i)
            for c in range(best.shape[0]):
                value = x[c] + y[c] + z[c]
                better = value > best[c]
                best[c] = value if better else best[c]
                at[c] = token if better else at[c]


@kernel
def _backward(
    gradient: Any,
    index: Any,
    first: Any,
    place: Any,
    pair_sentence: Any,
    pair_head: Any,
    pair_tail: Any,
    sentence: Any,
    head: Any,
    tail: Any,
) -> None:
    channels = gradient.shape[1]
    for block in numba.prange((channels + BLOCK - 1) // BLOCK):
        for p in range(gradient.shape[0]):
            row, h, t = first[pair_sentence[p]], place[pair_head[p]], place[pair_tail[p]]
            for c in range(block * BLOCK, min(channels, (block + 1) * BLOCK)):
                i = index[p, c]
                sentence[row + i, c] += gradient[p, c]
                head[h[i], c] += gradient[p, c]
                tail[t[i], c] += gradient[p, c]
