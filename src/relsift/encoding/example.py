"""One reading of a sentence as integers, with the candidate pairs that share it; made once, batched every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relsift.candidates import Pair
from relsift.encoding.encoding import Encoding
from relsift.encoding.units import grouped
from relsift.schema import Sentence


class Work(NamedTuple):
    """What an example costs, for cutting batches: `tokens` are padded to those of the longest example beside it."""

    tokens: int
    pairs: int


@dataclass(frozen=True)
class Example:
    """Inputs that the encoding does not read are None."""

    length: int  # tokens
    words: list[int] | None
    tags: list[int] | None
    trees: tuple[list[int], list[int], list[int]] | None  # parents (-1: a root), dependency labels, parts of speech
    spans: list[tuple[int, int]]  # of all entities of the sentence, half-open, in tokens
    types: list[int]  # of all entities
    heads: list[int]  # of each pair, a position among the entities
    tails: list[int]
    labels: list[tuple[int, int]]  # (position of a pair, column of the scores), one for each of its relations
    places: list[int]  # of each pair among all candidates of the sentence

    @property
    def work(self) -> Work:
        return Work(self.length, len(self.heads))


def examples_of(sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding, *, labelled: bool = True) -> list[Example]:
    """One example for each group of pairs that share a reading of the sentence (see `relsift.encoding.units`).

    Args: labelled: False ignores annotations (prediction).
    Raises: DataError if a pair's relation type is unknown.
    """
    words = None if encoding.words is None else encoding.words.ids(sentence.tokens)
    spans = [(entity.start, entity.end) for entity in sentence.entities]
    types = [encoding.types.id(entity.type) for entity in sentence.entities]
    trees = None
    if encoding.trees is not None and sentence.syntax is not None:
        trees = (list(sentence.syntax.heads), *encoding.trees.ids(sentence.syntax))
    examples = []
    for places in grouped(pairs, encoding.unit):
        group = [pairs[place] for place in places]
        ends = {position for pair in group for position in (pair.head, pair.tail)}
        examples.append(
            Example(
                len(sentence.tokens),
                words,
                None if encoding.tags is None else encoding.tags.ids(sentence, ends),
                trees,
                spans,
                types,
                [pair.head for pair in group],
                [pair.tail for pair in group],
                [(number, encoding.column(name)) for number, pair in enumerate(group) for name in pair.types] if labelled else [],
                places,
            )
        )
    return examples
