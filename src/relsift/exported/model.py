"""A model that scores pairs without torch, from what an export wrote.

Letters: P pairs, G unordered pairs, Z features of a pair, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from relsift.decisions.scored import Scores
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.errors import CheckpointError
from relsift.exported.classifier import Classifier
from relsift.exported.convolution import Convolution
from relsift.exported.inputs import Inputs
from relsift.exported.markers import Markers
from relsift.exported.pairs import BUCKETS, MOST_ENTITIES, between, kinds, span_maxima
from relsift.exported.spec import Form, ModelSpec
from relsift.exported.tokens import Tokens
from relsift.exported.transformer import Transformer
from relsift.exported.weights import FloatArray, Weights


class ExportedModel:
    """In place of a `RelationModel`. It cannot be trained, and computes on the CPU in float32."""

    def __init__(
        self, form: Form, spec: ModelSpec, tables: dict[str, FloatArray], encoding: Encoding, transformer: Transformer | None, where: str
    ) -> None:
        """Args: where: for error messages. Raises CheckpointError for weights that do not fit the description and the encoding."""
        self.form, self.spec, self.tables, self.transformer = form, spec, tables, transformer
        self.READS: frozenset[Input] = encoding.reads
        weights, columns = Weights(tables, where), len(encoding.labels)
        self._pairs: _Convolved | _Marked
        if spec.markers is None:
            self._pairs = _Convolved(spec, weights, encoding, transformer)
            self._classify = Classifier(spec, weights, self._pairs.size, columns)
        elif transformer is None:
            raise CheckpointError("model.json: options: expected a model of words in this form, got one of a transformer")
        else:
            self._pairs = _Marked(Markers(spec.markers, weights, encoding, transformer))
            self._classify = Classifier(spec, weights, self._pairs.size, 2 * columns)
        weights.check_all_taken()

    def scores(self, examples: Sequence[Example], encoding: Encoding) -> Scores:
        """(P, K) log-odds of every pair, in the order of the examples."""
        inputs = Inputs.of(examples, encoding)
        if not len(inputs.pairs.head):
            return np.empty((0, len(encoding.labels)), np.float32)
        return self._pairs.scores(inputs, self._classify)

    def cut_pairs(self, examples: Sequence[Example]) -> int:
        """None: every pair's whole sentence is read."""
        return 0

    def limit_cache(self, megabytes: float) -> None:
        """Nothing is cached between batches."""


class _Convolved:
    """Features of a pair: its convolution over the tokens, and what else the description names."""

    def __init__(self, spec: ModelSpec, weights: Weights, encoding: Encoding, transformer: Transformer | None) -> None:
        assert spec.tokens is not None and spec.convolution is not None
        self._spans = spec.spans
        self._tokens = Tokens(spec.tokens, weights, encoding, transformer)
        self._convolution = Convolution(spec.convolution, weights, self._tokens.size)
        self._num_types = len(encoding.types.names) + 1
        self._types = weights.take("types", self._num_types**2, None) if spec.types else None
        self._between = (
            (weights.take("between.tokens", 2 * BUCKETS, None), weights.take("between.entities", MOST_ENTITIES + 1, None))
            if spec.between else ()
        )  # fmt: skip
        tables = (self._types, *self._between)
        of_tables = sum(table.shape[1] for table in tables if table is not None)
        self.size = self._convolution.size + 2 * self._tokens.size * spec.spans + of_tables  # Z

    def scores(self, inputs: Inputs, classify: Classifier) -> Scores:
        """(P, K)"""
        features, place = self._tokens.features(inputs)                                 # (V, D), (N,)
        parts = [self._convolution(features, place, inputs)]
        head, tail = inputs.pairs.head, inputs.pairs.tail
        if self._spans:
            spans = span_maxima(features, place, inputs)                                # (E, D)
            parts += [spans[head], spans[tail]]
        if self._types is not None:
            parts.append(self._types[kinds(inputs, self._num_types)])
        if self._between:
            parts += [table[rows] for table, rows in zip(self._between, between(inputs))]
        return classify(np.concatenate(parts, axis=1))


class _Marked:
    """An unordered pair has one vector, and scores of both directions."""

    def __init__(self, markers: Markers) -> None:
        self._markers, self.size = markers, markers.size

    def scores(self, inputs: Inputs, classify: Classifier) -> Scores:
        """(P, K)"""
        h, groups = self._markers(inputs)                                               # (G, Z)
        both = classify(h)[groups.of_pair]                                              # (P, 2K)
        relations = both.shape[1] // 2
        return np.where(groups.inverse[:, None], both[:, relations:], both[:, :relations])
