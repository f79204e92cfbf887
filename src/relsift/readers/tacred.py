"""TACRED's JSON: an array, or one object a line, of sentences with one marked pair each. Also TACRED Revisited and Re-TACRED.

    [{"id": "x", "docid"?: "d", "token": ["Ada", "runs", "Zed"], "relation": "per:employee_of", "subj_start": 0, "subj_end": 0,
      "subj_type": "PERSON", "obj_start": 2, "obj_end": 2, "obj_type": "ORGANIZATION", "stanford_pos"?: [...], ...}, ...]

The subject is the head, the object the tail. The label `no_relation` is kept as it is: add `--no-relation no_relation` to every command, as
the warning says. A record without `relation` is not annotated.

A sentence stands in the file once for each pair that was judged, and other pairs of it were not. `records=apart`, the default, keeps every
record a sentence of its own, as TACRED is scored. `records=joined` makes one sentence of all records of a file with the same document and
tokens; the pairs between their entities that nobody judged then count as unrelated. Parses and tags of the Stanford tools are not read.

Trap: `subj_end` and `obj_end` are INCLUSIVE; copies made with the Hugging Face loader have exclusive ends: `ends=exclusive`.

Source of the format: Zhang et al., EMNLP 2017.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import first_records
from relsift.readers.records import as_object, identifier, json_records, required, sentence_from_indices, tokens_of
from relsift.schema import Document, Entity, Relation

APART, JOINED = "apart", "joined"
INCLUSIVE, EXCLUSIVE = "inclusive", "exclusive"
_ROLES = ("subj", "obj")
_KEYS = frozenset((
    "id", "docid", "token", "relation", *(f"{role}_{part}" for role in _ROLES for part in ("start", "end", "type")),
    "stanford_pos", "stanford_ner", "stanford_head", "stanford_deprel",
))  # fmt: skip

SAMPLES = {
    "train.json": '[{"id": "e1", "docid": "d", "relation": "per:employee_of", "token": ["Ada", "Kern", "runs", "Zed", "Mills"], '
    '"subj_start": 0, "subj_end": 1, "obj_start": 3, "obj_end": 4, "subj_type": "PERSON", "obj_type": "ORGANIZATION"}]\n'
}


@dataclass(slots=True)
class _Group:
    """What the records of one sentence hold."""

    key: str
    doc_id: str
    tokens: tuple[str, ...]
    where: str  # of the first record
    entities: list[Entity] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    is_annotated: bool = False


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, records: str = APART, ends: str = INCLUSIVE) -> Iterator[Document]:
    """Yield one document a sentence, in file order of their first records.

    Args: records: "apart" or "joined". ends: "inclusive" or "exclusive" (see above).
    Raises: DataError naming file, line and record (counted from 1).
    Counts: records joined to an earlier one, values under unknown keys, records without an id, sentence ids that stand twice, relations of
        an entity with itself, duplicate relations.
    """
    documents = partial(_documents, path=path, report=report, encoding=encoding, joined=records == JOINED, exclusive=ends == EXCLUSIVE)
    return read_files(path, report, _KIND, documents, encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str, joined: bool, exclusive: bool) -> Iterator[Document]:
    key = file_key(file, path)
    groups: dict[tuple[str, tuple[str, ...]], _Group] = {}
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="records"), start=1):
        with report.leaving_out("records"):
            group = _group(value, f"{key}-{number}", f"{file}:{line}: record {number}", report, exclusive)
            if not joined:
                yield _sentence(group, report)
                continue
            first = groups.setdefault((group.doc_id, group.tokens), group)
            if first is not group:
                report.drop("records joined to an earlier one with the same words (kept)", group.where)
                _join(first, group)
    for group in groups.values():
        with report.leaving_out("sentences"):
            yield _sentence(group, report)


def _group(value: Any, made_up: str, where: str, report: ReadReport, exclusive: bool) -> _Group:
    record = as_object(value, _KEYS, where, report)
    key = identifier(record.get("id"), f"{where}: id")
    if not key:
        report.drop("records without an id, which get a number", where)
    doc_id = identifier(record.get("docid"), f"{where}: docid")
    tokens = tokens_of(required(record, "token", list, where), where)
    group = _Group(key or made_up, doc_id, tokens, where)
    group.entities += [_entity(record, role, len(tokens), where, exclusive) for role in _ROLES]
    if record.get("relation") is not None:
        group.is_annotated = True
        group.relations.append(Relation(0, 1, required(record, "relation", str, where)))
    return group


def _entity(record: dict[str, Any], role: str, num_tokens: int, where: str, exclusive: bool) -> Entity:
    start, last = required(record, f"{role}_start", int, where), required(record, f"{role}_end", int, where)
    end = last if exclusive else last + 1
    if not 0 <= start < end <= num_tokens:
        how = "exclusive" if exclusive else "inclusive"
        hint = "; the ends seem to be exclusive: tacred[ends=exclusive]:PATH" if last == num_tokens and not exclusive else ""
        raise DataError(
            f"{where}: {role}: expected a span within {num_tokens} tokens, its end {how}, got {shown(start)} to {shown(last)}{hint}"
        )
    return Entity(start, end, required(record, f"{role}_type", str, where))


def _join(first: _Group, other: _Group) -> None:
    size = len(first.entities)
    first.entities += other.entities
    first.relations += [Relation(r.head + size, r.tail + size, r.type) for r in other.relations]
    first.is_annotated = first.is_annotated or other.is_annotated


def _sentence(group: _Group, report: ReadReport) -> Document:
    """The document of one sentence. In a joined one an entity that stands in several records is no duplicate."""
    place = {entity: number for number, entity in reversed(list(enumerate(group.entities)))}
    kept = [entity if place[entity] == number else None for number, entity in enumerate(group.entities)]
    first = [place[entity] for entity in group.entities]
    relations = [Relation(first[r.head], first[r.tail], r.type) for r in group.relations]
    sentence = sentence_from_indices(group.key, group.tokens, kept, relations if group.is_annotated else None, report, where=group.where)
    return Document(group.key, (sentence,))


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        return isinstance(record.get("token"), list) and record.keys() >= {"subj_start", "subj_end", "obj_start", "obj_end"}
    return False


def recognises(path: Path) -> bool:
    """A .json or .jsonl file of objects with `token`, `subj_start` and `obj_start`."""
    return file_or_children(path, _KIND)


_KIND = FileKind("tacred", (".json", ".jsonl"), _recognises_file, re.compile(r'"(?:subj_start|obj_start)"\s*:'))
READER = Reader(
    name="tacred",
    summary="TACRED's JSON: sentences with one marked pair each",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"records": (APART, JOINED), "ends": (INCLUSIVE, EXCLUSIVE)},
    has_encoding=True,
)
