"""The vectors of pairs of `relsift.models.packed_markers`: states of markers that stand beside the text in one pass of a transformer.

The graph gets rows of places. A row holds the pieces of the windows that its markers read, then the markers of a few unordered pairs. Each
place has a number of the table of pieces and markers, a tag, a position, the window whose text it sees, and the pair that it belongs to.
Letters: N tokens, M pieces, W windows, U pieces of the longest window, E entities, P pairs, G unordered pairs, Q = 4 markers, X places of a
row, V places of the longest row, H states, Z features of a pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from relsift.encoding.arrays import BoolArray, IntArray, SubwordArrays
from relsift.encoding.encoding import Encoding
from relsift.encoding.tags import OUTSIDE
from relsift.errors import CheckpointError
from relsift.exported.inputs import Inputs
from relsift.exported.spec import MarkerSpec
from relsift.exported.transformer import AT_ONCE, MARKER_INPUTS, Transformer
from relsift.exported.weights import FloatArray, Weights

MARKERS = 4  # of a pair: before and after each of its two entities
STARTS = (0, 1, 2, 3, 4, 6, 9, 14, 20, 30, 50)  # as in `relsift.layers.distance_buckets`
GROUPS_IN_ROW = 64  # the attention of a row grows with the square of its places
SQUARES_AT_ONCE = 2_000_000  # rows x places x places of a call: bounds the memory of the attention
_EPSILON = 1e-5  # of torch's layer normalisation
_PADDING = 2**40  # window and group of a place that only fills its row; it sees its like


class Groups(NamedTuple):
    """As `relsift.models.packed_markers.Groups`: unordered pairs, and where each candidate pair finds its scores."""

    first: IntArray  # (G,) rows of the entities: the one that comes first in the text
    second: IntArray  # (G,)
    of_pair: IntArray  # (P,)
    inverse: BoolArray  # (P,) its head is the second entity


class Markers:
    """Made of the weights; a call gives (G, Z) and the groups."""

    def __init__(self, spec: MarkerSpec, weights: Weights, encoding: Encoding, transformer: Transformer) -> None:
        self._spec, self._transformer = spec, transformer
        self._num_types = len(encoding.types.names) + 1  # number 0: a type that training did not have
        if spec.tags and encoding.tags is None:
            raise CheckpointError("model.json: encoding: expected tags, which this model reads, got none")
        self._no_tag = encoding.tags.num_rows if spec.tags and encoding.tags is not None else 0
        read = (MARKERS + 1) * transformer.size
        self._norm = weights.take("norm.weight", read), weights.take("norm.bias", read)
        self._distances = weights.take("distances", len(STARTS) + 1, None)
        self._types = weights.take("types", self._num_types**2, None) if spec.type_pairs else None
        self.size = read + self._distances.shape[1] + (0 if self._types is None else self._types.shape[1])  # Z

    def __call__(self, inputs: Inputs) -> tuple[FloatArray, Groups]:
        groups = groups_of(inputs)
        states = self._states(inputs, groups)                                           # (G, Q, H)
        a, b = states[:, 0], states[:, 2]
        parts = [self._normed(np.concatenate([states.reshape(len(a), -1), a * b], axis=1))]
        span, kind = inputs.entities.span, inputs.entities.type + 1
        one, other = span[groups.first], span[groups.second]                            # (G, 2)
        between = np.maximum(one[:, 0], other[:, 0]) - np.minimum(one[:, 1], other[:, 1])
        parts.append(self._distances[np.searchsorted(STARTS, between, side="right")])
        if self._types is not None:
            parts.append(self._types[kind[groups.first] * self._num_types + kind[groups.second]])
        return np.concatenate(parts, axis=1), groups

    def _normed(self, x: FloatArray) -> FloatArray:
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
        return np.asarray(centred / spread * self._norm[0] + self._norm[1], np.float32)

    def _states(self, inputs: Inputs, groups: Groups) -> FloatArray:
        """(G, Q, H)"""
        subwords = inputs.subwords
        if subwords is None:
            raise CheckpointError("model.json: encoding: expected pieces, which this model reads, got none")
        low, high = _entity_pieces(inputs, subwords)                                    # (E,) each
        piece = np.stack([side[entity] for entity in (groups.first, groups.second) for side in (low, high)], axis=1)  # (G, Q)
        window, position = _marker_places(subwords, inputs.entities.sentence[groups.first], piece)
        kinds = inputs.entities.type[np.stack([groups.first, groups.first, groups.second, groups.second], axis=1)] + 1
        ids = self._spec.pieces + kinds * MARKERS + np.arange(MARKERS)                  # (G, Q)
        text = _Text(subwords, self._tags(inputs, subwords))
        rows = list(_rows(window))
        lengths = [text.length(windows) + MARKERS * len(members) for windows, members in rows]
        result = np.empty((*ids.shape, self._transformer.size), np.float32)
        for batch in _batches(lengths):
            made = []
            for windows, members in (rows[row] for row in batch):
                group = np.repeat(members, MARKERS)
                tags = np.full(len(group), self._no_tag)
                columns = [each[members].ravel() for each in (ids, position, window)]
                made.append(np.concatenate([text.places(windows, self._no_tag), np.stack([columns[0], tags, *columns[1:], group])], axis=1))
            states = self._transformer.run(**dict(zip(MARKER_INPUTS, self._side_by_side(made))))  # (B, V, H)
            for own, place, (_, members) in zip(states, made, (rows[row] for row in batch)):
                markers = own[place.shape[1] - MARKERS * len(members) : place.shape[1]]
                result[members] = markers.reshape(len(members), MARKERS, -1)
        return result

    def _tags(self, inputs: Inputs, subwords: SubwordArrays) -> IntArray:
        """(M,) tag of each piece; a blank is outside all entities."""
        if not self._spec.tags or inputs.tags is None:
            return np.full(len(subwords.token), self._no_tag)
        return np.where(subwords.token < 0, OUTSIDE, inputs.tags[np.maximum(subwords.token, 0)])

    def _side_by_side(self, rows: Sequence[IntArray]) -> IntArray:
        """(5, X) each -> (5, B, V)"""
        filler = np.array([0, self._no_tag, 0, _PADDING, _PADDING])
        result = np.empty((len(filler), len(rows), max(row.shape[1] for row in rows)), np.int64)
        result[:] = filler[:, None, None]
        for number, row in enumerate(rows):
            result[:, number, : row.shape[1]] = row
        return result


class _Text:
    """The places of windows: (5, X) in the order of MARKER_INPUTS."""

    def __init__(self, subwords: SubwordArrays, tags: IntArray) -> None:
        """Args: tags: (M,) of the pieces."""
        self._ids, self._real = subwords.ids, subwords.real
        self._lengths = subwords.real.sum(axis=1)
        column = np.arange(subwords.ids.shape[1]) - subwords.before                     # (U,)
        first = subwords.counts.cumsum() - subwords.counts                              # (S,)
        self._rows = first[subwords.sentence][:, None] + subwords.start[:, None] + column  # (W, U) among the M pieces
        self._special, self._tags = subwords.special, tags

    def length(self, windows: tuple[int, ...]) -> int:
        return int(self._lengths[list(windows)].sum())

    def places(self, windows: tuple[int, ...], no_tag: int) -> IntArray:
        made = []
        for window in windows:
            real = self._real[window]
            rows = np.clip(self._rows[window][real], 0, len(self._tags) - 1)
            tags = np.where(self._special[window][real], no_tag, self._tags[rows])
            count = len(rows)
            made.append(np.stack([self._ids[window][real], tags, np.arange(count), np.full(count, window), np.full(count, -1)]))
        return np.concatenate(made, axis=1)


def groups_of(inputs: Inputs) -> Groups:
    """The unordered pairs of the candidates."""
    head, tail, span = inputs.pairs.head, inputs.pairs.tail, inputs.entities.span
    count = len(span)
    place = span[:, 0] * (span.max() + 1) + span[:, 1]                                  # (E,) rises in text order
    inverse = (place[head] > place[tail]) | ((place[head] == place[tail]) & (head > tail))
    keys, of_pair = np.unique(np.where(inverse, tail * count + head, head * count + tail), return_inverse=True)
    return Groups(keys // count, keys % count, of_pair, inverse)


def _entity_pieces(inputs: Inputs, subwords: SubwordArrays) -> tuple[IntArray, IntArray]:
    """As `relsift.layers.text_windows.entity_pieces`."""
    span, sentence = inputs.entities.span, inputs.entities.sentence
    token = inputs.first[sentence]
    before = (subwords.counts.cumsum() - subwords.counts)[sentence]
    return subwords.first[token + span[:, 0]] - before, subwords.last[token + span[:, 1] - 1] - before


def _marker_places(subwords: SubwordArrays, sentence: IntArray, piece: IntArray) -> tuple[IntArray, IntArray]:
    """(G, Q) each, as `relsift.layers.text_windows.marker_places`: the window that each marker reads, and its place there."""
    common = _windows_of(subwords, sentence, piece.min(axis=1), piece.max(axis=1))[:, None]
    holds_all = ((piece >= subwords.start[common]) & (piece < subwords.stop[common])).all(axis=1, keepdims=True)
    flat = piece.ravel()
    own = _windows_of(subwords, np.repeat(sentence, piece.shape[1]), flat, flat).reshape(piece.shape)
    window = np.where(holds_all, common, own)
    return window, piece - subwords.start[window] + subwords.before


def _windows_of(subwords: SubwordArrays, sentence: IntArray, low: IntArray, high: IntArray) -> IntArray:
    """(X,) as `relsift.layers.text_windows.windows_of`: the window in which each stretch of pieces stands most central."""
    counts = np.bincount(subwords.sentence, minlength=len(subwords.counts))
    first = counts.cumsum() - counts
    own = np.arange(counts.max())
    choice = first[sentence][:, None] + np.where(own < counts[sentence][:, None], own, 0)  # (X, windows of the longest)
    margin = np.minimum(low[:, None] - subwords.start[choice], subwords.stop[choice] - 1 - high[:, None])
    result: IntArray = choice[np.arange(len(choice)), margin.argmax(axis=1)]
    return result


def _rows(window: IntArray) -> Iterator[tuple[tuple[int, ...], IntArray]]:
    """Windows whose text a row holds, and the groups in it. Args: window: (G, Q)."""
    members: dict[tuple[int, ...], list[int]] = {}
    for group, own in enumerate(window.tolist()):
        members.setdefault(tuple(sorted(set(own))), []).append(group)
    for windows, groups in members.items():
        for start in range(0, len(groups), GROUPS_IN_ROW):
            yield windows, np.array(groups[start : start + GROUPS_IN_ROW])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows that are run together, from short to long. Args: lengths: places of each row."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        count, length = len(batch) + 1, lengths[row]
        if batch and (count * length > AT_ONCE or count * length**2 > SQUARES_AT_ONCE):
            yield batch
            batch = []
        batch.append(row)
    yield batch
