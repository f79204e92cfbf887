"""Pair pooling on a GPU (Triton). Nothing of size pairs x tokens x channels is ever allocated.

One program computes a block of channels for one piece of one pair. It goes through the tokens with the maximum (or sum) in registers; rows
that pairs share come from the caches. NaN is passed on, so the caller need not check for it. The backward passes use torch's scatters,
which are deterministic if torch is set so.
"""

from __future__ import annotations

from typing import Any

import torch
import triton  # type: ignore[import-untyped, import-not-found, unused-ignore]
import triton.language as tl  # type: ignore[import-untyped, import-not-found, unused-ignore]
from torch import Tensor

from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool_reference import sum_backward

BLOCK_SIZE = 128  # channels of a program


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
        needs_gradient = any(ctx.needs_input_grad[:3])
        argmax = torch.empty(pooled.shape if needs_gradient else 0, dtype=torch.int32, device=sentence.device)
        outputs = cuts.contiguous(), pooled, argmax
        _launch(_max_kernel, pairs * pieces, channels, sentence, head, tail, index, *outputs, PIECES=pieces, KEEP=needs_gradient)
        if needs_gradient:
            ctx.save_for_backward(argmax, cuts)
            ctx.index, ctx.lengths = index, (len(sentence), len(head), len(tail))
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        argmax, cuts = ctx.saved_tensors                                                # (P, Q, C), (P, Q + 1)
        index: PairIndex = ctx.index
        gradient = gradients[0].where((cuts[:, 1:] > cuts[:, :-1])[:, :, None], 0).flatten(0, 1)  # (P * Q, C)
        tokens = argmax.long().flatten(1)                                               # (P, Q * C)
        rows = (
            index.first[index.pair_sentence][:, None] + tokens,
            index.place[index.pair_head].gather(1, tokens),
            index.place[index.pair_tail].gather(1, tokens),
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
    kernel: Any, programs: int, channels: int, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *outputs: Tensor,
    **constants: Any,
) -> None:
    if not programs:
        return
    block_size = min(BLOCK_SIZE, triton.next_power_of_2(channels))
    index_tensors = (index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
    tensors = [tensor.contiguous() for tensor in (sentence, head, tail, *index_tensors)]
    grid = programs, triton.cdiv(channels, block_size)
    kernel[grid](*tensors, *outputs, channels, index.place.shape[1], BLOCK_SIZE=block_size, **constants)


# No annotations: Triton reads them as its own.
@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _max_kernel(  # type: ignore[no-untyped-def]
    sentence, head, tail, first, lengths, place, pair_sentence, pair_head, pair_tail,
    cuts, pooled, argmax, channels, tokens, BLOCK_SIZE: tl.constexpr, PIECES: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    output_row = tl.program_id(0).to(tl.int64)
    pair, piece = output_row // PIECES, output_row % PIECES
    column = tl.program_id(1) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    is_channel = column < channels
    row = tl.load(first + tl.load(pair_sentence + pair))
    heads = place + tl.load(pair_head + pair) * tokens
    tails = place + tl.load(pair_tail + pair) * tokens
    start = tl.load(cuts + pair * (PIECES + 1) + piece)
    stop = tl.load(cuts + pair * (PIECES + 1) + piece + 1)
    maximum = tl.full([BLOCK_SIZE], float("-inf"), tl.float32)
    token = tl.zeros([BLOCK_SIZE], tl.int32) + start.to(tl.int32)
    for i in range(start, stop):
        total = tl.load(sentence + (row + i) * channels + column, mask=is_channel, other=0.0)
        total += tl.load(head + tl.load(heads + i) * channels + column, mask=is_channel, other=0.0)
        total += tl.load(tail + tl.load(tails + i) * channels + column, mask=is_channel, other=0.0)
        is_larger = (total > maximum) | (total != total)
        maximum = tl.where(is_larger, total, maximum)
        token = tl.where(is_larger, tl.cast(i, tl.int32), token)
    is_empty = stop <= start
    maximum = tl.where(is_empty, 0.0, maximum)
    tl.store(pooled + output_row * channels + column, maximum, mask=is_channel)
    if KEEP:
        tl.store(argmax + output_row * channels + column, tl.where(is_empty, 0, token), mask=is_channel)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _sum_kernel(  # type: ignore[no-untyped-def]
    sentence, head, tail, first, lengths, place, pair_sentence, pair_head, pair_tail,
    pooled, channels, tokens, BLOCK_SIZE: tl.constexpr,
):  # fmt: skip
    pair = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    is_channel = column < channels
    sentence_number = tl.load(pair_sentence + pair)
    row, length = tl.load(first + sentence_number), tl.load(lengths + sentence_number)
    heads = place + tl.load(pair_head + pair) * tokens
    tails = place + tl.load(pair_tail + pair) * tokens
    sums = tl.zeros([BLOCK_SIZE], tl.float32)
    for i in range(0, length):
        total = tl.load(sentence + (row + i) * channels + column, mask=is_channel, other=0.0)
        total += tl.load(head + tl.load(heads + i) * channels + column, mask=is_channel, other=0.0)
        total += tl.load(tail + tl.load(tails + i) * channels + column, mask=is_channel, other=0.0)
        sums += tl.where(total < 0.0, 0.0, total)  # NaN stays
    tl.store(pooled + pair * channels + column, sums, mask=is_channel)
