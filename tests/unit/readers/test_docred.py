"""DocRED's JSON: facts between concepts become relations between mentions in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from marked import Marked, marked_tokens
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.docred import READER
from relsift.schema import RelationOfConcepts, sentences_of

SENTS = [["Ada", "Kern", "runs", "Zed"], ["Ada", "left"], ["Kern", "and", "Ada", "like", "Zed"]]


def mention(sentence: int, start: int, end: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": " ".join(SENTS[sentence][start:end]), "sent_id": sentence, "pos": [start, end], "type": kind} | more


ADA = [mention(0, 0, 2, "PER"), mention(1, 0, 1, "PER"), mention(2, 0, 1, "PER"), mention(2, 2, 3, "PER")]
ZED = [mention(0, 3, 4, "ORG"), mention(2, 4, 5, "ORG")]
FACT = {"h": 1, "t": 0, "r": "P169", "evidence": [0]}


def record(*labels: Any, **changes: Any) -> dict[str, Any]:
    return {"title": "Zed", "sents": SENTS, "vertexSet": [ADA, ZED], "labels": list(labels)} | changes


def read(file: Path, *records: dict[str, Any], on_error: Any = "stop", **options: str) -> tuple[list[Any], ReadReport]:
    file.write_text(json.dumps(records), encoding="utf-8")
    report = ReadReport(on_error=on_error)
    return list(sentences_of(READER.read(file, report, **options))), report


def test_a_fact_relates_each_pair_of_mentions_that_stand_in_one_sentence(tmp_path: Path):
    sentences, report = read(tmp_path / "d.json", record(FACT))
    assert not report.dropped
    assert [(s.id, s.doc_id) for s in sentences] == [("Zed-0", "Zed"), ("Zed-1", "Zed"), ("Zed-2", "Zed")]
    assert [triples(s) for s in sentences] == [
        [("Zed", "P169", "Ada Kern")], [], [("Zed", "P169", "Kern"), ("Zed", "P169", "Ada")],
    ]  # fmt: skip


def test_by_evidence_only_the_sentences_of_the_evidence_show_a_fact(tmp_path: Path):
    sentences, report = read(tmp_path / "d.json", record(FACT, FACT | {"r": "P1", "evidence": [1]}), pairs="evidence")
    assert [triples(s) for s in sentences] == [[("Zed", "P169", "Ada Kern")], [], []]
    assert report.dropped == {"relations of concepts that no relation of mentions shows": 1}
    assert report.lost_relations == {"P1": 1}


def test_a_fact_across_sentences_is_lost_once(tmp_path: Path):
    vertices = [[mention(0, 0, 2, "PER"), mention(1, 0, 1, "PER")], [mention(2, 4, 5, "ORG")]]
    sentences, report = read(tmp_path / "d.json", record(FACT, vertexSet=vertices))
    assert not any(s.relations for s in sentences)
    assert report.dropped == {"relations of concepts that no relation of mentions shows": 1}
    assert report.lost_relations == {"P169": 1}


def test_a_document_without_labels_is_not_annotated(tmp_path: Path):
    sentences, _ = read(tmp_path / "d.json", {key: value for key, value in record().items() if key != "labels"})
    assert [s.relations for s in sentences] == [None, None, None]


def test_a_mention_listed_twice_and_another_name_are_counted_and_kept(tmp_path: Path):
    odd = [ADA[0], ADA[0], ADA[1] | {"name": "Ida"}, ADA[2] | {"name": "K e r n"}]
    sentences, report = read(tmp_path / "d.json", record(vertexSet=[odd]))
    assert [mentions(s) for s in sentences] == [[("Ada Kern", "PER")], [("Ada", "PER")], [("Kern", "PER")]]
    assert report.dropped == {"duplicate entities": 1, "mentions whose name differs from their tokens (kept)": 1}


def test_a_broken_mention_is_left_out_alone(tmp_path: Path):
    vertices = [[mention(0, 0, 2, "PER"), mention(0, 3, 9, "PER")], ZED]
    sentences, report = read(tmp_path / "d.json", record(FACT, vertexSet=vertices), on_error="skip")
    assert triples(sentences[0]) == [("Zed", "P169", "Ada Kern")]
    assert (report.dropped, report.lost_entities) == ({"broken entities": 1}, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"vertexSet": [[ADA[0] | {"sent_id": 3}]]}, "concept 0: mention 0: sent_id: expected 0 to 2, got 3"),
        ({"vertexSet": [[ADA[0] | {"pos": [0]}]]}, "concept 0: mention 0: pos: expected two whole numbers, got [0]"),
        ({"vertexSet": [[ADA[0] | {"pos": [2, 2]}]]}, "concept 0: mention 0: pos: expected 0 <= start < end <= 4 tokens, got 2, 2"),
        ({"labels": [FACT | {"t": 2}]}, "fact 0: t: expected a concept among 2, counted from 0, got 2"),
        ({"labels": [FACT | {"r": ""}]}, "fact 0: expected a type, got an empty string"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, changes: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "d.json", json.dumps([record(**changes)]))
    assert str(caught.value) == f"{tmp_path / 'd.json'}:1: record 1: {expected}"


@given(marked_tokens())
def test_any_sentence_reads_back_with_a_concept_for_each_mention(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    vertices = [[{"sent_id": 0, "pos": [start, end], "type": kind}] for start, end, kind in marked.mentions]
    labels = [{"h": head, "t": tail, "r": kind, "evidence": []} for head, tail, kind in marked.relations]
    content = json.dumps([{"title": "t", "sents": [marked.tokens], "vertexSet": vertices, "labels": labels}])
    sentence = only_sentence(READER, tmp_path_factory.getbasetemp() / "docred.json", content)
    assert [(e.start, e.end, e.type) for e in sentence.entities] == marked.mentions
    assert [(r.head, r.tail, r.type) for r in sentence.relations or ()] == marked.relations


def test_a_document_keeps_its_facts_and_with_evidence_the_sentences_that_show_them(tmp_path: Path):
    content = json.dumps([record(FACT | {"evidence": [2, 0]}, sents=[*SENTS[:1], [], *SENTS[2:]], vertexSet=[ADA[2:], ZED])])
    (whole,), _ = read_content(READER, tmp_path / "d.json", content)
    assert whole.concept_relations == (RelationOfConcepts("1", "0", "P169"),)
    assert [[entity.concepts for entity in one.entities] for one in whole.sentences] == [[("1",)], [("0",), ("0",), ("1",)]]
    (by_evidence,) = READER.read(tmp_path / "d.json", ReadReport(), pairs="evidence")
    assert by_evidence.concept_relations == (RelationOfConcepts("1", "0", "P169", (0, 1)),)  # sentence 1 of the file is empty


def test_equal_mentions_of_two_concepts_are_one_entity_of_both(tmp_path: Path):
    (document,), report = read_content(READER, tmp_path / "d.json", json.dumps([record(FACT, vertexSet=[ADA, ZED, ADA[:1]])]))
    assert document.sentences[0].entities[0].concepts == ("0", "2")
    assert report.dropped == {"duplicate entities": 1}
