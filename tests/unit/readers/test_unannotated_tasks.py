"""Tasks that nobody has annotated: raw text where relsift finds entities itself, counted where annotation is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relsift.corpora.data import recognise, resolve
from relsift.errors import ConfigError, DataError
from relsift.readers.base import ReadReport
from relsift.streaming.inputs import open_input

TEXT = "Ada runs Zed. Bo left."
SENTENCES = [("Ada", "runs", "Zed", "."), ("Bo", "left", ".")]
TASKS = [{"id": 1, "data": {"text": TEXT}}, {"id": 9, "data": {"text": "Cy."}}]
CANCELLED = {"annotations": [{"was_cancelled": True, "result": []}]}
FILES = {
    "label_studio-import.json": json.dumps([{"data": {"text": TEXT}}, TASKS[1]]),
    "label_studio-export.json": json.dumps([task | {"annotations": []} for task in TASKS]),
    "label_studio-predicted.json": json.dumps([TASKS[0] | {"predictions": [{"result": []}]}, TASKS[1]]),
    "label_studio-cancelled.json": json.dumps([TASKS[0] | CANCELLED, TASKS[1]]),
    "prodigy-input.jsonl": "".join(json.dumps({"text": text, "meta": {"source": "x"}}) + "\n" for text in (TEXT, "Cy.")),
    "prodigy-hashed.jsonl": "".join(json.dumps({"text": text, "meta": {}, "_input_hash": 5}) + "\n" for text in (TEXT, "Cy.")),
}


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    path.write_text(FILES[request.param], encoding="utf-8")
    return path


def test_they_are_raw_text_for_prediction(file: Path):
    assert recognise(file).name == file.name.partition("-")[0]
    report, notes = ReadReport(), list[str]()
    first, second = open_input(str(file)).documents(report, notes)
    assert [sentence.tokens for sentence in first.sentences] == SENTENCES and first.text == TEXT
    assert [(sentence.relations, sentence.entities) for sentence in (*first.sentences, *second.sentences)] == [(None, ())] * 3
    assert [sentence.tokens for sentence in second.sentences] == [("Cy", ".")]


def test_a_model_that_finds_no_entities_refuses_them(file: Path):
    given = open_input(str(file), why_no_text="expected entities, got raw text")
    with pytest.raises(ConfigError, match=f"{file.name}: expected entities, got raw text"):
        list(given.documents(ReadReport(), []))


def test_they_are_counted_where_annotation_is_needed(file: Path):
    report = ReadReport()
    if "predicted" in file.name:
        with pytest.raises(DataError, match="got a file to import, with predictions that nobody has corrected"):
            list(resolve(str(file)).documents(None, report))
        return
    assert list(resolve(str(file)).documents(None, report)) == []
    reason = "records without annotation" if "prodigy" in file.name else "tasks without an annotation"
    assert report.dropped[reason] == 2


def test_annotated_tasks_beside_them_keep_their_annotation(tmp_path: Path):
    region = {"id": "a", "type": "labels", "to_name": "text", "value": {"start": 0, "end": 2, "labels": ["PER"]}}
    tasks = [{"id": 1, "data": {"text": TEXT}}, {"id": 2, "data": {"text": "Cy left."}, "annotations": [{"result": [region]}]}]
    (tmp_path / "a.json").write_text(json.dumps(tasks), encoding="utf-8")
    raw, annotated = open_input(str(tmp_path / "a.json")).documents(ReadReport(), [])
    assert [entity.text for entity in annotated.entities] == ["Cy"] and annotated.sentences[0].relations == ()
    assert not raw.entities and raw.sentences[0].relations is None


def test_texts_of_doccano_without_labels(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": 1, "text": TEXT, "label": []}) + "\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": 1, "text": TEXT, "Comments": []}) + "\n", encoding="utf-8")
    assert recognise(tmp_path / "a.jsonl").name == "doccano"
    for name in ("a", "b"):
        (document,) = open_input(f"doccano:{tmp_path / name}.jsonl").documents(ReadReport(), [])
        assert [sentence.tokens for sentence in document.sentences] == SENTENCES
    with pytest.raises(DataError, match=r"b\.jsonl:1: record 1: expected 'entities' and 'relations'"):
        list(resolve(f"doccano:{tmp_path / 'b.jsonl'}").documents())
