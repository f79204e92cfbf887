"""BioC JSON: a collection, or several; a list of documents or one a line is read too, and the answers of PubTator 3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.readers.bioc_records import BiocAnnotation, BiocDocument, BiocPassage, BiocRelation
from relsift.readers.records import as_kind, identifier, json_records, keys_of, required

_COLLECTIONS = ("documents", "PubTator3")  # keys of a list of documents


def json_documents(file: Path, report: ReadReport, encoding: str) -> Iterator[BiocDocument]:
    """The documents of a file. Raises: DataError naming file and line."""
    for line, record in json_records(file, report, encoding, unit="documents"):
        with report.leaving_out("documents"):
            where = f"{file}:{line}"
            values = [record]
            key = next((key for key in _COLLECTIONS if isinstance(record, dict) and key in record), None)
            if key is not None:
                values = as_kind(record[key], list, f"{where}: {key}")
            for number, value in enumerate(values):
                with report.leaving_out("documents"):
                    yield _document(value, where if key is None else f"{where}: document {number}", report)


def _document(value: Any, where: str, report: ReadReport) -> BiocDocument:
    record = as_kind(value, dict, where)
    if "passages" not in record:
        raise DataError(f"{where}: expected a BioC document with passages, or a collection with documents, got {keys_of(record)}")
    document = BiocDocument(where, identifier(record.get("id"), where))
    for number, inner in enumerate(_list(record, "passages", where)):
        place = f"{where}: passage {number}"
        passage = _passage(inner, place, report)
        document.relations += _relations(inner, place, report, number)
        for count, sentence in enumerate(_list(inner, "sentences", place)):
            passage.sentences.append(_passage(sentence, f"{place}: sentence {count}", report))
            document.relations += _relations(sentence, f"{place}: sentence {count}", report, number)
        document.passages.append(passage)
    document.annotations = _annotations(record, where, report)
    document.relations += _relations(record, where, report, None)
    holders = [record, *(holder for inner in _list(record, "passages", where) for holder in (inner, *_list(inner, "sentences", where)))]
    annotations = (item for holder in holders for item in _list(holder, "annotations", where) if isinstance(item, dict))
    document.announced = {str(item["id"]).strip() for item in annotations if item.get("id") is not None}
    return document


def _passage(value: Any, where: str, report: ReadReport) -> BiocPassage:
    record = as_kind(value, dict, where)
    text = record.get("text")
    return BiocPassage(
        where, required(record, "offset", int, where), "" if text is None else as_kind(text, str, f"{where}: text"),
        _annotations(record, where, report),
    )  # fmt: skip


def _annotations(record: dict[str, Any], where: str, report: ReadReport) -> list[BiocAnnotation]:
    annotations = []
    for number, value in enumerate(_list(record, "annotations", where)):
        with report.leaving_out("entities"):
            place = f"{where}: annotation {number}"
            item = as_kind(value, dict, place)
            spans = []
            for location in _list(item, "locations", place):
                as_kind(location, dict, f"{place}: location")
                start, length = (required(location, name, int, place) for name in ("offset", "length"))
                spans.append((start, start + length))
            if not spans or any(not 0 <= start <= end for start, end in spans):
                raise DataError(f"{place}: expected locations with offset and length >= 0, got {shown(item.get('locations'))}")
            words = item.get("text")
            annotations.append(
                BiocAnnotation(
                    place, identifier(item.get("id"), place), _infons(item, place), tuple(spans),
                    None if words is None else as_kind(words, str, f"{place}: text"),
                )
            )  # fmt: skip
    return annotations


def _relations(record: dict[str, Any], where: str, report: ReadReport, passage: int | None) -> list[BiocRelation]:
    relations = []
    for number, value in enumerate(_list(record, "relations", where)):
        with report.leaving_out("relations", relation=_type_of(value)):
            place = f"{where}: relation {number}"
            item = as_kind(value, dict, place)
            nodes = [as_kind(node, dict, f"{place}: node") for node in _list(item, "nodes", place)]
            ends = tuple((identifier(node.get("refid"), place), shown(node.get("role")).strip("'")) for node in nodes)
            relations.append(BiocRelation(place, _infons(item, place), ends, passage))
    return relations


def _type_of(value: Any) -> str | None:
    """The type of a relation that may be broken."""
    infons = value.get("infons") if isinstance(value, dict) else None
    kind = infons.get("type") if isinstance(infons, dict) else None
    return kind if isinstance(kind, str) else None


def _infons(item: dict[str, Any], where: str) -> dict[str, str]:
    """The infons that are a text or a number. PubTator 3 writes the two concepts of a relation as objects, each with an identifier."""
    infons = {}
    for key, value in as_kind(item.get("infons") or {}, dict, f"{where}: infons").items():
        inner = value.get("identifier") if isinstance(value, dict) else value
        if isinstance(inner, str | int | float) and not isinstance(inner, bool):
            infons[key] = str(inner)
    return infons


def _list(record: dict[str, Any], key: str, where: str) -> list[Any]:
    """The list under a key, which may be missing."""
    value = record.get(key)
    return [] if value is None else as_kind(value, list, f"{where}: {key}")
