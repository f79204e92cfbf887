"""What `relsift validate` warns about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relsift.corpora.data import resolve
from relsift.corpora.validation import validate


def sentence(key: str, text: str, **changes: Any) -> str:
    record = {
        "id": key,
        "tokens": text.split(),
        "entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 1, "end": 2, "type": "PER"}],
        "relations": [{"head": 0, "tail": 1, "type": "knows"}],
    }
    return json.dumps(record | changes) + "\n"


def write(folder: Path, **parts: str) -> str:
    for name, text in parts.items():
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_clean_corpus_has_no_warnings(tmp_path: Path):
    findings = validate(resolve(write(tmp_path, train=sentence("1", "Ada Bo met"), test=sentence("2", "Cy Di met"))))
    assert findings.sentences == {"train": 1, "test": 1}
    assert (findings.warnings, findings.dropped_lines()) == ([], [])


def test_an_error_that_quotes_a_key_of_any_length_is_a_short_line(tmp_path: Path):
    relation = {"head": 0, "tail": 1, "type" + "[" * 100_000: "knows"}
    data = resolve(write(tmp_path, train=sentence("1", "Ada Bo met", relations=[relation])))
    findings = validate(data)
    assert findings.faults[0].startswith(f"{tmp_path / 'train.jsonl'}:1: relation 0: expected the key 'type', got keys")
    assert max(map(len, [*findings.faults, *findings.dropped_lines()])) < 1200


def test_a_sentence_in_two_parts_is_found_however_it_is_tokenised(tmp_path: Path):
    train = sentence("1", "Ada Bo met .") + sentence("2", "Cy Di left")
    test = sentence("3", "ADA Bo met.") + sentence("4", "Ada Bo met")
    findings = validate(resolve(write(tmp_path, train=train, test=test)))
    assert findings.warnings == [
        "test: 2 sentences stand in train too, so scores may be too good (first: 3 'ADA Bo met.'); "
        "2 of them, shorter than 8 tokens, may be equal by chance"
    ]


def test_a_long_sentence_in_two_parts_is_named_before_short_ones(tmp_path: Path):
    long = "Ada Bo met on the third day of May"
    train, test = sentence("1", "Hm .") + sentence("2", long), sentence("3", "hm .") + sentence("4", long)
    findings = validate(resolve(write(tmp_path, train=train, test=test)))
    assert findings.warnings == [
        f"test: 2 sentences stand in train too, so scores may be too good (first: 4 {long!r}); "
        "1 of them, shorter than 8 tokens, may be equal by chance"
    ]


def test_twins_within_one_part_are_no_leak(tmp_path: Path):
    assert not validate(resolve(write(tmp_path, train=sentence("1", "Ada Bo met") + sentence("2", "Ada Bo met")))).warnings


def test_types_that_only_other_parts_have_are_named(tmp_path: Path):
    test = sentence(
        "2", "Cy Di met", relations=[{"head": 0, "tail": 1, "type": "sues"}],
        entities=[{"start": 0, "end": 1, "type": "PER"}, {"start": 1, "end": 2, "type": "DOG"}],
    )  # fmt: skip
    findings = validate(resolve(write(tmp_path, train=sentence("1", "Ada Bo met"), test=test)))
    assert findings.warnings == [
        "test: entity type that the training part does not have: DOG",
        "test: relation type that the training part does not have: sues",
    ]


def test_missing_annotation_is_told(tmp_path: Path):
    file = tmp_path / "one.jsonl"
    file.write_text(sentence("1", "Ada Bo", relations=None) + sentence("2", "Cy Di"), encoding="utf-8")
    assert validate(resolve(str(file))).warnings == ["all: 1 of 2 sentences carry no relation annotation"]
    file.write_text(sentence("1", "Ada Bo", relations=[], entities=[]), encoding="utf-8")
    assert validate(resolve(str(file))).warnings == ["all: no sentence has an entity, so there is nothing to relate"]


def test_what_is_left_out_is_listed(tmp_path: Path):
    file = tmp_path / "one.jsonl"
    file.write_text(sentence("1", "Ada Bo", mood="good"), encoding="utf-8")
    assert validate(resolve(str(file))).dropped_lines() == [f"1 value under the unknown key 'mood' (first: {file}:1)"]


def test_broken_data_is_no_exception_but_a_fault_with_its_place(tmp_path: Path):
    file = tmp_path / "one.jsonl"
    file.write_text(sentence("1", "Ada Bo") + "{", encoding="utf-8")
    findings = validate(resolve(str(file)))
    assert [error.partition(": ")[0] for error in findings.faults] == [f"{file}:2"]
    assert not findings.to_json()["valid"]


def test_errors_beyond_those_that_are_kept_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relsift.readers.base.FAULTS_KEPT", 3)
    findings = validate(resolve(write(tmp_path, train=sentence("1", "Ada Bo met") + "{\n" * 5)))
    assert (findings.num_faults, len(findings.faults)) == (5, 3)
