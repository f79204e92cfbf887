"""DyGIE JSON lines (SciERC, DyGIE++, PURE, PL-Marker): one document a line.

    {"doc_key": "d1", "sentences": [["Ada", ...], ...], "ner": [[[0, 0, "Peop"], ...], ...],
     "relations"?: [[[0, 0, 3, 4, "Work_For"], ...], ...], "clusters"?: [...]}

Traps: tokens are counted through the whole DOCUMENT, and the end of a span is INCLUSIVE. `ner` and `relations` have one list a
sentence; a relation names the spans of its head and its tail. A document without `relations` is not annotated with relations.
Coreference clusters are counted and left out. SciERC's files named `coref_*` hold entities and relations too and are read like
any other; a file that has clusters but no entity at all is refused, since nothing could be learned from it.

Source of the format: Luan et al., EMNLP 2018; Wadden et al., EMNLP 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, parse_json, read_text
from relsift.readers.records import (
    as_kind,
    as_object,
    file_or_children,
    first_line_object,
    matching_files,
    numbers_and_label,
    position_of,
    required,
    sentence_from_indices,
    tokens_of,
)
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.text import Span

_SUFFIXES = (".json", ".jsonl")
_KEYS = frozenset({"doc_key", "dataset", "sentences", "ner", "relations", "clusters"})

SAMPLES = {
    "dygie.jsonl": '{"doc_key": "d1", "sentences": [["Nobody", "came", "."], ["Ada", "Kern", "founded", "Acme", "Mills", "."]], '
    '"ner": [[], [[3, 4, "Peop"], [6, 7, "Org"]]], "relations": [[], [[3, 4, 6, 7, "Work_For"]]], "clusters": []}\n'
}


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document a line, in file order. Raises DataError naming file and line.

    Counts: coreference clusters, values under unknown keys, empty sentences, entities that cross a sentence boundary and their
    relations, relations across sentences, duplicates, and relations whose span has several entity types.
    """
    for file in matching_files(path, report, _recognises_file, *_SUFFIXES):
        num_lines = num_entities = num_clusters = 0
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if not line.strip():
                continue
            value = parse_json(line, file, expected="one JSON object a line", line=number)
            record = _record(value, f"{file}:{number}", report)
            document = _document(record, f"{file}:{number}", report)
            num_lines += 1
            num_entities += sum(len(sentence.entities) for sentence in document.sentences)
            num_clusters += len(record.get("clusters") or ())
            yield document
        if not num_lines:
            raise DataError(f"{file}:1: expected at least one line of JSON, got an empty file")
        if num_clusters and not num_entities:
            raise DataError(f"{file}:1: expected entities under 'ner', got none beside {num_clusters} clusters")


def _record(value: Any, where: str, report: ReadReport) -> dict[str, Any]:
    record = as_object(value, _KEYS, where, report)
    if record.get("clusters") is not None:
        for _ in required(record, "clusters", list, where):
            report.drop("coreference clusters", where)
    return record


def _document(record: dict[str, Any], where: str, report: ReadReport) -> Document:
    key = required(record, "doc_key", str, where)
    sentences = required(record, "sentences", list, where)
    token_lists = [tokens_of(item, f"{where}: sentence {number}") for number, item in enumerate(sentences)]
    entity_items = _per_sentence(record, "ner", len(token_lists), where)
    annotated = "relations" in record
    relation_items = _per_sentence(record, "relations", len(token_lists), where) if annotated else [[] for _ in token_lists]
    places = _EntityPlaces(list(pairwise(accumulate((len(tokens) for tokens in token_lists), initial=0))), report)
    # All entities come before the first relation, which may name a span of any sentence.
    entities = [_entities(items, number, places, f"{where}: sentence {number}") for number, items in enumerate(entity_items)]
    kept: list[Sentence] = []
    for number, tokens in enumerate(token_lists):
        place = f"{where}: sentence {number}"
        relations = _relations(relation_items[number], number, entities[number], places, place)
        if not tokens:
            report.drop("empty sentences", place)
            continue
        kept.append(
            sentence_from_indices(
                f"{key}-{number}", tokens, entities[number], relations if annotated else None, report, where=place, doc_id=key
            )
        )
    return Document(key, tuple(kept))


@dataclass(frozen=True, slots=True)
class _EntityPlaces:
    """Which sentence holds which entity span of one document. Spans are half-open, in tokens of the document."""

    bounds: list[Span]  # of the sentences
    report: ReadReport
    sentence_of: dict[Span, int] = field(default_factory=dict)  # entity span -> number of its sentence
    dropped: set[Span] = field(default_factory=set)  # entity spans that cross a sentence boundary


def _per_sentence(record: dict[str, Any], name: str, num_sentences: int, where: str) -> list[list[Any]]:
    items = required(record, name, list, where)
    if len(items) != num_sentences:
        raise DataError(f"{where}: {name}: expected one list a sentence ({num_sentences}), got {len(items)}")
    return [as_kind(item, list, f"{where}: {name} of sentence {number}") for number, item in enumerate(items)]


def _entities(items: list[Any], number: int, places: _EntityPlaces, where: str) -> list[Entity]:
    """The entities of one sentence, in tokens of the sentence; enters their spans in `places`."""
    sentence_start, sentence_end = places.bounds[number]
    num_tokens = places.bounds[-1][1]
    entities = []
    for item in items:
        (start, last), label = numbers_and_label(item, 2, f"{where}: ner")
        if not 0 <= start <= last < num_tokens:
            raise DataError(f"{where}: ner: expected 0 <= first <= last < {num_tokens} tokens, got {start}..{last}")
        if last < sentence_start or start >= sentence_end:
            raise DataError(
                f"{where}: ner: expected tokens of this sentence ({sentence_start}..{sentence_end - 1}), got {start}..{last}; "
                "indices count through the whole document"
            )
        if start < sentence_start or last >= sentence_end:
            places.dropped.add((start, last + 1))
            places.report.drop("entities that cross a sentence boundary", f"{where}: {item}")
        else:
            places.sentence_of[start, last + 1] = number
            entities.append(Entity(start - sentence_start, last + 1 - sentence_start, label))
    return entities


def _relations(items: list[Any], number: int, entities: list[Entity], places: _EntityPlaces, where: str) -> list[Relation]:
    """The relations between entities of one sentence, as positions in `entities`; others are counted or refused."""
    sentence_start = places.bounds[number][0]
    relations = []
    for item in items:
        (head, head_last, tail, tail_last), label = numbers_and_label(item, 4, f"{where}: relations")
        spans = ((head, head_last + 1), (tail, tail_last + 1))
        if any(span not in places.sentence_of and span not in places.dropped for span in spans):
            raise DataError(f"{where}: relations: expected first and last token of two entities, got {item!r}")
        if any(span in places.dropped for span in spans):
            places.report.drop("relations of a dropped entity", f"{where}: {item}")
        elif any(places.sentence_of[span] != number for span in spans):
            places.report.drop("relations across sentences", f"{where}: {item}")
        else:
            spans_in_sentence = [(start - sentence_start, end - sentence_start) for start, end in spans]
            first, second = (position_of(span, entities, places.report, where=f"{where}: {item}") for span in spans_in_sentence)
            relations.append(Relation(first, second, label))
    return relations


def _recognises_file(path: Path) -> bool:
    return first_line_object(path).keys() >= {"sentences", "ner"}


def recognises(path: Path) -> bool:
    """A .json or .jsonl file whose first line is an object with `sentences` and `ner`."""
    return file_or_children(path, _recognises_file, *_SUFFIXES)


READER = Reader(
    name="dygie",
    summary="DyGIE / SciERC / PURE JSON lines: documents, inclusive document-level token spans",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
)
