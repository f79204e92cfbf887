"""The fused CPU kernels of pair pooling (Numba). Nothing of size pairs x tokens x channels is ever allocated.

Pairs of one sentence that share a head follow each other, so sentence part and head part are added once for all of them. A strip of
channels goes through all pairs before the next one: what it reads stays near, its maximum in registers.

The maximum is bit for bit that of the reference: the same three numbers are added in the same order, and the first maximum wins.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, inner, kernel
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.simd import WIDTH, add, aligned, choose, fill, greater, load, store

BLOCK = 256  # pairs that a thread takes at a time
NOWHERE = -1  # the arg-max of a piece without tokens, or where no value is above the least one


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
        keep = any(ctx.needs_input_grad[:3])
        best = torch.empty(pooled.shape if keep else (0, 0, 0), dtype=torch.int32)
        least = np.float32(0 if relu else -np.inf)
        first, lengths, *rest = arrays(
            index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail
        )
        _forward_max(*arrays(sentence, head, tail), first, lengths, *rest, *arrays(cuts), least, *arrays(pooled, best))
        if keep:
            ctx.where, ctx.best, ctx.lengths = (first, *rest), best.numpy(), (len(sentence), len(head), len(tail))
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [gradients[0].new_zeros(count, gradients[0].shape[2]) for count in ctx.lengths]
        _backward_max(*arrays(gradients[0]), ctx.best, *ctx.where, *arrays(*parts))
        return parts[0], parts[1], parts[2], None, None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
        pooled = sentence.new_empty(len(index.pair_sentence), sentence.shape[1])
        where = arrays(index.first, index.lengths, index.place, index.pair_sentence, index.pair_head, index.pair_tail)
        _forward_sum(*arrays(sentence, head, tail), *where, *arrays(pooled))
        ctx.save_for_backward(sentence, head, tail)
        ctx.where = where
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = [torch.zeros_like(part) for part in ctx.saved_tensors]
        _backward_sum(*arrays(*ctx.saved_tensors), *ctx.where, *arrays(gradients[0], *parts))
        return parts[0], parts[1], parts[2], None


@kernel
def _forward_max(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, cuts: Any, least: Any, pooled: Any, index: Any,
) -> None:  # fmt: skip
    channels, pairs = sentence.shape[1], len(pair_head)
    blocks = (pairs + BLOCK - 1) // BLOCK
    for task in numba.prange(blocks * ((channels + WIDTH - 1) // WIDTH)):
        number: Any = np.int64(task)  # Numba's own is unsigned, and unsigned with signed makes a float
        p, column = number % blocks * BLOCK, number // blocks * WIDTH
        end, width = min(pairs, p + BLOCK), min(WIDTH, channels - column)
        together = width == WIDTH and cuts.shape[1] == 2 and not index.size
        one, other = aligned(place.shape[1] * WIDTH), aligned(place.shape[1] * WIDTH)
        while p < end:
            # Pairs p.. of one head and q.. of the next. Where both have a pair with the same tail, the tail is read once for the two.
            s = pair_sentence[p]
            q = p_end = q_end = _same_head(pair_sentence, pair_head, p, end)
            _add_head(one, sentence, head, first[s], place[pair_head[p], : lengths[s]], column, width)
            if q < end and pair_sentence[q] == s:
                q_end = _same_head(pair_sentence, pair_head, q, end)
                _add_head(other, sentence, head, first[s], place[pair_head[q], : lengths[s]], column, width)
            while p < p_end or q < q_end:
                both = p < p_end and q < q_end
                if both and together and pair_tail[p] == pair_tail[q] and _same_tokens(cuts, p, q):
                    _max_of_two(one, other, tail, place[pair_tail[p]], cuts[p, 0], cuts[p, 1], column, least, pooled, p, q)
                    p, q = p + 1, q + 1
                elif p < p_end and (not both or (p + 1 < p_end and pair_tail[p + 1] == pair_tail[q])):
                    _max_of_pair(one, tail, place[pair_tail[p]], cuts, column, width, least, pooled, index, p)
                    p += 1
                else:
                    _max_of_pair(other, tail, place[pair_tail[q]], cuts, column, width, least, pooled, index, q)
                    q += 1
            p = q_end


@inner
def _same_head(pair_sentence: Any, pair_head: Any, p: Any, end: Any) -> Any:
    """The first pair after `p` with another head."""
    q = p + 1
    while q < end and pair_head[q] == pair_head[p] and pair_sentence[q] == pair_sentence[p]:
        q += 1
    return q


@inner
def _same_tokens(cuts: Any, p: Any, q: Any) -> Any:
    """Whether two pairs of one piece each look at the same tokens, and at any."""
    return cuts[p, 0] == cuts[q, 0] and cuts[p, 1] == cuts[q, 1] and cuts[p, 0] < cuts[p, 1]


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
def _max_of_pair(
    sums: Any, tail: Any, places: Any, cuts: Any, column: Any, width: Any, least: Any, pooled: Any, index: Any, p: Any
) -> None:  # fmt: skip
    """The maximum of `width` channels over each piece of the sentence, at least `least`; 0 for a piece without tokens."""
    pieces = cuts.shape[1] - 1
    for q in range(pieces):
        start, stop, row = cuts[p, q], cuts[p, q + 1], p * pieces + q
        if start == stop or width < WIDTH:
            _max_plain(sums, tail, places, start, stop, column, width, least, pooled, index, row)
        elif index.size:
            _max_and_index(sums, tail, places, start, stop, column, least, pooled, index, row)
        else:
            _max(sums, tail, places, start, stop, column, least, pooled, row)


@inner
def _max(sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, least: Any, pooled: Any, row: Any) -> None:
    """The maximum of a strip of channels over the tokens start <= i < stop, into row `row` of `pooled`."""
    channels = tail.shape[1]
    best = fill(least)
    for i in range(start, stop):
        value = add(load(sums, i * WIDTH), load(tail, places[i] * channels + column))
        best = choose(greater(value, best), value, best)
    store(pooled, row * channels + column, best)


@inner
def _max_of_two(
    one: Any, other: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, least: Any, pooled: Any, row: Any, other_row: Any
) -> None:  # fmt: skip
    """`_max` of two pairs with the same tail."""
    channels = tail.shape[1]
    best = other_best = fill(least)
    for i in range(start, stop):
        shared = load(tail, places[i] * channels + column)
        value, other_value = add(load(one, i * WIDTH), shared), add(load(other, i * WIDTH), shared)
        best = choose(greater(value, best), value, best)
        other_best = choose(greater(other_value, other_best), other_value, other_best)
    store(pooled, row * channels + column, best)
    store(pooled, other_row * channels + column, other_best)


@inner
def _max_and_index(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, least: Any, pooled: Any, index: Any, row: Any
) -> None:  # fmt: skip
    """`_max` that also says which token it is."""
    channels = tail.shape[1]
    best, at = fill(least), fill(np.int32(NOWHERE))
    for i in range(start, stop):
        value = add(load(sums, i * WIDTH), load(tail, places[i] * channels + column))
        better = greater(value, best)
        best, at = choose(better, value, best), choose(better, fill(np.int32(i)), at)
    store(pooled, row * channels + column, best)
    store(index, row * channels + column, at)


@inner
def _max_plain(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, width: Any, least: Any, pooled: Any, index: Any, row: Any
) -> None:  # fmt: skip
    """The same for less than a strip, and for no tokens at all."""
    into = row * tail.shape[1] + column
    for c in range(width):
        best, at = least if start < stop else np.float32(0), NOWHERE
        for i in range(start, stop):
            value = sums[i * WIDTH + c] + tail[places[i], column + c]
            if value > best:
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
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, pooled: Any,
) -> None:  # fmt: skip
    channels, pairs = sentence.shape[1], len(pair_head)
    blocks = (pairs + BLOCK - 1) // BLOCK
    for task in numba.prange(blocks * ((channels + WIDTH - 1) // WIDTH)):
        number: Any = np.int64(task)
        start, column = number % blocks * BLOCK, number // blocks * WIDTH
        width = min(WIDTH, channels - column)
        sums = aligned(place.shape[1] * WIDTH)
        for p in range(start, min(pairs, start + BLOCK)):
            s = pair_sentence[p]
            if p == start or pair_head[p] != pair_head[p - 1] or s != pair_sentence[p - 1]:
                _add_head(sums, sentence, head, first[s], place[pair_head[p], : lengths[s]], column, width)
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
