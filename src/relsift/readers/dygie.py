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

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.records import (
    SpanPositions,
    as_kind,
    as_object,
    first_line_object,
    identifier,
    json_records,
    label_of,
    numbers_and_label,
    required,
    sentence_from_indices,
    tokens_of,
)
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.text import Span

_KEYS = frozenset({"doc_key", "dataset", "sentences", "ner", "relations", "clusters"})

SAMPLES = {
    "dygie.jsonl": '{"doc_key": "d1", "sentences": [["Nobody", "came", "."], ["Ada", "Kern", "founded", "Acme", "Mills", "."]], '
    '"ner": [[], [[3, 4, "Peop"], [6, 7, "Org"]]], "relations": [[], [[3, 4, 6, 7, "Work_For"]]], "clusters": []}\n'
}


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a line, in file order. Raises DataError naming file and line.

    Counts coreference clusters, values under unknown keys, scores behind labels, documents without an id (a number is made up), ids that
    stand twice, and empty sentences. Counts too: entities that cross a sentence boundary and their relations, relations across sentences,
    duplicates, and relations whose span has several entity types.
    """
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, encoding=encoding), encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str) -> Iterator[Document]:
    num_entities = num_clusters = 0
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="documents"), start=1):
        with report.leaving_out("documents"):
            where = f"{file}:{line}"
            record = _record(value, where, report)
            document = _document(record, f"{key}-{number}", where, report)
            num_entities += sum(len(sentence.entities) for sentence in document.sentences)
            num_clusters += len(record.get("clusters") or ())
            yield document
    if num_clusters and not num_entities:
        raise DataError(f"{file}:1: expected entities under 'ner', got none beside {num_clusters} clusters")


def _record(value: Any, where: str, report: ReadReport) -> dict[str, Any]:
    record = as_object(value, _KEYS, where, report)
    if record.get("clusters") is not None:
        for _ in required(record, "clusters", list, where):
            report.drop("coreference clusters", where)
    return record


def _document(record: dict[str, Any], made_up: str, where: str, report: ReadReport) -> Document:
    key = identifier(record.get("doc_key"), f"{where}: doc_key")
    if not key:
        report.drop("documents without an id, which get a number", where)
        key = made_up
    sentences = required(record, "sentences", list, where)
    # A broken token leaves its sentence out, but not the others: the number of tokens is still known.
    sizes = [len(as_kind(item, list, f"{where}: sentence {number}")) for number, item in enumerate(sentences)]
    entity_items = _per_sentence(record, "ner", len(sizes), where)
    annotated = record.get("relations") is not None
    relation_items = _per_sentence(record, "relations", len(sizes), where) if annotated else [[] for _ in sizes]
    places = _EntityPlaces(list(pairwise(accumulate(sizes, initial=0))), report)
    token_lists = [_tokens(item, number, places, f"{where}: sentence {number}") for number, item in enumerate(sentences)]
    # All entities come before the first relation, which may name a span of any sentence.
    entities = [_entities(items, number, places, f"{where}: sentence {number}") for number, items in enumerate(entity_items)]
    kept: dict[int, Sentence] = {}
    for number, tokens in enumerate(token_lists):
        place = f"{where}: sentence {number}"
        relations = _relations(relation_items[number], number, entities[number], places, place)
        if not tokens:
            if tokens is not None:
                report.drop("empty sentences", place)
            continue
        kept[number] = sentence_from_indices(
            f"{key}-{number}", tokens, entities[number], relations if annotated else None, report, where=place, doc_id=key
        )
    numbered = {number: (place, sentence) for place, (number, sentence) in enumerate(kept.items())}
    return Document(key, tuple(kept.values()), across=tuple(places.relations_across(numbered)))


@dataclass(frozen=True, slots=True)
class _EntityPlaces:
    """Which sentence holds which entity span of one document. Spans are half-open, in tokens of the document."""

    bounds: list[Span]  # of the sentences
    report: ReadReport
    sentence_of: dict[Span, int] = field(default_factory=dict)  # entity span -> number of its sentence
    dropped: set[Span] = field(default_factory=set)  # entity spans that cross a sentence boundary, or whose sentence is left out
    broken: set[int] = field(default_factory=set)  # numbers of sentences that are left out
    across: list[tuple[Span, Span, str]] = field(default_factory=list)  # head, tail and type of relations across sentences

    def relations_across(self, sentences: Mapping[int, tuple[int, Sentence]]) -> Iterator[RelationAcross]:
        """Args: sentences: those that are kept, with their number in the document, by their number in the file."""
        for head, tail, label in self.across:
            ends = []
            for start, end in (head, tail):
                number = self.sentence_of[start, end]
                kept, sentence = sentences[number]
                first = self.bounds[number][0]
                ends.append((kept, [(e.start, e.end) for e in sentence.entities].index((start - first, end - first))))
            yield RelationAcross(ends[0], ends[1], label)


def _tokens(item: list[Any], number: int, places: _EntityPlaces, where: str) -> tuple[str, ...] | None:
    """The tokens of a sentence; None if it is left out."""
    with places.report.leaving_out("sentences"):
        return tokens_of(item, where)
    places.broken.add(number)
    return None


def _per_sentence(record: dict[str, Any], name: str, num_sentences: int, where: str) -> list[list[Any]]:
    items = required(record, name, list, where)
    if len(items) != num_sentences:
        raise DataError(f"{where}: {name}: expected one list a sentence ({num_sentences}), got {len(items)}")
    return [as_kind(item, list, f"{where}: {name} of sentence {number}") for number, item in enumerate(items)]


def _entities(items: list[Any], number: int, places: _EntityPlaces, where: str) -> list[Entity]:
    """The entities of one sentence, in tokens of the sentence; enters their spans in `places`."""
    sentence_start, sentence_end = places.bounds[number]
    entities = []
    for item_number, item in enumerate(items):
        place = f"{where}: ner: item {item_number}"
        with places.report.leaving_out("entities"):
            (start, last), label = numbers_and_label(item, 2, place, places.report)
            _check_span(start, last, number, places, place)
            if not label.strip():
                raise DataError(f"{place}: expected a type, got an empty string")
            if number in places.broken:
                places.dropped.add((start, last + 1))
                places.report.lose_entity("entities of a broken sentence", place)
            elif start < sentence_start or last >= sentence_end:
                places.dropped.add((start, last + 1))
                places.report.lose_entity("entities that cross a sentence boundary", f"{place}: {item}")
            else:
                places.sentence_of[start, last + 1] = number
                entities.append(Entity(start - sentence_start, last + 1 - sentence_start, label))
    return entities


def _check_span(start: int, last: int, number: int, places: _EntityPlaces, where: str) -> None:
    """Raises DataError unless the span lies in the document and touches its sentence."""
    num_tokens = places.bounds[-1][1]
    sentence_start, sentence_end = places.bounds[number]
    if not 0 <= start <= last < num_tokens:
        raise DataError(f"{where}: expected 0 <= first <= last < {num_tokens} tokens, got {shown(start)}..{shown(last)}")
    if last < sentence_start or start >= sentence_end:
        raise DataError(
            f"{where}: expected tokens of this sentence ({sentence_start}..{sentence_end - 1}), got {start}..{last}; "
            "indices count through the whole document"
        )


def _relations(items: list[Any], number: int, entities: list[Entity], places: _EntityPlaces, where: str) -> list[Relation | None]:
    """The relations between entities of one sentence, as positions in `entities`; None in place of those that are left out."""
    sentence_start = places.bounds[number][0]
    positions = SpanPositions.of(entities)
    relations: list[Relation | None] = []
    for item_number, item in enumerate(items):
        place = f"{where}: relations: item {item_number}"
        relation = None
        with places.report.leaving_out("relations", relation=label_of(item, 4)):
            (head, head_last, tail, tail_last), label = numbers_and_label(item, 4, place, places.report)
            spans = ((head, head_last + 1), (tail, tail_last + 1))
            if any(span not in places.sentence_of and span not in places.dropped for span in spans):
                raise DataError(f"{place}: expected first and last token of two entities, got {shown(item)}")
            if any(span in places.dropped for span in spans):
                places.report.lose_relation("relations of a dropped entity", f"{place}: {item}", label)
            elif any(places.sentence_of[span] != number for span in spans):
                places.report.lose_across(f"{place}: {item}", label)
                places.across.append((*spans, label))
            else:
                inside = ((start - sentence_start, end - sentence_start) for start, end in spans)
                first, second = (positions.position(span, places.report, where=f"{place}: {item}") for span in inside)
                relation = Relation(first, second, label)
        relations.append(relation)
    return relations


def _recognises_file(path: Path) -> bool:
    return first_line_object(path).keys() >= {"sentences", "ner"}


def recognises(path: Path) -> bool:
    """A .json or .jsonl file whose first line is an object with `sentences` and `ner`."""
    return file_or_children(path, _KIND)


_KIND = FileKind("dygie", (".json", ".jsonl"), _recognises_file, re.compile(r'"(?:sentences|ner)"\s*:'))
READER = Reader(
    name="dygie",
    summary="DyGIE / SciERC / PURE JSON lines: documents, inclusive document-level token spans",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
