"""What pair pooling computes, in plain torch: on any device, in any precision, in chunks. Fused kernels are tested against it.

Letters: see `relsift.kernels.pair_pool`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from relsift.kernels.pair_index import PairIndex

CHUNK_VALUES = 8_000_000  # pair x token x channel values held at once (32 MB of float32)


def reference_max(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor, relu: bool = False) -> Tensor:
    """See `relsift.kernels.pair_pool.piecewise_max`."""
    pooled: Tensor = _Max.apply(sentence, head, tail, index, cuts)  # type: ignore[no-untyped-call]
    return pooled.relu() if relu else pooled


def reference_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """See `relsift.kernels.pair_pool.pair_average`."""
    total: Tensor = _Sum.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return total / index.lengths[index.pair_sentence][:, None]


class _Max(torch.autograd.Function):
    """Keeps one arg-max a pair, piece and channel for the backward pass, not the (P, T, C) sum."""

    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
        pieces, channels = cuts.shape[1] - 1, sentence.shape[1]
        pooled = sentence.new_zeros(len(cuts), pieces, channels)
        rows = torch.zeros(3, *pooled.shape, dtype=torch.int64, device=sentence.device)  # the winning row of each part
        for chunk in _chunks(index, channels):
            for piece in range(pieces):
                start, stop = cuts[chunk, piece, None], cuts[chunk, piece + 1, None]    # (p, 1)
                size = int((stop - start).max())
                if size == 0:
                    continue
                # A shorter piece repeats its last token. One without tokens reads token 0; its result is set to 0.
                tokens = torch.minimum(start + torch.arange(size, device=cuts.device), stop - 1).clamp(min=0)  # (p, size)
                part_rows = _part_rows(index, chunk, tokens)
                total = sentence[part_rows[0]] + head[part_rows[1]] + tail[part_rows[2]]  # (p, size, C)
                maximum, argmax = total.max(dim=1)
                pooled[chunk, piece] = maximum.where(stop > start, 0)
                for part, row in enumerate(part_rows):
                    rows[part, chunk, piece] = row.gather(1, argmax)
        ctx.save_for_backward(rows, cuts)
        ctx.lengths = len(sentence), len(head), len(tail)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, cuts = ctx.saved_tensors
        gradient = gradients[0].where((cuts[:, 1:] > cuts[:, :-1])[:, :, None], 0).flatten(0, 1)  # (P * Q, C)
        parts = [
            gradient.new_zeros(n, gradient.shape[1]).scatter_add_(0, row.flatten(0, 1), gradient) for n, row in zip(ctx.lengths, rows)
        ]
        return parts[0], parts[1], parts[2], None, None


class _Sum(torch.autograd.Function):
    """Sum over the tokens after ReLU. The backward pass adds the parts again instead of keeping the (P, T, C) sum."""

    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pooled = sentence.new_empty(len(index.pair_sentence), sentence.shape[1])
        for chunk, part_rows, mask in _all_tokens(index, sentence.shape[1]):
            total = sentence[part_rows[0]] + head[part_rows[1]] + tail[part_rows[2]]    # (p, T, C)
            pooled[chunk] = (total.relu() * mask).sum(dim=1)
        ctx.save_for_backward(sentence, head, tail)
        ctx.index = index
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *sum_backward(ctx.saved_tensors, ctx.index, gradients[0]), None


def sum_backward(parts: Sequence[Tensor], index: PairIndex, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the three parts, for a gradient (P, C) of the sum after ReLU."""
    part_gradients = [torch.zeros_like(part) for part in parts]
    for chunk, part_rows, mask in _all_tokens(index, parts[0].shape[1]):
        total = parts[0][part_rows[0]] + parts[1][part_rows[1]] + parts[2][part_rows[2]]  # (p, T, C)
        sum_gradient = (gradient[chunk][:, None] * ((total > 0) & mask)).flatten(0, 1)  # (p * T, C)
        for part_gradient, row in zip(part_gradients, part_rows):
            part_gradient.index_add_(0, row.flatten(), sum_gradient)
    return part_gradients[0], part_gradients[1], part_gradients[2]


def _chunks(index: PairIndex, channels: int) -> Iterator[slice]:
    """Chunks of pairs; the values of one chunk are held at once."""
    size = max(1, CHUNK_VALUES // (index.place.shape[1] * channels))
    for start in range(0, len(index.pair_sentence), size):
        yield slice(start, start + size)


def _part_rows(index: PairIndex, chunk: slice, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """tokens: (p, size), of the pairs of a chunk -> their rows in the three parts, each (p, size)."""
    rows = index.first[index.pair_sentence[chunk]][:, None] + tokens
    return rows, index.place[index.pair_head[chunk][:, None], tokens], index.place[index.pair_tail[chunk][:, None], tokens]


def _all_tokens(index: PairIndex, channels: int) -> Iterator[tuple[slice, tuple[Tensor, Tensor, Tensor], Tensor]]:
    """Yield chunks of pairs, the rows of all their tokens, and the mask (p, T, 1) of real tokens."""
    step = torch.arange(index.place.shape[1], device=index.place.device)
    for chunk in _chunks(index, channels):
        last = index.lengths[index.pair_sentence[chunk]][:, None] - 1
        yield chunk, _part_rows(index, chunk, torch.minimum(step, last)), (step <= last)[:, :, None]
