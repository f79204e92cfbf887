"""The batch that serves every sentence-level architecture: a few sentences, all their entities, all their candidate pairs.

Letters: S sentences, T tokens (padded to the longest), E entities, P pairs.
Batches are cut by total work (tokens and pairs), not by sentence count.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from relsift.candidates import NO_RELATION, Pair
from relsift.encoding.vocabulary import OUTSIDE, UNKNOWN_WORD, Encoding
from relsift.schema import Sentence


@dataclass(frozen=True)
class Batch:
    """All int64. Pairs and entities are grouped by sentence, in order.

    Padding holds UNKNOWN_WORD and OUTSIDE: mask it by `lengths`.
    """

    tokens: Tensor  # (S, T)  word ids
    tags: Tensor  # (S, T)  BIO tag ids over all entities
    lengths: Tensor  # (S,)    real tokens, >= 1
    entity_sentence: Tensor  # (E,)
    entity_span: Tensor  # (E, 2)  half-open, in tokens of the sentence
    entity_type: Tensor  # (E,)    -1: a type not seen in training
    pair_sentence: Tensor  # (P,)
    pair_head: Tensor  # (P,)    rows of the entity tensors
    pair_tail: Tensor  # (P,)
    label: Tensor  # (P,)    column of the scores, or NO_RELATION

    @property
    def mask(self) -> Tensor:
        """(S, T) bool, True = real token."""
        return torch.arange(self.tokens.shape[1], device=self.tokens.device) < self.lengths[:, None]

    @property
    def num_pairs(self) -> int:
        return len(self.pair_sentence)

    def to(self, device: torch.device | str) -> Batch:
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


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


def encode(sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding, *, labelled: bool = True) -> Example:
    """Raises DataError if a pair's relation type is unknown; `labelled=False` ignores annotations (prediction)."""
    return Example(
        [encoding.word_id(token) for token in sentence.tokens],
        encoding.tag_ids(sentence),
        [(entity.start, entity.end) for entity in sentence.entities],
        [encoding.type_id(entity.type) for entity in sentence.entities],
        [pair.head for pair in pairs],
        [pair.tail for pair in pairs],
        [encoding.label_id(pair.type) if labelled and pair.type is not None else NO_RELATION for pair in pairs],
    )


def collate(examples: Sequence[Example]) -> Batch:
    """Put sentences side by side; entity numbers are shifted so that pairs point at rows of the batch."""
    size = max(len(example.tokens) for example in examples)
    shifts = [0]
    for example in examples:
        shifts.append(shifts[-1] + len(example.spans))

    def pad(rows: Iterable[list[int]], value: int) -> Tensor:
        return torch.tensor([row + [value] * (size - len(row)) for row in rows], dtype=torch.int64)

    def flat(rows: Iterable[Iterable[int]]) -> Tensor:
        return torch.tensor([value for row in rows for value in row], dtype=torch.int64)

    return Batch(
        tokens=pad((e.tokens for e in examples), UNKNOWN_WORD),
        tags=pad((e.tags for e in examples), OUTSIDE),
        lengths=torch.tensor([len(e.tokens) for e in examples], dtype=torch.int64),
        entity_sentence=flat([number] * len(e.spans) for number, e in enumerate(examples)),
        entity_span=torch.tensor([span for e in examples for span in e.spans], dtype=torch.int64).reshape(-1, 2),
        entity_type=flat(e.types for e in examples),
        pair_sentence=flat([number] * len(e.heads) for number, e in enumerate(examples)),
        pair_head=flat([head + shift for head in e.heads] for e, shift in zip(examples, shifts)),
        pair_tail=flat([tail + shift for tail in e.tails] for e, shift in zip(examples, shifts)),
        label=flat(e.labels for e in examples),
    )


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
