"""A model that scores pairs without torch, from what an export wrote.

Letters: P pairs, Z features of a pair, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from relsift.decisions.scored import Scores
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.errors import CheckpointError
from relsift.exported.convolution import Convolution
from relsift.exported.functions import gelu, relu
from relsift.exported.inputs import Inputs
from relsift.exported.pairs import BUCKETS, MOST_ENTITIES, between, kinds, span_maxima
from relsift.exported.spec import Form, ModelSpec
from relsift.exported.tokens import Tokens
from relsift.exported.transformer import Transformer
from relsift.exported.weights import FloatArray, Weights

FAR = 1000.0  # as in `relsift.layers.relation_classifier`: taken from the scores of a pair that *filter* leaves out


class ExportedModel:
    """In place of a `RelationModel`. It cannot be trained, and computes on the CPU in float32."""

    def __init__(
        self, form: Form, spec: ModelSpec, tables: dict[str, FloatArray], encoding: Encoding, transformer: Transformer | None, where: str
    ) -> None:
        """Args: where: for error messages. Raises CheckpointError for weights that do not fit the description and the encoding."""
        self.form, self.spec, self.tables, self.transformer = form, spec, tables, transformer
        self.READS: frozenset[Input] = encoding.reads
        weights = Weights(tables, where)
        self._tokens = Tokens(spec.tokens, weights, encoding, transformer)
        self._convolution = Convolution(spec.convolution, weights, self._tokens.size)
        size = self._convolution.size + 2 * self._tokens.size * spec.spans
        self._num_types = len(encoding.types.names) + 1
        self._types = weights.take("types", self._num_types**2, None) if spec.types else None
        self._between = (
            (weights.take("between.tokens", 2 * BUCKETS, None), weights.take("between.entities", MOST_ENTITIES + 1, None))
            if spec.between else ()
        )  # fmt: skip
        for table in (self._types, *self._between):
            size += 0 if table is None else table.shape[1]
        self._layers: list[tuple[FloatArray, FloatArray]] = []
        for number in range(len(spec.layers)):
            self._layers.append(_linear(weights, f"layers.{number}", size, None))
            size = len(self._layers[-1][1])
        self._logits = _linear(weights, "logits", size, len(encoding.labels) + spec.scores.minus_none)
        uses_identification = spec.scores.identification != "none"
        self._identify = _linear(weights, "identify", size, 2) if uses_identification else None
        self._floor = float(weights.take("floor", 1)[0]) if spec.scores.identification == "filter" else 0.0
        weights.check_all_taken()

    def scores(self, examples: Sequence[Example], encoding: Encoding) -> Scores:
        """(P, K) log-odds of every pair, in the order of the examples."""
        inputs = Inputs.of(examples, encoding)
        if not len(inputs.pairs.head):
            return np.empty((0, len(encoding.labels)), np.float32)
        h = self._features(inputs)                                                      # (P, Z)
        for (weight, bias), activation in zip(self._layers, self.spec.layers):
            h = h @ weight + bias
            h = relu(h) if activation == "relu" else gelu(h) if activation == "gelu" else h
        logits = h @ self._logits[0] + self._logits[1]
        scores = logits[:, :-1] - logits[:, -1:] if self.spec.scores.minus_none else logits
        return np.asarray(self._identified(scores, h), np.float32)

    def cut_pairs(self, examples: Sequence[Example]) -> int:
        """None: every pair's whole sentence is read."""
        return 0

    def limit_cache(self, megabytes: float) -> None:
        """Nothing is cached between batches."""

    def _features(self, inputs: Inputs) -> FloatArray:
        features, place = self._tokens.features(inputs)                                 # (V, D), (N,)
        parts = [self._convolution(features, place, inputs)]
        head, tail = inputs.pairs.head, inputs.pairs.tail
        if self.spec.spans:
            spans = span_maxima(features, place, inputs)                                # (E, D)
            parts += [spans[head], spans[tail]]
        if self._types is not None:
            parts.append(self._types[kinds(inputs, self._num_types)])
        if self._between:
            parts += [table[rows] for table, rows in zip(self._between, between(inputs))]
        return np.concatenate(parts, axis=1)

    def _identified(self, scores: FloatArray, h: FloatArray) -> FloatArray:
        """What "is there any relation?" does to the scores (see `relsift.layers.relation_classifier`)."""
        if self._identify is None:
            return scores
        answer = h @ self._identify[0] + self._identify[1]                              # (P, 2)
        related = answer[:, 1:] - answer[:, :1]                                         # (P, 1)
        if self.spec.scores.identification == "filter":
            return np.where(related >= self._floor, scores, scores - np.float32(FAR))
        if not self.spec.scores.several_labels:
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
