"""JSON files look alike: each of them is recognised by one reader, whatever holds its records together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relsift.corpora.data import recognise
from relsift.errors import DataError
from relsift.readers.json_layouts import first_records
from relsift.registry import READERS, find

SPANS = [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}]
RECORDS: dict[str, dict[str, Any]] = {
    "native": {"id": 1, "text": "Ada runs Zed.", "entities": [{"id": "a", "start": 0, "end": 3, "type": "PER"}, {"id": "z", "start": 9,
        "end": 12, "type": "ORG"}], "relations": [{"head": "a", "type": "runs", "tail": "z"}]},
    "doccano": {"id": 1, "text": "Ada", "label": [[0, 3, "PER"]]},
    "prodigy": {"id": 1, "text": "Ada", "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0}], "spans": SPANS, "answer": "accept"},
    "tacred": {"id": 1, "token": ["Ada", "text"], "subj_start": 0, "subj_end": 0, "obj_start": 1, "obj_end": 1, "relation": "r"},
    "docred": {"title": "text", "id": 1, "sents": [["Ada", "text"]], "vertexSet": []},
    "crossre": {"id": 1, "sentence": ["Ada", "text"], "ner": [], "relations": []},
    "triples": {"id": 1, "text": "Ada runs Zed.", "entities": ["Ada", "Zed"],
        "relations": [{"head": "Ada", "type": "runs", "tail": "Zed"}]},
    "label_studio": {"id": 1, "data": {"text": "Ada"}, "annotations": []},
    "dygie": {"doc_key": "d", "id": 1, "sentences": [["Ada", "text"]], "ner": [[]]},
}  # fmt: skip
ARRAYS_ONLY = ("label_studio",)
LINES_ONLY = ("native", "dygie")  # as .jsonl


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("empty_first", [False, True])
def test_lines_and_arrays_of_each_layout_are_recognised_by_one_reader(tmp_path: Path, name: str, empty_first: bool):
    records = [RECORDS[name]] * 2
    if empty_first and name in ("doccano", "triples"):
        records = [{"id": 0, "text": "Nobody."} | ({"label": []} if name == "doccano" else {"relations": [], "entities": []}), *records]
    lines, array = tmp_path / "a.jsonl", tmp_path / "a.json"
    lines.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    array.write_text(json.dumps(records, indent=1), encoding="utf-8")
    if name not in ARRAYS_ONLY:
        assert recognise(lines) is find("reader", name)
    if name not in LINES_ONLY:
        assert recognise(array) is find("reader", name)


def test_texts_without_any_annotation_are_native_and_nothing_else(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"text": "Nobody came."}\n{"text": "Ada.", "relations": []}\n', encoding="utf-8")
    assert recognise(tmp_path / "a.jsonl").name == "native"


def test_a_table_of_another_tool_is_no_export_of_label_studio(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,text,label\n1,Ada,x\n", encoding="utf-8")
    assert recognise(tmp_path / "a.csv").name == "table"


def test_records_longer_than_what_is_read_first_are_found(tmp_path: Path):
    record = {"sents": [["x" * 600_000]], "vertexSet": []}
    for content in (json.dumps([record]), json.dumps(record), f"\ufeff{json.dumps(record)}\n"):
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        assert list(first_records(tmp_path / "a.json")) == [record]


@pytest.mark.parametrize("content", ["", "[", "{", "[1, 2]", "null", "# text", '{"a": 1', "[" * 9000])
def test_anything_else_has_no_records_and_is_recognised_by_no_reader(tmp_path: Path, content: str):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    assert not list(first_records(tmp_path / "a.json"))
    assert not any(find("reader", name).recognises(tmp_path / "a.json") for name in READERS)
    with pytest.raises(DataError):
        recognise(tmp_path / "a.json")
