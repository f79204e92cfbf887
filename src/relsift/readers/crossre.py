"""CrossRE's JSON lines: one sentence a line, inclusive token spans.

    {"doc_key": "ai-1", "sentence": ["Ada", "runs", "Zed"], "ner": [[0, 0, "person"], [2, 2, "organisation"]],
     "relations": [[0, 0, 2, 2, "role", "explanation", false, false]]}

Trap: spans are those of DyGIE (the end is INCLUSIVE), but a line is a sentence. Behind the type of a relation stand an explanation, whether
the annotator was unsure, and whether the sentence is ambiguous; they are counted and not kept. The corpus relates a few entities to
themselves, which no pair of entities can show: such relations are lost.

Source of the format: Bassignana and Plank, Findings of EMNLP 2022 (https://github.com/mainlp/CrossRE).
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
from relsift.readers.json_layouts import first_records
from relsift.readers.records import (
    SpanPositions,
    as_object,
    identifier,
    json_records,
    label_of,
    numbers_and_label,
    required,
    sentence_from_indices,
    tokens_of,
)
from relsift.schema import Document, Entity, Relation

_KEYS = frozenset({"doc_key", "sentence", "ner", "relations"})
_NUM_ENDS = 4  # numbers of a relation: first and last token of head and tail

SAMPLES = {
    "ai-train.json": '{"doc_key": "ai-train-1", "sentence": ["Ada", "Kern", "runs", "Zed"], '
    '"ner": [[0, 1, "person"], [3, 3, "organisation"]], "relations": [[0, 1, 3, 3, "role", "", false, false]]}\n'
}


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a sentence, in file order. Raises DataError naming file and line.

    Counts: relations of an entity with itself, explanations and marks behind a relation, duplicates, sentences without an id (a number is
    made up), ids that stand twice, values under unknown keys.
    """
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, encoding=encoding), encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="sentences"), start=1):
        with report.leaving_out("sentences"):
            yield _document(value, f"{key}-{number}", f"{file}:{line}", report)


def _document(value: Any, made_up: str, where: str, report: ReadReport) -> Document:
    record = as_object(value, _KEYS, where, report)
    key = identifier(record.get("doc_key"), f"{where}: doc_key")
    if not key:
        report.drop("sentences without an id, which get a number", where)
        key = made_up
    tokens = tokens_of(required(record, "sentence", list, where), where)
    entities = _entities(required(record, "ner", list, where), len(tokens), where, report)
    relations: list[Relation | None] | None = None
    if record.get("relations") is not None:
        relations = _relations(required(record, "relations", list, where), SpanPositions.of(entities), where, report)
    return Document(key, (sentence_from_indices(key, tokens, entities, relations, report, where=where),))


def _entities(items: list[Any], num_tokens: int, where: str, report: ReadReport) -> list[Entity | None]:
    entities: list[Entity | None] = []
    for number, item in enumerate(items):
        place = f"{where}: ner: item {number}"
        entity = None
        with report.leaving_out("entities"):
            (start, last), label = numbers_and_label(item, 2, place, report)
            if not 0 <= start <= last < num_tokens:
                raise DataError(f"{place}: expected 0 <= first <= last < {num_tokens} tokens, got {shown(start)}..{shown(last)}")
            entity = Entity(start, last + 1, label)
        entities.append(entity)
    return entities


def _relations(items: list[Any], positions: SpanPositions, where: str, report: ReadReport) -> list[Relation | None]:
    relations: list[Relation | None] = []
    for number, item in enumerate(items):
        place = f"{where}: relations: item {number}"
        relation = None
        with report.leaving_out("relations", relation=label_of(item, _NUM_ENDS)):
            bare = item[: _NUM_ENDS + 1] if isinstance(item, list) else item
            (start, last, tail_start, tail_last), label = numbers_and_label(bare, _NUM_ENDS, place, report)
            head = positions.position((start, last + 1), report, where=place)
            relation = Relation(head, positions.position((tail_start, tail_last + 1), report, where=place), label)
            for more in item[_NUM_ENDS + 1 :]:
                if more:  # an empty explanation and a mark that is not set say nothing
                    report.drop("explanations behind a relation" if isinstance(more, str) else "marks behind a relation", place)
        relations.append(relation)
    return relations


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        return isinstance(record.get("sentence"), list) and isinstance(record.get("ner"), list)
    return False


def recognises(path: Path) -> bool:
    """A .json or .jsonl file whose first object has the lists `sentence` and `ner`."""
    return file_or_children(path, _KIND)


_KIND = FileKind("crossre", (".json", ".jsonl"), _recognises_file, re.compile(r'"(?:sentence|ner)"\s*:'))
READER = Reader(
    name="crossre",
    summary="CrossRE's JSON lines: one sentence a line, inclusive token spans",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
