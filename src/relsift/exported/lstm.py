"""Two LSTMs over the tokens of many sentences, one of which reads them backwards.

A row of features is multiplied by the input weights once, however many tokens have it. There is no padding: a step goes on with the
sentences that are so long. Letters: V rows, I features, N tokens, S sentences, H units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relsift.encoding.arrays import IntArray
from relsift.exported.functions import sigmoid
from relsift.exported.weights import FloatArray, Weights


@dataclass(frozen=True)
class LSTM:
    """Of each direction; gates are in torch's order: input, forget, cell, output."""

    inputs: tuple[FloatArray, FloatArray]  # (I, 4H)
    recurrent: tuple[FloatArray, FloatArray]  # (H, 4H)
    bias: tuple[FloatArray, FloatArray]  # (4H,)

    @property
    def size(self) -> int:
        """2H"""
        return 2 * len(self.recurrent[0])

    @classmethod
    def of(cls, weights: Weights, name: str, size: int) -> LSTM:
        """Args: size: I."""
        recurrent = weights.take(f"{name}.forth.recurrent", None, None)                 # (4H, H)
        units = recurrent.shape[1]
        sides = ("forth", "back")
        inputs = [weights.take(f"{name}.{side}.inputs", 4 * units, size).T for side in sides]
        repeated = [np.ascontiguousarray(weights.take(f"{name}.{side}.recurrent", 4 * units, units).T) for side in sides]
        bias = [weights.take(f"{name}.{side}.bias", 4 * units) for side in sides]
        return cls((inputs[0], inputs[1]), (repeated[0], repeated[1]), (bias[0], bias[1]))


def states_of(lstm: LSTM, rows: FloatArray, place: IntArray, lengths: IntArray) -> FloatArray:
    """(N, 2H) states of the tokens, forwards and backwards.

    Args: rows: (V, I). place: (N,) the row of each token. lengths: (S,) of the sentences, whose tokens follow one another.
    """
    order = np.argsort(-lengths, kind="stable")
    sizes = lengths[order]
    first = (lengths.cumsum() - lengths)[order]                                         # (S,)
    result = np.empty((len(place), lstm.size), np.float32)
    units = lstm.size // 2
    for side in range(2):
        read = rows @ lstm.inputs[side] + lstm.bias[side]                               # (V, 4H)
        h = np.zeros((len(sizes), units), np.float32)
        c = np.zeros_like(h)
        for step in range(int(sizes[0])):
            count = int((sizes > step).sum())
            token = first[:count] + (sizes[:count] - 1 - step if side else step)
            gates = read[place[token]] + h[:count] @ lstm.recurrent[side]               # (count, 4H)
            enter, forget, cell, leave = np.split(gates, 4, axis=1)
            c = sigmoid(forget) * c[:count] + sigmoid(enter) * np.tanh(cell)
            h = sigmoid(leave) * np.tanh(c)
            result[token, side * units : (side + 1) * units] = h
    return result
