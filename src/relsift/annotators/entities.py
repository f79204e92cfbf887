"""Entities from several annotators together, with the types of a relation model: what makes such a model run on text.

Sentences that have entities stay as they are; only those without any are annotated. To annotate a sentence anew, take its entities away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from relsift.annotators.base import Addition, Annotator, find_annotator, kind_of, split_options, split_spec
from relsift.annotators.entity_annotator import joined_reports, with_found
from relsift.annotators.trees import annotated
from relsift.errors import ConfigError, require
from relsift.json_schema import Strict, conform
from relsift.readers.base import ReadReport
from relsift.schema import Entity, Sentence

_SPECS = "one annotator or more, as texts such as 'spacy:en_core_web_sm'"
_TYPES = "a table of types that are not blank, such as {'PERSON': 'PER', 'DATE': None}"


@dataclass(frozen=True)
class EntitySource:
    """Which annotators find entities, and what their types are called in the model.

    Raises: ConfigError for no annotator, for a blank type, and for values of other kinds.
    """

    specs: tuple[str, ...]  # see `find_annotator`; an earlier one wins where entities overlap
    types: Mapping[str, str | None] = field(default_factory=dict)  # annotators' type -> model's; None: left out; others stay as they are

    def __post_init__(self) -> None:
        is_list = isinstance(self.specs, tuple) and len(self.specs) > 0
        require(is_list and all(map(_is_name, self.specs)), "entities.specs", expected=_SPECS, got=self.specs)
        require(isinstance(self.types, Mapping), "entities.types", expected=_TYPES, got=self.types)
        are_named = all(map(_is_name, self.types)) and all(kind is None or _is_name(kind) for kind in self.types.values())
        require(are_named, "entities.types", expected=_TYPES, got=dict(self.types))

    def to_json(self) -> dict[str, Any]:
        return {"specs": list(self.specs), "types": dict(self.types)}

    @classmethod
    def from_json(cls, value: Any, where: str = "entities") -> EntitySource:
        """The inverse of `to_json`. Raises ConfigError beginning with `where` for anything else."""
        advice = 'expected is {"specs": ["spacy:en_core_web_sm"], "types": {"PERSON": "PER", "DATE": null}}'
        checked = conform(_Json, value, where, error=ConfigError, advice=advice)
        return cls(tuple(checked.specs), checked.types)

    def pinned(self) -> EntitySource:
        """The same with the versions that are installed; a spec that names one stays. Raises ConfigError as `find_annotator`."""
        return replace(self, specs=tuple(map(_pinned, self.specs)))


class _Json(Strict):
    specs: list[str]
    types: dict[str, str | None]


class EntityAnnotators(Annotator):
    """Several annotators and a type table."""

    ADDS: ClassVar[Addition] = "entities"

    def __init__(self, annotators: Sequence[Annotator], types: Mapping[str, str | None]) -> None:
        """Args: annotators: in their order of precedence. types: as of `EntitySource`."""
        self.annotators = tuple(annotators)
        self.types = types
        self._report = ReadReport()

    @property
    def spec(self) -> str:
        return " + ".join(annotator.spec for annotator in self.annotators)

    @property
    def report(self) -> ReadReport:
        """What was left out or changed since the annotators were made."""
        return joined_reports((self._report, *(getattr(annotator, "report", None) for annotator in self.annotators)))

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences; each without entities gets those found, in text order, with `chars` if it has offsets.

        A type is renamed first, and an entity whose type is left out takes no place from another one. Then an entity is taken unless it
        shares a token with one of an earlier annotator; entities of one annotator may overlap if it says so.

        Raises: ConfigError naming the annotator that fails, or does not return the sentences it was given.
        """
        bare = [sentence for sentence in sentences if not sentence.entities]
        kept: list[list[Entity]] = [[] for _ in bare]
        for annotator in self.annotators:
            for number, sentence in enumerate(_found(annotator, bare)):
                kept[number] += self._free(sentence, kept[number])
        complete = iter([with_found(sentence, entities) for sentence, entities in zip(bare, kept)])
        return [sentence if sentence.entities else next(complete) for sentence in sentences]

    def _free(self, sentence: Sentence, earlier: Sequence[Entity]) -> list[Entity]:
        """The entities of the sentence, with the model's types, that share no token with earlier ones."""
        covered = {token for entity in earlier for token in range(entity.start, entity.end)}
        known = {(entity.start, entity.end, entity.type) for entity in earlier}
        free: dict[tuple[int, int, str], Entity] = {}
        for entity in self._renamed(sentence):
            key = (entity.start, entity.end, entity.type)
            if covered.isdisjoint(range(entity.start, entity.end)):
                free.setdefault(key, entity)
            elif key not in known:
                self._report.drop("entities that overlap one of an earlier annotator", _place(sentence, entity))
        return list(free.values())

    def _renamed(self, sentence: Sentence) -> Iterator[Entity]:
        for entity in sentence.entities:
            name = self.types.get(entity.type, entity.type)
            if name is None:
                self._report.drop("entities of types that the type table leaves out", _place(sentence, entity))
            else:
                yield replace(entity, type=name)


def entity_annotator(source: EntitySource) -> EntityAnnotators:
    """The annotators of a source, which are loaded here or with the first sentence: keep it. Raises ConfigError as `find_annotator`."""
    return EntityAnnotators([find_annotator(spec, "entities") for spec in source.specs], source.types)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _found(annotator: Annotator, sentences: Sequence[Sentence]) -> list[Sentence]:
    """What one annotator returns. Raises ConfigError for anything but the sentences it was given, with entities."""
    found = annotated(annotator.spec, annotator, sentences)
    if [replace(sentence, entities=()) for sentence in found] != list(sentences):
        problem = f"expected the {len(sentences)} sentences it was given, in order, got {len(found)} other ones"
        raise ConfigError(f"annotator {annotator.spec!r}: {problem}")
    return found


def _pinned(spec: str) -> str:
    bare, _ = split_options(spec)
    kind, argument = split_spec(bare, "entities")
    if "==" in argument or not kind_of(kind, "entities").VERSIONED:
        return spec
    return find_annotator(spec, "entities").spec


def _place(sentence: Sentence, entity: Entity) -> str:
    return f"sentence {sentence.id!r}: {sentence.text_of(entity)!r}"
