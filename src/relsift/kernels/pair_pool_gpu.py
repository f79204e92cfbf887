"""Pair pooling on a GPU (Triton). Nothing of size pairs x tokens x channels is ever allocated.

One program has one piece of one pair and a strip of its channels, and walks through the tokens with maximum (or sum) in registers; the
rows that pairs share come from the caches. Not-a-number is handed on, so nobody has to look for it first. The backward passes are
torch's own scatters, which are deterministic where torch is told to be.
"""

from __future__ import annotations

from typing import Any

import torch
import triton  # type: ignore[import-untyped, import-not-found, unused-ignore]
import triton.language as tl  # type: ignore[import-untyped, import-not-found, unused-ignore]
from torch import Tensor

from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool_reference import sum_backward

STRIP = 128  # channels of a program


def fused_max(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
    """See `relsift.kernels.pair_pool.piecewise_max`; float32 on a GPU."""
    pooled: Tensor = _Max.apply(sentence, head, tail, index, cuts)  # type: ignore[no-untyped-call]
    return pooled


def fused_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """See `relsift.kernels.pair_pool.pair_average`; float32 on a GPU."""
    total: Tensor = _Sum.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return total / index.lengths[index.pair_sentence][:, None]


class _Max(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
        pairs, pieces, channels = len(cuts), cuts.shape[1] - 1, sentence.shape[1]
        pooled = sentence.new_empty(pairs, pieces, channels)
        keep = any(ctx.needs_input_grad[:3])
        best = torch.empty(pooled.shape if keep else 0, dtype=torch.int32, device=sentence.device)
        tensors = cuts.contiguous(), pooled, best
        _launch(_max_kernel, pairs * pieces, channels, sentence, head, tail, index, *tensors, PIECES=pieces, KEEP=keep)
        if keep:
            ctx.save_for_backward(best, cuts)
            ctx.index, ctx.lengths = index, (len(sentence), len(head), len(tail))
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        best, cuts = ctx.saved_tensors                                                  # (P, Q, C), (P, Q + 1)
        index: PairIndex = ctx.index
        gradient = gradients[0].where((cuts[:, 1:] > cuts[:, :-1])[:, :, None], 0).flatten(0, 1)  # (P * Q, C)
        at = best.long().flatten(1)                                                     # (P, Q * C)
        rows = (
            index.first[index.pair_sentence][:, None] + at,
            index.place[index.pair_head].gather(1, at),
            index.place[index.pair_tail].gather(1, at),
        )
        parts = [
            gradient.new_zeros(count, gradient.shape[1]).scatter_add_(0, row.view(gradient.shape), gradient)
            for count, row in zip(ctx.lengths, rows)
        ]
        return parts[0], parts[1], parts[2], None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pairs, channels = len(index.pair_sentence), sentence.shape[1]
        pooled = sentence.new_empty(pairs, channels)
        _launch(_sum_kernel, pairs, channels, sentence, head, tail, index, pooled)
        ctx.save_for_backward(sentence, head, tail)
        ctx.index = index
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *sum_backward(ctx.saved_tensors, ctx.index, gradients[0]), None


def _launch(
    kernel: Any, programs: int, channels: int, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *rest: Tensor, **named: Any
) -> None:
    if not programs:
        return
    strip = min(STRIP, triton.next_power_of_2(channels))
    where = (index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
    tensors = [tensor.contiguous() for tensor in (sentence, head, tail, *where)]
    kernel[programs, triton.cdiv(channels, strip)](*tensors, *rest, channels, index.place.shape[1], STRIP=strip, **named)


# Without annotations: Triton takes those for its own.
@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _max_kernel(  # type: ignore[no-untyped-def]
    sentence, head, tail, first, lengths, place, pair_sentence, pair_head, pair_tail,
    cuts, pooled, best, channels, tokens, STRIP: tl.constexpr, PIECES: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    number = tl.program_id(0).to(tl.int64)
    pair, piece = number // PIECES, number % PIECES
    column = tl.program_id(1) * STRIP + tl.arange(0, STRIP)
    real = column < channels
    row = tl.load(first + tl.load(pair_sentence + pair))
    heads = place + tl.load(pair_head + pair) * tokens
    tails = place + tl.load(pair_tail + pair) * tokens
    start = tl.load(cuts + pair * (PIECES + 1) + piece)
    stop = tl.load(cuts + pair * (PIECES + 1) + piece + 1)
    value = tl.full([STRIP], float("-inf"), tl.float32)
    at = tl.zeros([STRIP], tl.int32) + start.to(tl.int32)
    for i in range(start, stop):
        total = tl.load(sentence + (row + i) * channels + column, mask=real, other=0.0)
        total += tl.load(head + tl.load(heads + i) * channels + column, mask=real, other=0.0)
        total += tl.load(tail + tl.load(tails + i) * channels + column, mask=real, other=0.0)
        better = (total > value) | (total != total)
        value = tl.where(better, total, value)
        at = tl.where(better, tl.cast(i, tl.int32), at)
    empty = stop <= start
    value = tl.where(empty, 0.0, value)
    tl.store(pooled + number * channels + column, value, mask=real)
    if KEEP:
        tl.store(best + number * channels + column, tl.where(empty, 0, at), mask=real)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sum_kernel(  # type: ignore[no-untyped-def]
    sentence, head, tail, first, lengths, place, pair_sentence, pair_head, pair_tail,
    pooled, channels, tokens, STRIP: tl.constexpr,
):  # fmt: skip
    pair = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * STRIP + tl.arange(0, STRIP)
    real = column < channels
    number = tl.load(pair_sentence + pair)
    row, length = tl.load(first + number), tl.load(lengths + number)
    heads = place + tl.load(pair_head + pair) * tokens
    tails = place + tl.load(pair_tail + pair) * tokens
    sums = tl.zeros([STRIP], tl.float32)
    for i in range(0, length):
        total = tl.load(sentence + (row + i) * channels + column, mask=real, other=0.0)
        total += tl.load(head + tl.load(heads + i) * channels + column, mask=real, other=0.0)
        total += tl.load(tail + tl.load(tails + i) * channels + column, mask=real, other=0.0)
        sums += tl.where(total < 0.0, 0.0, total)  # not-a-number stays
    tl.store(pooled + pair * channels + column, sums, mask=real)
