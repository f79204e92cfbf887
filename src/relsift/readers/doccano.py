"""doccano's exports of sequence labelling: JSON lines, or one JSON array, of texts with labelled spans.

    {"id": 1, "text": "Ada runs Zed.", "entities": [{"id": 11, "label": "PER", "start_offset": 0, "end_offset": 3}, ...],
     "relations": [{"id": 5, "from_id": 11, "to_id": 12, "type": "runs"}], "Comments": []}       export "JSONL(relation)"
    {"id": 1, "text": "Ada runs Zed.", "label": [[0, 3, "PER"], ...]}                            export "JSONL"; older: "labels"

Ends are exclusive. Only the first layout has relations; documents of the second one are read as not annotated with relations, and counted.
A record with neither is raw text for `relsift predict` and `relsift annotate`, which give `split`; elsewhere it is an error.
Where doccano itself leaves `entities` and `relations` empty (its versions of early 2022), that cannot be told from a text without any.

Trap: doccano's editor counts UTF-16 units, while data imported into it often count characters, and the file holds no words to compare with.
`positions=auto` takes UTF-16 units unless characters put more edges between words; documents in which that matters are counted. The project
setting "Count grapheme clusters as one character" gives a third way of counting, which is not read.

Source of the format: doccano's `data_export`, and v-annotator's `TextSelectionHandler`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import first_records
from relsift.readers.marked_text import LINES, RELATIONS, Cutting, MarkedText
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, Positions, fits
from relsift.readers.raw import Split, documents_of
from relsift.readers.records import as_object, identifier, json_records, keys_of, numbers_and_label, required
from relsift.schema import Document
from relsift.text import Span
from relsift.token_text import is_cjk

_UTF16 = "utf16"
_SPAN_LISTS = ("label", "labels")
_KEYS = frozenset({"id", "text", "entities", "relations", "Comments", *_SPAN_LISTS})
_ENTITY_KEYS = frozenset({"id", "label", "start_offset", "end_offset"})
_RELATION_KEYS = frozenset({"id", "from_id", "to_id", "type"})

SAMPLES = {
    "all.jsonl": '{"id": 1, "text": "Ada runs Zed.", "entities": [{"id": 11, "label": "PER", "start_offset": 0, "end_offset": 3}, '
    '{"id": 12, "label": "ORG", "start_offset": 9, "end_offset": 12}], '
    '"relations": [{"id": 5, "from_id": 11, "to_id": 12, "type": "runs"}], "Comments": []}\n'
}


class _Mention(NamedTuple):
    place: str
    key: str
    span: Span  # as the file counts
    label: str


def read(
    path: Path, report: ReadReport, *, encoding: str = UTF8, positions: str = AUTO, split: Split | None = None, **cutting: str
) -> Iterator[Document]:
    """Yield one document a text, in file order.

    Args: positions: what offsets count: "utf16", "characters", or "auto" (see above). cutting: the fields of `Cutting`.
        split: from the text of a record without annotation to sentences; None: such a record is an error.
    Raises: DataError naming file, line and record (counted from 1).
    Counts: comments, values under unknown keys (doccano puts metadata there), documents exported without relations, those in which the two
        ways of counting differ, and what `document_from_offsets` counts.
    """
    documents = partial(
        _documents, path=path, report=report, encoding=encoding, positions=positions, cutting=Cutting(**cutting), split=split
    )
    return read_files(path, report, _KIND, documents, encoding)


def _documents(
    file: Path, *, path: Path, report: ReadReport, encoding: str, positions: str, cutting: Cutting, split: Split | None
) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, encoding, unit="documents"), start=1):
        where, made_up = f"{file}:{line}: record {number}", f"{key}-{number}"
        with report.leaving_out("documents"):
            if split is not None and isinstance(value, dict) and value.keys().isdisjoint({"entities", "annotations", *_SPAN_LISTS}):
                record = as_object(value, _KEYS, where, report)
                name = identifier(record.get("id"), f"{where}: id") or made_up
                yield from documents_of(name, (required(record, "text", str, where),), split, report, where)
            else:
                yield _document(value, made_up, where, report, positions, cutting)


def _document(value: Any, made_up: str, where: str, report: ReadReport, positions: str, cutting: Cutting) -> Document:
    record = as_object(value, _KEYS, where, report)
    key = identifier(record.get("id"), f"{where}: id") or made_up
    text = required(record, "text", str, where)
    for _ in required(record, "Comments", list, where) if "Comments" in record else ():
        report.drop("comments", where)
    lists = [name for name in _SPAN_LISTS if name in record]
    if ("entities" in record) == bool(lists) or len(lists) > 1:
        got = "annotations with numbers as labels" if "annotations" in record else keys_of(record)
        raise DataError(f"{where}: expected 'entities' and 'relations', doccano's export JSONL(relation), or 'label', its JSONL, got {got}")
    if lists:
        mentions, announced = _mentions_from_list(record, lists[0], where, report), set[str]()
        report.drop("documents exported without relations (doccano's export JSONL(relation) has them)", where)
    else:
        mentions, announced = _mentions(record, where, report)
    marked = _marked(text, mentions, where, report, positions)
    marked.announced |= announced
    for mention in mentions:
        with report.leaving_out("entities"):
            marked.add_entity(mention.key, marked.span(*mention.span, mention.place), mention.label, mention.place)
    if not lists and "relations" in record:
        _add_relations(record, marked)
    return marked.document(key, cutting, annotated=not lists and "relations" in record)


def _mentions_from_list(record: dict[str, Any], name: str, where: str, report: ReadReport) -> list[_Mention]:
    mentions = []
    for number, item in enumerate(required(record, name, list, where)):
        place = f"{where}: {name} {number}"
        with report.leaving_out("entities"):
            (start, end), label = numbers_and_label(item, 2, place, report)
            mentions.append(_Mention(place, str(number), (start, end), label))
    return mentions


def _mentions(record: dict[str, Any], where: str, report: ReadReport) -> tuple[list[_Mention], set[str]]:
    """The mentions, and the ids of those too that are left out."""
    mentions, announced = [], set[str]()
    for number, item in enumerate(required(record, "entities", list, where)):
        place = f"{where}: entity {number}"
        with report.leaving_out("entities"):
            values = as_object(item, _ENTITY_KEYS, place, report)
            key = identifier(values.get("id"), f"{place}: id")
            if not key:
                raise DataError(f"{place}: expected an id, which relations name, got none")
            announced.add(key)
            span = required(values, "start_offset", int, place), required(values, "end_offset", int, place)
            mentions.append(_Mention(place, key, span, required(values, "label", str, place)))
    return mentions, announced


def _add_relations(record: dict[str, Any], marked: MarkedText) -> None:
    for number, item in enumerate(required(record, "relations", list, marked.where)):
        place = f"{marked.where}: relation {number}"
        kind = item.get("type") if isinstance(item, dict) else None
        with marked.report.leaving_out("relations", relation=kind if isinstance(kind, str) else None):
            values = as_object(item, _RELATION_KEYS, place, marked.report)
            head, tail = (identifier(values.get(name), f"{place}: {name}") for name in ("from_id", "to_id"))
            marked.add_relation(head, tail, required(values, "type", str, place), place)


def _marked(text: str, mentions: list[_Mention], where: str, report: ReadReport, positions: str) -> MarkedText:
    """The text with its way of counting."""
    spans = [mention.span for mention in mentions]
    ways = {name: Positions(text, name) for name in (_UTF16, CHARACTERS)}
    differ = any(ways[_UTF16].offset(edge) != ways[CHARACTERS].offset(edge) for span in spans for edge in span)
    if positions == AUTO:
        numbers = fits(text, lambda way: sum(_is_neat(text, span, way) for span in spans), conventions=tuple(ways))
        positions = max(ways, key=lambda name: numbers[name])
        if differ:
            report.drop(f"documents whose offsets are taken to count {positions} (kept; doccano[positions=…]:PATH decides)", where)
    return MarkedText(text, where, report, ways[positions], positions)


def _is_neat(text: str, span: Span, positions: Positions) -> bool:
    """Do both edges lie between words, with none of the blanks inside?"""
    start, end = (positions.offset(edge) for edge in span)
    if start is None or end is None or start >= end or text[start].isspace() or text[end - 1].isspace():
        return False
    return not any(0 < edge < len(text) and all(_in_word(text[edge + shift]) for shift in (-1, 0)) for edge in (start, end))


def _in_word(character: str) -> bool:
    return character.isalnum() and not is_cjk(character)


def _recognises_file(path: Path) -> bool:
    has_list = False
    for record in first_records(path):
        if not isinstance(record.get("text"), str) or "tokens" in record:
            return False
        for name, sign in (("entities", "start_offset"), ("relations", "from_id"), ("annotations", "start_offset")):
            items = record.get(name)
            if isinstance(items, list) and items:
                return isinstance(items[0], dict) and sign in items[0]
        spans = next((record[name] for name in _SPAN_LISTS if isinstance(record.get(name), list)), None)
        if spans:
            return isinstance(spans[0], list) and [type(part) for part in spans[0]] == [int, int, str]
        if "Comments" in record:
            return True
        has_list |= spans is not None and record.keys() <= _KEYS
    return has_list  # all of them empty


def recognises(path: Path) -> bool:
    """A .jsonl or .json file of objects with `text` and entities with `start_offset`, or a `label` of lists such as [0, 3, "PER"]."""
    return file_or_children(path, _KIND)


_KIND = FileKind("doccano", (".jsonl", ".json"), _recognises_file, re.compile(r'"start_offset"\s*:'))
READER = Reader(
    name="doccano",
    summary="doccano's exports JSONL(relation) and JSONL: texts with labelled spans",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"positions": (AUTO, _UTF16, CHARACTERS), "lines": LINES, "relations": RELATIONS},
    has_encoding=True,
    has_split=True,
)
