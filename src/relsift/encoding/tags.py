"""BIO tags of a sentence's entities, and other things that the tag input can show in their place.

The views measure what the tags are worth, each with a table of the same size:
    entities    the BIO tags of all entities (the `tagged` ones, where a sentence has them)
    untyped     B, I and O alone (rows 1, 2, 0)
    pair        only the two entities of the candidate pair        others    all but these two
    random      each token's tag is drawn by itself from the tags of the training data
    word        so is each word's, once for all its tokens         constant  every token is O
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from relsift.config import TagView
from relsift.encoding.types import EntityTypes
from relsift.errors import DataError
from relsift.schema import Entity, Sentence
from relsift.stable_random import RANGE, stable_integer

OUTSIDE = 0  # the tag of a token outside all entities, and of entities whose type was never seen
DRAWN: tuple[TagView, ...] = ("random", "word")  # views whose tags are drawn from those of the training data
BY_PAIR: tuple[TagView, ...] = ("pair", "others")  # views that differ between the candidate pairs of a sentence


@dataclass(frozen=True)
class TagInput:
    types: EntityTypes  # B of type n is row 2n + 1, I the next one
    view: TagView = "entities"  # what the tags show
    counts: tuple[int, ...] = ()  # tokens of the training data with each tag, to draw from; empty where nothing is drawn
    seed: int = 0  # of the draws
    lowercase: bool = False  # words are compared in lower case, for the view `word`

    @classmethod
    def fit(
        cls, sentences: Sequence[Sentence], types: EntityTypes, *, view: TagView = "entities", seed: int = 0, lowercase: bool = False
    ) -> TagInput:
        """Of the *training* sentences."""
        tags = cls(types, lowercase=lowercase)
        if view in DRAWN:
            counts = Counter(tag for sentence in sentences for tag in tags.ids(sentence))
            tags = replace(tags, counts=tuple(counts[tag] for tag in range(tags.num_rows)), seed=seed)
        return replace(tags, view=view)

    @property
    def num_rows(self) -> int:
        """Rows of a tag table: O, and B and I of every type."""
        return 2 * len(self.types.names) + 1

    def ids(self, sentence: Sentence, pair: Collection[int] = ()) -> list[int]:
        """One tag a token, as `view` says.

        Args: pair: positions of the two entities of a candidate pair; the views `pair` and `others` depend on it.
        Raises: DataError for these views if the sentence has `tagged` entities: which of them would be the pair's?
        """
        size = len(sentence.tokens)
        if self.view == "constant":
            return [OUTSIDE] * size
        if self.view == "word":
            words = map(str.lower, sentence.tokens) if self.lowercase else sentence.tokens
            return [self._drawn(stable_integer(self.seed, word)) for word in words]
        if self.view == "random":
            text = stable_integer(self.seed, sentence.tokens)
            return [self._drawn(stable_integer(text, token)) for token in range(size)]
        row = self._bio(self._entities(sentence, pair), size)
        return row if self.view != "untyped" else [tag and 2 - tag % 2 for tag in row]

    def _entities(self, sentence: Sentence, pair: Collection[int]) -> Iterable[Entity]:
        if self.view not in BY_PAIR:
            return sentence.tag_entities
        if sentence.tagged is not None:
            raise DataError(
                f"sentence {sentence.id!r}: expected no tagged entities for encoding.tags={self.view}, which shows those of the "
                f"annotated pair, got {len(sentence.tagged)}; leave out one of the two"
            )
        inside = self.view == "pair"
        return (entity for position, entity in enumerate(sentence.entities) if (position in pair) == inside)

    def _bio(self, entities: Iterable[Entity], size: int) -> list[int]:
        """Of entities that overlap, the longest (then the first) one is shown: one row cannot hold both."""
        tags = [OUTSIDE] * size
        for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
            kind, start, end = self.types.id(entity.type), entity.start, entity.end
            if kind >= 0 and not any(tags[start:end]):  # a type the model does not know hides nothing
                tags[start:end] = [2 * kind + 1] + [2 * kind + 2] * (end - start - 1)
        return tags

    @cached_property
    def _bounds(self) -> list[int]:
        return list(accumulate(self.counts))

    def _drawn(self, number: int) -> int:
        """The tag of a uniform number in 0 .. RANGE - 1, in proportion to `counts`."""
        return bisect_right(self._bounds, number * self._bounds[-1] // RANGE)
