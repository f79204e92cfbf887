"""From the features of a pair to its scores: linear layers, logits, and what "is there any relation?" does to them.

Letters: P pairs, Z features of a pair, K columns of scores.
"""

from __future__ import annotations

import numpy as np

from relsift.errors import CheckpointError
from relsift.exported.functions import gelu, relu
from relsift.exported.spec import ModelSpec
from relsift.exported.weights import FloatArray, Weights

FAR = 1000.0  # as in `relsift.layers.relation_classifier`: taken from the scores of a pair that *filter* leaves out


class Classifier:
    """(P, Z) -> (P, K)"""

    def __init__(self, spec: ModelSpec, weights: Weights, size: int, columns: int) -> None:
        """Args: size: Z. columns: K."""
        self._activations, self._spec = spec.layers, spec.scores
        self._layers: list[tuple[FloatArray, FloatArray]] = []
        for number in range(len(spec.layers)):
            self._layers.append(_linear(weights, f"layers.{number}", size, None))
            size = len(self._layers[-1][1])
        self._logits = _linear(weights, "logits", size, columns + spec.scores.minus_none)
        uses_identification = spec.scores.identification != "none"
        self._identify = _linear(weights, "identify", size, 2) if uses_identification else None
        self._floor = float(weights.take("floor", 1)[0]) if spec.scores.identification == "filter" else 0.0

    def __call__(self, h: FloatArray) -> FloatArray:
        """Log-odds."""
        for (weight, bias), activation in zip(self._layers, self._activations):
            h = h @ weight + bias
            h = relu(h) if activation == "relu" else gelu(h) if activation == "gelu" else h
        logits = h @ self._logits[0] + self._logits[1]
        scores = logits[:, :-1] - logits[:, -1:] if self._spec.minus_none else logits
        return np.asarray(self._identified(scores, h), np.float32)

    def _identified(self, scores: FloatArray, h: FloatArray) -> FloatArray:
        """What "is there any relation?" does to the scores (see `relsift.layers.relation_classifier`)."""
        if self._identify is None:
            return scores
        answer = h @ self._identify[0] + self._identify[1]                              # (P, 2)
        related = answer[:, 1:] - answer[:, :1]                                         # (P, 1)
        if self._spec.identification == "filter":
            return np.where(related >= self._floor, scores, scores - np.float32(FAR))
        if not self._spec.several_labels:
            return related + scores - _log_sum(scores, axis=1)[:, None]
        related = np.broadcast_to(related, scores.shape)
        return -_log_sum(np.stack([-related, -scores, -related - scores]), axis=0)


def _linear(weights: Weights, name: str, size: int, outputs: int | None) -> tuple[FloatArray, FloatArray]:
    """(size, outputs) and (outputs,)"""
    weight = weights.take(f"{name}.weight", outputs, size)
    if not weight.size:
        raise CheckpointError(f"{name}: expected weights, got an empty table; copy the folder again")
    return weight.T, weights.take(f"{name}.bias", len(weight))


def _log_sum(x: FloatArray, axis: int) -> FloatArray:
    """The logarithm of the sum of e^x."""
    largest = x.max(axis=axis, keepdims=True)
    return np.asarray(np.log(np.exp(x - largest).sum(axis=axis)) + largest.squeeze(axis), np.float32)
