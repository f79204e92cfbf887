"""Prodigy's JSON lines of `rel.manual`: texts with tokens, spans, and relations between tokens.

    {"text": "Ada runs Zed.", "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": true, "disabled"?: false}, ...],
     "spans": [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}, ...],
     "relations"?: [{"head": 0, "child": 2, "label": "runs", "head_span": {...}, "child_span": {...}}], "answer": "accept"}

A record is one sentence with Prodigy's own tokens, so relations across full stops stay; but where relsift wrote it with `unit=document`,
`meta` names the tokens with which its sentences begin. Only records with the answer `accept` are read, and
those without an answer, which other programs wrote; rejected and ignored ones are counted. `ner.manual` and `spans.manual` write the same
without relations: such records are not annotated with relations. Tokens that are `disabled` are words like any other.

A record without tokens, such as Prodigy's input, is raw text for `relsift predict` and `relsift annotate`, which give `split`; elsewhere it
is counted.

Traps: `start` and `end` count characters, the end exclusive; `token_end` is INCLUSIVE. `head` and `child` are the LAST token of a span.
`head_span` and `child_span` are compared with the spans by their characters: some versions write a wrong `token_start` there.
Tokens of blanks alone are left out, as no format has them.

Source of the format: https://prodi.gy/docs/api-interfaces#relations.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import first_records
from relsift.readers.raw import Split, documents_of
from relsift.readers.records import as_kind, as_object, json_records, required, sentence_from_indices
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.text import Span

_KEYS = frozenset((
    "text", "tokens", "spans", "relations", "answer", "meta", "id", "label", "options", "accept", "_input_hash", "_task_hash",
    "_session_id", "_view_id", "_timestamp", "_annotator_id", "_is_binary",
))  # fmt: skip
_ACCEPT = "accept"

SAMPLES = {
    "annotations.jsonl": '{"text": "Ada runs Zed.", "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": true}, '
    '{"text": "runs", "start": 4, "end": 8, "id": 1, "ws": true}, {"text": "Zed", "start": 9, "end": 12, "id": 2, "ws": false}, '
    '{"text": ".", "start": 12, "end": 13, "id": 3, "ws": false}], '
    '"spans": [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}, '
    '{"start": 9, "end": 12, "token_start": 2, "token_end": 2, "label": "ORG"}], "relations": [{"head": 0, "child": 2, "label": "runs", '
    '"head_span": {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}, '
    '"child_span": {"start": 9, "end": 12, "token_start": 2, "token_end": 2, "label": "ORG"}}], "answer": "accept"}\n'
}


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, split: Split | None = None) -> Iterator[Document]:
    """Yield one document a record, in file order.

    Args: split: from the text of a record without tokens to sentences; None: such records are counted.
    Raises: DataError naming file, line and record (counted from 1); also where spans, tokens and text show different words.
    Counts: records with another answer than accept, blank texts, spans without a label, relations with a token that is in no labelled span,
        values under unknown keys, duplicates, relations of an entity with itself, and what `_cut` counts.
    """
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, encoding=encoding, split=split), encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str, split: Split | None) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="records"), start=1):
        where = f"{file}:{line}: record {number}"
        with report.leaving_out("records"):
            record = as_object(value, _KEYS, where, report)
            answer = record.get("answer", _ACCEPT)
            if answer != _ACCEPT:
                report.drop(f"records with the answer {shown(answer)}", where)
            elif not _is_raw(record):
                yield _document(record, f"{key}-{number}", where, report)
            elif split is None:
                report.drop("records without annotation", where)
            else:
                yield from documents_of(f"{key}-{number}", (required(record, "text", str, where),), split, report, where)


def _is_raw(record: dict[str, Any]) -> bool:
    """Whether it is a text to be annotated."""
    return isinstance(record.get("text"), str) and all(record.get(name) is None for name in ("tokens", "spans", "relations"))


@dataclass(slots=True)
class _Words:
    """The tokens of a record that are no blanks, and how the record names them."""

    tokens: list[str] = field(default_factory=list)
    offsets: list[Span] = field(default_factory=list)  # half-open, in characters of the text
    numbers: list[int | None] = field(default_factory=list)  # of each token of the record, here; None for blanks
    edges: list[Span] = field(default_factory=list)  # of each token of the record, in characters


def _document(record: dict[str, Any], key: str, where: str, report: ReadReport) -> Document:
    text = required(record, "text", str, where)
    words = _words(required(record, "tokens", list, where), text, where)
    if not words.tokens:
        report.drop("empty texts (kept, as documents without sentences)", where)
        return Document(key, (), text)
    spans: dict[tuple[Span, str], int] = {}  # characters and label -> position in `entities`
    entities: list[Entity | None] = []
    for number, item in enumerate(_list(record, "spans", where)):
        place = f"{where}: span {number}"
        entity = None
        with report.leaving_out("entities"):
            chars, label = _characters(item, words, place)
            if label is None:
                report.lose_entity("spans without a label", place)
            else:
                entity = _entity(item, chars, label, words, place)
                spans.setdefault((chars, label), len(entities))
        entities.append(entity)
    relations = _relations(record, spans, entities, words, where, report) if record.get("relations") is not None else None
    sentence = sentence_from_indices(key, words.tokens, entities, relations, report, where=where)
    whole = replace(sentence, offsets=tuple(words.offsets))
    starts = _sentence_starts(record, words, where)
    if len(starts) < 2:
        return Document(key, (whole,), text)
    sentences, across = _cut(whole, starts, report, where)
    return Document(key, sentences, text, across)


def _sentence_starts(record: dict[str, Any], words: _Words, where: str) -> list[int]:
    """The first words of the sentences, if relsift wrote the record, of which several are in it. Raises DataError for other numbers."""
    meta = record.get("meta")
    if not isinstance(meta, dict) or "sentence_starts" not in meta:
        return []
    starts = required(meta, "sentence_starts", list, f"{where}: meta")
    if any(type(one) is not int for one in starts) or not all(a < b for a, b in pairwise((*starts, len(words.edges)))) or starts[:1] != [0]:
        expected = f"numbers of tokens that begin with 0 and rise below {len(words.edges)}"
        raise DataError(f"{where}: meta: sentence_starts: expected {expected}, got {shown(starts)}")
    before = list(accumulate((number is not None for number in words.numbers), initial=0))  # words, which are no blanks
    return [start for start, end in pairwise((*(before[one] for one in starts), len(words.tokens))) if start < end]


def _cut(whole: Sentence, starts: list[int], report: ReadReport, where: str) -> tuple[tuple[Sentence, ...], tuple[RelationAcross, ...]]:
    """The sentences that begin at these tokens, and the relations between them.

    Counts: relations across sentences; entities that cross a boundary, and their relations.
    """
    ends = [*starts[1:], len(whole.tokens)]
    entities: list[list[Entity]] = [[] for _ in starts]
    places: dict[int, tuple[int, int]] = {}
    for position, entity in enumerate(whole.entities):
        number = bisect.bisect_right(starts, entity.start) - 1
        if entity.end > ends[number]:
            report.lose_entity("entities that cross a sentence boundary", f"{where}: {' '.join(whole.tokens[entity.start : entity.end])}")
            continue
        places[position] = number, len(entities[number])
        entities[number].append(replace(entity, start=entity.start - starts[number], end=entity.end - starts[number]))
    relations: list[list[Relation]] = [[] for _ in starts]
    across = []
    for relation in whole.relations or ():
        head, tail = places.get(relation.head), places.get(relation.tail)
        if head is None or tail is None:
            report.lose_relation("relations of a dropped entity", where, relation.type)
        elif head[0] == tail[0]:
            relations[head[0]].append(replace(relation, head=head[1], tail=tail[1]))
        else:
            report.lose_across(f"{where}: {relation.type}", relation.type)
            across.append(RelationAcross(head, tail, relation.type))
    parts = zip(starts, ends, entities, relations)
    return tuple(
        Sentence(
            f"{whole.id}-{number}", whole.tokens[start:end], tuple(own), None if whole.relations is None else tuple(links), whole.id,
            None if whole.offsets is None else whole.offsets[start:end],
        )
        for number, (start, end, own, links) in enumerate(parts)
    ), tuple(across)  # fmt: skip


def _list(record: dict[str, Any], name: str, where: str) -> list[Any]:
    return required(record, name, list, where) if record.get(name) is not None else []


def _words(items: Sequence[Any], text: str, where: str) -> _Words:
    """The record's tokens. Raises DataError for one that does not stand at its offsets in the text."""
    words = _Words()
    for number, item in enumerate(items):
        place = f"{where}: token {number}"
        token = as_kind(item, dict, place)
        start, end = required(token, "start", int, place), required(token, "end", int, place)
        word = required(token, "text", str, place)
        if not 0 <= start <= end <= len(text) or text[start:end] != word:
            got = shown(text[max(start, 0) : max(end, 0)])
            raise DataError(f"{place}: expected {shown(word)} at {start} to {end} of the text, got {got}")
        if words.edges and start < words.edges[-1][1]:
            raise DataError(f"{place}: expected tokens in the order of the text, got one at {start} behind {words.edges[-1][1]}")
        words.edges.append((start, end))
        words.numbers.append(len(words.tokens) if word.strip() else None)
        if word.strip():
            first = start + len(word) - len(word.lstrip())
            words.tokens.append(word.strip())
            words.offsets.append((first, first + len(word.strip())))
    return words


def _characters(item: Any, words: _Words, place: str) -> tuple[Span, str | None]:
    """The characters of a span and its label, if it has one."""
    span = as_kind(item, dict, place)
    label = span.get("label")
    if label is not None and not (isinstance(label, str) and label.strip()):
        raise DataError(f"{place}: expected a label, got {shown(label)}")
    if "start" in span or "token_start" not in span:
        return (required(span, "start", int, place), required(span, "end", int, place)), label
    first, last = _token_numbers(span, words, place)
    return (words.edges[first][0], words.edges[last][1]), label


def _token_numbers(span: dict[str, Any], words: _Words, place: str) -> Span:
    """The first and the last token of a span, in the record's own numbers."""
    first, last = required(span, "token_start", int, place), required(span, "token_end", int, place)
    if not 0 <= first <= last < len(words.edges):
        raise DataError(f"{place}: expected 0 <= token_start <= token_end < {len(words.edges)} tokens, got {shown(first)} to {shown(last)}")
    return first, last


def _entity(span: dict[str, Any], chars: Span, label: str, words: _Words, place: str) -> Entity:
    """The entity of a labelled span. Raises DataError unless its characters and its tokens are the same words."""
    if "token_start" in span:
        first, last = _token_numbers(span, words, place)
        if (words.edges[first][0], words.edges[last][1]) != chars:
            raise DataError(
                f"{place}: expected characters of the tokens {first} to {last} (the last one included), "
                f"{words.edges[first][0]} to {words.edges[last][1]}, got {shown(chars[0])} to {shown(chars[1])}"
            )
    inside = [chars[0] <= start and end <= chars[1] for start, end in words.edges]
    covered = [number for number, is_inside in zip(words.numbers, inside) if is_inside and number is not None]
    whole = {edge for edges in words.edges for edge in edges}
    if not covered or not whole.issuperset(chars):
        raise DataError(f"{place}: expected characters of whole tokens, got {shown(chars[0])} to {shown(chars[1])}")
    return Entity(covered[0], covered[-1] + 1, label)


def _relations(
    record: dict[str, Any],
    spans: dict[tuple[Span, str], int],
    entities: Sequence[Entity | None],
    words: _Words,
    where: str,
    report: ReadReport,
) -> list[Relation | None]:
    relations: list[Relation | None] = []
    for number, item in enumerate(required(record, "relations", list, where)):
        place = f"{where}: relation {number}"
        label = item.get("label") if isinstance(item, dict) else None
        relation = None
        with report.leaving_out("relations", relation=label if isinstance(label, str) else None):
            values = as_kind(item, dict, place)
            kind = required(values, "label", str, place)
            head, tail = (_end(values, role, spans, entities, words, place) for role in ("head", "child"))
            if head is None or tail is None:
                report.lose_relation("relations with a token that is in no labelled span", place, kind)
            else:
                relation = Relation(head, tail, kind)
        relations.append(relation)
    return relations


def _end(
    relation: dict[str, Any], role: str, spans: dict[tuple[Span, str], int], entities: Sequence[Entity | None], words: _Words, place: str
) -> int | None:
    """The position of the entity at one end; None for a token without a label. Raises DataError if span and token do not fit."""
    token = required(relation, role, int, place)
    number = words.numbers[token] if 0 <= token < len(words.numbers) else None
    named = relation.get(f"{role}_span")
    if named is None:  # the token alone: a span that ends with it
        ending = [position for position, entity in enumerate(entities) if entity is not None and entity.end - 1 == number]
        return ending[0] if len(ending) == 1 else None
    chars, label = _characters(named, words, f"{place}: {role}_span")
    if label is None:
        return None
    position = spans.get((chars, label))
    if position is None:
        raise DataError(f"{place}: {role}_span: expected one of the record's spans, got {label} at {shown(chars[0])} to {shown(chars[1])}")
    entity = entities[position]
    if number is None or entity is None or not entity.start <= number < entity.end:
        raise DataError(f"{place}: expected {role}, a token, in its {role}_span, got {shown(token)}, the number of another token")
    return position


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        tokens = record.get("tokens")
        if _is_raw(record) and isinstance(record.get("meta"), dict) and record.keys() <= _KEYS:
            return True
        if not isinstance(tokens, list) or record.keys().isdisjoint({"spans", "relations", "_input_hash"}):
            return False
        if tokens:
            return isinstance(tokens[0], dict) and tokens[0].keys() >= {"text", "start", "end"}
    return False


def recognises(path: Path) -> bool:
    """A .jsonl or .json file of objects with `tokens` that are objects with text, start and end, and with spans or relations."""
    return file_or_children(path, _KIND)


_KIND = FileKind("prodigy", (".jsonl", ".json"), _recognises_file, re.compile(r'"(?:token_start|_input_hash)"\s*:'))
READER = Reader(
    name="prodigy",
    summary="Prodigy's JSON lines: texts with tokens, spans, and relations of rel.manual",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
    has_split=True,
)
