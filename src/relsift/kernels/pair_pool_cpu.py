"""Pair pooling on the CPU for tensors, with gradients; the loops are in `relsift.kernels.pair_pool_loops`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool_loops import backward_max, backward_sum, forward_max, forward_sum


def fused_max(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor, relu: bool = False) -> Tensor:
    """See `relsift.kernels.pair_pool.piecewise_max`; float32 on the CPU, finite."""
    pooled: Tensor = _Max.apply(sentence, head, tail, index, cuts, relu)  # type: ignore[no-untyped-call]
    return pooled


def fused_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """See `relsift.kernels.pair_pool.pair_average`; float32 on the CPU."""
    total: Tensor = _Sum.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return total / index.lengths[index.pair_sentence][:, None]


class _Max(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor, relu: bool) -> Tensor:
        pooled = sentence.new_empty(len(cuts), cuts.shape[1] - 1, sentence.shape[1])
        needs_gradient = any(ctx.needs_input_grad[:3])
        argmax = torch.empty(pooled.shape if needs_gradient else (0, 0, 0), dtype=torch.int32)
        minimum = np.float32(0 if relu else -np.inf)
        first, lengths, *rest = arrays(
            index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail
        )
        forward_max(*arrays(sentence, head, tail), first, lengths, *rest, *arrays(cuts), minimum, *arrays(pooled, argmax))
        if needs_gradient:
            ctx.index_arrays, ctx.argmax, ctx.num_rows = (first, *rest), argmax.numpy(), (len(sentence), len(head), len(tail))
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [gradients[0].new_zeros(count, gradients[0].shape[2]) for count in ctx.num_rows]
        backward_max(*arrays(gradients[0]), ctx.argmax, *ctx.index_arrays, *arrays(*parts))
        return parts[0], parts[1], parts[2], None, None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pooled = sentence.new_empty(len(index.pair_sentence), sentence.shape[1])
        index_arrays = arrays(index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
        forward_sum(*arrays(sentence, head, tail), *index_arrays, *arrays(pooled))
        ctx.save_for_backward(sentence, head, tail)
        ctx.index_arrays = index_arrays
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [torch.zeros_like(part) for part in ctx.saved_tensors]
        backward_sum(*arrays(*ctx.saved_tensors), *ctx.index_arrays, *arrays(gradients[0], *parts))
        return parts[0], parts[1], parts[2], None
