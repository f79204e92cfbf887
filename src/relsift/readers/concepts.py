"""Relations between the concepts of a document (PubTator, BioC), given to the mentions that stand for them.

BioRED, BC5CDR and others relate concept ids, not mentions: "in this document, D008750 causes D003866". relsift relates two mentions of
one sentence, so a relation is expanded:

    In each sentence, every mention of the first concept is related to every mention of the second one.
    A relation of a concept with itself joins each two of its mentions in a sentence, once, from left to right.
    A relation without such a pair in any sentence is counted as lost, and kept in `Document.concept_relations`.

That is distant supervision: a sentence that names both concepts need not say that they are related. A mention with several ids
("D001;D002") stands for each of them; the ids "-1" and "-" stand for none.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.readers.standoff import TextEntity, TextRelation
from relsift.schema import Document, RelationOfConcepts
from relsift.text import Span

NO_CONCEPTS = frozenset(("", "-", "-1", "None"))
_MOST_PAIRS = 10_000  # of one relation in one sentence; more are a fault in the data
_BETWEEN_IDS = re.compile(r"\s*[,;]\s*")
_ID = re.compile(r"(?:[A-Za-z]+:)?[A-Z]{1,2}\d{3,}")  # such as D008750 or MESH:C027260; parts of a variant are none: c|SUB|A|123|G


@dataclass(frozen=True, slots=True)
class ConceptRelation:
    """A relation between two concepts of a document, named by their ids. Raises DataError for an empty one."""

    where: str
    head: str
    tail: str
    type: str

    def __post_init__(self) -> None:
        if not (self.head and self.tail and self.type):
            got = f"{shown(self.type)}, {shown(self.head)} and {shown(self.tail)}"
            raise DataError(f"{self.where}: expected a type and the ids of two concepts, got {got}")


def concept_ids(column: str) -> tuple[str, ...]:
    """The concepts of a mention: the whole column, and its parts if it lists several.

    >>> concept_ids("D007674|D008107"), concept_ids("c|SUB|A|123|G"), concept_ids("-1")
    (('D007674|D008107', 'D007674', 'D008107'), ('c|SUB|A|123|G',), ())
    """
    whole = column.strip()
    parts = _BETWEEN_IDS.split(whole)
    if "|" in whole and all(_ID.fullmatch(part) for part in whole.split("|")):
        parts = whole.split("|")
    return tuple(dict.fromkeys(key for key in (whole, *parts) if key not in NO_CONCEPTS))


def mention_relations(
    relations: Iterable[ConceptRelation],
    entities: Sequence[TextEntity],
    concepts: Mapping[str, Iterable[str]],
    sentences: Sequence[Span],
    report: ReadReport,
) -> list[TextRelation]:
    """The relations between mentions (see the top of this module).

    Args:
        concepts: ids of the concepts of each entity, by the entity's id.
        sentences: half-open character spans, in order.
    Raises: DataError for a relation that would join more than 10,000 pairs in one sentence.
    Counts: relations whose concepts have no two mentions in one sentence, each as lost; mentions that stand for both concepts of a relation
        are no pair.
    """
    starts = [start for start, _ in sentences]
    mentions: dict[str, dict[int, list[TextEntity]]] = defaultdict(lambda: defaultdict(list))  # concept -> sentence -> mentions
    for entity in sorted(entities, key=lambda entity: (entity.start, entity.end)):
        number = bisect.bisect_right(starts, entity.start) - 1
        if number >= 0 and entity.end <= sentences[number][1]:
            for concept in concepts.get(entity.id, ()):
                mentions[concept][number].append(entity)
    expanded: dict[TextRelation, None] = {}
    for relation in relations:
        with report.leaving_out("relations", relation=relation.type):
            pairs = _pairs(relation, mentions)
            if pairs:
                expanded |= dict.fromkeys(pairs)
            else:
                place = f"{relation.where}: {shown(relation.type)} {shown(relation.head)} {shown(relation.tail)}"
                report.lose_concepts(place, relation.type)
    return list(expanded)


def with_concepts(
    document: Document, concepts: Mapping[str, Sequence[str]], relations: Sequence[ConceptRelation] | None
) -> Document:
    """The document with the concepts of its entities, and with the relations of concepts.

    A list of ids ("D001;D002") is not a concept beside its parts, unless a relation names it: some ids have a comma in them.

    Args:
        concepts: as of `mention_relations`. relations: None if no relations of concepts are annotated.
    """
    named = {end for relation in relations or () for end in (relation.head, relation.tail)}
    own = {key: _without_lists(ids, named) for key, ids in concepts.items()}
    sentences = tuple(
        replace(sentence, entities=tuple(replace(entity, concepts=own.get(entity.id or "", ())) for entity in sentence.entities))
        for sentence in document.sentences
    )
    facts = None if relations is None else tuple(RelationOfConcepts(one.head, one.tail, one.type) for one in relations)
    return replace(document, sentences=sentences, concept_relations=facts)


def _without_lists(ids: Sequence[str], named: set[str]) -> tuple[str, ...]:
    lists = {key for key in ids if len(concept_ids(key)) > 1}
    parts_of_named = {part for key in lists & named for part in concept_ids(key)[1:]}
    return tuple(dict.fromkeys(key for key in ids if key in named or (key not in lists and key not in parts_of_named)))


def _pairs(relation: ConceptRelation, mentions: Mapping[str, Mapping[int, Sequence[TextEntity]]]) -> list[TextRelation]:
    heads, tails = mentions.get(relation.head, {}), mentions.get(relation.tail, {})
    found = []
    for number in sorted(heads.keys() & tails.keys()):
        if len(heads[number]) * len(tails[number]) > _MOST_PAIRS:
            raise DataError(
                f"{relation.where}: expected at most {_MOST_PAIRS} pairs of mentions of a relation in one sentence, "
                f"got {len(heads[number])} x {len(tails[number])}"
            )
        same = relation.head == relation.tail
        for head, tail in combinations(heads[number], 2) if same else product(heads[number], tails[number]):
            if head.id != tail.id:
                found.append(TextRelation(head.id, tail.id, relation.type))
    return found
