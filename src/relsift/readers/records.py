"""For readers of formats that bring their own tokens: check JSON values, make sentences from token indices.

`standoff` does the same for formats that annotate character offsets.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.readers.base import ReadReport, beginning_of, first_lines, parse_json, read_text, shown, text_lines
from relsift.readers.encodings import UTF8
from relsift.schema import Entity, Relation, Sentence
from relsift.text import Span

T = TypeVar("T")
_RECOGNITION_BYTES = 1 << 18  # bytes of a JSON file that are first read to recognise its format; records can be longer
_BETWEEN_RECORDS = " \t\r\n"
# Escapes of U+0000, and numbers that are not finite: JSON for Python, and rare.
_MAY_BE_UNUSABLE = re.compile(r"\\u0000|NaN|Infinity|[eE]\+?[0-9]{2}|[0-9]{300}")
_DECODER = json.JSONDecoder()


def json_records(file: Path, report: ReadReport, encoding: str = UTF8, *, unit: str) -> Iterator[tuple[int, Any]]:
    """The records of a file with the line of each: the items of one JSON array, or one object a line, or one object over several lines.

    Args: unit: what a line that is no JSON counts as, such as "documents".
    Raises: DataError naming file and line, also for a file without a record.
    """
    text = "\n".join(text_lines(read_text(file, encoding)))
    start = len(text) - len(text.lstrip(_BETWEEN_RECORDS))
    if start == len(text):
        raise DataError(f"{file}:1: expected at least one JSON record, got an empty file")
    if text[start] == "[":
        yield from _array_items(text, start + 1, file, report)
    elif text[start] == "{" and _spans_lines(text, start):
        yield 1 + text.count("\n", 0, start), _parse(text, file, expected="one JSON object")
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                with report.leaving_out(unit):
                    yield number, _parse(line, file, expected="one JSON object a line", line=number)


def _spans_lines(text: str, start: int) -> bool:
    """Whether the first object ends on a later line than it begins, and nothing follows it."""
    if text.find("\n", start) < 0:
        return False
    try:
        _, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return False
    return "\n" in text[start:end] and not text[end:].strip(_BETWEEN_RECORDS)


def _array_items(text: str, offset: int, file: Path, report: ReadReport) -> Iterator[tuple[int, Any]]:
    """The items of an array whose first item begins at `offset` or behind it."""
    line, counted, num_items = 1, 0, 0
    while True:
        while offset < len(text) and text[offset] in _BETWEEN_RECORDS:
            offset += 1
        line, counted = line + text.count("\n", counted, offset), offset
        if num_items or text[offset : offset + 1] == "]":
            mark = text[offset : offset + 1]
            offset += 1
            if mark == "]":
                break
            if mark != ",":
                got = repr(mark) if mark else "the end of the file"
                raise DataError(f"{file}:{line}: expected a comma or ] after record {num_items} of the array, got {got}")
            while offset < len(text) and text[offset] in _BETWEEN_RECORDS:
                offset += 1
            line, counted = line + text.count("\n", counted, offset), offset
        end = _end_of_value(text, offset)
        num_items += 1
        value = _parse(text[offset:end], file, expected="a JSON array of records", line=line)
        yield line, value
        offset = end
    if text[offset:].strip(_BETWEEN_RECORDS):
        raise DataError(f"{file}:{line}: expected nothing after the array, got {text[offset : offset + 40].strip()!r}")
    if not num_items:
        raise DataError(f"{file}:1: expected at least one record, got an empty array")


def _end_of_value(text: str, start: int) -> int:
    """Where the JSON value at `start` ends; the end of the text if it is broken, so that `parse_json` says how."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return len(text)


def _parse(text: str, file: Path, *, expected: str, line: int = 1) -> Any:
    """`parse_json` that also refuses numbers that are not finite and the character U+0000."""
    value = parse_json(text, file, expected=expected, line=line)
    if _MAY_BE_UNUSABLE.search(text):
        parts = [value]  # not by recursion: values may be nested deep
        while parts:
            part = parts.pop()
            if isinstance(part, dict):
                parts += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                parts += part
            elif isinstance(part, float) and not math.isfinite(part):
                raise DataError(f"{file}:{line}: expected {expected}, got the number {part}, which is not finite")
            elif isinstance(part, str) and "\0" in part:
                raise DataError(f"{file}:{line}: expected {expected}, got the character U+0000 in {shown(part)}")
    return value


def first_objects(file: Path) -> Iterator[dict[str, Any]]:
    """The objects at the beginning of a JSON array, for `recognises`; none if the file is something else."""
    size = _RECOGNITION_BYTES
    while True:
        text = beginning_of(file, size).lstrip(_BETWEEN_RECORDS)
        objects = list(_objects_of_array(text))
        if objects or not text.startswith("[") or file.stat().st_size <= size:
            yield from objects
            return
        size *= 16  # the first record is longer


def _objects_of_array(text: str) -> Iterator[dict[str, Any]]:
    offset = 1
    while text.startswith("["):
        while offset < len(text) and text[offset] in _BETWEEN_RECORDS + ",":
            offset += 1
        try:
            value, offset = _DECODER.raw_decode(text, offset)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def first_line_object(file: Path) -> dict[str, Any]:
    """The JSON object on the first line, or the one that is the whole file, for `recognises`; empty if there is none."""
    if not beginning_of(file).lstrip(_BETWEEN_RECORDS).startswith("{"):
        return {}
    lines = first_lines(file, 1)
    try:
        value = json.loads(lines[0] if lines[0].strip() != "{" else beginning_of(file, -1))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def identifier(value: Any, where: str) -> str:
    """An id from a JSON file: a string, or a whole number as one; "" for an empty one or null. Raises DataError for other values."""
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise DataError(f"{where}: expected a string or a whole number as id, got {shown(value)}")
    return "" if value is None else str(value).strip()


def as_object(value: Any, known: frozenset[str], where: str, report: ReadReport) -> dict[str, Any]:
    """`value` as a JSON object. Values under keys that are not `known` are counted as dropped. Raises DataError."""
    checked = as_kind(value, dict, where)
    for key in sorted(set(checked) - known):
        report.drop(f"values under the unknown key {shown(key)}", where)
    return checked


def as_kind(value: Any, kind: type[T], where: str) -> T:
    """`value` if it has the type `kind`; true and false are not numbers. Raises DataError."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"{where}: expected {_KIND_NAMES[kind]}, got {shown(value)}")
    return value


def keys_of(record: dict[str, Any]) -> str:
    """The keys of an object, for a message."""
    return f"keys {', '.join(sorted(key[:40] for key in record)[:12]) or 'none'}"


def required(record: dict[str, Any], name: str, kind: type[T], where: str) -> T:
    """The value of type `kind` under the key `name`. Raises DataError if it is missing or of another type."""
    if name not in record:
        raise DataError(f"{where}: expected the key {name!r}, got {keys_of(record)}")
    return as_kind(record[name], kind, f"{where}: {name}")


def tokens_of(value: Any, where: str) -> tuple[str, ...]:
    """A list of non-empty strings. Raises DataError."""
    tokens = as_kind(value, list, where)
    for number, token in enumerate(tokens):
        if not isinstance(token, str) or not token:
            raise DataError(f"{where}: token {number}: expected a non-empty string, got {shown(token)}")
    return tuple(tokens)


def numbers_and_label(value: Any, count: int, where: str, report: ReadReport) -> tuple[tuple[int, ...], str]:
    """A list of `count` whole numbers and a label, such as `[3, 4, "PER"]`. Raises DataError.

    Counts: scores behind the label, which tools write that predict (`[3, 4, "PER", 7.1, 0.98]`).
    """
    if (
        not isinstance(value, list)
        or len(value) <= count
        or not all(isinstance(number, int) and not isinstance(number, bool) for number in value[:count])
        or not isinstance(value[count], str)
        or not all(isinstance(score, int | float) and not isinstance(score, bool) for score in value[count + 1 :])
    ):
        raise DataError(f"{where}: expected a list of {count} whole numbers and a label, got {shown(value)}")
    if len(value) > count + 1:
        report.drop("scores behind a label", where)
    return tuple(value[:count]), value[count]


def label_of(item: Any, count: int) -> str | None:
    """The label behind `count` numbers, as far as a broken item has one."""
    return item[count] if isinstance(item, list) and len(item) > count and isinstance(item[count], str) else None


def sentence_from_indices(
    key: str,
    tokens: Sequence[str],
    entities: Sequence[Entity | None],
    relations: Sequence[Relation | None] | None,
    report: ReadReport,
    *,
    where: str,
    doc_id: str | None = None,
) -> Sentence:
    """Make a sentence from entities by token indices and relations by positions in `entities`.

    Equal entities are merged: otherwise every pair with one of them would be scored twice. Two types on one span, and two
    relation types on one pair, are different facts and are kept.

    Args:
        entities, relations: as the file lists them; None in place of one that has been left out already.
        relations: None if not annotated.
        where: file and record, for messages.
    Raises: DataError for a sentence without tokens, a span outside the tokens, a position outside the list, an empty type.
    Counts: duplicate entities, duplicate relations, relations of an entity with itself or of one that was left out.
    """
    if not tokens:
        raise DataError(f"{where}: expected at least one token, got none; `--on-error skip` leaves the sentence out")
    kept_entities: dict[Entity, int] = {}
    new_position: list[int | None] = []
    for number, entity in enumerate(entities):
        position = None
        with report.leaving_out("entities"):
            if entity is not None:
                _check_entity(entity, len(tokens), f"{where}: entity {number}")
                if entity in kept_entities:
                    report.drop("duplicate entities", f"{where}: entity {number}")
                position = kept_entities.setdefault(entity, len(kept_entities))
        new_position.append(position)
    kept_relations: dict[Relation, None] = {}
    for number, relation in enumerate(relations or ()):
        if relation is not None:
            with report.leaving_out("relations", relation=relation.type):
                _keep_relation(relation, new_position, kept_relations, report, f"{where}: relation {number}")
    return Sentence(key, tuple(tokens), tuple(kept_entities), None if relations is None else tuple(kept_relations), doc_id or key)


def _check_entity(entity: Entity, num_tokens: int, where: str) -> None:
    if not 0 <= entity.start < entity.end <= num_tokens:
        raise DataError(
            f"{where}: expected 0 <= start < end <= {num_tokens} tokens, got start {shown(entity.start)}, end {shown(entity.end)}"
        )
    if not entity.type.strip():
        raise DataError(f"{where}: expected a type, got an empty string")


def _keep_relation(
    relation: Relation, new_position: Sequence[int | None], kept: dict[Relation, None], report: ReadReport, where: str
) -> None:
    if not relation.type.strip():
        raise DataError(f"{where}: expected a type, got an empty string")
    for role, value in (("head", relation.head), ("tail", relation.tail)):
        if not 0 <= value < len(new_position):
            raise DataError(
                f"{where}: expected a {role} among {len(new_position)} entities, counted from 0, got {shown(value)} ({relation.type})"
            )
    head, tail = new_position[relation.head], new_position[relation.tail]
    place = f"{where}: {relation.type} {relation.head} {relation.tail}"
    if head is None or tail is None:
        report.lose_relation("relations of a dropped entity", place, relation.type)
    elif head == tail:
        report.lose_relation("relations of an entity with itself", place, relation.type)
    elif (moved := Relation(head, tail, relation.type)) in kept:
        report.drop("duplicate relations", place)
    else:
        kept[moved] = None


@dataclass(slots=True)
class SpanPositions:
    """Where the entities on a span stand in their list, for formats whose relations name spans."""

    positions: dict[Span, dict[str, int]] = field(default_factory=dict)  # span -> entity type -> position of the first such entity

    @classmethod
    def of(cls, entities: Sequence[Entity | None]) -> SpanPositions:
        """The positions of the entities; None stands for one that was left out."""
        spans = cls()
        for number, entity in enumerate(entities):
            if entity is not None:
                spans.positions.setdefault((entity.start, entity.end), {}).setdefault(entity.type, number)
        return spans

    def position(self, span: Span, report: ReadReport, *, where: str) -> int:
        """The position of the entity on exactly this half-open span.

        Raises: DataError if there is none.
        Counts: relation ends on a span with several entity types: the format does not say which is meant, so the first is taken.
        """
        by_type: Mapping[str, int] = self.positions.get(span, {})
        if not by_type:
            got = f"tokens {shown(span[0])} to {shown(span[1])} (exclusive)"
            raise DataError(f"{where}: expected the relation to name the span of an entity, got {got}")
        if len(by_type) > 1:
            report.drop("relation ends on a span with several entity types, read as the first", where)
        return min(by_type.values())


_KIND_NAMES: dict[type, str] = {dict: "a JSON object", list: "a list", str: "a string", int: "a whole number"}
