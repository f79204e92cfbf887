"""Answers of language models: strings are placed by exact match, never guessed; LangExtract's extractions, their places and groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.string_places import occurrences
from relsift.readers.triples import READER
from relsift.schema import sentences_of

TEXT = "Ada Kern runs Zed."
ENTITIES = [{"text": "Ada Kern", "type": "PER"}, {"text": "Zed", "type": "ORG"}]


def read(file: Path, *records: dict[str, Any], on_error: Any = "stop", **options: str) -> tuple[list[Any], ReadReport]:
    file.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    report = ReadReport(on_error=on_error)
    return list(sentences_of(READER.read(file, report, **options))), report


@pytest.mark.parametrize(
    "relation",
    [
        {"head": "Ada Kern", "type": "runs", "tail": "Zed"}, {"subject": "Ada Kern", "predicate": "runs", "object": "Zed"},
        {"sub": "Ada Kern", "rel": "runs", "obj": "Zed"}, {"head": {"text": "Ada Kern"}, "relation": "runs", "tail": {"name": "Zed"}},
        ["Ada Kern", "runs", "Zed"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["relations", "triples", "triplets"])
def test_the_usual_names_of_heads_types_and_tails_are_known(tmp_path: Path, relation: Any, name: str):
    content = json.dumps({"text": TEXT, name: [relation], "entities": ENTITIES})
    sentence = only_sentence(READER, tmp_path / "a.jsonl", content)
    assert READER.recognises(tmp_path / "a.jsonl")
    assert (mentions(sentence), triples(sentence)) == ([("Ada Kern", "PER"), ("Zed", "ORG")], [("Ada Kern", "runs", "Zed")])


def test_types_come_from_the_relation_or_the_entities_and_one_without_is_counted(tmp_path: Path):
    relation = {"subject": "Ada Kern", "subject_type": "BOSS", "relation": "runs", "object": "Zed"}
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": TEXT, "relations": [relation]})
    assert mentions(sentence) == [("Ada Kern", "BOSS"), ("Zed", "entity")]
    assert report.dropped == {"entities without a type, which get the type 'entity' (kept)": 1}


def test_a_string_that_stands_twice_is_counted_with_its_relations_and_never_guessed(tmp_path: Path):
    text = "Ada runs Zed and Ada owns Yat."
    relations = [{"head": "Ada", "type": "runs", "tail": "Zed"}, {"head": "Zed", "type": "rivals", "tail": "Yat"}]
    entities = [{"text": word, "type": "X"} for word in ("Ada", "Zed", "Yat")]
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": text, "relations": relations, "entities": entities})
    assert triples(sentence) == [("Zed", "rivals", "Yat")]
    assert report.dropped == {
        "entities that stand several times in the text": 1, "relations of a string without one place in the text": 1,
    }  # fmt: skip
    assert (report.lost_entities, report.lost_relations) == (1, {"runs": 1})


def test_a_string_that_the_text_does_not_have_is_counted_also_if_it_is_part_of_a_word(tmp_path: Path):
    relations = [{"head": "Ad", "type": "runs", "tail": "Zed"}, {"head": "ada kern", "type": "runs", "tail": "Zed"}]
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": TEXT, "relations": relations, "entities": ENTITIES[1:]})
    assert (mentions(sentence), sentence.relations) == ([("Zed", "ORG")], ())
    assert report.dropped["entities that the text does not have"] == 2
    assert report.lost_relations == {"runs": 2}


def test_a_text_whose_relations_are_missing_is_not_annotated(tmp_path: Path):
    (first, second), _ = read(tmp_path / "a.jsonl", {"text": "Zed.", "relations": []}, {"text": "Zed.", "entities": ENTITIES[1:]})
    assert (first.relations, second.relations) == ((), None)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"text": TEXT}, "expected the key 'relations', got keys text"),
        ({"text": TEXT, "relations": [["Ada", "runs"]]}, "relation 0: expected three strings, head, type and tail, got ['Ada', 'runs']"),
        ({"text": TEXT, "relations": [{"head": "Ada", "tail": "Zed"}]}, "relation 0: expected a type as a string under one of type"),
        ({"text": TEXT, "relations": [{"head": "Ada", "type": "r"}]}, "relation 0: expected a string under one of tail, object"),
        ({"text": TEXT, "relations": [{"head": 0, "type": "r", "tail": "Zed"}]}, "relation 0: head: expected a string, or an object with"),
        ({"text": TEXT, "extractions": [{"extraction_text": "Ada"}]}, "extraction 0: expected the key 'extraction_class', got keys"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, record: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "a.jsonl", json.dumps(record))
    assert str(caught.value).startswith(f"{tmp_path / 'a.jsonl'}:1: record 1: {expected}")


# ---- LangExtract -------------------------------------------------------------------------------------------------------------


def extraction(kind: str, words: str, start: int | None = None, end: int | None = None, **more: Any) -> dict[str, Any]:
    interval = None if start is None else {"start_pos": start, "end_pos": end}
    return {"extraction_class": kind, "extraction_text": words, "char_interval": interval, "alignment_status": "match_exact"} | more


def test_extractions_without_relations_are_entities_that_are_not_annotated_with_relations(tmp_path: Path):
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": TEXT, "document_id": "x", "extractions": [extraction("person", "Ada", 0, 3)]})
    assert (sentence.doc_id, mentions(sentence), sentence.relations) == ("x", [("Ada", "person")], None)
    assert not report.dropped


def test_an_extraction_that_names_two_ends_is_a_relation_also_of_a_word_that_stands_twice(tmp_path: Path):
    ends = {"source": "Ada", "target": "Zed"}
    extractions = [
        extraction("person", "Ada", 8, 11), extraction("company", "Zed", 17, 20), extraction("ownership", "Ada owns", attributes=ends),
        extraction("deal", "owns Zed", attributes=ends | {"type": "bought"}),
    ]  # fmt: skip
    sentences, _ = read(
        tmp_path / "a.jsonl", {"text": "Ada and Ada owns Zed", "extractions": extractions}, {"text": "Nobody.", "extractions": []}
    )
    assert [e.chars for e in sentences[0].entities] == [(8, 11), (17, 20)]
    assert triples(sentences[0]) == [("Ada", "ownership", "Zed"), ("Ada", "bought", "Zed")]
    assert sentences[1].relations == ()  # the file has relations, so it has none


def test_a_group_relates_the_extraction_of_its_name_to_the_others(tmp_path: Path):
    text = "Takes Aspirin 100mg daily and Zocor at bedtime."
    members = [
        ("drug", "Aspirin", "Aspirin"), ("dosage", "100mg", "Aspirin"), ("drug", "Zocor", "Zocor"), ("frequency", "at bedtime", "Zocor"),
    ]  # fmt: skip
    extractions = [extraction(kind, words, attributes={"drug_group": name}) for kind, words, name in members]
    (sentence,), _ = read(tmp_path / "a.jsonl", {"text": text, "extractions": extractions}, group="drug_group")
    assert triples(sentence) == [("Aspirin", "dosage", "100mg"), ("Zocor", "frequency", "at bedtime")]
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": text, "extractions": extractions[1:2]}, group="drug_group")
    assert (sentence.relations, report.lost_relations) == ((), {"dosage": 1})


def test_other_words_at_a_place_are_kept_only_if_langextract_says_that_they_are_near(tmp_path: Path):
    extractions = [
        extraction("person", "Ada Kerns", 0, 8, alignment_status="match_fuzzy"), extraction("company", "Zed", 0, 3),
        extraction("x", "Bo", 0, 3),
    ]  # fmt: skip
    (sentence,), report = read(tmp_path / "a.jsonl", {"text": TEXT, "extractions": extractions})
    assert mentions(sentence) == [("Ada Kern", "person"), ("Zed", "company")]
    assert report.dropped == {
        "extractions aligned with other words of the text (kept)": 1,
        "extractions whose words are not at their place, looked for in the text": 2, "entities that the text does not have": 1,
    }  # fmt: skip


PIECES, SOUGHT = ("Ada", "Adah", "中文", "😀", " ", ".", "1"), ("Ada", "中", "😀", "1.", "a ")


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(SOUGHT))
def test_occurrences_are_all_places_of_whole_words_up_to_two(pieces: list[str], words: str):
    text = "".join(pieces)

    def inside_a_word(edge: int) -> bool:
        return 0 < edge < len(text) and all(c.isalnum() and c not in "中文" for c in text[edge - 1 : edge + 1])

    places = [start for start in range(len(text)) if text.startswith(words, start)]
    whole = [(start, start + len(words)) for start in places if not (inside_a_word(start) or inside_a_word(start + len(words)))]
    assert occurrences(words, text) == whole[:2]


@pytest.mark.parametrize(("attributes", "lost"), [
    ({"subject": "Ada", "object": None}, 1), ({"subject": ["Ada"], "object": "Zed"}, 1), ({"source": "page 3"}, 0), ({}, 0),
])  # fmt: skip
def test_an_extraction_that_names_one_end_of_two_is_a_lost_relation(tmp_path: Path, attributes: dict[str, Any], lost: int):
    extraction = {"extraction_class": "runs", "extraction_text": "runs", "char_interval": {"start_pos": 4, "end_pos": 8}}
    record = {"text": "Ada runs Zed.", "extractions": [extraction | {"attributes": attributes}]}
    documents, report = read_content(READER, tmp_path / "a.jsonl", json.dumps(record))
    (sentence,) = sentences_of(documents)
    assert mentions(sentence) == [("runs", "runs")]
    assert report.lost_relations["runs"] == lost


def test_a_file_of_a_folder_with_a_broken_first_line_is_an_error_and_is_not_left_out(tmp_path: Path):
    record = '{"text": "Ada runs Zed.", "relations": [{"head": "Ada", "type": "runs", "tail": "Zed"}]}\n'
    (tmp_path / "a.jsonl").write_text(record, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(record.replace("runs Zed", "\0"), encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.jsonl:1: expected text, got the character U\+0000"):
        list(READER.read(tmp_path, ReadReport()))
