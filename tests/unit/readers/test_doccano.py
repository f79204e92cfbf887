"""doccano's exports: both layouts, what offsets count, and broken records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from marked import Marked, marked_texts, units
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.doccano import READER
from relsift.schema import sentences_of

ENTITIES = [{"id": 11, "label": "PER", "start_offset": 0, "end_offset": 3}, {"id": 12, "label": "ORG", "start_offset": 9, "end_offset": 12}]
RELATION = {"id": 5, "from_id": 12, "to_id": 11, "type": "run_by"}
RECORD: dict[str, Any] = {"id": 1, "text": "Ada runs Zed.", "entities": ENTITIES, "relations": [RELATION], "Comments": []}


def test_a_relation_goes_from_from_id_to_to_id(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "all.jsonl", json.dumps(RECORD))
    assert (sentence.id, mentions(sentence), triples(sentence)) == ("1-0", [("Ada", "PER"), ("Zed", "ORG")], [("Zed", "run_by", "Ada")])


@pytest.mark.parametrize("content", [json.dumps([RECORD, RECORD | {"id": 2}]), f"{json.dumps(RECORD)}\n{json.dumps(RECORD | {'id': 2})}\n"])
def test_an_array_is_read_as_lines_are(tmp_path: Path, content: str):
    documents, report = read_content(READER, tmp_path / "all.json", content)
    assert [document.id for document in documents] == ["1", "2"]
    assert not report.dropped
    assert READER.recognises(tmp_path / "all.json")


@pytest.mark.parametrize("name", ["label", "labels"])
def test_the_layout_without_relations_is_read_as_not_annotated_with_them_and_says_so(tmp_path: Path, name: str):
    content = json.dumps({"id": 1, "text": "Ada runs Zed.", name: [[0, 3, "PER"]], "Comments": [{"id": 1, "comment": "?"}]})
    (document,), report = read_content(READER, tmp_path / "all.jsonl", content)
    assert READER.recognises(tmp_path / "all.jsonl")
    assert (mentions(document.sentences[0]), document.sentences[0].relations) == ([("Ada", "PER")], None)
    assert report.dropped == {"documents exported without relations (doccano's export JSONL(relation) has them)": 1, "comments": 1}


def test_records_without_entities_do_not_hide_the_format(tmp_path: Path):
    empty = {"id": 1, "text": "Nobody came.", "entities": [], "relations": []}
    read_content(READER, tmp_path / "all.jsonl", f"{json.dumps(empty)}\n{json.dumps(RECORD)}\n")
    assert READER.recognises(tmp_path / "all.jsonl")


@pytest.mark.parametrize(("start", "taken"), [(5, "utf16"), (3, "characters")])
def test_the_way_of_counting_that_puts_edges_between_words_is_taken_and_counted(tmp_path: Path, start: int, taken: str):
    # "Ada" is at 3, after two emoji of two units each.
    entities = [{"id": 1, "label": "PER", "start_offset": start, "end_offset": start + 3}]
    content = json.dumps({"text": "😀😀 Ada runs.", "entities": entities, "relations": []})
    (document,), report = read_content(READER, tmp_path / "a.jsonl", content)
    assert mentions(document.sentences[0]) == [("Ada", "PER")]
    assert report.dropped == {f"documents whose offsets are taken to count {taken} (kept; doccano[positions=…]:PATH decides)": 1}


def test_a_relation_across_sentences_is_lost_with_a_hint_or_joins_them(tmp_path: Path):
    entities = [ENTITIES[0], {"id": 12, "label": "ORG", "start_offset": 19, "end_offset": 22}]
    (tmp_path / "a.jsonl").write_text(json.dumps(RECORD | {"text": "Ada left.\nShe runs Zed.", "entities": entities}), encoding="utf-8")
    report = ReadReport()
    assert len(list(sentences_of(READER.read(tmp_path / "a.jsonl", report)))) == 2
    assert report.lost_relations == {"run_by": 1}
    assert "relations=whole" in report.lines()[0]
    (sentence,) = sentences_of(READER.read(tmp_path / "a.jsonl", ReadReport(), relations="whole"))
    assert triples(sentence) == [("Zed", "run_by", "Ada")]


def test_a_broken_entity_costs_its_relations_and_no_other(tmp_path: Path):
    broken = {"id": 13, "label": "PER", "start_offset": 5, "end_offset": 99}
    record = RECORD | {"entities": [broken, *ENTITIES], "relations": [RELATION, RELATION | {"to_id": 13}, RELATION | {"to_id": 99}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record), encoding="utf-8")
    report = ReadReport(on_error="skip")
    (sentence,) = sentences_of(READER.read(tmp_path / "a.jsonl", report))
    assert triples(sentence) == [("Zed", "run_by", "Ada")]
    assert report.dropped == {"broken entities": 1, "relations of a dropped entity": 1, "broken relations": 1}
    assert (report.lost_entities, report.lost_relations) == (1, {"run_by": 2})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"relations": [RELATION | {"to_id": 99}]}, "relation 0: expected the id of an entity of this text, got '99'"),
        ({"entities": [ENTITIES[0] | {"end_offset": 14}]}, "entity 0: expected two positions in the text, which has 13 characters"),
        ({"entities": [ENTITIES[0], ENTITIES[0]]}, "entity 1: expected each id once, got '11' twice"),
        ({"entities": [ENTITIES[0] | {"label": " "}]}, "entity 0: expected a type, got an empty string"),
        ({"label": [[0, 3, "PER"]]}, "expected 'entities' and 'relations', doccano's export JSONL(relation), or 'label', its JSONL"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, changes: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "a.jsonl", json.dumps(RECORD | changes))
    assert str(caught.value).startswith(f"{tmp_path / 'a.jsonl'}:1: record 1: {expected}")


@given(marked_texts())
def test_any_record_reads_back_in_either_way_of_counting(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    file = tmp_path_factory.getbasetemp() / "doccano.jsonl"
    for positions, count in (("characters", lambda _, offset: offset), ("utf16", units)):
        entities = [
            {"id": n, "label": kind, "start_offset": count(marked.text, start), "end_offset": count(marked.text, end)}
            for n, (start, end, kind) in enumerate(marked.mentions)
        ]
        relations = [{"id": n, "from_id": head, "to_id": tail, "type": kind} for n, (head, tail, kind) in enumerate(marked.relations)]
        file.write_text(json.dumps({"id": 1, "text": marked.text, "entities": entities, "relations": relations}), encoding="utf-8")
        (document,) = READER.read(file, ReadReport(), positions=positions)
        assert [(*e.chars, e.type) for s in document.sentences for e in s.entities if e.chars] == marked.mentions
        assert [(r.head, r.tail, r.type) for s in document.sentences for r in s.relations or ()] == marked.relations
