"""One reading of a sentence as integers, with the candidate pairs that share it. Encoded once, put into batches in every epoch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from relsift.candidates import Pair
from relsift.encoding.encoding import Encoding
from relsift.encoding.subwords import Pieces
from relsift.encoding.units import grouped
from relsift.schema import Sentence


class Work(NamedTuple):
    """The cost of an example, by which examples are divided into batches."""

    tokens: int  # without padding; pieces, where a transformer reads them
    pairs: int


@dataclass(frozen=True, slots=True)
class Example:
    """One reading of a sentence. Inputs that the encoding does not read are None."""

    length: int  # tokens
    words: list[int] | None
    tags: Iterable[int] | None  # one a token; of a view by pair they are made anew each time
    trees: tuple[list[int], list[int], list[int]] | None  # parents (-1: a root), dependency labels, parts of speech
    spans: list[tuple[int, int]]  # of all entities of the sentence, half-open, in tokens
    types: list[int]  # of all entities
    heads: list[int]  # of each pair, a position in `spans`
    tails: list[int]  # of each pair, a position in `spans`
    labels: list[tuple[int, int]]  # (position of a pair in `heads`, column of the scores), one for each relation
    places: list[int]  # of each pair, its position among all candidates of the sentence
    pieces: Pieces | None = None  # of the sentence's text, for a transformer
    tokens: Sequence[str] | None = None  # where their characters are read
    annotated: bool = True  # whether the entities are annotated ones; False: a model found them

    @property
    def work(self) -> Work:
        return Work(self.length if self.pieces is None else len(self.pieces.ids), len(self.heads))


def examples_of(sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding, *, labelled: bool = True) -> list[Example]:
    """One example for each group of pairs that share a reading of the sentence (see `relsift.encoding.units`).

    Args: labelled: False ignores the annotated relations, for prediction.
    Raises: DataError for an annotated relation whose type training did not have.
    """
    words = None if encoding.words is None else encoding.words.ids(sentence.tokens)
    spans = [(entity.start, entity.end) for entity in sentence.entities]
    types = [encoding.types.id(entity.type) for entity in sentence.entities]
    trees = None
    if encoding.trees is not None and sentence.syntax is not None:
        trees = (list(sentence.syntax.heads), *encoding.trees.ids(sentence.syntax))
    pieces = None if encoding.subwords is None else encoding.subwords.pieces(sentence)
    examples = []
    for places in grouped(pairs, encoding.unit):
        group = pairs if len(places) == len(pairs) else [pairs[place] for place in places]
        examples.append(
            Example(
                len(sentence.tokens),
                words,
                None if encoding.tags is None else encoding.tags.of_pair(sentence, group[0][:2] if group else ()),
                trees,
                spans,
                types,
                [pair[0] for pair in group],
                [pair[1] for pair in group],
                [(number, encoding.column(name)) for number, pair in enumerate(group) for name in pair.types] if labelled else [],
                places,
                pieces,
                None if encoding.characters is None else sentence.tokens,
            )
        )
    return examples


def with_entities(example: Example, sentence: Sentence, pairs: Sequence[Pair], encoding: Encoding) -> Example:
    """The example of a sentence's text with the entities of `sentence` and these pairs, for an encoding of the unit "sentence".

    The text is not encoded again. Relations are left out, for prediction.
    """
    return replace(
        example,
        tags=None if encoding.tags is None else encoding.tags.ids(sentence, {position for pair in pairs for position in pair[:2]}),
        spans=[(entity.start, entity.end) for entity in sentence.entities],
        types=[encoding.types.id(entity.type) for entity in sentence.entities],
        heads=[pair.head for pair in pairs], tails=[pair.tail for pair in pairs], labels=[], places=list(range(len(pairs))),
    )  # fmt: skip
