"""What language models answer: texts with relations between strings, as JSON lines, one JSON array or one object; also LangExtract's files.

    {"text": "Ada runs Zed.", "relations": [{"head": "Ada", "type": "runs", "tail": "Zed"}],
     "entities"?: [{"text": "Ada", "type": "PER"}, ...]}
    {"text": "Ada runs Zed.", "document_id"?: "d", "extractions": [{"extraction_class": "person", "extraction_text": "Ada",
     "char_interval": {"start_pos": 0, "end_pos": 3} or null, "alignment_status"?, "attributes"?: {...}}, ...]}        LangExtract

`relations` may be called `triples` or `triplets`, and each be a list [head, type, tail], or an object with head or subject, type,
relation, predicate or label, and tail or object (also subj, sub, rel, obj). `head_type` and `tail_type` (`subject_type`, `object_type`), or
the list of entities, give the types of entities.

**A string is where the text has it as whole words, once.** One that stands there several times could be any of them: it is counted, and
so are its relations, never guessed. One that does not stand there, in the same letters, is counted too. An entity without a type gets
`entity`.

LangExtract gives most extractions a place, which is read: an extraction is an entity, its class the type. Where other words stand there,
its own words are looked for as if it had no place (some versions miscount Chinese), unless LangExtract says that it is a near match.

It has no relations of its own, so two habits of its users are read. An extraction whose attributes name a head and a tail (or subject and
object, source and target) is a relation; its type is the attribute `type`, `relation` or `predicate`, else its class. With
`group=ATTRIBUTE`, extractions with the same value of the attribute belong together: the one whose own text is that value is the head, each
other one a tail, and its class the type of the relation. In a file with neither, no document is annotated with relations.

Source of LangExtract's format: https://github.com/google/langextract (`data_lib.py`, `docs/examples/medication_examples.md`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import HEAD_KEYS, TAIL_KEYS, first_records, relates_strings
from relsift.readers.marked_text import LINES, RELATIONS, Cutting
from relsift.readers.records import as_kind, as_object, identifier, json_records, keys_of, required
from relsift.readers.string_places import Places
from relsift.schema import Document

_LISTS = ("relations", "triples", "triplets")
_TYPE_KEYS = ("type", "relation", "rel", "predicate", "label")
_ATTRIBUTE_TYPE_KEYS = ("type", "relation", "predicate")
_KEYS = frozenset({"id", "doc_id", "document_id", "text", "entities", "extractions", *_LISTS})
_NEAR = ("match_fuzzy", "match_lesser", "match_greater")  # of LangExtract's statuses
_NO_TYPE = "entity"  # the data model has no entity without a type
_EXTRACTION_KEYS = frozenset((
    "extraction_class", "extraction_text", "char_interval", "alignment_status", "attributes", "extraction_index", "group_index",
    "description", "token_interval",
))  # fmt: skip

SAMPLES = {
    "answers.jsonl": '{"id": "a1", "text": "Ada Kern runs Zed.", '
    '"entities": [{"text": "Ada Kern", "type": "PER"}, {"text": "Zed", "type": "ORG"}], '
    '"relations": [{"head": "Ada Kern", "type": "runs", "tail": "Zed"}]}\n',
    "langextract.jsonl": '{"document_id": "x1", "text": "Bo owns Yat.", "extractions": ['
    '{"extraction_class": "person", "extraction_text": "Bo", "char_interval": {"start_pos": 0, "end_pos": 2}, '
    '"alignment_status": "match_exact", "attributes": null}, '
    '{"extraction_class": "company", "extraction_text": "Yat", "char_interval": {"start_pos": 8, "end_pos": 11}, "attributes": {}}, '
    '{"extraction_class": "owns", "extraction_text": "Bo owns Yat", "char_interval": null, '
    '"attributes": {"subject": "Bo", "object": "Yat"}}]}\n',
}


class _Extraction(NamedTuple):
    """One of LangExtract's."""

    place: str
    kind: str  # class
    text: str
    interval: Any
    is_near: bool  # whether LangExtract aligned it with other words of the text
    attributes: dict[str, Any]

    @property
    def ends(self) -> tuple[str, str] | None:
        """Head and tail, if the attributes name both."""
        head, tail = (_first(self.attributes, names) for names in (HEAD_KEYS, TAIL_KEYS))
        return (head, tail) if isinstance(head, str) and isinstance(tail, str) else None

    @property
    def has_empty_end(self) -> bool:
        """Whether the attributes have a key for both ends, but no string for one."""
        return self.ends is None and not any(self.attributes.keys().isdisjoint(names) for names in (HEAD_KEYS, TAIL_KEYS))


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, group: str = "", **cutting: str) -> Iterator[Document]:
    """Yield one document a text, in file order.

    Args: group: the attribute that groups LangExtract's extractions; "": none (see above). cutting: the fields of `Cutting`.
    Raises: DataError naming file, line and record (counted from 1).
    Counts: strings that stand several times in the text or not at all, with their relations; entities without a type; extractions that
        LangExtract aligned with other words (kept), and those whose words are not at their place; what `document_from_offsets` counts.
    """
    documents = partial(_documents, path=path, report=report, encoding=encoding, group=group, cutting=Cutting(**cutting))
    return read_files(path, report, _KIND, documents, encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, encoding: str, group: str, cutting: Cutting) -> Iterator[Document]:
    key = file_key(file, path)
    records = list(json_records(file, report, encoding, unit="documents"))
    are_related = bool(group) or any(_names_ends(value) for _, value in records)
    for number, (line, value) in enumerate(records, start=1):
        where = f"{file}:{line}: record {number}"
        with report.leaving_out("documents"):
            record = as_object(value, _KEYS, where, report)
            name = next((name for name in ("id", "doc_id", "document_id") if record.get(name) is not None), "id")
            places = Places(required(record, "text", str, where), where, report)
            if "extractions" in record:
                _add_extractions(required(record, "extractions", list, where), places, group)
            else:
                _add_triples(record, places)
            is_annotated = are_related if "extractions" in record else _list_name(record) is not None
            given = identifier(record.get(name), f"{where}: {name}")
            yield places.document(given or f"{key}-{number}", cutting, annotated=is_annotated)


# ---- strings -----------------------------------------------------------------------------------------------------------------


def _list_name(record: dict[str, Any]) -> str | None:
    return next((name for name in _LISTS if record.get(name) is not None), None)


def _add_triples(record: dict[str, Any], places: Places) -> None:
    name = _list_name(record)
    if name is None and record.get("entities") is None:
        raise DataError(f"{places.where}: expected the key 'relations', got {keys_of(record)}")
    types: dict[str, str] = {}
    for number, item in enumerate(required(record, "entities", list, places.where) if record.get("entities") is not None else ()):
        place = f"{places.where}: entity {number}"
        with places.report.leaving_out("entities"):
            words, kind = _mention(item, place)
            if kind:
                types.setdefault(words, kind)
            places.add_words(words, _typed(kind, place, places), place)
    for number, item in enumerate(required(record, name, list, places.where) if name else ()):
        place = f"{places.where}: relation {number}"
        kind = _relation_type(item)
        with places.report.leaving_out("relations", relation=kind):
            _add_triple(item, kind, types, place, places)


def _add_triple(item: Any, kind: str | None, types: dict[str, str], place: str, places: Places) -> None:
    if isinstance(item, list):
        if len(item) != 3 or not all(isinstance(part, str) for part in item):
            raise DataError(f"{place}: expected three strings, head, type and tail, got {shown(item)}")
        item = dict(zip(("head", "type", "tail"), item))
    values = as_kind(item, dict, place)
    if kind is None or not kind.strip():
        raise DataError(f"{place}: expected a type as a string under one of {', '.join(_TYPE_KEYS)}, got {keys_of(values)}")
    keys: list[str | None] = []
    for role, names in (("head", HEAD_KEYS), ("tail", TAIL_KEYS)):
        name = next((name for name in names if values.get(name) is not None), None)
        if name is None:
            raise DataError(f"{place}: expected a string under one of {', '.join(names)}, got {keys_of(values)}")
        words, own_type = _mention(values[name], f"{place}: {role}")
        given = values.get(f"{name}_type") or own_type or types.get(words)
        known = None if given else places.key_of(words, place)
        keys.append(known or places.add_words(words, _typed(given, f"{place}: {role}", places), f"{place}: {role}"))
    places.add_relation(keys[0], keys[1], kind, place)


def _mention(item: Any, place: str) -> tuple[str, str | None]:
    """The words of a mention and its type, if it has one. Raises DataError for anything but a string, or an object with one."""
    words, kind = item, None
    if isinstance(item, dict):
        words, kind = _first(item, ("text", "name")), _first(item, ("type", "label"))
    if not isinstance(words, str) or not words.strip() or not isinstance(kind, str | None):
        raise DataError(f"{place}: expected a string, or an object with the string 'text', got {shown(item)}")
    return words.strip(), kind


def _typed(kind: Any, place: str, places: Places) -> str:
    if kind is None or kind == "":
        places.report.drop(f"entities without a type, which get the type {_NO_TYPE!r} (kept)", place)
        return _NO_TYPE
    return as_kind(kind, str, f"{place}: type")


def _relation_type(item: Any) -> str | None:
    kind = item[1] if isinstance(item, list) and len(item) == 3 else _first(item, _TYPE_KEYS) if isinstance(item, dict) else None
    return kind if isinstance(kind, str) else None


def _first(values: dict[str, Any], names: Sequence[str]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


# ---- LangExtract -------------------------------------------------------------------------------------------------------------


def _names_ends(value: Any) -> bool:
    """Whether an extraction of the record has attributes that name the ends of a relation."""
    items = value.get("extractions") if isinstance(value, dict) else None
    return any(
        isinstance(item, dict) and isinstance(item.get("attributes"), dict)
        and _Extraction("", "", "", None, False, item["attributes"]).ends is not None
        for item in (items if isinstance(items, list) else ())
    )  # fmt: skip


def _add_extractions(items: list[Any], places: Places, group: str) -> None:
    keys: dict[str, list[tuple[_Extraction, str | None]]] = defaultdict(list)  # value of `group` -> its extractions and their ids
    extractions = []
    for number, item in enumerate(items):
        with places.report.leaving_out("entities"):
            extractions.append(_extraction(item, f"{places.where}: extraction {number}", places.report))
    for extraction in extractions:
        if extraction.has_empty_end:
            places.report.lose_relation("relations without a string at one end (their words are kept)", extraction.place, extraction.kind)
        if extraction.ends is None:
            with places.report.leaving_out("entities"):
                key = _key_of(extraction, places)
                value = extraction.attributes.get(group) if group else None
                if isinstance(value, str):
                    keys[value].append((extraction, key))
    for extraction in extractions:
        if extraction.ends is not None:
            kind = _first(extraction.attributes, _ATTRIBUTE_TYPE_KEYS)
            kind = kind if isinstance(kind, str) and kind.strip() else extraction.kind
            with places.report.leaving_out("relations", relation=kind):
                head, tail = (_placed(end, extraction.place, places) for end in extraction.ends)
                places.add_relation(head, tail, kind, extraction.place)
    for value, members in keys.items():
        _add_group(value, members, places)


def _extraction(item: Any, place: str, report: ReadReport) -> _Extraction:
    values = as_object(item, _EXTRACTION_KEYS, place, report)
    kind = required(values, "extraction_class", str, place)
    if not kind.strip():
        raise DataError(f"{place}: extraction_class: expected a class, got an empty string")
    attributes = as_kind(values.get("attributes") or {}, dict, f"{place}: attributes")
    is_near = values.get("alignment_status") in _NEAR
    return _Extraction(place, kind, required(values, "extraction_text", str, place), values.get("char_interval"), is_near, attributes)


def _key_of(extraction: _Extraction, places: Places) -> str | None:
    interval, place = extraction.interval, extraction.place
    bounds = [None, None] if interval is None else [as_kind(interval, dict, place).get(name) for name in ("start_pos", "end_pos")]
    if bounds == [None, None]:
        return places.add_words(extraction.text, extraction.kind, place)
    span = required(interval, "start_pos", int, place), required(interval, "end_pos", int, place)
    return places.add_at(span, extraction.text, extraction.kind, place, is_near=extraction.is_near)


def _placed(words: str, place: str, places: Places) -> str | None:
    """The id of the mention with these words, which gets no type if no extraction has them."""
    return places.key_of(words, place) or places.add_words(words, _typed(None, place, places), place)


def _add_group(value: str, members: list[tuple[_Extraction, str | None]], places: Places) -> None:
    """Relate the extraction that a group is named after to each other one."""
    heads = [(extraction, key) for extraction, key in members if extraction.text == value]
    for extraction, key in members:
        if len(heads) != 1:
            places.report.lose_relation("relations of a group without one extraction of its name", extraction.place, extraction.kind)
        elif extraction is not heads[0][0]:
            places.add_relation(heads[0][1], key, extraction.kind, extraction.place)


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        extractions = record.get("extractions")
        if isinstance(extractions, list) and "tokens" not in record:
            if not extractions or (isinstance(extractions[0], dict) and "extraction_class" in extractions[0]):
                return True
        elif relates_strings(record):
            return True
        elif record.get("entities") or not isinstance(record.get("text"), str):
            return False
    return False


def recognises(path: Path) -> bool:
    """A .jsonl or .json file of objects with `text` and relations between strings, or with LangExtract's `extractions`."""
    return file_or_children(path, _KIND)


_KIND = FileKind("triples", (".jsonl", ".json"), _recognises_file, re.compile(r'"(?:triples|triplets|relations|extractions)"\s*:'))
READER = Reader(
    name="triples",
    summary="answers of language models: texts with relations between strings; LangExtract's files",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"lines": LINES, "relations": RELATIONS},
    open_options={"group": "the attribute that groups LangExtract's extractions, such as medication_group"},
    has_encoding=True,
)
