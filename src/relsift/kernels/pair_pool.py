"""Pooling of every pair's convolution over the tokens without running a convolution per pair.

Letters: N rows of tokens (all sentences, one after the other), S sentences, T tokens of the longest sentence, E entities, P pairs,
Q pieces of a sentence, U different stretches of distances, C channels (filters of all windows).
A convolution is linear before its activation, so the value of pair p at token i is the sum of three parts: one of its sentence, one of
the distances to its head, one of the distances to its tail. The maximum of that sum over the tokens is a max-plus product.

`pair_max`, `piecewise_max` and `pair_average` are the entries. What they compute is defined here in plain torch (`reference_max`,
`reference_average`), which runs on any device and in any precision, in chunks; a fused kernel takes over where it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relsift.errors import ShapeError
from relsift.kernels.switch import Fused, fused_kernel

CHUNK_VALUES = 8_000_000  # pair x token x channel values that the plain form holds at once (32 MB of float32)


@dataclass(frozen=True)
class PairIndex:
    """Where each pair finds its three parts. All int64."""

    first: Tensor  # (S,)    row of each sentence's first token among the N
    lengths: Tensor  # (S,)    its tokens, >= 1
    place: Tensor  # (E, T)  row of the distance parts for each entity and token
    pair_sentence: Tensor  # (P,)
    pair_head: Tensor  # (P,)    rows of `place`
    pair_tail: Tensor  # (P,)

    def whole(self) -> Tensor:
        """(P, 2): the boundaries of one piece, the whole sentence."""
        stop = self.lengths[self.pair_sentence]
        return torch.stack([torch.zeros_like(stop), stop], dim=1)


def pair_max(
    sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *, relu: bool = False, finite: bool = False
) -> Tensor:
    """max over the tokens i of `sentence[first + i] + head[place[h, i]] + tail[place[t, i]]` for every pair.

    Args:
        sentence (N, C), head (U, C), tail (U, C), float.
        relu: of the maximum, which is the maximum of the values after ReLU.
        finite: the caller knows that no part holds infinity or not-a-number; else the fused kernel looks first.
    Returns: (P, C). The gradient flows to the first token that reaches the maximum, as in torch's max pooling.
    Raises: ShapeError if the parts differ in C; ConfigError if the environment asks for a kernel that cannot run here.
    """
    return piecewise_max(sentence, head, tail, index, index.whole(), relu=relu, finite=finite)[:, 0]


def piecewise_max(
    sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor, *, relu: bool = False, finite: bool = False
) -> Tensor:
    """`pair_max` over Q pieces of the sentence, each pair with its own cuts (Zeng et al. 2015).

    Args: cuts: (P, Q + 1) int64, token numbers that never fall; piece q is the tokens cuts[q] to cuts[q + 1], exclusive.
    Returns: (P, Q, C); 0, without gradient, for a piece without tokens.
    """
    fused = _fused(sentence, head, tail, finite)
    if fused == "numba":
        from relsift.kernels import pair_pool_cpu  # compiles on first use

        return pair_pool_cpu.fused_max(sentence, head, tail, index, cuts, relu)
    if fused == "triton":
        from relsift.kernels import pair_pool_gpu

        pooled = pair_pool_gpu.fused_max(sentence, head, tail, index, cuts)
        return pooled.relu() if relu else pooled
    return reference_max(sentence, head, tail, index, cuts, relu)


def pair_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *, finite: bool = False) -> Tensor:
    """The mean over the tokens of what `pair_max` takes the maximum of, each value after ReLU.

    Returns: (P, C), >= 0.
    """
    fused = _fused(sentence, head, tail, finite)
    if fused == "numba":
        from relsift.kernels import pair_pool_cpu

        return pair_pool_cpu.fused_average(sentence, head, tail, index)
    if fused == "triton":
        from relsift.kernels import pair_pool_gpu

        return pair_pool_gpu.fused_average(sentence, head, tail, index)
    return reference_average(sentence, head, tail, index)


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


def _fused(sentence: Tensor, head: Tensor, tail: Tensor, finite: bool) -> Fused | None:
    """Which fused kernel takes the parts, if any. Raises ShapeError if they do not fit each other."""
    parts = sentence, head, tail
    if not (sentence.shape[1:] == head.shape[1:] == tail.shape[1:]):
        raise ShapeError("pair pooling", expected="(N, C), (U, C), (U, C)", got=[tuple(part.shape) for part in parts])
    kernel = fused_kernel(sentence)
    # On the CPU a running maximum or sum after ReLU passes over not-a-number, and a broken model would look sound.
    if kernel == "numba" and not (finite or all(bool(part.sum().isfinite()) for part in parts)):
        return None
    return kernel
