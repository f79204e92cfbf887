"""What a model knows of its training data: words, entity types, relation types, and, if it reads trees, their symbols and their parser.

Frozen, and plain JSON when saved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, get_args

from relsift.config import TagView
from relsift.errors import CheckpointError, DataError
from relsift.schema import Entity, Sentence, Syntax
from relsift.stable_random import RANGE, stable_integer

UNKNOWN_WORD = 0  # every word not seen in training
UNKNOWN_LABEL = 0  # every dependency label and part of speech not seen in training
OUTSIDE = 0  # the BIO tag of a token outside all entities, and of entities whose type was never seen
DRAWN: tuple[TagView, ...] = ("random", "word")  # tags that are drawn from those of the training data
BY_PAIR: tuple[TagView, ...] = ("pair", "others")  # tags that differ between the candidate pairs of a sentence


@dataclass(frozen=True)
class Encoding:
    """Symbols to row numbers.

    words: id = position + 1; 0 is UNKNOWN_WORD. entity_types: B_type has tag id 2 * position + 1, I_type the next one; 0 is O.
    labels: relation types; id = position = column of a model's scores.
    dependencies, pos: id = position + 1; 0 is UNKNOWN_LABEL. Both empty: the model reads no trees, and none are encoded.
    parser: the pipeline that parsed sentences without trees (see `relsift.annotators`); None: trees came with the data.
    tags: what the tag input shows. *entities*: the BIO tags of all entities (the `tagged` ones, where a sentence has them). The others
        measure what those are worth, with a table of the same size. *untyped*: B, I and O alone (rows 1, 2, 0); *pair*: only the two
        entities of the candidate pair; *others*: all but these two; *random*: each token's tag is drawn by itself from the tags of the
        training data; *word*: so is each word's, once for all its tokens; *constant*: every token is O.
    tag_counts: how many tokens of the training data have each tag, to draw from; empty where nothing is drawn. tag_seed: of the draws.
    """

    words: tuple[str, ...]
    entity_types: tuple[str, ...]
    labels: tuple[str, ...]
    lowercase: bool = False
    dependencies: tuple[str, ...] = ()
    pos: tuple[str, ...] = ()
    parser: str | None = None
    tags: TagView = "entities"
    tag_counts: tuple[int, ...] = ()
    tag_seed: int = 0

    @classmethod
    def fit(
        cls,
        sentences: Iterable[Sentence],
        *,
        lowercase: bool = False,
        min_count: int = 1,
        syntax: bool = True,
        parser: str | None = None,
        tags: TagView = "entities",
        tag_seed: int = 0,
    ) -> Encoding:
        """Collect the symbols of the *training* sentences; words rarer than `min_count` stay unknown.

        syntax: collect the symbols of trees too, where there are trees.

        Raises: DataError if there is no relation to learn from.
        """
        sentences = list(sentences)
        counts: Counter[str] = Counter()
        types: set[str] = set()
        labels: set[str] = set()
        dependencies: set[str] = set()
        pos: set[str] = set()
        for sentence in sentences:
            counts.update(token.lower() if lowercase else token for token in sentence.tokens)
            types.update(entity.type for entity in sentence.entities)
            types.update(entity.type for entity in sentence.tagged or ())
            labels.update(relation.type for relation in sentence.relations or ())
            if syntax and sentence.syntax is not None:
                dependencies.update(sentence.syntax.dependencies)
                pos.update(sentence.syntax.pos)
        if not labels:
            raise DataError("training data: expected sentences with relations, got none; is this corpus annotated?")
        words = tuple(word for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= min_count)
        types_and_labels = tuple(sorted(types)), tuple(sorted(labels))
        made = cls(words, *types_and_labels, lowercase, tuple(sorted(dependencies)), tuple(sorted(pos)), parser)
        if tags in DRAWN:
            seen = Counter(tag for sentence in sentences for tag in made.tag_ids(sentence))
            made = replace(made, tag_counts=tuple(seen[tag] for tag in range(made.num_tags)), tag_seed=tag_seed)
        return replace(made, tags=tags)

    @cached_property
    def _word_ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=1)}

    @cached_property
    def _type_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.entity_types)}

    @cached_property
    def _label_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.labels)}

    @cached_property
    def _dependency_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.dependencies, start=1)}

    @cached_property
    def _pos_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.pos, start=1)}

    @property
    def num_words(self) -> int:
        """Rows of a word table, the unknown word included."""
        return len(self.words) + 1

    @property
    def num_tags(self) -> int:
        """Rows of a tag table: O, and B and I of every type."""
        return 2 * len(self.entity_types) + 1

    @property
    def num_dependencies(self) -> int:
        """Rows of a table of dependency labels, the unknown one included."""
        return len(self.dependencies) + 1

    @property
    def num_pos(self) -> int:
        """Rows of a table of parts of speech, the unknown one included."""
        return len(self.pos) + 1

    def word_ids(self, words: Iterable[str]) -> list[int]:
        known = self._word_ids
        return [known.get(word, UNKNOWN_WORD) for word in (map(str.lower, words) if self.lowercase else words)]

    def type_id(self, name: str) -> int:
        """-1 for a type never seen in training."""
        return self._type_ids.get(name, -1)

    def label_id(self, name: str) -> int:
        """Raises DataError for a relation type that training data did not have."""
        if name not in self._label_ids:
            raise DataError(f"relation type: expected one of {', '.join(self.labels)}, got {name!r}")
        return self._label_ids[name]

    def tag_ids(self, sentence: Sentence, pair: Collection[int] = ()) -> list[int]:
        """One tag a token, as `tags` says.

        Args: pair: positions of the two entities of a candidate pair; the views `pair` and `others` depend on it.
        Raises: DataError for these views if the sentence has `tagged` entities: which of them would be the pair's?
        """
        size = len(sentence.tokens)
        if self.tags == "constant":
            return [OUTSIDE] * size
        if self.tags == "word":
            words = map(str.lower, sentence.tokens) if self.lowercase else sentence.tokens
            return [self._tag_of(stable_integer(self.tag_seed, word)) for word in words]
        if self.tags == "random":
            text = stable_integer(self.tag_seed, sentence.tokens)
            return [self._tag_of(stable_integer(text, token)) for token in range(size)]
        shown: Iterable[Entity] = sentence.shown
        if self.tags in BY_PAIR:
            if sentence.tagged is not None:
                raise DataError(
                    f"sentence {sentence.id!r}: expected no tagged entities for encoding.tags={self.tags}, which shows those of the "
                    f"annotated pair, got {len(sentence.tagged)}; leave out one of the two"
                )
            inside = self.tags == "pair"
            shown = (entity for position, entity in enumerate(sentence.entities) if (position in pair) == inside)
        row = self._bio(shown, size)
        return row if self.tags != "untyped" else [tag and 2 - tag % 2 for tag in row]

    def _bio(self, entities: Iterable[Entity], size: int) -> list[int]:
        """One BIO tag a token. Of entities that overlap, the longest (then the first) one is shown: one row cannot hold both."""
        tags = [OUTSIDE] * size
        for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
            kind, start, end = self.type_id(entity.type), entity.start, entity.end
            if kind >= 0 and not any(tags[start:end]):  # a type the model does not know hides nothing
                tags[start:end] = [2 * kind + 1] + [2 * kind + 2] * (end - start - 1)
        return tags

    @cached_property
    def _tag_bounds(self) -> list[int]:
        return list(accumulate(self.tag_counts))

    def _tag_of(self, number: int) -> int:
        """The tag of a uniform number in 0 .. RANGE - 1, in proportion to `tag_counts`."""
        bounds = self._tag_bounds
        return bisect_right(bounds, number * bounds[-1] // RANGE)

    def syntax_ids(self, syntax: Syntax) -> tuple[list[int], list[int]]:
        """Dependency labels and parts of speech, one of each a token."""
        labels, tags = self._dependency_ids, self._pos_ids
        return [labels.get(name, UNKNOWN_LABEL) for name in syntax.dependencies], [tags.get(name, UNKNOWN_LABEL) for name in syntax.pos]

    def to_json(self) -> dict[str, Any]:
        value = {"words": self.words, "entity_types": self.entity_types, "labels": self.labels, "lowercase": self.lowercase}
        if self.dependencies or self.pos or self.parser is not None:
            value |= {"dependencies": self.dependencies, "pos": self.pos, "parser": self.parser}
        if self.tags != "entities":
            value |= {"tags": self.tags, "tag_counts": self.tag_counts, "tag_seed": self.tag_seed}
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Encoding:
        try:
            words, types, labels = (tuple(value[name]) for name in ("words", "entity_types", "labels"))
            dependencies, pos = (tuple(value.get(name, ())) for name in ("dependencies", "pos"))
            made = cls(words, types, labels, bool(value["lowercase"]), dependencies, pos, value.get("parser"))
            return made if "tags" not in value else made._viewed(value["tags"], tuple(value["tag_counts"]), int(value["tag_seed"]))
        except (KeyError, TypeError) as error:
            expected = "words, entity_types, labels, lowercase"
            raise CheckpointError(f"model.json: encoding: expected {expected}; got {error!r}") from error

    def _viewed(self, tags: Any, counts: tuple[int, ...], seed: int) -> Encoding:
        if tags not in get_args(TagView):
            raise CheckpointError(f"model.json: encoding: tags: expected one of {', '.join(get_args(TagView))}, got {tags!r}")
        if tags in DRAWN and not (len(counts) == self.num_tags and sum(counts) > 0):
            raise CheckpointError(f"model.json: encoding: tag_counts: expected {self.num_tags} counts to draw tags from, got {counts}")
        return replace(self, tags=tags, tag_counts=counts, tag_seed=seed)
