"""SpERT JSON: one array of sentences with tokens, entities and relations.

    [{"tokens": [...], "entities": [{"type", "start", "end"}], "relations": [{"type", "head", "tail"}], "orig_id"?: ...}, ...]

Token ends are exclusive; head and tail are positions in the entity list. Also read here is TablERT's variant, which has
`"tags": [...]` instead of `"entities"`: one BILOU tag a token (B-egin, I-nside, L-ast, O-utside, U-nit), entities counted from
left to right. A record without `relations` is not annotated with relations. `orig_id` becomes the sentence's id.

Source of the format: Eberts and Ulges, ECAI 2020; the variant: Ma, Hiraoka and Okazaki, 2022 (TablERT).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.records import (
    as_kind,
    as_object,
    first_objects,
    identifier,
    json_records,
    keys_of,
    required,
    sentence_from_indices,
    tokens_of,
)
from relsift.schema import Document, Entity, Relation

_KEYS = frozenset({"tokens", "entities", "tags", "relations", "orig_id"})
_ENTITY_KEYS = frozenset({"type", "start", "end"})
_RELATION_KEYS = frozenset({"type", "head", "tail"})
_OPENS, _CONTINUES, _CLOSES = frozenset("BU"), frozenset("IL"), frozenset("LU")

SAMPLES = {
    "spert.json": '[{"tokens": ["Ada", "Kern", "founded", "Acme", "Mills", "."], '
    '"entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Org", "start": 3, "end": 5}], '
    '"relations": [{"type": "Work_For", "head": 0, "tail": 1}], "orig_id": "s1"}]\n',
    "tablert.json": '[{"tokens": ["Acme", "Mills", "of", "Oslo"], "tags": ["B-Org", "L-Org", "O", "U-Loc"], '
    '"relations": [{"type": "OrgBased_In", "head": 0, "tail": 1}], "orig_id": 2}]\n',
}


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a record, in file order. Raises DataError naming file, line and record (counted from 1).

    Counts: values under unknown keys, empty ids, sentence ids that stand twice, duplicate entities, duplicate relations, relations of an
    entity with itself.
    """
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, encoding=encoding), encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="sentences"), start=1):
        with report.leaving_out("sentences"):
            yield _document(value, f"{key}-{number}", f"{file}:{line}: record {number}", report)


def _document(value: Any, key: str, where: str, report: ReadReport) -> Document:
    record = as_object(value, _KEYS, where, report)
    if record.get("orig_id") is not None:
        given = identifier(record["orig_id"], f"{where}: orig_id")
        if not given:
            report.drop("empty ids, replaced by a number", where)
        key = given or key
    tokens = tokens_of(required(record, "tokens", list, where), where)
    if ("entities" in record) == ("tags" in record):
        got = "both" if "tags" in record else keys_of(record)
        raise DataError(f"{where}: expected either 'entities' (SpERT) or 'tags' (TablERT), got {got}")
    entities: list[Entity | None] = []
    if "entities" in record:
        entities += _entities_from_list(record, where, report)
    else:
        entities += _entities_from_tags(record, len(tokens), where)
    relations = _relations(record, where, report) if "relations" in record else None
    return Document(key, (sentence_from_indices(key, tokens, entities, relations, report, where=where),))


def _entities_from_list(record: dict[str, Any], where: str, report: ReadReport) -> list[Entity | None]:
    """The entities as they are listed; None in place of a broken one, so that positions stay."""
    entities: list[Entity | None] = []
    for number, item in enumerate(required(record, "entities", list, where)):
        place = f"{where}: entity {number}"
        entity = None
        with report.leaving_out("entities"):
            values = as_object(item, _ENTITY_KEYS, place, report)
            start, end = required(values, "start", int, place), required(values, "end", int, place)
            entity = Entity(start, end, required(values, "type", str, place))
        entities.append(entity)
    return entities


def _relations(record: dict[str, Any], where: str, report: ReadReport) -> list[Relation | None]:
    relations: list[Relation | None] = []
    for number, item in enumerate(required(record, "relations", list, where)):
        place = f"{where}: relation {number}"
        relation = None
        with report.leaving_out("relations", relation=_relation_type(item)):
            values = as_object(item, _RELATION_KEYS, place, report)
            head, tail = required(values, "head", int, place), required(values, "tail", int, place)
            relation = Relation(head, tail, required(values, "type", str, place))
        relations.append(relation)
    return relations


def _relation_type(item: Any) -> str | None:
    kind = item.get("type") if isinstance(item, dict) else None
    return kind if isinstance(kind, str) else None


def _entities_from_tags(record: dict[str, Any], num_tokens: int, where: str) -> list[Entity]:
    """The entities that BILOU tags spell out, from left to right."""
    tags = required(record, "tags", list, where)
    if len(tags) != num_tokens:
        raise DataError(f"{where}: tags: expected one a token ({num_tokens}), got {len(tags)}")
    entities: list[Entity] = []
    start, open_type = 0, ""  # of the entity that has begun and not ended
    for position, item in enumerate(tags):
        tag = as_kind(item, str, f"{where}: tag {position}")
        prefix, _, label = tag.partition("-")
        opens = prefix in _OPENS and label != "" and not open_type
        continues = prefix in _CONTINUES and label == open_type != ""
        if not (opens or continues or (tag == "O" and not open_type)):
            expected = f"I-{open_type} or L-{open_type}" if open_type else "O, B-TYPE or U-TYPE"
            raise DataError(f"{where}: tag {position}: expected {expected}, got {shown(tag)}")
        if opens:
            start, open_type = position, label
        if prefix in _CLOSES:
            entities.append(Entity(start, position + 1, label))
            open_type = ""
    if open_type:
        raise DataError(f"{where}: tags: expected L-{open_type} before the end of the sentence, got {shown(tags[-1])} last")
    return entities


def _recognises_file(path: Path) -> bool:
    for record in first_objects(path):
        if "tokens" not in record:
            return False
        if "tags" in record:
            return True
        entities = record.get("entities")
        if entities:  # other formats have empty lists too: the next record decides
            return isinstance(entities, list) and isinstance(entities[0], dict) and entities[0].keys() >= _ENTITY_KEYS
    return False


def recognises(path: Path) -> bool:
    """A .json array of objects with `tokens` and either `tags` or entities that are objects with start, end and type."""
    return file_or_children(path, _KIND)


_KIND = FileKind("spert", (".json",), _recognises_file, re.compile(r'"tokens"\s*:'))
READER = Reader(
    name="spert",
    summary="SpERT JSON: arrays of tokens, entities and relations; also TablERT's with BILOU tags",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
