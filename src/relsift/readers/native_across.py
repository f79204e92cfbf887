"""Relations across the lines of a native document: under the key `across`, on the line of the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native_fields import RELATION_KEYS, each_or_none, kind_of, object_list, required_field, scores_of
from relsift.schema import RelationAcross

if TYPE_CHECKING:
    from relsift.readers.native_record import Line

_KEYS = (RELATION_KEYS - {"id"}) | {"away"}


class Across(NamedTuple):
    """A relation whose tail is on another line. Positions are those in the file, where broken entities count."""

    where: str
    head: int
    tail: int
    away: int  # lines from the head's to the tail's; negative: the tail comes first
    type: str
    score: float | None
    probability: float | None


def relations_across(record: dict[str, Any], where: str, report: ReadReport) -> tuple[Across, ...]:
    """Those of a line. Raises: DataError for one that is broken, also without `tokens`, since entities of a text have no line."""
    records = object_list(record, "across", "relation across sentences", _KEYS, where, report)
    if records and "tokens" not in record:
        raise DataError(f'{where}: expected "tokens" beside "across", got only "text"')
    found = each_or_none(records, lambda number, value: _across(value, f"{where}: across {number}"), "relations", report)
    for value, across in zip(records, found):
        if across is None and isinstance(value, dict) and isinstance(value.get("type"), str):
            report.lost_relations[value["type"]] += 1
    return tuple(across for across in found if across is not None)


def _across(record: Any, where: str) -> Across:
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected an object with head, tail, away and type, got {type(record).__name__}")
    head, tail, away = (required_field(record, name, (int,), where) for name in ("head", "tail", "away"))
    if away == 0:
        raise DataError(f'{where}: away: expected another line, such as 1 for the next one, got 0; write it under "relations"')
    return Across(where, head, tail, away, kind_of(record, where), *scores_of(record, where))


def across_of_lines(lines: Sequence[Line], report: ReadReport) -> tuple[RelationAcross, ...]:
    """The relations across sentences of the lines of one document. Those of `Line.further` are counted as lost.

    Raises: DataError naming the line.
    """
    firsts = list(accumulate((len(line.sentences) for line in lines), initial=0))
    by_number = {line.number: (first, line) for line, first in zip(lines, firsts)}
    found = []
    for line, shift in zip(lines, firsts):
        found += [replace(r, head=(r.head[0] + shift, r.head[1]), tail=(r.tail[0] + shift, r.tail[1])) for r in line.across]
        for one in line.further:
            with report.leaving_out("relations", relation=one.type):
                to = line.number + one.away
                if not lines[0].number <= to <= lines[-1].number:
                    expected = f"a line of the same document, {lines[0].number - line.number} to {lines[-1].number - line.number}"
                    raise DataError(f"{one.where}: away: expected {expected}, got {one.away}")
                head = _place(line, one.head, f"{one.where}: head")
                first, other = by_number.get(to, (0, None))
                tail = None if other is None else _place(other, one.tail, f"{one.where}: tail")
                if head is None or tail is None:
                    report.lose_relation("relations of a broken entity", one.where, one.type)
                else:
                    report.lose_across(one.where, one.type)
                    found.append(RelationAcross((shift, head), (first, tail), one.type, one.score, one.probability))
    return tuple(found)


def _place(line: Line, position: int, where: str) -> int | None:
    """The position of an entity of a line in the line's sentence; None: it was left out."""
    if not 0 <= position < len(line.places):
        expected = f"a position below {len(line.places)}, the number of entities on a line with tokens"
        raise DataError(f"{where}: expected {expected}, got {position}")
    return line.places[position]
