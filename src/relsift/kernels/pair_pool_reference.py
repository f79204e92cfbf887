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
    pooled: Tensor = _Max.apply(sentence, head, tail, index, cuts)  # type: ignore[no-untyped-call]
    return pooled.relu() if relu else pooled


def reference_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    total: Tensor = _Sum.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return total / index.lengths[index.pair_sentence][:, None]


class _Max(torch.autograd.Function):
    """Keeps one arg-max a pair, piece and channel for the backward pass, never the (P, T, C) sum."""

    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
        pieces, channels = cuts.shape[1] - 1, sentence.shape[1]
        pooled = sentence.new_zeros(len(cuts), pieces, channels)
        rows = torch.zeros(3, *pooled.shape, dtype=torch.int64, device=sentence.device)  # the winning row of each part
        for part in _chunks(index, channels):
            for piece in range(pieces):
                start, stop = cuts[part, piece, None], cuts[part, piece + 1, None]      # (p, 1)
                size = int((stop - start).max())
                if size == 0:
                    continue
                # A shorter piece repeats its last token; one without tokens shows token 0 and is blanked.
                at = torch.minimum(start + torch.arange(size, device=cuts.device), stop - 1).clamp(min=0)  # (p, size)
                places = _places(index, part, at)
                total = sentence[places[0]] + head[places[1]] + tail[places[2]]        # (p, size, C)
                value, best = total.max(dim=1)
                pooled[part, piece] = value.where(stop > start, 0)
                for kind, place in enumerate(places):
                    rows[kind, part, piece] = place.gather(1, best)
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
    """Sum over the tokens after ReLU; adds the parts once more in the backward pass instead of keeping the (P, T, C) sum."""

    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pooled = sentence.new_empty(len(index.pair_sentence), sentence.shape[1])
        for part, places, real in _all_tokens(index, sentence.shape[1]):
            total = sentence[places[0]] + head[places[1]] + tail[places[2]]            # (p, T, C)
            pooled[part] = (total.relu() * real).sum(dim=1)
        ctx.save_for_backward(sentence, head, tail)
        ctx.index = index
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *sum_backward(ctx.saved_tensors, ctx.index, gradients[0]), None


def sum_backward(kinds: Sequence[Tensor], index: PairIndex, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the three parts, for a gradient (P, C) of the sum after ReLU."""
    parts = [torch.zeros_like(kind) for kind in kinds]
    for part, places, real in _all_tokens(index, kinds[0].shape[1]):
        total = kinds[0][places[0]] + kinds[1][places[1]] + kinds[2][places[2]]        # (p, T, C)
        flows = (gradient[part][:, None] * ((total > 0) & real)).flatten(0, 1)         # (p * T, C)
        for into, place in zip(parts, places):
            into.index_add_(0, place.flatten(), flows)
    return parts[0], parts[1], parts[2]


def _chunks(index: PairIndex, channels: int) -> Iterator[slice]:
    """Pairs whose values the plain form may hold at once."""
    size = max(1, CHUNK_VALUES // (index.place.shape[1] * channels))
    for start in range(0, len(index.pair_sentence), size):
        yield slice(start, start + size)


def _places(index: PairIndex, part: slice, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For tokens `at` (p, size) of the pairs of a chunk: their rows in the three parts, each (p, size)."""
    rows = index.first[index.pair_sentence[part]][:, None] + at
    return rows, index.place[index.pair_head[part][:, None], at], index.place[index.pair_tail[part][:, None], at]


def _all_tokens(index: PairIndex, channels: int) -> Iterator[tuple[slice, tuple[Tensor, Tensor, Tensor], Tensor]]:
    """Chunk by chunk: the pairs, the rows of all their tokens, and (p, T, 1) which of these are real."""
    step = torch.arange(index.place.shape[1], device=index.place.device)
    for part in _chunks(index, channels):
        last = index.lengths[index.pair_sentence[part]][:, None] - 1
        yield part, _places(index, part, torch.minimum(step, last)), (step <= last)[:, :, None]
