"""Activations and sums that NumPy does not have, in float32."""

from __future__ import annotations

import numpy as np

from relsift.encoding.arrays import IntArray
from relsift.exported.weights import FloatArray

_ERFC = (-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + e^-x), without overflow."""
    half = np.float32(0.5)
    result: FloatArray = half * np.tanh(half * x) + half
    return result


def relu(x: FloatArray) -> FloatArray:
    """The larger of x and 0."""
    result: FloatArray = np.maximum(x, np.float32(0))
    return result


def gelu(x: FloatArray) -> FloatArray:
    """x times the normal distribution function of x, as torch's `GELU` without approximation.

    Example:
        >>> [round(float(y), 5) for y in gelu(np.array([-1.0, 0.0, 2.0], np.float32))]
        [-0.15866, 0.0, 1.9545]
    """
    return np.asarray(0.5 * x * (2 - _erfc(x.astype(np.float64) * np.sqrt(0.5))), np.float32)


def _erfc(x: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """1 - erf(x) with a relative error below 1.2e-7. Source: Press et al., Numerical Recipes, 2nd edition, section 6.2, `erfcc`."""
    z = np.abs(x)
    t = 1 / (1 + 0.5 * z)
    series = np.zeros_like(z)
    for coefficient in reversed(_ERFC):
        series = series * t + coefficient
    tail = t * np.exp(series - z * z)
    return np.asarray(np.where(x >= 0, tail, 2 - tail), np.float64)


def group_maxima(rows: FloatArray, lengths: IntArray) -> FloatArray:
    """(M, F) rows of groups one after the other, of these lengths (W,), none 0 -> (W, F): the maximum of each group."""
    result: FloatArray = np.maximum.reduceat(rows, lengths.cumsum() - lengths, axis=0)
    return result


def window_sum(projected: FloatArray, context_rows: IntArray, sizes: tuple[int, ...], starts: tuple[int, ...]) -> FloatArray:
    """As `relsift.kernels.window_sum`, without a bias: the rows in each window, added up.

    Args:
        projected: (R, places * F): for each window, for each of its places, F values.
        context_rows: (M, L) the row at each place around a position; -1 (zeros) beyond the text.
        sizes, starts: of each window its places, and the first of them among the L.
    Returns: (M, windows * F)
    """
    filters = projected.shape[1] // sum(sizes)
    with_zeros = np.concatenate([projected, np.zeros((1, projected.shape[1]), np.float32)])  # row -1
    result = np.zeros((len(context_rows), len(sizes) * filters), np.float32)
    offset = 0
    for number, (size, start) in enumerate(zip(sizes, starts)):
        part = result[:, number * filters : (number + 1) * filters]
        for place in range(size):
            part += with_zeros[context_rows[:, start + place], offset : offset + filters]
            offset += filters
    return result
