"""The fused CPU kernels of pair pooling (Numba). Nothing of size pairs x tokens x channels is ever allocated.

Pairs of one sentence that share a head follow each other, so sentence part and head part are added once for all of them. A strip of
channels goes through all pairs of a sentence before the next one: what it reads stays in the level-1 cache, its maximum in registers.

The maximum is bit for bit that of the reference: the same three numbers are added in the same order, and the first maximum wins.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, inner, kernel
from relsift.kernels.lanes import WIDTH, add, aligned, choose, fill, greater, load, store
from relsift.kernels.pair_pool import PairIndex

RUN = 1024  # pairs of one sentence that a thread takes at a time
NOWHERE = -1  # the arg-max of a piece without tokens


def fused_max(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
    """See `relsift.kernels.pair_pool.piecewise_max`; float32 on the CPU, finite."""
    pooled: Tensor = _Max.apply(sentence, head, tail, index, cuts)  # type: ignore[no-untyped-call]
    return pooled


def fused_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    """See `relsift.kernels.pair_pool.pair_average`; float32 on the CPU."""
    total: Tensor = _Sum.apply(sentence, head, tail, index)  # type: ignore[no-untyped-call]
    return total / index.lengths[index.pair_sentence][:, None]


class _Max(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor) -> Tensor:
        pooled = sentence.new_empty(len(cuts), cuts.shape[1] - 1, sentence.shape[1])
        keep = any(ctx.needs_input_grad[:3])
        best = torch.empty(pooled.shape if keep else (0, 0, 0), dtype=torch.int32)
        first, lengths, *rest = arrays(
            index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail
        )
        _forward_max(*arrays(sentence, head, tail), _runs(index), first, lengths, *rest, *arrays(cuts, pooled, best))
        if keep:
            ctx.where, ctx.best, ctx.lengths = (first, *rest), best.numpy(), (len(sentence), len(head), len(tail))
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [gradients[0].new_zeros(count, gradients[0].shape[2]) for count in ctx.lengths]
        _backward_max(*arrays(gradients[0]), ctx.best, *ctx.where, *arrays(*parts))
        return parts[0], parts[1], parts[2], None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pooled = sentence.new_empty(len(index.pair_sentence), sentence.shape[1])
        where = arrays(index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
        _forward_sum(*arrays(sentence, head, tail), _runs(index), *where, *arrays(pooled))
        ctx.save_for_backward(sentence, head, tail)
        ctx.where = where
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [torch.zeros_like(part) for part in ctx.saved_tensors]
        _backward_sum(*arrays(*ctx.saved_tensors), *ctx.where, *arrays(gradients[0], *parts))
        return parts[0], parts[1], parts[2], None


def _runs(index: PairIndex) -> Any:
    """Boundaries of runs of at most RUN pairs of one sentence, first 0 and last P."""
    counts = torch.unique_consecutive(index.pair_sentence, return_counts=True)[1]
    regular = torch.arange(0, len(index.pair_sentence) + 1, RUN)
    (runs,) = arrays(torch.unique(torch.cat([counts.cumsum(0), regular])))
    return runs


@kernel
def _forward_max(
    sentence: Any, head: Any, tail: Any, runs: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, cuts: Any, pooled: Any, index: Any,
) -> None:  # fmt: skip
    channels = sentence.shape[1]
    strips = (channels + WIDTH - 1) // WIDTH
    pieces = cuts.shape[1] - 1
    for task in numba.prange((len(runs) - 1) * strips):
        run, column = np.int64(task) // strips, np.int64(task) % strips * WIDTH
        width = min(WIDTH, channels - column)
        sums = aligned(place.shape[1] * WIDTH)
        added = -1
        for p in range(runs[run], runs[run + 1]):
            s = pair_sentence[p]
            if pair_head[p] != added:
                added = pair_head[p]
                _add_head(sums, sentence, head, first[s], place[added, : lengths[s]], column, width)
            places = place[pair_tail[p]]
            for q in range(pieces):
                start, stop, row = cuts[p, q], cuts[p, q + 1], p * pieces + q
                if start == stop or width < WIDTH:
                    _max_plain(sums, tail, places, start, stop, column, width, pooled, index, row)
                elif index.size:
                    _max_and_index(sums, tail, places, start, stop, column, pooled, index, row)
                else:
                    _max(sums, tail, places, start, stop, column, pooled, row)


@inner
def _add_head(sums: Any, sentence: Any, head: Any, row: Any, places: Any, column: Any, width: Any) -> None:
    """sums[i] = sentence part + head part of token i, for `width` channels from `column` on."""
    channels = sentence.shape[1]
    for i in range(len(places)):
        if width == WIDTH:
            value = add(load(sentence, (row + i) * channels + column), load(head, places[i] * channels + column))
            store(sums, i * WIDTH, value)
        else:
            for c in range(width):
                sums[i * WIDTH + c] = sentence[row + i, column + c] + head[places[i], column + c]


@inner
def _max(sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, pooled: Any, row: Any) -> None:
    """The maximum of a strip of channels over the tokens start <= i < stop, into row `row` of `pooled`."""
    channels = tail.shape[1]
    best = add(load(sums, start * WIDTH), load(tail, places[start] * channels + column))
    for i in range(start + 1, stop):
        value = add(load(sums, i * WIDTH), load(tail, places[i] * channels + column))
        best = choose(greater(value, best), value, best)
    store(pooled, row * channels + column, best)


@inner
def _max_and_index(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, pooled: Any, index: Any, row: Any
) -> None:  # fmt: skip
    channels = tail.shape[1]
    best = add(load(sums, start * WIDTH), load(tail, places[start] * channels + column))
    at = fill(np.int32(start))
    for i in range(start + 1, stop):
        value = add(load(sums, i * WIDTH), load(tail, places[i] * channels + column))
        better = greater(value, best)
        best, at = choose(better, value, best), choose(better, fill(np.int32(i)), at)
    store(pooled, row * channels + column, best)
    store(index, row * channels + column, at)


@inner
def _max_plain(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, width: Any, pooled: Any, index: Any, row: Any
) -> None:  # fmt: skip
    """The same for less than a strip, and for no tokens at all."""
    into = row * tail.shape[1] + column
    for c in range(width):
        best, at = np.float32(0), NOWHERE
        for i in range(start, stop):
            value = sums[i * WIDTH + c] + tail[places[i], column + c]
            if at == NOWHERE or value > best:
                best, at = value, i
        pooled.flat[into + c] = best
        if index.size:
            index.flat[into + c] = at


@kernel
def _backward_max(
    gradient: Any, index: Any, first: Any, place: Any, pair_sentence: Any, pair_head: Any, pair_tail: Any,
    sentence: Any, head: Any, tail: Any,
) -> None:  # fmt: skip
    # A strip of channels belongs to one thread, so the sums are deterministic whatever the number of threads.
    channels = gradient.shape[2]
    for strip in numba.prange((channels + WIDTH - 1) // WIDTH):
        column = np.int64(strip) * WIDTH
        for p in range(gradient.shape[0]):
            row, h, t = first[pair_sentence[p]], place[pair_head[p]], place[pair_tail[p]]
            for q in range(gradient.shape[1]):
                for c in range(column, min(channels, column + WIDTH)):
                    i = index[p, q, c]
                    if i != NOWHERE:
                        sentence[row + i, c] += gradient[p, q, c]
                        head[h[i], c] += gradient[p, q, c]
                        tail[t[i], c] += gradient[p, q, c]


@kernel
def _forward_sum(
    sentence: Any, head: Any, tail: Any, runs: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, pooled: Any,
) -> None:  # fmt: skip
    channels = sentence.shape[1]
    strips = (channels + WIDTH - 1) // WIDTH
    for task in numba.prange((len(runs) - 1) * strips):
        run, column = np.int64(task) // strips, np.int64(task) % strips * WIDTH
        width = min(WIDTH, channels - column)
        sums = aligned(place.shape[1] * WIDTH)
        added = -1
        for p in range(runs[run], runs[run + 1]):
            s = pair_sentence[p]
            if pair_head[p] != added:
                added = pair_head[p]
                _add_head(sums, sentence, head, first[s], place[added, : lengths[s]], column, width)
            places = place[pair_tail[p], : lengths[s]]
            if width == WIDTH:
                _sum(sums, tail, places, column, pooled, p)
            else:
                for c in range(width):
                    pooled[p, column + c] = 0
                    for i in range(len(places)):
                        pooled[p, column + c] += max(np.float32(0), sums[i * WIDTH + c] + tail[places[i], column + c])


@inner
def _sum(sums: Any, tail: Any, places: Any, column: Any, pooled: Any, row: Any) -> None:
    """The sum of a strip of channels over all tokens after ReLU, into row `row` of `pooled`."""
    channels = tail.shape[1]
    nothing = fill(np.float32(0))
    total = nothing
    for i in range(len(places)):
        value = add(load(sums, i * WIDTH), load(tail, places[i] * channels + column))
        total = add(total, choose(greater(value, nothing), value, nothing))
    store(pooled, row * channels + column, total)


@kernel
def _backward_sum(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any, pair_tail: Any,
    gradient: Any, to_sentence: Any, to_head: Any, to_tail: Any,
) -> None:  # fmt: skip
    channels = gradient.shape[1]
    for strip in numba.prange((channels + WIDTH - 1) // WIDTH):
        column = np.int64(strip) * WIDTH
        for p in range(gradient.shape[0]):
            s = pair_sentence[p]
            for i in range(lengths[s]):
                row, h, t = first[s] + i, place[pair_head[p], i], place[pair_tail[p], i]
                for c in range(column, min(channels, column + WIDTH)):
                    if sentence[row, c] + head[h, c] + tail[t, c] > 0:
                        to_sentence[row, c] += gradient[p, c]
                        to_head[h, c] += gradient[p, c]
                        to_tail[t, c] += gradient[p, c]
