"""Shared by readers of files of records: the files of a folder, values of the right kind, sentences given by token indices.

The counterpart of `standoff` for formats that bring their own tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.readers.base import ReadReport, head_of, input_files, parse_json, read_text
from relsift.schema import Entity, Relation, Sentence
from relsift.text import Span

T = TypeVar("T")
_GLANCE = 1 << 18  # bytes of a JSON file looked at to recognise it: records can be long


def matching_files(path: Path, report: ReadReport, recognises: Callable[[Path], bool], *suffixes: str) -> list[Path]:
    """The file itself, or the files below the folder that are in the format; the folder's other files are counted.

    A named file is always read, so that what is wrong with it becomes an error that says where.
    """
    if path.is_file():
        return [path]
    files = input_files(path, *suffixes)
    matching = {file: None for file in files if recognises(file)}
    if not matching:
        raise DataError(f"{path}: expected a folder with files in this format, got {len(files)} others")
    for file in files:
        if file not in matching:
            report.drop("files of a folder that are in another format", str(file))
    return list(matching)


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


def glance_array(file: Path) -> Iterator[dict[str, Any]]:
    """The objects at the beginning of a JSON array, as far as a glance reaches; nothing if the file is something else."""
    text = head_of(file, _GLANCE).lstrip("\ufeff \t\r\n")
    decoder = json.JSONDecoder()
    place = 1
    while text.startswith("["):
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def glance_line(file: Path) -> dict[str, Any]:
    """The JSON object on the first line, or an empty one if there is none or it is longer than a glance."""
    line = head_of(file, _GLANCE).lstrip("\ufeff").split("\n", 1)[0]
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def as_object(value: Any, known: frozenset[str], where: str, report: ReadReport) -> dict[str, Any]:
    """`value` as a JSON object; keys that are not `known` are counted, since what they say is lost."""
    checked = as_kind(value, dict, where)
    for key in sorted(set(checked) - known):
        report.drop(f"values under the unknown key {key!r}", where)
    return checked


def as_kind(value: Any, kind: type[T], where: str) -> T:
    """`value` if it is of the JSON kind; true and false are no numbers. Raises DataError."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"{where}: expected {_NAMES[kind]}, got {value!r}")
    return value


def required(record: dict[str, Any], name: str, kind: type[T], where: str) -> T:
    """The value under a key that must be there. Raises DataError."""
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
    """Check and make a sentence whose relations name positions in `entities`; relations is None if not annotated.

    Entities given twice are merged, or every pair with one of them would be scored twice; two types on one span, and two
    relation types on one pair, are different facts and stay.

    Raises: DataError, with `where`, for a span outside the tokens or a position outside the list.
    Counts: duplicate entities, duplicate relations, relations of an entity with itself.
    """
    kept: dict[Entity, int] = {}
    position = [kept.setdefault(entity, len(kept)) for entity in entities]
    for _ in range(len(entities) - len(kept)):
        report.drop("duplicate entities", where)
    links: dict[Relation, None] = {}
    for relation in relations or ():
        for role, value in (("head", relation.head), ("tail", relation.tail)):
            if not 0 <= value < len(position):
                raise DataError(
                    f"{where}: relation {relation.type}: expected a {role} among {len(position)} entities, got {value}"
                )
        link = Relation(position[relation.head], position[relation.tail], relation.type)
        if link.head == link.tail:
            report.drop("relations of an entity with itself", f"{where}: {link.type} {link.head}")
        elif link in links:
            report.drop("duplicate relations", f"{where}: {link.type} {link.head} {link.tail}")
        else:
            links[link] = None
    try:
        return Sentence(key, tuple(tokens), tuple(kept), None if relations is None else tuple(links), doc_id or key)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def position_of(span: Span, entities: Sequence[Entity], report: ReadReport, *, where: str) -> int:
    """The position of the entity that covers exactly the half-open `span`, for formats whose relations name spans.

    Raises: DataError if there is none.
    Counts: relations whose span carries several types, so that the format does not say which one is meant.
    """
    found = {entity.type: number for number, entity in reversed(list(enumerate(entities))) if (entity.start, entity.end) == span}
    if not found:
        raise DataError(
            f"{where}: expected the relation to name the span of an entity, got tokens {span[0]} to {span[1]} (exclusive)"
        )
    if len(found) > 1:
        report.drop("relation ends on a span with several entity types, read as the first", where)
    return min(found.values())


_NAMES: dict[type, str] = {dict: "a JSON object", list: "a list", str: "a string", int: "a whole number"}


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)
