"""The batch that serves every sentence-level architecture: a few sentences, all their entities, all their candidate pairs.

Letters: S sentences, T tokens (padded to the longest), E entities, P pairs.
Batches are cut by total work (tokens and pairs), not by sentence count.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relsift.candidates import NO_RELATION, Pair
from relsift.encoding.vocabulary import BY_PAIR, OUTSIDE, UNKNOWN_LABEL, UNKNOWN_WORD, Encoding
from relsift.errors import ShapeError
from relsift.schema import ROOT, Sentence

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """All int64. Pairs and entities are grouped by sentence, in order.

    Padding holds UNKNOWN_WORD, OUTSIDE, ROOT and UNKNOWN_LABEL: mask it by `lengths`.
    """

    tokens: Tensor  # (S, T)  word ids
    tags: Tensor  # (S, T)  tag ids, BIO over all entities unless the encoding says otherwise
    lengths: Tensor  # (S,)    real tokens, >= 1
    entity_sentence: Tensor  # (E,)
    entity_span: Tensor  # (E, 2)  half-open, in tokens of the sentence
    entity_type: Tensor  # (E,)    -1: a type not seen in training
    pair_sentence: Tensor  # (P,)
    pair_head: Tensor  # (P,)    rows of the entity tensors
    pair_tail: Tensor  # (P,)
    label: Tensor  # (P,)    column of the scores, or NO_RELATION
    # Dependency trees: None unless the encoding knows their symbols and every sentence of the batch has one.
    head: Tensor | None = None  # (S, T)  token of the same sentence; -1: a root
    dependency: Tensor | None = None  # (S, T)  label of the arc from the head
    pos: Tensor | None = None  # (S, T)

    @property
    def mask(self) -> Tensor:
        """(S, T) bool, True = real token."""
        return torch.arange(self.tokens.shape[1], device=self.tokens.device) < self.lengths[:, None]

    @property
    def num_pairs(self) -> int:
        return len(self.pair_sentence)

    def to(self, device: torch.device | str) -> Batch:
        values: dict[str, Tensor | None] = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: value.to(device) for name, value in values.items() if value is not None})


@dataclass(frozen=True)
class Example:
    """One sentence as integers, with its candidate pairs; made once, batched every epoch."""

    tokens: list[int]
    tags: list[int]
    spans: list[tuple[int, int]]
    types: list[int]
    heads: list[int]
    tails: list[int]
    labels: list[int]
    syntax: tuple[list[int], list[int], list[int]] | None = None  # heads, dependency labels, parts of speech


def examples_of(sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding, *, labelled: bool = True) -> list[Example]:
    """The sentence with all its pairs as one example; where the tags depend on the pair, one copy of the sentence for each of them.

    The pairs of the examples, one after the other, are `pairs` in their order; neighbours of the same two entities share a copy.
    Raises: as `encode`.
    """
    if encoding.tags not in BY_PAIR:
        return [encode(sentence, pairs, encoding, labelled=labelled)]
    groups = [list(its) for _, its in groupby(pairs, key=lambda pair: {pair.head, pair.tail})]
    return [encode(sentence, its, encoding, labelled=labelled) for its in groups or [[]]]


def encode(sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding, *, labelled: bool = True) -> Example:
    """One example: one row of tags.

    labelled: False ignores annotations (prediction).
    Raises: DataError if a pair's relation type is unknown; ShapeError if the pairs need several rows of tags (see `examples_of`).
    """
    ends = {position for pair in pairs for position in (pair.head, pair.tail)} if encoding.tags in BY_PAIR else set()
    if len(ends) > 2:
        raise ShapeError("pairs", expected=f"those of two entities, for the tags {encoding.tags!r}", got=f"{len(ends)} entities")
    types = [pair.type if labelled else None for pair in pairs]
    syntax = sentence.syntax if encoding.dependencies else None
    return Example(
        encoding.word_ids(sentence.tokens),
        encoding.tag_ids(sentence, ends),
        [(entity.start, entity.end) for entity in sentence.entities],
        [encoding.type_id(entity.type) for entity in sentence.entities],
        [pair.head for pair in pairs],
        [pair.tail for pair in pairs],
        [NO_RELATION if type_ is None else encoding.label_id(type_) for type_ in types],
        None if syntax is None else (list(syntax.heads), *encoding.syntax_ids(syntax)),
    )


def collate(examples: Sequence[Example]) -> Batch:
    """Put sentences side by side; entity numbers are shifted so that pairs point at rows of the batch.

    By way of numpy, which takes a stream of numbers; `torch.tensor` wants lists of lists.
    """
    lengths = _flat([len(e.tokens)] for e in examples)  # (S,)
    num_entities = _flat([len(e.spans)] for e in examples)  # (S,)
    num_pairs = _flat([len(e.heads)] for e in examples)  # (S,)
    real = np.arange(lengths.max()) < lengths[:, None]  # (S, T)
    numbers = np.arange(len(examples))
    shifts = np.repeat(num_entities.cumsum() - num_entities, num_pairs)  # (P,)

    def padded(rows: Iterable[list[int]], value: int) -> IntArray:
        table = np.full(real.shape, value)
        table[real] = _flat(rows)
        return table

    arrays = {
        "tokens": padded((e.tokens for e in examples), UNKNOWN_WORD),
        "tags": padded((e.tags for e in examples), OUTSIDE),
        "lengths": lengths,
        "entity_sentence": np.repeat(numbers, num_entities),
        "entity_span": _flat(chain.from_iterable(e.spans for e in examples)).reshape(-1, 2),
        "entity_type": _flat(e.types for e in examples),
        "pair_sentence": np.repeat(numbers, num_pairs),
        "pair_head": _flat(e.heads for e in examples) + shifts,
        "pair_tail": _flat(e.tails for e in examples) + shifts,
        "label": _flat(e.labels for e in examples),
    }
    trees = [e.syntax for e in examples if e.syntax is not None]
    if len(trees) == len(examples):
        columns = (("head", ROOT), ("dependency", UNKNOWN_LABEL), ("pos", UNKNOWN_LABEL))
        arrays |= {name: padded((tree[n] for tree in trees), value) for n, (name, value) in enumerate(columns)}
    return Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def _flat(rows: Iterable[Iterable[int]]) -> IntArray:
    return np.fromiter(chain.from_iterable(rows), np.int64)


def cut(sizes: Sequence[tuple[int, int]], *, max_pairs: int, max_tokens: int, seed: int | None = None) -> Iterator[list[int]]:
    """Positions of the examples of each batch.

    Args:
        sizes: (tokens, pairs) of every example; those without pairs are left out, there is nothing to score in them.
        max_pairs, max_tokens: a batch is closed before it would pass either (tokens count padding); a sentence that passes one by
            itself is a batch of its own.
        seed: shuffles the order; None goes from short to long, which wastes no padding.
    """
    order = [number for number, (_, pairs) in enumerate(sizes) if pairs]
    if seed is None:
        order.sort(key=lambda number: sizes[number][0])
    else:
        random.Random(seed).shuffle(order)
    batch: list[int] = []
    longest = pairs = 0
    for number in order:
        tokens, count = sizes[number]
        if batch and (pairs + count > max_pairs or max(longest, tokens) * (len(batch) + 1) > max_tokens):
            yield batch
            batch, longest, pairs = [], 0, 0
        batch.append(number)
        longest, pairs = max(longest, tokens), pairs + count
    if batch:
        yield batch
