"""The features of the tokens: tables of words, tags, characters and cases, or the states of a transformer, and a BiLSTM over them.

Letters: N real tokens of all sentences, V different tokens, W tokens that look different, L characters of the longest, H states of a
transformer or units of an LSTM, I features read, D token features.
"""

from __future__ import annotations

import numpy as np

from relsift.encoding.arrays import IntArray, SubwordArrays
from relsift.encoding.characters import CASES, PADDING
from relsift.encoding.encoding import Encoding
from relsift.errors import CheckpointError
from relsift.exported.functions import group_maxima, relu, window_sum
from relsift.exported.inputs import Inputs
from relsift.exported.lstm import LSTM, states_of
from relsift.exported.spec import TokenSpec
from relsift.exported.transformer import Transformer
from relsift.exported.weights import FloatArray, Weights

_WINDOW = 3  # characters


class Tokens:
    """Made of the weights; `features` gives (V, D) and the row of each token."""

    def __init__(self, spec: TokenSpec, weights: Weights, encoding: Encoding, transformer: Transformer | None) -> None:
        self.spec, self.transformer = spec, transformer
        size = 0
        self.words: FloatArray | None = None
        if spec.source == "words":
            if encoding.words is None:
                raise CheckpointError("model.json: encoding: expected words, which this model reads, got none")
            self.words = weights.take("tokens.words", encoding.words.num_rows, None)
            size += self.words.shape[1]
            if spec.added:
                added = weights.take("tokens.added", encoding.words.num_trained, size)
                self.words = self.words.copy()
                self.words[: len(added)] += added
        elif transformer is None:
            raise CheckpointError("model.json: options: expected a model of words in this form, got one of a transformer")
        else:
            size += transformer.size
        self.tags: FloatArray | None = None
        if spec.tags:
            rows = None if encoding.tags is None else encoding.tags.num_rows
            self.tags = weights.take("tokens.tags", rows, None)
            size += self.tags.shape[1]
        self.characters = _Characters(weights, encoding) if spec.characters else None
        size += 0 if self.characters is None else self.characters.size
        self.cases = weights.take("tokens.cases", len(CASES), None) if spec.cases else None
        size += 0 if self.cases is None else self.cases.shape[1]
        self.lstms: list[LSTM] = []
        states = size
        for number in range(spec.layers):
            self.lstms.append(LSTM.of(weights, f"tokens.lstm.{number}", states))
            states = self.lstms[-1].size
        sizes = {"read": size, "states": states}
        if not spec.features or ("states" in spec.features and not spec.layers):
            raise CheckpointError("model.json: options: tokens: features: expected read, or states with one layer or more")
        self.size = sum(sizes[name] for name in spec.features)  # D

    def features(self, inputs: Inputs) -> tuple[FloatArray, IntArray]:
        """(V, D) and (N,): tokens with equal features may share a row."""
        read, place = self._read(inputs)
        if not self.lstms:
            return read, place
        states, row = read, place
        for lstm in self.lstms:
            states = states_of(lstm, states, row, inputs.lengths)
            row = np.arange(len(states))
        parts = [read[place] if name == "read" else states for name in self.spec.features]
        return np.concatenate(parts, axis=1), row

    def _read(self, inputs: Inputs) -> tuple[FloatArray, IntArray]:
        """(V, I) what is read of each token, and (N,) the row of each."""
        place, tokens = self._different(inputs)
        parts = []
        if self.words is not None:
            parts.append(self.words[_given(inputs.words, "words")[tokens]])
        if self.transformer is not None:
            subwords = inputs.subwords
            if subwords is None:
                raise CheckpointError("model.json: encoding: expected pieces, which this model reads, got none")
            parts.append(_pooled(self.transformer.states(subwords), subwords, self.spec.pooling))
        if self.tags is not None:
            parts.append(self.tags[_given(inputs.tags, "tags")[tokens]])
        if self.characters is not None or self.cases is not None:
            if inputs.characters is None:
                raise CheckpointError("model.json: encoding: expected characters, which this model reads, got none")
            looks = inputs.characters.place[tokens]
            if self.characters is not None:
                parts.append(self.characters(inputs.characters.ids)[looks])
            if self.cases is not None:
                parts.append(self.cases[inputs.characters.case[looks]])
        return np.concatenate(parts, axis=1), place

    def _different(self, inputs: Inputs) -> tuple[IntArray, IntArray]:
        """(N,) the row of each token among the V, (V,) one of the tokens of each row."""
        count = int(inputs.lengths.sum())
        if self.transformer is not None:
            every = np.arange(count)
            return every, every
        key = _given(inputs.words, "words")
        if self.tags is not None and inputs.tags is not None:
            key = key * len(self.tags) + inputs.tags
        if inputs.characters is not None:
            key = key * (int(inputs.characters.place.max()) + 1) + inputs.characters.place
        _, tokens, place = np.unique(key, return_index=True, return_inverse=True)
        return place, tokens


class _Characters:
    """As `relsift.layers.character_cnn`."""

    def __init__(self, weights: Weights, encoding: Encoding) -> None:
        rows = None if encoding.characters is None else encoding.characters.num_rows
        table = weights.take("tokens.characters", rows, None)
        kernel = weights.take("tokens.characters.kernel", None, table.shape[1], _WINDOW)  # (F, C, 3)
        self.size = len(kernel)
        self.bias = weights.take("tokens.characters.bias", self.size)
        self.rows = table @ kernel.transpose(1, 2, 0).reshape(table.shape[1], -1)       # (V, 3 * F)

    def __call__(self, ids: IntArray) -> FloatArray:
        """(W, L) -> (W, F)"""
        real = ids != PADDING
        around = np.pad(np.where(real, ids, -1), ((0, 0), (1, 1)), constant_values=-1)  # (W, L + 2)
        context = np.lib.stride_tricks.sliding_window_view(around, _WINDOW, axis=1)[real]
        values = window_sum(self.rows, context, (_WINDOW,), (0,)) + self.bias           # (M, F)
        return relu(group_maxima(values, real.sum(axis=1)))


def _pooled(pieces: FloatArray, subwords: SubwordArrays, pooling: str) -> FloatArray:
    """(M, H) states of pieces -> (N, H) of tokens."""
    if pooling == "first":
        return pieces[subwords.first]
    if pooling == "last":
        return pieces[subwords.last]
    several = subwords.last - subwords.first + 1                                        # (N,)
    if (several == 1).all():
        return pieces[subwords.first]
    begins = several.cumsum() - several
    offset = np.arange(several.sum()) - np.repeat(begins, several)
    own = pieces[np.repeat(subwords.first, several) + offset]
    if pooling == "max":
        return group_maxima(own, several)
    total: FloatArray = np.add.reduceat(own, begins, axis=0)
    return np.asarray(total / several[:, None], np.float32)


def _given(array: IntArray | None, name: str) -> IntArray:
    if array is None:
        raise CheckpointError(f"model.json: encoding: expected {name}, which this model reads, got none")
    return array
