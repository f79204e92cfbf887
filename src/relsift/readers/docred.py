"""DocRED's JSON: an array of documents, whose relations hold between concepts. Also Re-DocRED and others in its layout.

    [{"title": "Zed", "sents": [["Ada", "runs", "Zed"], ...],
      "vertexSet": [[{"name": "Ada", "sent_id": 0, "pos": [0, 1], "type": "PER"}, ...], ...],
      "labels"?: [{"h": 0, "t": 1, "r": "P169", "evidence": [0]}]}, ...]

A concept is the list of its mentions; `h` and `t` are positions in `vertexSet`; `pos` are tokens of its sentence, the end exclusive.

relsift relates mentions within one sentence. So a fact (h, r, t) becomes one relation for each pair of a mention of h and a mention of t
that stand in one sentence, on different tokens (`pairs=all`). With `pairs=evidence` only the sentences of the fact's `evidence` count. A
sentence may hold both mentions and not say the fact: `all` gives more relations, `evidence` surer ones. A fact without such a pair is lost:
counted, and missed in an evaluation. In Re-DocRED that is every second one. A document without `labels` is not annotated.

The document keeps the facts themselves (`Document.concept_relations`), between concepts that are called by their position in `vertexSet`,
with `pairs=evidence` together with their evidence.

Source of the format: Yao et al., ACL 2019; Tan et al., EMNLP 2022 (Re-DocRED).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import first_records
from relsift.readers.records import as_kind, as_object, json_records, required, sentence_from_indices, tokens_of
from relsift.readers.standoff import same_words
from relsift.schema import Document, Entity, Relation, RelationOfConcepts, Sentence

ALL, EVIDENCE = "all", "evidence"
_KEYS = frozenset({"title", "sents", "vertexSet", "labels", "na_triple", "Ls"})
_MENTION_KEYS = frozenset({"name", "sent_id", "pos", "type", "global_pos", "index"})
_FACT_KEYS = frozenset({"h", "t", "r", "evidence"})

SAMPLES = {
    "train_annotated.json": '[{"title": "Zed", "sents": [["Nobody", "came", "."], ["Ada", "Kern", "runs", "Zed", "."]], "vertexSet": '
    '[[{"name": "Ada Kern", "sent_id": 1, "pos": [0, 2], "type": "PER"}], [{"name": "Zed", "sent_id": 1, "pos": [3, 4], "type": "ORG"}]], '
    '"labels": [{"h": 1, "t": 0, "r": "P169", "evidence": [1]}]}]\n'
}


@dataclass(slots=True)
class _Parts:
    """What is found of one sentence."""

    tokens: tuple[str, ...] | None  # None: broken, left out
    entities: list[Entity | None] = field(default_factory=list)
    concepts: list[int] = field(default_factory=list)  # of each entity
    relations: dict[Relation, None] = field(default_factory=dict)


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, pairs: str = ALL) -> Iterator[Document]:
    """Yield one document a record, in file order.

    Args: pairs: "all" or "evidence" (see above).
    Raises: DataError naming file, line and record (counted from 1).
    Counts: facts without a pair, mentions whose name differs from their tokens (kept), mentions listed twice, empty sentences, documents
        without a title, values under unknown keys.
    """
    documents = partial(_documents, path=path, report=report, encoding=encoding, by_evidence=pairs == EVIDENCE)
    return read_files(path, report, _KIND, documents, encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str, by_evidence: bool) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="documents"), start=1):
        with report.leaving_out("documents"):
            yield _document(value, f"{key}-{number}", f"{file}:{line}: record {number}", report, by_evidence)


def _document(value: Any, made_up: str, where: str, report: ReadReport, by_evidence: bool) -> Document:
    record = as_object(value, _KEYS, where, report)
    title = record.get("title")
    if not (isinstance(title, str) and title.strip()):
        report.drop("documents without a title, which get a number", where)
        title = made_up
    sentences = [_parts(item, f"{where}: sentence {number}", report) for number, item in enumerate(required(record, "sents", list, where))]
    vertices = [as_kind(item, list, f"{where}: concept {number}") for number, item in enumerate(required(record, "vertexSet", list, where))]
    for concept, mentions in enumerate(vertices):
        for number, item in enumerate(mentions):
            with report.leaving_out("entities"):
                _add_mention(item, concept, sentences, f"{where}: concept {concept}: mention {number}", report)
    is_annotated = record.get("labels") is not None
    facts: list[RelationOfConcepts] = []
    for number, item in enumerate(required(record, "labels", list, where) if is_annotated else ()):
        kind = item.get("r") if isinstance(item, dict) else None
        with report.leaving_out("relations", relation=kind if isinstance(kind, str) else None):
            facts.append(_add_fact(item, len(vertices), sentences, f"{where}: fact {number}", report, by_evidence))
    kept: dict[int, Sentence] = {}  # by number in the file
    for number, parts in enumerate(sentences):
        place = f"{where}: sentence {number}"
        if parts.tokens:
            relations = list(parts.relations) if is_annotated else None
            sentence = sentence_from_indices(
                f"{title}-{number}", parts.tokens, parts.entities, relations, report, where=place, doc_id=title
            )
            kept[number] = _with_concepts(sentence, parts)
        elif parts.tokens is not None:
            report.drop("empty sentences", place)
    numbers = {number: place for place, number in enumerate(kept)}
    return Document(
        title, tuple(kept.values()),
        concept_relations=tuple(_renumbered(fact, numbers) for fact in facts) if is_annotated else None,
    )  # fmt: skip


def _with_concepts(sentence: Sentence, parts: _Parts) -> Sentence:
    """Equal entities of two concepts are one entity of both."""
    concepts: dict[Entity | None, list[str]] = {}
    for entity, concept in zip(parts.entities, parts.concepts):
        concepts.setdefault(entity, []).append(str(concept))
    return replace(sentence, entities=tuple(replace(entity, concepts=tuple(concepts[entity])) for entity in sentence.entities))


def _renumbered(fact: RelationOfConcepts, numbers: dict[int, int]) -> RelationOfConcepts:
    """Args: numbers: of a sentence in the file, that in the document, which has no empty or broken ones."""
    if fact.evidence is None:
        return fact
    return replace(fact, evidence=tuple(sorted(numbers[number] for number in set(fact.evidence) & numbers.keys())))


def _parts(item: Any, where: str, report: ReadReport) -> _Parts:
    with report.leaving_out("sentences"):
        return _Parts(tokens_of(item, where))
    return _Parts(None)


def _add_mention(item: Any, concept: int, sentences: list[_Parts], where: str, report: ReadReport) -> None:
    mention = as_object(item, _MENTION_KEYS, where, report)
    number = required(mention, "sent_id", int, where)
    if not 0 <= number < len(sentences):
        raise DataError(f"{where}: sent_id: expected 0 to {len(sentences) - 1}, got {shown(number)}")
    span = required(mention, "pos", list, where)
    if len(span) != 2 or not all(type(edge) is int for edge in span):
        raise DataError(f"{where}: pos: expected two whole numbers, got {shown(span)}")
    parts = sentences[number]
    if parts.tokens is None:
        report.lose_entity("entities of a broken sentence", where)
        return
    start, end = span
    if not 0 <= start < end <= len(parts.tokens):
        raise DataError(f"{where}: pos: expected 0 <= start < end <= {len(parts.tokens)} tokens, got {shown(start)}, {shown(end)}")
    entity = Entity(start, end, required(mention, "type", str, where))
    if not entity.type.strip():
        raise DataError(f"{where}: expected a type, got an empty string")
    words = " ".join(parts.tokens[start:end])
    if "name" in mention and not same_words(words, required(mention, "name", str, where)):
        report.drop("mentions whose name differs from their tokens (kept)", f"{where}: {shown(mention['name'])}, {shown(words)}")
    if (entity, concept) in zip(parts.entities, parts.concepts):
        report.drop("duplicate entities", where)
        return
    parts.entities.append(entity)
    parts.concepts.append(concept)


def _add_fact(
    item: Any, num_concepts: int, sentences: list[_Parts], where: str, report: ReadReport, by_evidence: bool
) -> RelationOfConcepts:
    """The fact. Adds its relations to the sentences that show it, or counts it as lost."""
    fact = as_object(item, _FACT_KEYS, where, report)
    kind = required(fact, "r", str, where)
    if not kind.strip():
        raise DataError(f"{where}: expected a type, got an empty string")
    head, tail = required(fact, "h", int, where), required(fact, "t", int, where)
    for role, concept in (("h", head), ("t", tail)):
        if not 0 <= concept < num_concepts:
            raise DataError(f"{where}: {role}: expected a concept among {num_concepts}, counted from 0, got {shown(concept)}")
    evidence = required(fact, "evidence", list, where) if by_evidence else ()
    num_pairs = 0
    for number, parts in enumerate(sentences):
        if by_evidence and number not in evidence:
            continue
        for first in _mentions_of(head, parts):
            for second in _mentions_of(tail, parts):
                spans = _span(first, parts), _span(second, parts)
                if spans[0] < spans[1] or (spans[0] > spans[1] and head != tail):  # within one concept each two once, from left to right
                    parts.relations.setdefault(Relation(first, second, kind))
                    num_pairs += 1
    if not num_pairs:
        report.lose_concepts(f"{where}: {kind} {head} {tail}", kind)
    shown_in = tuple(number for number in evidence if type(number) is int) if by_evidence else None
    return RelationOfConcepts(str(head), str(tail), kind, shown_in)


def _mentions_of(concept: int, parts: _Parts) -> list[int]:
    return [position for position, other in enumerate(parts.concepts) if other == concept]


def _span(position: int, parts: _Parts) -> tuple[int, int]:
    entity = parts.entities[position]
    return (0, 0) if entity is None else (entity.start, entity.end)


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        return record.keys() >= {"sents", "vertexSet"}
    return False


def recognises(path: Path) -> bool:
    """A .json or .jsonl file of objects with `sents` and `vertexSet`."""
    return file_or_children(path, _KIND)


_KIND = FileKind("docred", (".json", ".jsonl"), _recognises_file, re.compile(r'"vertexSet"\s*:'))
READER = Reader(
    name="docred",
    summary="DocRED's JSON: documents with relations between concepts, read as relations between their mentions in one sentence",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"pairs": (ALL, EVIDENCE)},
    has_encoding=True,
)
