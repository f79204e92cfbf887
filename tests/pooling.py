"""Pair pooling by plain loops, and random parts to pool: what the tests of every kernel compare with."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from relsift.kernels.pair_index import PairIndex


def random_parts(draw: random.Random, levels: int) -> tuple[list[Tensor], PairIndex]:
    """Values from few levels, exact in float32, so that ties are common and sums are equal in any order."""
    sizes = [draw.randint(1, 7) for _ in range(draw.randint(1, 4))]
    rows, entities, pairs = draw.randint(1, 9), draw.randint(1, 6), draw.randint(0, 12)
    channels = draw.choice([1, 2, 3, 64, 65, 130])
    gap = draw.randint(0, 2)
    first = [sum(sizes[:n]) + gap * n for n in range(len(sizes))]
    width = max(sizes) + draw.randint(0, 2)
    generator = torch.Generator().manual_seed(draw.randrange(2**31))

    def values(count: int) -> Tensor:
        return torch.randint(-levels, levels + 1, (count, channels), generator=generator).float() / 4

    def numbers(high: int, *shape: int) -> Tensor:
        return torch.randint(0, high, shape, generator=generator)

    index = PairIndex(
        torch.tensor(first), torch.tensor(sizes), numbers(rows, entities, width),
        numbers(len(sizes), pairs), numbers(entities, pairs), numbers(entities, pairs),
    )  # fmt: skip
    return [values(first[-1] + sizes[-1] + gap), values(rows), values(rows)], index


def triple_loop(parts: list[Tensor], index: PairIndex, gradient: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Values and gradients in plain Python; the first of equal tokens wins."""
    sentence, head, tail = (part.tolist() for part in parts)
    pooled = torch.zeros(gradient.shape)
    back = [torch.zeros_like(part) for part in parts]
    for p in range(len(index.pair_sentence)):
        first, length = int(index.first[index.pair_sentence[p]]), int(index.lengths[index.pair_sentence[p]])
        h, t = index.place[index.pair_head[p]].tolist(), index.place[index.pair_tail[p]].tolist()
        for c in range(gradient.shape[1]):
            best, at = -float("inf"), -1
            for i in range(length):
                value = sentence[first + i][c] + head[h[i]][c] + tail[t[i]][c]
                if value > best:
                    best, at = value, i
            pooled[p, c] = best
            for part, row in zip(back, (first + at, h[at], t[at])):
                part[row, c] += gradient[p, c]
    return pooled, back


def run(form: Any, parts: list[Tensor], index: PairIndex, gradient: Tensor) -> tuple[Tensor, list[Tensor]]:
    leaves = [part.clone().requires_grad_() for part in parts]
    pooled = form(*leaves, index)
    pooled.backward(gradient)
    return pooled.detach(), [leaf.grad for leaf in leaves if leaf.grad is not None]
