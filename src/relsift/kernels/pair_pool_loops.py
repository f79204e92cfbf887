"""The loops of pair pooling on the CPU (Numba), over NumPy arrays: `relsift.kernels.pair_pool_cpu` gives them tensors, and exported models,
which do without torch, arrays. Nothing of size pairs x tokens x channels is ever allocated.

Pairs of one sentence with the same head follow each other, so the sum of sentence part and head part is computed once for all of them. A
block of `VECTOR_SIZE` channels is computed for all pairs before the next block: its inputs stay in the cache, its maximum in registers.

The maximum equals that of the reference bit for bit: the same three numbers are added in the same order, and the first maximum counts.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from relsift.kernels.compiled import inlined, kernel
from relsift.kernels.simd import VECTOR_SIZE, add, broadcast, empty_aligned, greater, load, select, store

PAIRS_PER_TASK = 256  # pairs that a thread computes before it takes others
NO_TOKEN = -1  # the arg-max of a piece without tokens, or without a value above the minimum


@kernel
def forward_max(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, cuts: Any, minimum: Any, pooled: Any, argmax: Any,
) -> None:  # fmt: skip
    channels, pairs = sentence.shape[1], len(pair_head)
    blocks = (pairs + PAIRS_PER_TASK - 1) // PAIRS_PER_TASK
    for task in numba.prange(blocks * ((channels + VECTOR_SIZE - 1) // VECTOR_SIZE)):
        number: Any = np.int64(task)  # Numba's loop index is unsigned; with a signed number it would give a float
        p, column = number % blocks * PAIRS_PER_TASK, number // blocks * VECTOR_SIZE
        end, size = min(pairs, p + PAIRS_PER_TASK), min(VECTOR_SIZE, channels - column)
        can_share_tails = size == VECTOR_SIZE and cuts.shape[1] == 2 and not argmax.size
        sums_p, sums_q = empty_aligned(place.shape[1] * VECTOR_SIZE), empty_aligned(place.shape[1] * VECTOR_SIZE)
        while p < end:
            # Pairs p.. have one head, pairs q.. the next one. Where both have a pair with the same tail, its tail part is loaded once.
            s = pair_sentence[p]
            q = p_end = q_end = _end_of_same_head(pair_sentence, pair_head, p, end)
            _add_head(sums_p, sentence, head, first[s], place[pair_head[p], : lengths[s]], column, size)
            if q < end and pair_sentence[q] == s:
                q_end = _end_of_same_head(pair_sentence, pair_head, q, end)
                _add_head(sums_q, sentence, head, first[s], place[pair_head[q], : lengths[s]], column, size)
            while p < p_end or q < q_end:
                both = p < p_end and q < q_end
                if both and can_share_tails and pair_tail[p] == pair_tail[q] and _same_tokens(cuts, p, q):
                    _vector_max_of_two(sums_p, sums_q, tail, place[pair_tail[p]], cuts[p, 0], cuts[p, 1], column, minimum, pooled, p, q)
                    p, q = p + 1, q + 1
                elif p < p_end and (not both or (p + 1 < p_end and pair_tail[p + 1] == pair_tail[q])):
                    _max_of_pair(sums_p, tail, place[pair_tail[p]], cuts, column, size, minimum, pooled, argmax, p)
                    p += 1
                else:
                    _max_of_pair(sums_q, tail, place[pair_tail[q]], cuts, column, size, minimum, pooled, argmax, q)
                    q += 1
            p = q_end


@inlined
def _end_of_same_head(pair_sentence: Any, pair_head: Any, p: Any, end: Any) -> Any:
    """The first pair after `p` with another head."""
    q = p + 1
    while q < end and pair_head[q] == pair_head[p] and pair_sentence[q] == pair_sentence[p]:
        q += 1
    return q


@inlined
def _same_tokens(cuts: Any, p: Any, q: Any) -> Any:
    """Do two pairs of one piece each cover the same tokens, at least one?"""
    return cuts[p, 0] == cuts[q, 0] and cuts[p, 1] == cuts[q, 1] and cuts[p, 0] < cuts[p, 1]


@inlined
def _add_head(sums: Any, sentence: Any, head: Any, row: Any, places: Any, column: Any, size: Any) -> None:
    """sums[i] = sentence part + head part of token i, for `size` channels from `column` on."""
    channels = sentence.shape[1]
    for i in range(len(places)):
        if size == VECTOR_SIZE:
            value = add(load(sentence, (row + i) * channels + column), load(head, places[i] * channels + column))
            store(sums, i * VECTOR_SIZE, value)
        else:
            for c in range(size):
                sums[i * VECTOR_SIZE + c] = sentence[row + i, column + c] + head[places[i], column + c]


@inlined
def _max_of_pair(
    sums: Any, tail: Any, places: Any, cuts: Any, column: Any, size: Any, minimum: Any, pooled: Any, argmax: Any, p: Any
) -> None:  # fmt: skip
    """The maximum of `size` channels over each piece of the sentence, at least `minimum`; 0 for a piece without tokens."""
    pieces = cuts.shape[1] - 1
    for q in range(pieces):
        start, stop, row = cuts[p, q], cuts[p, q + 1], p * pieces + q
        if start == stop or size < VECTOR_SIZE:
            _scalar_max(sums, tail, places, start, stop, column, size, minimum, pooled, argmax, row)
        elif argmax.size:
            _vector_max_and_argmax(sums, tail, places, start, stop, column, minimum, pooled, argmax, row)
        else:
            _vector_max(sums, tail, places, start, stop, column, minimum, pooled, row)


@inlined
def _vector_max(sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, minimum: Any, pooled: Any, row: Any) -> None:
    """The maximum of a vector of channels over the tokens start <= i < stop, into row `row` of `pooled`."""
    channels = tail.shape[1]
    best = broadcast(minimum)
    for i in range(start, stop):
        value = add(load(sums, i * VECTOR_SIZE), load(tail, places[i] * channels + column))
        best = select(greater(value, best), value, best)
    store(pooled, row * channels + column, best)


@inlined
def _vector_max_of_two(
    sums_p: Any, sums_q: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, minimum: Any, pooled: Any, row_p: Any, row_q: Any
) -> None:  # fmt: skip
    """`_vector_max` of two pairs with the same tail."""
    channels = tail.shape[1]
    best_p = best_q = broadcast(minimum)
    for i in range(start, stop):
        tail_part = load(tail, places[i] * channels + column)
        value_p, value_q = add(load(sums_p, i * VECTOR_SIZE), tail_part), add(load(sums_q, i * VECTOR_SIZE), tail_part)
        best_p = select(greater(value_p, best_p), value_p, best_p)
        best_q = select(greater(value_q, best_q), value_q, best_q)
    store(pooled, row_p * channels + column, best_p)
    store(pooled, row_q * channels + column, best_q)


@inlined
def _vector_max_and_argmax(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, minimum: Any, pooled: Any, argmax: Any, row: Any
) -> None:  # fmt: skip
    """`_vector_max` that also stores the token of the maximum."""
    channels = tail.shape[1]
    best, token = broadcast(minimum), broadcast(np.int32(NO_TOKEN))
    for i in range(start, stop):
        value = add(load(sums, i * VECTOR_SIZE), load(tail, places[i] * channels + column))
        better = greater(value, best)
        best, token = select(better, value, best), select(better, broadcast(np.int32(i)), token)
    store(pooled, row * channels + column, best)
    store(argmax, row * channels + column, token)


@inlined
def _scalar_max(
    sums: Any, tail: Any, places: Any, start: Any, stop: Any, column: Any, size: Any, minimum: Any, pooled: Any, argmax: Any, row: Any
) -> None:  # fmt: skip
    """The same, channel by channel: for fewer channels than a vector, and for a piece without tokens."""
    output = row * tail.shape[1] + column
    for c in range(size):
        best, token = minimum if start < stop else np.float32(0), NO_TOKEN
        for i in range(start, stop):
            value = sums[i * VECTOR_SIZE + c] + tail[places[i], column + c]
            if value > best:
                best, token = value, i
        pooled.flat[output + c] = best
        if argmax.size:
            argmax.flat[output + c] = token


@kernel
def backward_max(
    gradient: Any, argmax: Any, first: Any, place: Any, pair_sentence: Any, pair_head: Any, pair_tail: Any,
    sentence_gradient: Any, head_gradient: Any, tail_gradient: Any,
) -> None:  # fmt: skip
    # A block of channels belongs to one thread, so the sums do not depend on the number of threads.
    channels = gradient.shape[2]
    for block in numba.prange((channels + VECTOR_SIZE - 1) // VECTOR_SIZE):
        column = np.int64(block) * VECTOR_SIZE
        for p in range(gradient.shape[0]):
            row, h, t = first[pair_sentence[p]], place[pair_head[p]], place[pair_tail[p]]
            for q in range(gradient.shape[1]):
                for c in range(column, min(channels, column + VECTOR_SIZE)):
                    i = argmax[p, q, c]
                    if i != NO_TOKEN:
                        sentence_gradient[row + i, c] += gradient[p, q, c]
                        head_gradient[h[i], c] += gradient[p, q, c]
                        tail_gradient[t[i], c] += gradient[p, q, c]


@kernel
def forward_sum(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any,
    pair_tail: Any, pooled: Any,
) -> None:  # fmt: skip
    channels, pairs = sentence.shape[1], len(pair_head)
    blocks = (pairs + PAIRS_PER_TASK - 1) // PAIRS_PER_TASK
    for task in numba.prange(blocks * ((channels + VECTOR_SIZE - 1) // VECTOR_SIZE)):
        number: Any = np.int64(task)
        start, column = number % blocks * PAIRS_PER_TASK, number // blocks * VECTOR_SIZE
        size = min(VECTOR_SIZE, channels - column)
        sums = empty_aligned(place.shape[1] * VECTOR_SIZE)
        for p in range(start, min(pairs, start + PAIRS_PER_TASK)):
            s = pair_sentence[p]
            if p == start or pair_head[p] != pair_head[p - 1] or s != pair_sentence[p - 1]:
                _add_head(sums, sentence, head, first[s], place[pair_head[p], : lengths[s]], column, size)
            places = place[pair_tail[p], : lengths[s]]
            if size == VECTOR_SIZE:
                _vector_sum(sums, tail, places, column, pooled, p)
            else:
                for c in range(size):
                    pooled[p, column + c] = 0
                    for i in range(len(places)):
                        pooled[p, column + c] += max(np.float32(0), sums[i * VECTOR_SIZE + c] + tail[places[i], column + c])


@inlined
def _vector_sum(sums: Any, tail: Any, places: Any, column: Any, pooled: Any, row: Any) -> None:
    """The sum of a vector of channels over all tokens after ReLU, into row `row` of `pooled`."""
    channels = tail.shape[1]
    zero = broadcast(np.float32(0))
    total = zero
    for i in range(len(places)):
        value = add(load(sums, i * VECTOR_SIZE), load(tail, places[i] * channels + column))
        total = add(total, select(greater(value, zero), value, zero))
    store(pooled, row * channels + column, total)


@kernel
def backward_sum(
    sentence: Any, head: Any, tail: Any, first: Any, lengths: Any, place: Any, pair_sentence: Any, pair_head: Any, pair_tail: Any,
    gradient: Any, sentence_gradient: Any, head_gradient: Any, tail_gradient: Any,
) -> None:  # fmt: skip
    channels = gradient.shape[1]
    for block in numba.prange((channels + VECTOR_SIZE - 1) // VECTOR_SIZE):
        column = np.int64(block) * VECTOR_SIZE
        for p in range(gradient.shape[0]):
            s = pair_sentence[p]
            for i in range(lengths[s]):
                row, h, t = first[s] + i, place[pair_head[p], i], place[pair_tail[p], i]
                for c in range(column, min(channels, column + VECTOR_SIZE)):
                    if sentence[row, c] + head[h, c] + tail[t, c] > 0:
                        sentence_gradient[row, c] += gradient[p, c]
                        head_gradient[h, c] += gradient[p, c]
                        tail_gradient[t, c] += gradient[p, c]
