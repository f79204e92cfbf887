"""The fused CPU kernel of `lstm_states` (Numba): four sentences at once, so that a recurrent weight is loaded once for four tokens.

Gates are sums in registers, `VECTOR_SIZE` at a time. Sigmoid and tanh are one rational function, which differs from the exact one by some
1e-7.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from torch import Tensor

from relsift.kernels.compiled import arrays, inlined, kernel
from relsift.kernels.simd import VECTOR_SIZE, broadcast, divide, empty_aligned, greater, load, multiply, multiply_add, select, store

AT_ONCE = 4  # sentences

# tanh(x) = x P(x^2) / Q(x^2) up to |x| = LARGEST, where it is 1 in float32; from the highest power down, as in Eigen's `ptanh_float`.
LARGEST = np.float32(7.90531110763549805)
P13, P11, P9, P7 = np.array([-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08], np.float32)
P5, P3, P1 = np.array([1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03], np.float32)
Q6, Q4, Q2, Q0 = np.array([1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03], np.float32)
HALF = np.float32(0.5)


def fused(inputs: Tensor, recurrent: Tensor, place: Tensor, lengths: Tensor) -> Tensor:
    """See `relsift.kernels.lstm.lstm_states`; float32 on the CPU. Args: inputs, recurrent: of its tables."""
    states = inputs.new_empty(len(place), 2 * recurrent.shape[1])
    sizes, order = lengths.sort(descending=True)
    first = (lengths.cumsum(0) - lengths)[order]
    _forward(*arrays(inputs, recurrent, place, first, sizes, states))
    return states


@inlined
def _tanh(x: Any) -> Any:
    most, least = broadcast(LARGEST), broadcast(-LARGEST)
    x = select(greater(x, most), most, x)  # not-a-number stays
    x = select(greater(least, x), least, x)
    square = multiply(x, x)
    p = multiply_add(broadcast(P13), square, broadcast(P11))
    p = multiply_add(p, square, broadcast(P9))
    p = multiply_add(p, square, broadcast(P7))
    p = multiply_add(p, square, broadcast(P5))
    p = multiply_add(p, square, broadcast(P3))
    p = multiply_add(p, square, broadcast(P1))
    q = multiply_add(broadcast(Q6), square, broadcast(Q4))
    q = multiply_add(q, square, broadcast(Q2))
    q = multiply_add(q, square, broadcast(Q0))
    return divide(multiply(x, p), q)


@inlined
def _sigmoid(x: Any) -> Any:
    half = broadcast(HALF)
    return multiply_add(half, _tanh(multiply(half, x)), half)


@inlined
def _gates(inputs: Any, row: Any, recurrent: Any, weights: Any, columns: Any, units: Any, h: Any, stride: Any, gates: Any) -> None:
    """The sums of AT_ONCE sentences before their activation, into `gates`."""
    for j in range(0, columns, VECTOR_SIZE):
        g0, g1, g2, g3 = load(inputs, row[0] + j), load(inputs, row[1] + j), load(inputs, row[2] + j), load(inputs, row[3] + j)
        for k in range(units):
            weight = load(recurrent, weights + k * columns + j)
            g0 = multiply_add(broadcast(h[k]), weight, g0)
            g1 = multiply_add(broadcast(h[stride + k]), weight, g1)
            g2 = multiply_add(broadcast(h[2 * stride + k]), weight, g2)
            g3 = multiply_add(broadcast(h[3 * stride + k]), weight, g3)
        store(gates, j, g0)
        store(gates, columns + j, g1)
        store(gates, 2 * columns + j, g2)
        store(gates, 3 * columns + j, g3)


@inlined
def _step(gates: Any, start: Any, units: Any, h: Any, c: Any, place: Any) -> None:
    """Of one sentence, from its gates to h and c. Vectors may reach over the last unit, into values that nobody reads."""
    for u in range(0, units, VECTOR_SIZE):
        g = start + u
        kept = multiply(_sigmoid(load(gates, g + units)), load(c, place + u))
        cell = multiply_add(_sigmoid(load(gates, g)), _tanh(load(gates, g + 3 * units)), kept)
        store(c, place + u, cell)
        store(h, place + u, multiply(_sigmoid(load(gates, g + 2 * units)), _tanh(cell)))


@kernel
def _forward(inputs: Any, recurrent: Any, place: Any, first: Any, sizes: Any, states: Any) -> None:
    units, columns = recurrent.shape[1], recurrent.shape[2]
    stride = (units + VECTOR_SIZE - 1) // VECTOR_SIZE * VECTOR_SIZE
    blocks = (len(sizes) + AT_ONCE - 1) // AT_ONCE
    for task in numba.prange(2 * blocks):
        direction, start = task % 2, task // 2 * AT_ONCE
        count = min(AT_ONCE, len(sizes) - start)
        gates, h, c = empty_aligned(AT_ONCE * columns + VECTOR_SIZE), empty_aligned(AT_ONCE * stride), empty_aligned(AT_ONCE * stride)
        gates[:], h[:], c[:] = 0, 0, 0
        token, row = np.zeros(AT_ONCE, np.int64), np.zeros(AT_ONCE, np.int64)
        for step in range(sizes[start]):
            for n in range(count):
                size = sizes[start + n]
                if step < size:  # a shorter sentence goes on with its last row, which nobody reads
                    token[n] = first[start + n] + (size - 1 - step if direction else step)
                    row[n] = (2 * place[token[n]] + direction) * columns
            _gates(inputs, row, recurrent, direction * units * columns, columns, units, h, stride, gates)
            for n in range(count):
                if step < sizes[start + n]:
                    _step(gates, n * columns, units, h, c, n * stride)
                    for u in range(units):
                        states[token[n], direction * units + u] = h[n * stride + u]
