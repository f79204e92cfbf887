"""For readers of formats that bring their own tokens: find the files, check JSON values, make sentences from token indices.

`standoff` does the same for formats that annotate character offsets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.readers.base import ReadReport, beginning_of, input_files, parse_json, read_text
from relsift.schema import Entity, Relation, Sentence
from relsift.text import Span

T = TypeVar("T")
_RECOGNITION_BYTES = 1 << 18  # bytes of a JSON file that are read to recognise its format; records can be long


def matching_files(path: Path, report: ReadReport, recognises: Callable[[Path], bool], *suffixes: str) -> list[Path]:
    """The file itself, or the files below the folder that are in the format. The folder's other files are counted as dropped.

    A file that is named itself is always read, so that a fault in it becomes an error with its place.
    """
    if path.is_file():
        return [path]
    files = input_files(path, *suffixes)
    in_format = [file for file in files if recognises(file)]
    if not in_format:
        raise DataError(f"{path}: expected a folder with files in this format, got {len(files)} others")
    recognised = frozenset(in_format)
    for file in files:
        if file not in recognised:
            report.drop("files of a folder that are in another format", str(file))
    return in_format


def file_or_children(path: Path, recognises: Callable[[Path], bool], *suffixes: str) -> bool:
    """Whether the file, or one that lies directly in the folder, is in the format."""
    if path.is_dir():
        return any(recognises(child) for child in sorted(path.iterdir()) if child.is_file() and child.suffix.lower() in suffixes)
    return path.suffix.lower() in suffixes and recognises(path)


def json_array(file: Path) -> list[Any]:
    """The items of a file that is one JSON array. Raises DataError naming file and line."""
    value = parse_json(read_text(file), file, expected="one JSON array")
    if not isinstance(value, list):
        raise DataError(f"{file}:1: expected one JSON array, got {_kind(value)}")
    if not value:
        raise DataError(f"{file}:1: expected at least one record, got an empty array")
    return value


def first_objects(file: Path) -> Iterator[dict[str, Any]]:
    """The objects at the beginning of a JSON array, for `recognises`; none if the file is something else."""
    text = beginning_of(file, _RECOGNITION_BYTES).lstrip("\ufeff \t\r\n")
    decoder = json.JSONDecoder()
    offset = 1
    while text.startswith("["):
        while offset < len(text) and text[offset] in " \t\r\n,":
            offset += 1
        try:
            value, offset = decoder.raw_decode(text, offset)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def first_line_object(file: Path) -> dict[str, Any]:
    """The JSON object on the first line, for `recognises`; empty if there is none or the line is too long."""
    line = beginning_of(file, _RECOGNITION_BYTES).lstrip("\ufeff").split("\n", 1)[0]
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def as_object(value: Any, known: frozenset[str], where: str, report: ReadReport) -> dict[str, Any]:
    """`value` as a JSON object. Values under keys that are not `known` are counted as dropped. Raises DataError."""
    checked = as_kind(value, dict, where)
    for key in sorted(set(checked) - known):
        report.drop(f"values under the unknown key {key!r}", where)
    return checked


def as_kind(value: Any, kind: type[T], where: str) -> T:
    """`value` if it has the type `kind`; true and false are not numbers. Raises DataError."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"{where}: expected {_KIND_NAMES[kind]}, got {value!r}")
    return value


def required(record: dict[str, Any], name: str, kind: type[T], where: str) -> T:
    """The value of type `kind` under the key `name`. Raises DataError if it is missing or of another type."""
    if name not in record:
        raise DataError(f"{where}: expected the key {name!r}, got keys {', '.join(sorted(record)) or 'none'}")
    return as_kind(record[name], kind, f"{where}: {name}")


def tokens_of(value: Any, where: str) -> tuple[str, ...]:
    """A list of non-empty strings. Raises DataError."""
    tokens = as_kind(value, list, where)
    for number, token in enumerate(tokens):
        if not isinstance(token, str) or not token:
            raise DataError(f"{where}: token {number}: expected a non-empty string, got {token!r}")
    return tuple(tokens)


def numbers_and_label(value: Any, count: int, where: str) -> tuple[tuple[int, ...], str]:
    """A list of `count` whole numbers and a label, such as `[3, 4, "PER"]`. Raises DataError."""
    if (
        not isinstance(value, list)
        or len(value) != count + 1
        or not all(isinstance(number, int) and not isinstance(number, bool) for number in value[:count])
        or not isinstance(value[count], str)
    ):
        raise DataError(f"{where}: expected a list of {count} whole numbers and a label, got {value!r}")
    return tuple(value[:count]), value[count]


def sentence_from_indices(
    key: str,
    tokens: Sequence[str],
    entities: Sequence[Entity],
    relations: Sequence[Relation] | None,
    report: ReadReport,
    *,
    where: str,
    doc_id: str | None = None,
) -> Sentence:
    """Make a sentence from entities by token indices and relations by positions in `entities`.

    Equal entities are merged: otherwise every pair with one of them would be scored twice. Two types on one span, and two
    relation types on one pair, are different facts and are kept.

    Args: relations: None if not annotated. where: file and record, for messages.
    Raises: DataError for a span outside the tokens or a position outside the list.
    Counts: duplicate entities, duplicate relations, relations of an entity with itself.
    """
    kept_entities: dict[Entity, int] = {}
    new_position = [kept_entities.setdefault(entity, len(kept_entities)) for entity in entities]
    for _ in range(len(entities) - len(kept_entities)):
        report.drop("duplicate entities", where)
    kept_relations: dict[Relation, None] = {}
    for relation in relations or ():
        for role, value in (("head", relation.head), ("tail", relation.tail)):
            if not 0 <= value < len(new_position):
                raise DataError(
                    f"{where}: relation {relation.type}: expected a {role} among {len(new_position)} entities, got {value}"
                )
        moved = Relation(new_position[relation.head], new_position[relation.tail], relation.type)
        if moved.head == moved.tail:
            report.drop("relations of an entity with itself", f"{where}: {moved.type} {moved.head}")
        elif moved in kept_relations:
            report.drop("duplicate relations", f"{where}: {moved.type} {moved.head} {moved.tail}")
        else:
            kept_relations[moved] = None
    try:
        return Sentence(key, tuple(tokens), tuple(kept_entities), None if relations is None else tuple(kept_relations), doc_id or key)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def position_of(span: Span, entities: Sequence[Entity], report: ReadReport, *, where: str) -> int:
    """The position of the entity on exactly the half-open `span`, for formats whose relations name spans.

    Raises: DataError if there is none.
    Counts: relation ends on a span with several entity types: the format does not say which is meant, so the first is taken.
    """
    position_by_type = {entity.type: number for number, entity in reversed(list(enumerate(entities))) if (entity.start, entity.end) == span}
    if not position_by_type:
        raise DataError(
            f"{where}: expected the relation to name the span of an entity, got tokens {span[0]} to {span[1]} (exclusive)"
        )
    if len(position_by_type) > 1:
        report.drop("relation ends on a span with several entity types, read as the first", where)
    return min(position_by_type.values())


_KIND_NAMES: dict[type, str] = {dict: "a JSON object", list: "a list", str: "a string", int: "a whole number"}


def _kind(value: Any) -> str:
    return _KIND_NAMES.get(type(value), type(value).__name__)
