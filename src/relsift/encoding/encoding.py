"""The symbols of the training data: a vocabulary for each input (words, entity types, tags, trees), and the relation types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

from relsift.config import TagView
from relsift.encoding.characters import CharacterVocabulary
from relsift.encoding.subwords import SubwordInput
from relsift.encoding.tags import BY_PAIR, DRAWN, TagInput
from relsift.encoding.trees import TreeVocabulary
from relsift.encoding.types import EntityTypes
from relsift.encoding.units import Unit
from relsift.encoding.words import WordVocabulary
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.schema import Sentence

Input = Literal["words", "characters", "tags", "types", "trees", "subwords", "spans"]
"""What a model can read of a sentence: words; their characters and case; tags, types and spans of the entities; dependency trees; pieces
of a transformer."""
INPUTS: frozenset[Input] = frozenset(get_args(Input))
WITHOUT_SUBWORDS = INPUTS - {"subwords"}  # what can be collected from sentences alone


@dataclass(frozen=True)
class Encoding:
    """The symbols that a model knows, and how it reads a sentence. Fitted on training data, saved with the model."""

    labels: tuple[str, ...]  # relation types; the position is the column of a model's scores
    types: EntityTypes
    words: WordVocabulary | None  # None: not read; so for tags, trees and characters
    tags: TagInput | None
    trees: TreeVocabulary | None
    reads: frozenset[Input] = INPUTS  # the inputs that batches hold
    unit: Unit = "sentence"  # which pairs share one reading of their sentence
    subwords: SubwordInput | None = None  # None: not read
    characters: CharacterVocabulary | None = None

    @classmethod
    def fit(
        cls,
        sentences: Iterable[Sentence],
        *,
        reads: Iterable[Input] = WITHOUT_SUBWORDS,
        unit: Unit = "sentence",
        lowercase: bool = False,
        min_count: int = 1,
        further: Sequence[str] = (),
        tags: TagView = "entities",
        tags_seed: int = 0,
        subwords: SubwordInput | None = None,
    ) -> Encoding:
        """Collect the symbols of the *training* sentences.

        Args:
            reads: the inputs to collect symbols for. unit: which pairs share a reading, unless the view of the tags decides it.
            lowercase: compare words in lower case. min_count: words that are rarer stay unknown. further: words to know beside them.
            subwords: the tokenizer of the transformer, for a model that reads subwords.
            tags: view of the tags (see `relsift.encoding.tags`). tags_seed: of the views that draw tags.
        Raises: DataError if there is no relation to learn from; ConfigError for a view by pair in a model that reads by head.
        """
        if not isinstance(sentences, Sequence):  # else they are read several times, wherever they are
            sentences = list(sentences)
        inputs = frozenset(reads)
        if not inputs <= INPUTS:
            raise ConfigError(f"model.READS: expected some of {', '.join(sorted(INPUTS))}, got {', '.join(sorted(inputs))}")
        if "subwords" in inputs and subwords is None:
            raise no_transformer()
        labels = {relation.type for sentence in sentences for relation in sentence.relations or ()}
        if not labels:
            raise DataError("training data: expected sentences with relations, got none; is this corpus annotated?")
        types = EntityTypes.fit(sentences)
        if tags in BY_PAIR and "tags" in inputs and unit == "head":
            raise ConfigError(f"encoding.tags: expected a view of all pairs, for a model that reads a sentence once a head, got {tags!r}")
        encoding = cls(
            tuple(sorted(labels)),
            types,
            WordVocabulary.fit(sentences, lowercase=lowercase, min_count=min_count, further=further) if "words" in inputs else None,
            TagInput.fit(sentences, types, view=tags, seed=tags_seed, lowercase=lowercase) if "tags" in inputs else None,
            TreeVocabulary.fit(sentences) if "trees" in inputs else None,
            inputs,
            subwords=subwords if "subwords" in inputs else None,
            characters=CharacterVocabulary.fit(sentences) if "characters" in inputs else None,
        )
        return replace(encoding, unit=encoding.unit_for(unit))

    def unit_for(self, unit: Unit) -> Unit:
        """Which pairs share a reading, for a model that by itself has `unit`: tags may differ between pairs."""
        return "pair" if self.tags is not None and self.tags.view in BY_PAIR else unit

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.labels)}

    def column(self, relation: str) -> int:
        """The column of a relation type in the scores. Raises DataError for a relation type that training data did not have."""
        if relation not in self._columns:
            raise DataError(f"relation type: expected one of {', '.join(self.labels)}, got {relation!r}")
        return self._columns[relation]

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"reads": sorted(self.reads), "unit": self.unit, "labels": self.labels, "entity_types": self.types.names}
        if self.words is not None:
            value["words"] = {"words": self.words.words, "lowercase": self.words.lowercase}
            if self.words.further:
                value["words"]["further"] = self.words.further
        if self.tags is not None:
            value["tags"] = {"view": self.tags.view, "counts": self.tags.counts, "seed": self.tags.seed, "lowercase": self.tags.lowercase}
        if self.trees is not None:
            value["trees"] = {"dependencies": self.trees.dependencies, "pos": self.trees.pos}
        if self.characters is not None:
            value["characters"] = "".join(self.characters.characters)
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any], subwords: SubwordInput | None = None) -> Encoding:
        """Raises CheckpointError for what `to_json` does not write.

        Args: subwords: the tokenizer of the transformer, which has files of its own.
        """
        try:
            types = EntityTypes(_names(value, "entity_types"))
            words, tags, trees, characters = (value.get(name) for name in ("words", "tags", "trees", "characters"))
            reads, unit = frozenset(value["reads"]), value["unit"]
            if not reads <= INPUTS or unit not in get_args(Unit):
                got = f"{str(sorted(reads))[:200]} and {str(unit)[:100]!r}"
                raise CheckpointError(f"model.json: encoding: expected known inputs and a known unit, got {got}")
            parts = {"words": words, "tags": tags, "trees": trees, "subwords": subwords, "characters": characters}
            present, read = {name for name in parts if parts[name] is not None}, reads & parts.keys()
            if present != read:
                raise CheckpointError(f"model.json: encoding: expected the parts {sorted(read)}, as reads says, got {sorted(present)}")
            return cls(
                _names(value, "labels"),
                types,
                None if words is None else _word_vocabulary(words),
                None if tags is None else _tag_input(types, tags["view"], tags["counts"], tags["seed"], _switch(tags, "lowercase")),
                None if trees is None else TreeVocabulary(_names(trees, "dependencies"), _names(trees, "pos")),
                reads,
                unit,
                subwords,
                None if characters is None else CharacterVocabulary(_characters(characters)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            expected = "reads, unit, labels, entity_types and the inputs that are read"
            raise CheckpointError(f"model.json: encoding: expected {expected}; got {error!r}") from error


def no_transformer() -> ConfigError:
    """An error to raise where a model reads a transformer and none is named."""
    expected = "the folder or hub id of a transformer, which this model reads"
    return ConfigError(f"encoding.encoder: expected {expected}, got none; name one with --encoder")


def _names(value: dict[str, Any], key: str) -> tuple[str, ...]:
    """Symbols from a file; twice the same one would shift the rows of a table, or the columns of the scores."""
    names = value[key]
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise CheckpointError(f"model.json: encoding: {key}: expected different texts, got {str(names)[:100]}")
    return tuple(names)


def _word_vocabulary(value: dict[str, Any]) -> WordVocabulary:
    further = _names(value, "further") if "further" in value else ()
    words = WordVocabulary(_names(value, "words"), _switch(value, "lowercase"), further)
    _names({"words and further": words.all}, "words and further")
    return words


def _characters(text: Any) -> tuple[str, ...]:
    if not isinstance(text, str) or len(set(text)) < len(text):
        raise CheckpointError(f"model.json: encoding: characters: expected a text of different characters, got {str(text)[:100]!r}")
    return tuple(text)


def _switch(value: dict[str, Any], key: str) -> bool:
    if not isinstance(value[key], bool):
        raise CheckpointError(f"model.json: encoding: {key}: expected true or false, got {value[key]!r}")
    return bool(value[key])


def _tag_input(types: EntityTypes, view: Any, counts: Sequence[int], seed: Any, lowercase: bool) -> TagInput:
    """Check the values of a file. Raises CheckpointError for an unknown view, or counts from which no tag can be drawn."""
    if view not in get_args(TagView):
        raise CheckpointError(f"model.json: encoding: tags: expected one of {', '.join(get_args(TagView))}, got {view!r}")
    if not all(type(number) is int and number >= 0 for number in (*counts, seed)):
        raise CheckpointError(f"model.json: encoding: tags: expected whole numbers >= 0 as counts and seed, got {[*counts, seed]}")
    tags = TagInput(types, view, tuple(counts), seed, lowercase)
    if view in DRAWN and not (len(tags.counts) == tags.num_rows and sum(tags.counts) > 0):
        raise CheckpointError(f"model.json: encoding: tags: expected {tags.num_rows} counts to draw tags from, got {tags.counts}")
    return tags
