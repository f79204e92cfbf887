"""The values of one native line: entities, relations, dependency trees, spans. Each is checked; errors name file and line.

`where` is file and line in all functions, `record` the JSON object of the line or of one of its entities or relations.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.schema import Entity, Relation, Syntax

T = TypeVar("T")
R = TypeVar("R")
_LARGEST_NUMBER = 2**63 - 1
WORDS = ("text", "tokens")  # a record has one of them
SYNTAX_KEYS = ("heads", "dependencies", "pos")
ENTITY_KEYS = {"id", "start", "end", "type", "subtype", "chars", "text", "score", "concepts"}
RELATION_KEYS = {"id", "head", "tail", "type", "score", "probability"}


def each_or_none(items: Sequence[T], convert: Callable[[int, T], R], unit: str, report: ReadReport) -> list[R | None]:
    """`convert(number, item)` of each item; None for one that is broken and left out. unit: a plural noun for the report."""
    try:
        return [convert(number, item) for number, item in enumerate(items)]
    except DataError:
        if report.on_error == "stop":
            raise
    converted: list[R | None] = [None] * len(items)
    for number, item in enumerate(items):
        with report.leaving_out(unit):
            converted[number] = convert(number, item)
    return converted


def entity_of(record: Any, number: int, where: str, name: str = "entity") -> Entity:
    """The entity number `number` of a line; its span may lie outside. name: what it is called in messages."""
    if not isinstance(record, dict):
        raise DataError(f"{where}: {name} {number}: expected an object with start, end and type, got {shown(record)}")
    where = f"{where}: {name} {number}"
    start, end = required_field(record, "start", (int,), where), required_field(record, "end", (int,), where)
    subtype = None if record.get("subtype") is None else required_field(record, "subtype", (str,), where)
    chars = None if record.get("chars") is None else character_span(record["chars"], None, "chars", None, where)
    concepts = tuple(map(str, list_under(record, "concepts", where))) if record.get("concepts") is not None else ()
    if not all(concepts) or not set(map(type, record.get("concepts") or ())) <= {str, int}:
        raise DataError(f"{where}: concepts: expected a list of ids, strings or whole numbers, got {shown(record['concepts'])}")
    key = optional_id(record, "id", where)
    return Entity(start, end, kind_of(record, where), subtype, key, chars, _score(record, where), concepts)


def position_of_id(records: Sequence[Any], where: str) -> dict[str, int]:
    """Entity id -> position in the list; entities without id are left out. Raises DataError for an id given twice."""
    positions: dict[str, int] = {}
    for number, record in enumerate(records):
        name = record.get("id") if isinstance(record, dict) else None
        if type(name) is not str and type(name) is not int:
            continue  # none, or refused with its entity
        if str(name) in positions:
            raise DataError(f"{where}: expected each entity id once, got {str(name)!r} twice")
        positions[str(name)] = number
    return positions


def relation_of(record: Any, positions: dict[str, int], size: int, ids_are_numbers: bool, number: int, where: str) -> Relation:
    """A relation whose head and tail are positions among `size` entities.

    Args:
        positions: position of each entity id. ids_are_numbers: a whole number in the record is an id, not a position.
    """
    if type(record) is dict and len(record) == 3 and not ids_are_numbers:  # the common case, in little time
        head, tail, kind = record.get("head"), record.get("tail"), record.get("type")
        if type(head) is type(tail) is int and 0 <= head < size and 0 <= tail < size and head != tail and type(kind) is str and kind:
            return Relation(head, tail, kind)
    where = f"{where}: relation {number}"
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected a JSON object, got {shown(record)}")
    head_and_tail = []
    for role in ("head", "tail"):
        value = required_field(record, role, (int, str), where)
        position = positions.get(str(value)) if isinstance(value, str) or ids_are_numbers else value
        if position is None:
            known = ", ".join(list(positions)[:5]) or "none given"
            raise DataError(f"{where}: {role}: expected the id of an entity (known: {known}) or a position, got {shown(value)}")
        if not 0 <= position < size:
            raise DataError(f"{where}: {role}: expected a position below {size}, the number of entities, got {position}")
        head_and_tail.append(position)
    if head_and_tail[0] == head_and_tail[1]:
        raise DataError(f"{where}: expected two different entities, got {record['head']!r} and {record['tail']!r}")
    return Relation(head_and_tail[0], head_and_tail[1], kind_of(record, where), *scores_of(record, where))


def scores_of(record: dict[str, Any], where: str) -> tuple[float | None, float | None]:
    """The optional score and probability of a relation."""
    return _score(record, where), _probability(record, where)


def kind_of(record: dict[str, Any], where: str) -> str:
    """The type of an entity or a relation."""
    name = required_field(record, "type", (str,), where)
    if not name:
        raise DataError(f"{where}: expected a type, got an empty string")
    return str(name)


def _score(record: dict[str, Any], where: str) -> float | None:
    """The optional score of an entity or a relation."""
    if record.get("score") is None:
        return None
    value = required_field(record, "score", (int, float), where)
    if not math.isfinite(value):
        raise DataError(f"{where}: score: expected a finite number, got {shown(value)}")
    return float(value)


def _probability(record: dict[str, Any], where: str) -> float | None:
    """The optional probability of a relation."""
    if record.get("probability") is None:
        return None
    value = required_field(record, "probability", (int, float), where)
    if not 0 <= value <= 1:
        raise DataError(f"{where}: probability: expected a number from 0 to 1, got {shown(value)}")
    return float(value)


def optional_id(record: dict[str, Any], name: str, where: str) -> str | None:
    """An optional id, as a string."""
    return None if record.get(name) is None else str(required_field(record, name, (str, int), where))


def character_span(value: Any, size: int | None, name: str, number: int | None, where: str) -> tuple[int, int]:
    """A half-open character span, such as [3, 7], inside `size` characters if given."""
    if type(value) is list and len(value) == 2:
        start, end = value
        if type(start) is int and type(end) is int and 0 <= start < end <= (_LARGEST_NUMBER if size is None else size):
            return start, end
    place = f"{where}: {name}" if number is None else f"{where}: {name} {number}"
    inside = "" if size is None else f" <= {size}"
    raise DataError(f"{place}: expected [start, end] with 0 <= start < end{inside}, got {shown(value)}")


def object_list(record: dict[str, Any], name: str, singular: str, known: set[str], where: str, report: ReadReport) -> list[Any]:
    """The items listed under the key `name`, JSON objects if all is well. Values under keys that are not `known` are counted as dropped."""
    items = [] if record.get(name) is None else list_under(record, name, where)
    for number, item in enumerate(items):
        if isinstance(item, dict) and not item.keys() <= known:
            for key in sorted(item.keys() - known):
                report.drop(f"values under the unknown key {shown(key)}", f"{where}: {singular} {number}")
    return items


def list_under(record: dict[str, Any], name: str, where: str) -> list[Any]:
    """The list under the key `name`, empty if there is none."""
    value = record.get(name, [])
    if not isinstance(value, list):
        raise DataError(f"{where}: {name}: expected a list, got {shown(value)}")
    return value


def required_field(record: dict[str, Any], name: str, kinds: tuple[type, ...], where: str) -> Any:
    """The value under a required key, of one of the types `kinds`; true and false are not numbers."""
    if name not in record:
        got = ", ".join(sorted(record)) or "none"
        raise DataError(f"{where}: expected the key {name!r}, got keys {got}")
    value = record[name]
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise DataError(f"{where}: {name}: expected {' or '.join(kind.__name__ for kind in kinds)}, got {shown(value)}")
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise DataError(f"{where}: {name}: expected a number that fits into 64 bits, got {shown(value)}")
    return value


def keys_for_message(record: Mapping[str, Any]) -> str:
    """The keys of a record without words, and the one that may be misspelt."""
    keys = f"keys {', '.join(sorted(record)) or 'none'}"
    for name in WORDS:
        if near := difflib.get_close_matches(name, record, n=1):
            return f"{keys}; did you mean {name!r} by {near[0]!r}?"
    return keys


def syntax_of(record: dict[str, Any], where: str) -> Syntax | None:
    """The dependency trees of a line with `tokens`; None if it has none."""
    present = [name for name in SYNTAX_KEYS if record.get(name) is not None]
    if not present:
        return None
    if len(present) < len(SYNTAX_KEYS):
        raise DataError(f"{where}: expected {', '.join(SYNTAX_KEYS)} together, got only {' and '.join(present)}")
    columns = []
    for name in SYNTAX_KEYS:
        kind = int if name == "heads" else str
        values = list_under(record, name, where)
        if not set(map(type, values)) <= {kind}:
            number, value = next((n, v) for n, v in enumerate(values) if type(v) is not kind)
            raise DataError(f"{where}: {name} {number}: expected {kind.__name__}, got {shown(value)}")
        columns.append(tuple(values))
    return Syntax(*columns)
