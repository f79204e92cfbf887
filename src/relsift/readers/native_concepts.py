"""Relations of concepts of a native document: under the key `concept_relations`, on any line of it, the first one as it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from relsift.concepts import without_mentions
from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.readers.native_fields import each_or_none, kind_of, list_under, object_list, optional_id
from relsift.schema import Document, RelationOfConcepts

if TYPE_CHECKING:
    from relsift.readers.native_record import Line

KEY = "concept_relations"
_KEYS = {"head", "tail", "type", "evidence"}


class OfConcepts(NamedTuple):
    """A relation of concepts as its line has it."""

    where: str
    head: str
    tail: str
    type: str
    evidence: tuple[int, ...] | None  # lines counted from this one, 0: itself


def relations_of_concepts(record: dict[str, Any], where: str, report: ReadReport) -> tuple[OfConcepts, ...] | None:
    """Those of a line; None if it has no such key. Raises: DataError for one that is broken."""
    if record.get(KEY) is None:
        return None
    records = object_list(record, KEY, "relation of concepts", _KEYS, where, report)
    found = each_or_none(records, lambda number, value: _of_concepts(value, f"{where}: {KEY} {number}"), "relations", report)
    for value, one in zip(records, found):
        if one is None and isinstance(value, dict) and isinstance(value.get("type"), str):
            report.lost_relations[value["type"]] += 1
    return tuple(one for one in found if one is not None)


def _of_concepts(record: Any, where: str) -> OfConcepts:
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected an object with head, tail and type, got {type(record).__name__}")
    ends = [optional_id(record, name, where) for name in ("head", "tail")]
    if not all(ends):
        raise DataError(f"{where}: expected the ids of two concepts as head and tail, got {shown(ends)}")
    evidence = None
    if record.get("evidence") is not None:
        evidence = tuple(list_under(record, "evidence", where))
        if not all(type(number) is int for number in evidence):
            raise DataError(f"{where}: evidence: expected a list of whole numbers, 0 for this line, got {shown(record['evidence'])}")
    return OfConcepts(where, ends[0] or "", ends[1] or "", kind_of(record, where), evidence)


def concept_relations_of_lines(lines: Sequence[Line], report: ReadReport) -> tuple[RelationOfConcepts, ...] | None:
    """The relations of concepts of the lines of one document; None if no line has the key.

    Raises: DataError naming the line, for evidence on a line that is not of the document; one that was left out is no evidence.
    """
    if all(line.of_concepts is None for line in lines):
        return None
    numbers: dict[int, range] = {}  # line -> its sentences
    size = 0
    for line in lines:
        numbers[line.number] = range(size, size := size + len(line.sentences))
    found = []
    for line in lines:
        for one in line.of_concepts or ():
            with report.leaving_out("relations", relation=one.type):
                found.append(RelationOfConcepts(one.head, one.tail, one.type, _evidence(one, line.number, lines, numbers)))
    return tuple(found)


def _evidence(one: OfConcepts, number: int, lines: Sequence[Line], numbers: dict[int, range]) -> tuple[int, ...] | None:
    if one.evidence is None:
        return None
    first, last = lines[0].number - number, lines[-1].number - number
    if outside := [away for away in one.evidence if not first <= away <= last]:
        raise DataError(f"{one.where}: evidence: expected lines of the same document, {first} to {last}, got {outside[0]}")
    return tuple(sorted({sentence for away in one.evidence for sentence in numbers.get(number + away, ())}))


def count_without_mentions(document: Document, where: str, report: ReadReport) -> Document:
    """The same document; its relations of concepts that no sentence shows are counted as lost."""
    for one in without_mentions(document):
        report.lose_concepts(f"{where}: {shown(one.type)} {shown(one.head)} {shown(one.tail)}", one.type)
    return document
