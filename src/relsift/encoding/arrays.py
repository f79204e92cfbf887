"""The numbers of a batch as NumPy arrays, and how examples are divided into batches. Nothing here needs torch.

`relsift.encoding.batch` makes tensors of them for models in torch; exported models (`relsift.exported`) read the arrays.
Letters: S sentences, T tokens (padded to the longest), N real tokens, E entities, P pairs, K relation types, M pieces, W windows or
different tokens, U pieces of a window, L characters.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relsift.encoding.characters import PADDING, CharacterVocabulary
from relsift.encoding.example import Example, Work
from relsift.encoding.subwords import SubwordInput, central_window
from relsift.encoding.tags import OUTSIDE
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import ShapeError

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class EntityArrays(NamedTuple):
    """The fields of `relsift.encoding.batch.Entities`, in their order."""

    sentence: IntArray  # (E,)
    span: IntArray  # (E, 2)
    type: IntArray  # (E,)


class PairArrays(NamedTuple):
    """The fields of `relsift.encoding.batch.Pairs`, in their order."""

    sentence: IntArray  # (P,)
    head: IntArray  # (P,)
    tail: IntArray  # (P,)
    labels: BoolArray  # (P, K)


class SubwordArrays(NamedTuple):
    """The fields of `relsift.encoding.batch.Subwords`, in their order."""

    ids: IntArray  # (W, U)
    real: BoolArray  # (W, U)
    special: BoolArray  # (W, U)
    sentence: IntArray  # (W,)
    start: IntArray  # (W,)
    stop: IntArray  # (W,)
    before: int
    counts: IntArray  # (S,)
    place: IntArray  # (M,)
    token: IntArray  # (M,)
    first: IntArray  # (N,)
    last: IntArray  # (N,)


class CharacterArrays(NamedTuple):
    """The fields of `relsift.encoding.batch.Characters`, in their order."""

    ids: IntArray  # (W, L)
    case: IntArray  # (W,)
    place: IntArray  # (N,)


def lengths_of(examples: Sequence[Example]) -> IntArray:
    """(S,) tokens of each sentence."""
    return flat([e.length] for e in examples)


def padded(rows: Iterable[Iterable[int]], value: int, real: BoolArray) -> IntArray:
    """(S, T) the numbers of each sentence, `value` in the padding. Args: real: (S, T) True = real token."""
    table = np.full(real.shape, value)
    table[real] = flat(rows)
    return table


def words_of(examples: Sequence[Example], real: BoolArray) -> IntArray | None:
    """(S, T), UNKNOWN_WORD in the padding; None where no words are read. Args: real: (S, T) True = real token."""
    words = [e.words for e in examples if e.words is not None]
    return padded(words, UNKNOWN_WORD, real) if words else None


def tags_of(examples: Sequence[Example], real: BoolArray) -> IntArray | None:
    """(S, T), OUTSIDE in the padding; None where no tags are read. Args: real: (S, T) True = real token."""
    tags = [e.tags for e in examples if e.tags is not None]
    return padded(tags, OUTSIDE, real) if tags else None


def entities_of(examples: Sequence[Example]) -> EntityArrays:
    """All entities of the sentences."""
    return EntityArrays(
        np.repeat(np.arange(len(examples)), [len(e.spans) for e in examples]),
        flat(chain.from_iterable(e.spans for e in examples)).reshape(-1, 2),
        flat(e.types for e in examples),
    )


def pairs_of(examples: Sequence[Example], num_labels: int) -> PairArrays:
    """All pairs of the sentences; their entities are rows of `entities_of`."""
    num_entities = flat([len(e.spans)] for e in examples)  # (S,)
    num_pairs = flat([len(e.heads)] for e in examples)  # (S,)
    entity_shifts = np.repeat(num_entities.cumsum() - num_entities, num_pairs)  # (P,)
    pair_shifts = num_pairs.cumsum() - num_pairs  # (S,)
    labels = np.zeros((num_pairs.sum(), num_labels), np.bool_)
    related = [(int(shift) + pair, column) for e, shift in zip(examples, pair_shifts) for pair, column in e.labels]
    if related:
        labels[tuple(np.array(related).T)] = True
    return PairArrays(
        np.repeat(np.arange(len(examples)), num_pairs),
        flat(e.heads for e in examples) + entity_shifts,
        flat(e.tails for e in examples) + entity_shifts,
        labels,
    )


def subwords_of(examples: Sequence[Example], subwords: SubwordInput) -> SubwordArrays:
    """The windows of all sentences. Raises ShapeError for a sentence without pieces."""
    pieces = [e.pieces for e in examples if e.pieces is not None]
    if len(pieces) < len(examples):
        raise ShapeError("examples", expected="pieces of every sentence, as the encoding reads subwords", got=None)
    before, after = subwords.around
    windows = [subwords.windows(len(p.ids)) for p in pieces]
    of_sentence = [(number, window) for number, those in enumerate(windows) for window in those]
    rows = [[*before, *pieces[number].ids[window.start : window.stop], *after] for number, window in of_sentence]
    width = max(map(len, rows))
    lengths = np.array([len(row) for row in rows])
    real = np.arange(width) < lengths[:, None]  # (W, U)
    ids = np.full(real.shape, subwords.stand_in)
    ids[real] = flat(rows)
    column = np.arange(width)
    special = (column < len(before)) | (column >= (lengths - len(after))[:, None])
    places: list[int] = []
    row = 0
    for those, p in zip(windows, pieces):
        for piece in range(len(p.ids)):
            number = central_window(piece, those) if len(those) > 1 else 0
            places.append((row + number) * width + len(before) + piece - those[number].start)
        row += len(those)
    counts = flat([len(p.ids)] for p in pieces)
    token_shifts = np.repeat(np.cumsum([e.length for e in examples]) - [e.length for e in examples], counts)
    tokens = flat(p.token for p in pieces)
    piece_shifts = np.repeat(counts.cumsum() - counts, [e.length for e in examples])
    return SubwordArrays(
        ids, real, special,
        np.array([number for number, _ in of_sentence]),
        np.array([window.start for _, window in of_sentence]), np.array([window.stop for _, window in of_sentence]),
        len(before), counts, np.array(places, np.int64),
        np.where(tokens < 0, -1, tokens + token_shifts),
        flat(p.first for p in pieces) + piece_shifts, flat(p.last for p in pieces) + piece_shifts,
    )  # fmt: skip


def characters_of(examples: Sequence[Example], vocabulary: CharacterVocabulary) -> CharacterArrays:
    """What the different tokens look like. Raises ShapeError for a sentence without its tokens."""
    tokens = [e.tokens for e in examples if e.tokens is not None]
    if len(tokens) < len(examples):
        raise ShapeError("examples", expected="the tokens of every sentence, as the encoding reads characters", got=None)
    looks = vocabulary.looks(chain.from_iterable(tokens))
    lengths = np.array([len(ids) for ids in looks.characters])
    real = np.arange(lengths.max()) < lengths[:, None]  # (W, L)
    ids = np.full(real.shape, PADDING)
    ids[real] = flat(looks.characters)
    return CharacterArrays(ids, np.array(looks.cases), np.array(looks.place))


def flat(rows: Iterable[Iterable[int]]) -> IntArray:
    """All numbers, one after the other."""
    return np.fromiter(chain.from_iterable(rows), np.int64)


def cut(
    works: Sequence[Work],
    *,
    max_pairs: int,
    max_tokens: int,
    max_sentences: int | None = None,
    seed: int | None = None,
    without_pairs: bool = False,
) -> Iterator[list[int]]:
    """Positions of the examples of each batch.

    Args:
        works: of every example.
        max_pairs, max_tokens, max_sentences: bounds of a batch; tokens count padding. An example that exceeds one by itself is a batch
            of its own.
        seed: of a random order; None: from short to long, which needs the least padding.
        without_pairs: also take examples without pairs, of which a joint model reads the text.
    """
    order = [number for number, work in enumerate(works) if work.pairs or without_pairs]
    if seed is None:
        order.sort(key=lambda number: works[number].tokens)
    else:
        random.Random(seed).shuffle(order)
    batch: list[int] = []
    longest = pairs = 0
    for number in order:
        work = works[number]
        is_full = pairs + work.pairs > max_pairs or max(longest, work.tokens) * (len(batch) + 1) > max_tokens
        if batch and (is_full or len(batch) == max_sentences):
            yield batch
            batch, longest, pairs = [], 0, 0
        batch.append(number)
        longest, pairs = max(longest, work.tokens), pairs + work.pairs
    if batch:
        yield batch
