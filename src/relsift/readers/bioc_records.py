"""What a BioC file says, the same for XML and JSON: documents of passages with annotations and relations, before any check of offsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relsift.errors import DataError
from relsift.readers.concepts import ConceptRelation, concept_ids
from relsift.text import Span

_TYPE = "type"
_RELATION_TYPES = (_TYPE, "relation", "relation type", "relation_type")  # infons that hold the type of a relation, the usual one first
_IDENTIFIER = "identifier"
_ENDS = (("entity1", "entity2"), ("role1", "role2"))  # infons that hold two concepts: in BioRED, in PubTator 3
_ABOUT = frozenset((*_RELATION_TYPES, "novel", "novelty", "score", "note"))  # infons of a relation that name no concept
_SECOND_FIRST = ("Arg2", "Arg1")  # roles


@dataclass(frozen=True, slots=True)
class BiocAnnotation:
    """A mention."""

    where: str
    id: str
    infons: Mapping[str, str]
    spans: tuple[Span, ...]  # half-open, as the file counts them; at least one
    words: str | None

    @property
    def type(self) -> str:
        """The infon `type`, or the only one. Raises: DataError if there is none."""
        kind = self.infons.get(_TYPE, "").strip()
        if not kind and len(self.infons) == 1:
            kind = next(iter(self.infons.values())).strip()
        if not kind:
            raise DataError(f"{self.where}: expected an annotation with the infon 'type', got {_keys(self.infons)}")
        return kind

    @property
    def concepts(self) -> tuple[str, ...]:
        """The ids that it stands for: its infon `identifier`; without one, all infons but its type (BC5CDR: MESH)."""
        if _IDENTIFIER in self.infons:
            return concept_ids(self.infons[_IDENTIFIER])
        return tuple(key for name, value in self.infons.items() if name != _TYPE for key in concept_ids(value))


@dataclass(frozen=True, slots=True)
class BiocRelation:
    """A relation of two annotations, or of two concepts."""

    where: str
    infons: Mapping[str, str]
    nodes: tuple[tuple[str, str], ...]  # id of an annotation, role
    passage: int | None = None  # number of the passage that holds it; None: the document

    @property
    def type(self) -> str:
        """One of the infons `type` and `relation`. Raises: DataError if there is none."""
        kind = next((value for name in _RELATION_TYPES if (value := self.infons.get(name, "").strip())), "")
        if not kind:
            raise DataError(f"{self.where}: expected a relation with the infon 'type', got {_keys(self.infons)}")
        return kind

    def of_concepts(self) -> ConceptRelation | None:
        """As a relation of two concepts; None if its ends are annotations. Raises: DataError if it names neither."""
        for first, second in _ENDS:
            if first in self.infons and second in self.infons:
                return ConceptRelation(self.where, self.infons[first].strip(), self.infons[second].strip(), self.type)
        if self.nodes:
            return None
        concepts = [value.strip() for name, value in self.infons.items() if name not in _ABOUT]
        if len(concepts) != 2:
            raise DataError(f"{self.where}: expected two nodes, or the infons entity1 and entity2, got {_keys(self.infons)}")
        return ConceptRelation(self.where, concepts[0], concepts[1], self.type)

    def ends(self) -> tuple[str, str] | None:
        """Ids of the annotations at its head and tail; None if it has other than two nodes."""
        if len(self.nodes) != 2:
            return None
        (head, first), (tail, second) = self.nodes
        return (tail, head) if (first, second) == _SECOND_FIRST else (head, tail)


@dataclass(slots=True)
class BiocPassage:
    """A passage, or a sentence of one."""

    where: str
    offset: int  # in the document, as the file counts
    text: str
    annotations: list[BiocAnnotation] = field(default_factory=list)
    sentences: list[BiocPassage] = field(default_factory=list)


@dataclass(slots=True)
class BiocDocument:
    """A document with its relations, those of its passages and sentences too."""

    where: str
    id: str
    passages: list[BiocPassage] = field(default_factory=list)
    annotations: list[BiocAnnotation] = field(default_factory=list)  # outside passages
    relations: list[BiocRelation] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)  # ids of all annotations, of broken ones too


def _keys(infons: Mapping[str, str]) -> str:
    return f"infons {', '.join(sorted(key[:40] for key in infons)[:12])}" if infons else "no infons"
