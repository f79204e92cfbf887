"""Max pooling of every pair's convolution without running a convolution per pair.

Letters: N rows of tokens (all sentences, one after the other), S sentences, T tokens of the longest sentence, E entities, P pairs,
U different stretches of distances, C channels (filters of all windows).
A convolution is linear before its activation, so the value of pair p at token i is the sum of three parts: one of its sentence, one of
the distances to its head, one of the distances to its tail. The maximum of that sum over the tokens is a max-plus product.

`pair_max` is the one entry; `reference` is its definition in plain torch, and runs wherever the fused kernel cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relsift.errors import ShapeError
from relsift.kernels.switch import use_fused

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


def pair_max(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """max over the tokens i of `sentence[first + i] + head[place[h, i]] + tail[place[t, i]]` for every pair.

    Args: sentence (N, C), head (U, C), tail (U, C), float.
    Returns: (P, C). The gradient flows to the first token that reaches the maximum, as in torch's max pooling.
    Raises: ShapeError if the parts differ in C; ConfigError if the environment asks for a kernel that cannot run here.
    """
    if not (sentence.shape[1:] == head.shape[1:] == tail.shape[1:]):
        raise ShapeError("pair_max", expected="(N, C), (U, C), (U, C)", got=[tuple(x.shape) for x in (sentence, head, tail)])
    if not use_fused(sentence):
        return reference(sentence, head, tail, index)
    from relsift.kernels.pair_pool_cpu import fused  # compiles on first use

    return fused(sentence, head, tail, index)


def reference(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """The same in plain torch, on any device and in any precision."""
    pooled: Tensor = _Reference.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return pooled


class _Reference(torch.autograd.Function):
    """Keeps one arg-max a pair and channel for the backward pass, never the (P, T, C) sum."""

    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        size, channels = index.place.shape[1], sentence.shape[1]
        pooled = sentence.new_empty(len(index.pair_sentence), channels)
        rows = torch.empty(3, *pooled.shape, dtype=torch.int64, device=sentence.device)  # the winning row of each part
        step = torch.arange(size, device=sentence.device)
        chunk = max(1, CHUNK_VALUES // (size * channels))
        for start in range(0, len(pooled), chunk):
            part = slice(start, start + chunk)
            s = index.pair_sentence[part]
            at = torch.minimum(step, index.lengths[s][:, None] - 1)                     # (p, T)  padding repeats the last token
            places = (
                index.first[s][:, None] + at,
                index.place[index.pair_head[part][:, None], at],
                index.place[index.pair_tail[part][:, None], at],
            )
            total = sentence[places[0]] + head[places[1]] + tail[places[2]]            # (p, T, C)
            pooled[part], best = total.max(dim=1)
            for kind, place in enumerate(places):
                rows[kind, part] = place.gather(1, best)
        ctx.save_for_backward(rows)
        ctx.lengths = len(sentence), len(head), len(tail)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (rows,) = ctx.saved_tensors
        gradient = gradients[0]                                                        # (P, C)
        parts = [gradient.new_zeros(n, gradient.shape[1]).scatter_add_(0, row, gradient) for n, row in zip(ctx.lengths, rows)]
        return parts[0], parts[1], parts[2], None
