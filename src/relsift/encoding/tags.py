"""BIO tags of a sentence's entities, and other tags in their place, to measure what the tags are worth.

The view says what a token's tag shows. All views have a table of the same size:
    entities    BIO tags of all entities (the `tagged` ones, where a sentence has them)
    untyped     the same without types: B, I and O are rows 1, 2 and 0
    pair        BIO tags of the two entities of the candidate pair
    others      BIO tags of all entities but these two
    random      a tag drawn for each token from the tags of the training data
    word        a tag drawn for each word, the same for all its tokens
    constant    O
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
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
    """From entities to tags. A tag is a row of the table of tags: 0 is O."""

    types: EntityTypes  # B of type n is row 2n + 1, I the next one
    view: TagView = "entities"  # what the tags show
    counts: tuple[int, ...] = ()  # tokens of the training data with each tag, to draw from; empty where nothing is drawn
    seed: int = 0  # of the drawn tags
    lowercase: bool = False  # words are compared in lower case, for the view `word`

    @classmethod
    def fit(
        cls, sentences: Sequence[Sentence], types: EntityTypes, *, view: TagView = "entities", seed: int = 0, lowercase: bool = False
    ) -> TagInput:
        """The tag input for a model of these *training* sentences."""
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
        Raises: DataError for these views if the sentence has `tagged` entities, since it is not known which of them are the pair's.
        """
        size = len(sentence.tokens)
        if self.view == "constant":
            return [OUTSIDE] * size
        if self.view == "word":
            words = map(str.lower, sentence.tokens) if self.lowercase else sentence.tokens
            return [self._draw(stable_integer(self.seed, word)) for word in words]
        if self.view == "random":
            sentence_seed = stable_integer(self.seed, sentence.tokens)
            return [self._draw(stable_integer(sentence_seed, token)) for token in range(size)]
        tags = self._bio(self._entities(sentence, pair), size)
        return tags if self.view != "untyped" else [tag and 2 - tag % 2 for tag in tags]

    def _entities(self, sentence: Sentence, pair: Collection[int]) -> Iterable[Entity]:
        if self.view not in BY_PAIR:
            return sentence.tag_entities
        self._check(sentence)
        if self.view == "pair":
            return [sentence.entities[position] for position in sorted(set(pair))]
        return (entity for position, entity in enumerate(sentence.entities) if position not in pair)

    def _check(self, sentence: Sentence) -> None:
        """Raises DataError if a view by pair cannot show the sentence."""
        if sentence.tagged is not None:
            raise DataError(
                f"sentence {sentence.id!r}: expected no tagged entities for encoding.tags={self.view}, which shows those of the "
                f"annotated pair, got {len(sentence.tagged)}; leave out one of the two"
            )

    def of_pair(self, sentence: Sentence, pair: tuple[int, ...]) -> Iterable[int]:
        """`ids`, made anew each time that they are read: those of all pairs of a long sentence would not fit into memory."""
        if self.view not in BY_PAIR:
            return self.ids(sentence)
        self._check(sentence)
        return _TagsOfPair(self, sentence, pair)

    def _bio(self, entities: Iterable[Entity], size: int) -> list[int]:
        """The BIO tags of the entities. Of entities that overlap, the longest (then the first) is shown: a token has one tag."""
        tags = [OUTSIDE] * size
        for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
            kind, start, end = self.types.id(entity.type), entity.start, entity.end
            if kind >= 0 and not any(tags[start:end]):  # an entity of an unknown type has no tag and hides no other entity
                tags[start:end] = [2 * kind + 1] + [2 * kind + 2] * (end - start - 1)
        return tags

    @cached_property
    def _cumulative_counts(self) -> list[int]:
        return list(accumulate(self.counts))

    def _draw(self, number: int) -> int:
        """The tag for a random number in 0 .. RANGE - 1, in proportion to `counts`."""
        return bisect_right(self._cumulative_counts, number * self._cumulative_counts[-1] // RANGE)


@dataclass(frozen=True, slots=True)
class _TagsOfPair:
    tags: TagInput
    sentence: Sentence
    pair: tuple[int, ...]

    def __iter__(self) -> Iterator[int]:
        return iter(self.tags.ids(self.sentence, self.pair))
