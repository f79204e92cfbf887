"""TACRED's JSON: one pair a record, inclusive ends, `no_relation`, records of one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from marked import Marked, marked_tokens
from reading import mentions, only_sentence, read_content, triples

from relsift.corpora.no_relation import no_relation_warnings
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.tacred import READER
from relsift.schema import sentences_of


def record(**changes: Any) -> dict[str, Any]:
    values = {
        "id": "e1", "docid": "d", "token": ["Ada", "Kern", "runs", "Zed"], "relation": "per:employee_of", "subj_start": 0, "subj_end": 1,
        "subj_type": "PERSON", "obj_start": 3, "obj_end": 3, "obj_type": "ORGANIZATION",
    } | changes  # fmt: skip
    return {key: value for key, value in values.items() if value is not None}


def read(file: Path, *records: dict[str, Any], **options: str) -> tuple[list[Any], ReadReport]:
    file.write_text(json.dumps(records), encoding="utf-8")
    report = ReadReport()
    return list(sentences_of(READER.read(file, report, **options))), report


def test_the_subject_is_the_head_and_ends_are_inclusive(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "t.json", json.dumps([record(stanford_pos=["NNP"])]))
    assert (sentence.id, mentions(sentence)) == ("e1", [("Ada Kern", "PERSON"), ("Zed", "ORGANIZATION")])
    assert triples(sentence) == [("Ada Kern", "per:employee_of", "Zed")]


def test_no_relation_stays_a_label_that_the_warning_names(tmp_path: Path):
    (sentence,), _ = read(tmp_path / "t.json", record(relation="no_relation"))
    types = [relation.type for relation in sentence.relations or ()]
    assert types == ["no_relation"]
    assert "--no-relation no_relation" in no_relation_warnings(types)[0]


def test_a_record_without_a_relation_is_not_annotated(tmp_path: Path):
    (sentence,), _ = read(tmp_path / "t.json", record(relation=None))
    assert sentence.relations is None


def test_exclusive_ends_are_an_option_that_the_error_names(tmp_path: Path):
    exclusive = record(subj_end=2, obj_end=4)
    with pytest.raises(DataError, match=r"obj: expected a span within 4 tokens, its end inclusive, got 3 to 4; .*tacred\[ends=exclusive\]"):
        read(tmp_path / "t.json", exclusive)
    (sentence,), _ = read(tmp_path / "t.json", exclusive, ends="exclusive")
    assert mentions(sentence) == [("Ada Kern", "PERSON"), ("Zed", "ORGANIZATION")]


def test_records_of_one_sentence_stay_apart_or_are_joined(tmp_path: Path):
    company = {"subj_start": 3, "subj_end": 3, "subj_type": "ORGANIZATION"}
    back = record(id="e2", relation="org:staff", obj_start=0, obj_end=1, obj_type="PERSON", **company)
    records = [record(), record(id="e3", docid="other"), back]
    apart, report = read(tmp_path / "t.json", *records)
    assert [(s.id, len(s.entities), len(s.relations)) for s in apart] == [("e1", 2, 1), ("e3", 2, 1), ("e2", 2, 1)]
    assert not report.dropped
    joined, report = read(tmp_path / "t.json", *records, records="joined")
    assert [s.id for s in joined] == ["e1", "e3"]
    assert triples(joined[0]) == [("Ada Kern", "per:employee_of", "Zed"), ("Zed", "org:staff", "Ada Kern")]
    assert report.dropped == {"records joined to an earlier one with the same words (kept)": 1}


def test_a_pair_of_one_entity_with_itself_is_lost(tmp_path: Path):
    (sentence,), report = read(tmp_path / "t.json", record(obj_start=0, obj_end=1, obj_type="PERSON"))
    assert sentence.relations == ()
    assert report.lost_relations == {"per:employee_of": 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"subj_start": 2}, "subj: expected a span within 4 tokens, its end inclusive, got 2 to 1"),
        ({"obj_end": 9}, "obj: expected a span within 4 tokens, its end inclusive, got 3 to 9"),
        ({"obj_type": None}, "expected the key 'obj_type', got keys"),
        ({"token": ["Ada", ""]}, "token 1: expected a non-empty string, got ''"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, changes: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "t.json", json.dumps([record(**changes)]))
    assert str(caught.value).startswith(f"{tmp_path / 't.json'}:1: record 1: {expected}")


@given(marked_tokens())
def test_the_pairs_of_a_sentence_read_back(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    file = tmp_path_factory.getbasetemp() / "tacred.json"
    expected = [(marked.mentions[head], kind, marked.mentions[tail]) for head, tail, kind in marked.relations]
    records = [
        record(
            id=number, token=marked.tokens, relation=kind, subj_start=head[0], subj_end=head[1] - 1, subj_type=head[2],
            obj_start=tail[0], obj_end=tail[1] - 1, obj_type=tail[2],
        )
        for number, (head, kind, tail) in enumerate(expected)
    ]  # fmt: skip
    for option in ("apart", "joined") if records else ():
        sentences, _ = read(file, *records, records=option)
        found = [(s.entities[r.head], r.type, s.entities[r.tail]) for s in sentences for r in s.relations]
        assert [((h.start, h.end, h.type), kind, (t.start, t.end, t.type)) for h, kind, t in found] == expected
        assert len(sentences) == (len(records) if option == "apart" else 1)
