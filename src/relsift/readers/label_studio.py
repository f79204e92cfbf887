"""Label Studio's JSON export: one array of tasks, each with its text, labelled regions and relations between them.

    [{"id": 6, "data": {"text": "Ada runs Zed."}, "annotations": [{"was_cancelled"?: false, "result": [
        {"type": "labels", "id": "a", "from_name": "label", "to_name": "text", "value": {"start", "end", "text"?, "labels": ["PER"]}},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels"?: ["runs"]}]}]}, ...]

The text is the value in `data` whose key is the regions' `to_name`, or the only string there; `text=KEY` names one of several. Of several
annotations of a task the first that was not cancelled is read. `direction` right (or none) is from `from_id` to `to_id`, left the other
way, and bi gives one relation each way. Several labels are several relations. A relation without a label is an error, unless
`unlabelled=TYPE` names what it means; Label Studio writes such relations if the project has no <Relation> tags.

A task without annotation is raw text for `relsift predict` and `relsift annotate`, which give `split`; elsewhere it is counted.

Traps: versions before October 2021 count UTF-16 units, later ones characters, and the file does not tell. Where regions have their `text`,
`positions=auto` takes for each task the way of counting that shows it; elsewhere it takes characters. Line breaks in a region's text stand
as the two characters \\n.

The exports JSON-MIN, CSV, TSV and CONLL2003 have no relations and are refused; text in HTML or in dialogues has other offsets, and is too.

Source of the format: https://labelstud.io/guide/task_format; the front end's `RelationStore` and `selection-tools`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.json_layouts import first_records
from relsift.readers.marked_text import LINES, RELATIONS, Cutting, MarkedText
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, Positions, fits
from relsift.readers.raw import Split, documents_of
from relsift.readers.records import as_kind, as_object, identifier, json_records, keys_of, required
from relsift.readers.standoff import same_words
from relsift.schema import Document

_CONVENTIONS = (CHARACTERS, "utf16", "crlf-as-one", "utf16+crlf-as-one")
_ANNOTATIONS = ("annotations", "completions")  # the second is the name of versions before 1.0
_TASK_KEYS = frozenset((
    *_ANNOTATIONS, "id", "data", "predictions", "drafts", "meta", "project", "created_at", "updated_at", "updated_by", "inner_id",
    "file_upload", "overlap", "is_labeled", "agreement", "total_annotations", "cancelled_annotations", "total_predictions",
    "comment_count", "unresolved_comment_count", "comment_authors", "last_comment_updated_at", "allow_skip",
))  # fmt: skip
_REGION, _RELATION = "labels", "relation"  # types of results
_OTHER_TEXT = ("hypertextlabels", "paragraphlabels")
_OTHER_EXPORT = "expected Label Studio's export 'JSON', got its export {got}, which has no relations; export the project again as JSON"
_AN_IMPORT = (
    "expected Label Studio's export 'JSON', got a file to import, with predictions that nobody has corrected; import it there, correct it, "
    "and export the project as JSON"
)

SAMPLES = {
    "export.json": '[{"id": 6, "data": {"text": "Ada runs Zed."}, "annotations": [{"id": 3, "was_cancelled": false, "result": ['
    '{"id": "a1", "type": "labels", "from_name": "label", "to_name": "text", "value": {"start": 0, "end": 3, "text": "Ada", '
    '"labels": ["PER"]}}, {"id": "a2", "type": "labels", "from_name": "label", "to_name": "text", "value": {"start": 9, "end": 12, '
    '"text": "Zed", "labels": ["ORG"]}}, {"from_id": "a1", "to_id": "a2", "type": "relation", "direction": "right", '
    '"labels": ["runs"]}]}]}]\n'
}


@dataclass(frozen=True)
class Options:
    """What the reader can be asked for; the first value listed is the default."""

    encoding: str = UTF8
    positions: str = AUTO  # what offsets count, see relsift.readers.positions; auto: for each task what shows the regions' own text
    text: str = ""  # key in `data` of the text, if there are several strings; also the `to_name` of its regions, if there are several texts
    lines: str = LINES[0]  # this one and the next: see `Cutting`
    relations: str = RELATIONS[0]
    unlabelled: str = ""  # relation type of relations without a label; "": they are errors


def read(path: Path, report: ReadReport, *, split: Split | None = None, **options: str) -> Iterator[Document]:
    """Yield one document a task, in file order. `options` are those of `Options`.

    Args: split: from the text of a task without annotation to sentences; None: such tasks are counted.
    Raises: DataError naming file, line and task (counted from 1); for another export of Label Studio.
    Counts: predictions, drafts, cancelled annotations, annotations behind the first, tasks without one, regions without a label, further
        labels of a region, results of other types (choices, boxes), tasks whose offsets do not count characters, and what
        `document_from_offsets` counts.
    """
    if path.is_file() and (export := _other_export(path)):
        raise DataError(f"{path}: {_OTHER_EXPORT.format(got=export)}")
    chosen = Options(**options)
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, options=chosen, split=split), chosen.encoding)


def _documents(file: Path, *, path: Path, report: ReadReport, options: Options, split: Split | None) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(json_records(file, report, options.encoding, unit="tasks"), start=1):
        where = f"{file}:{line}: task {number}"
        if isinstance(value, dict) and _is_minimal(value):
            raise DataError(f"{where}: {_OTHER_EXPORT.format(got='JSON-MIN')}")
        if isinstance(value, dict) and _is_import(value) and split is None:
            raise DataError(f"{where}: {_AN_IMPORT}")
        with report.leaving_out("tasks"):
            yield from _documents_of_task(value, f"{key}-{number}", where, report, options, split)


def _documents_of_task(
    value: Any, made_up: str, where: str, report: ReadReport, options: Options, split: Split | None
) -> Iterator[Document]:
    """The document of one task. If nobody has annotated it, that of its raw text, which may be several; none without `split`."""
    task = as_object(value, _TASK_KEYS, where, report)
    key = identifier(task.get("id"), f"{where}: id") or made_up
    data = required(task, "data", dict, where)
    for name, reason in (("predictions", "predictions, not read"), ("drafts", "drafts, not read")):
        for _ in as_kind(task.get(name) or [], list, f"{where}: {name}"):
            report.drop(reason, where)
    results = _results(task, where, report)
    if results is None and split is not None:
        yield from documents_of(key, (_text(data, "", where, options),), split, report, where)
        return
    if results is None:
        report.drop("tasks without an annotation", where)
        return
    results = [(place, item) for place, item in results if _is_read(item, place, report)]
    regions = [(place, item) for place, item in results if item["type"] == _REGION]
    name = _text_name(regions, where, options)
    regions = [(place, item) for place, item in regions if _is_of(item, name, place, report)]
    marked = _marked(_text(data, name, where, options), regions, where, report, options)
    marked.announced |= {_key(item, place) for place, item in results if item.get("id") and item["type"] != _RELATION}
    for place, item in regions:
        with report.leaving_out("entities"):
            _add_region(item, place, marked)
    for place, item in results:
        if item["type"] == _RELATION:
            _add_relations(item, place, marked, options)
    yield marked.document(key, Cutting(options.lines, options.relations))


def _results(task: dict[str, Any], where: str, report: ReadReport) -> list[tuple[str, dict[str, Any]]] | None:
    """The results of the first annotation that was not cancelled, each with its place; None if there is none."""
    name = next((name for name in _ANNOTATIONS if name in task), _ANNOTATIONS[0])
    found: list[tuple[str, dict[str, Any]]] | None = None
    for number, item in enumerate(required(task, name, list, where) if name in task else ()):
        place = f"{where}: annotation {number}"
        annotation = as_kind(item, dict, place)
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            report.drop("cancelled annotations", place)
        elif found is not None:
            report.drop("further annotations of a task (the first is read)", place)
        else:
            results = required(annotation, "result", list, place)
            found = [(f"{place}: result {n}", as_kind(result, dict, f"{place}: result {n}")) for n, result in enumerate(results)]
    return found


def _is_read(item: dict[str, Any], place: str, report: ReadReport) -> bool:
    """Whether a result is a region of a text or a relation; others are counted. Raises DataError for a region of another kind of text."""
    kind = required(item, "type", str, place)
    if kind in _OTHER_TEXT:
        raise DataError(f"{place}: expected regions of plain text, of the type 'labels', got {kind!r}, whose offsets count in another text")
    if kind not in (_REGION, _RELATION):
        report.drop(f"results of the type {shown(kind)}, not read", place)
    return kind in (_REGION, _RELATION) or "id" in item  # the id of another result may be an end of a relation


def _text_name(regions: list[tuple[str, dict[str, Any]]], where: str, options: Options) -> str:
    """The `to_name` of the regions that are read; "" if there are no regions."""
    names = sorted({as_kind(item.get("to_name", ""), str, f"{place}: to_name") for place, item in regions})
    if len(names) < 2:
        return names[0] if names else ""
    if options.text not in names:
        got = " and ".join(names)[:80]
        raise DataError(f"{where}: expected regions of one text, got some of {got}; label_studio[text=NAME]:PATH reads one of them")
    return options.text


def _is_of(item: dict[str, Any], name: str, place: str, report: ReadReport) -> bool:
    if item.get("to_name", "") == name:
        return True
    report.lose_entity("regions of another text", place)
    return False


def _text(data: dict[str, Any], name: str, where: str, options: Options) -> str:
    strings = {key: value for key, value in data.items() if isinstance(value, str)}
    if options.text in strings:
        return strings[options.text]
    if name in strings and not options.text:
        return strings[name]
    if len(strings) == 1:
        return next(iter(strings.values()))
    expected = f"one string, or one under {options.text or name or 'text'!r}"
    got = f"strings under {', '.join(strings)[:80]}" if strings else keys_of(data)
    raise DataError(f"{where}: data: expected {expected}, got {got}; label_studio[text=KEY]:PATH names the text")


def _marked(text: str, regions: list[tuple[str, dict[str, Any]]], where: str, report: ReadReport, options: Options) -> MarkedText:
    """The text, with the way of counting that was asked for, or that shows most regions' own text."""
    convention = options.positions
    if convention == AUTO:
        values = [item["value"] for _, item in regions if isinstance(item.get("value"), dict)]
        numbers = fits(text, lambda positions: sum(_fits(value, text, positions) for value in values), conventions=_CONVENTIONS)
        convention = max(_CONVENTIONS, key=lambda name: numbers[name])
        if convention != CHARACTERS:
            report.drop(f"tasks whose offsets count {convention} (kept)", where)
    return MarkedText(text, where, report, Positions(text, convention), convention)


def _fits(value: dict[str, Any], text: str, positions: Positions) -> bool:
    start, end, words = value.get("start"), value.get("end"), value.get("text")
    if not (type(start) is type(end) is int and isinstance(words, str)):
        return False
    first, after_last = positions.offset(start), positions.offset(end)
    return first is not None and after_last is not None and _shows(text[first:after_last], words)


def _shows(shown_words: str, words: str) -> bool:
    return same_words(shown_words, words) or same_words(shown_words, words.replace("\\n", "\n"))


def _add_region(item: dict[str, Any], place: str, marked: MarkedText) -> None:
    """Keep a region. Its first label is what relations are about; each further one is an entity of its own, without relations."""
    key = _key(item, place)
    value = required(item, "value", dict, place)
    labels = [as_kind(label, str, f"{place}: labels") for label in as_kind(value.get("labels") or [], list, f"{place}: labels")]
    if not labels:
        marked.report.lose_entity("regions without a label", place)
        return
    start, end = required(value, "start", int, place), required(value, "end", int, place)
    span = marked.span(start, end, place)
    words = value.get("text")
    got = marked.text[slice(*span)]
    if words is not None and not _shows(got, as_kind(words, str, f"{place}: text")):
        raise DataError(f"{place}: expected {shown(words)}, its own text, at {start} to {end} of the task's text, got {shown(got)}")
    for label in labels:
        first = marked.entities.get(key)
        if first is None or not (span[0] <= first.start < first.end <= span[1]):  # another span under a known id is an error
            marked.add_entity(key, span, label, place)
        elif label != first.type:
            marked.report.drop("further labels of a region (kept as entities without relations)", place)
            marked.add_entity(f"{key}/{label}", span, label, place)


def _add_relations(item: dict[str, Any], place: str, marked: MarkedText, options: Options) -> None:
    labels = item.get("labels") or ([options.unlabelled] if options.unlabelled else [])
    first = labels[0] if isinstance(labels, list) and labels and isinstance(labels[0], str) else None
    with marked.report.leaving_out("relations", relation=first):
        ends = [_key(item, place, name) for name in ("from_id", "to_id")]
        direction = item.get("direction") or "right"
        if direction not in ("right", "left", "bi"):
            raise DataError(f"{place}: expected the direction right, left or bi, got {shown(direction)}")
        if not as_kind(labels, list, f"{place}: labels"):
            raise DataError(f"{place}: expected a label, got none; label_studio[unlabelled=TYPE]:PATH says what relations without one mean")
        pairs = {"right": [ends], "left": [ends[::-1]], "bi": [ends, ends[::-1]]}[direction]
        for label in [as_kind(label, str, f"{place}: labels") for label in labels]:
            for head, tail in pairs:
                marked.add_relation(head, tail, label, place)


def _key(item: dict[str, Any], place: str, name: str = "id") -> str:
    key = identifier(item.get(name), f"{place}: {name}")
    if not key:
        raise DataError(f"{place}: expected an id under {name!r}, got none")
    return key


def _is_minimal(record: dict[str, Any]) -> bool:
    return "annotation_id" in record and "data" not in record


def _is_import(record: dict[str, Any]) -> bool:
    return isinstance(record.get("data"), dict) and isinstance(record.get("predictions"), list) and not record.keys() & set(_ANNOTATIONS)


def _other_export(path: Path) -> str:
    """The name of another export of Label Studio that a file is; "" for none. Its tables have a column `annotation_id`."""
    first = (first_lines(path, 1) or [""])[0]
    match path.suffix.lower():
        case ".csv" | ".tsv" as suffix:
            columns = {column.strip('"') for column in re.split(r"[,\t]", first)}
            return suffix[1:].upper() if {"annotation_id", "annotator", "lead_time"} <= columns else ""
        case ".conll":
            return "CONLL2003" if first.startswith("-DOCSTART- -X- O") else ""
    return ""


def _recognises_file(path: Path) -> bool:
    for record in first_records(path):
        data = record.get("data")
        has_annotations = any(isinstance(record.get(name), list) for name in _ANNOTATIONS)
        if not isinstance(data, dict):
            return _is_minimal(record)
        is_raw = record.keys() <= _TASK_KEYS and any(isinstance(value, str) for value in data.values())
        return _is_minimal(record) or _is_import(record) or has_annotations or is_raw
    return False


def recognises(path: Path) -> bool:
    """A .json array of tasks, annotated or not; also another export of Label Studio, so that reading says what is wrong."""
    return (path.is_file() and _other_export(path) != "") or file_or_children(path, _KIND)


_KIND = FileKind("label_studio", (".json",), _recognises_file, re.compile(r'"(?:annotations|completions)"\s*:'))
READER = Reader(
    name="label_studio",
    summary="Label Studio's export JSON: tasks with labelled regions and relations",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"positions": (AUTO, *_CONVENTIONS), "lines": LINES, "relations": RELATIONS},
    open_options={
        "text": "key of the text in a task's data, where there are several strings",
        "unlabelled": "relation type of relations that have no label",
    },
    has_encoding=True,
    has_split=True,
)
