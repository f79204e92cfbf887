"""The SpERT reader: exclusive ends, list positions, BILOU tags, and what it says about broken records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.spert import READER

TOKENS = ["Ada", "Kern", "of", "Oslo"]
PERSON = {"type": "Peop", "start": 0, "end": 2}
CITY = {"type": "Loc", "start": 3, "end": 4}
LIVES = {"type": "Live_In", "head": 0, "tail": 1}


def _array(*records: Any) -> str:
    return json.dumps(list(records))


def test_ends_are_exclusive_and_head_and_tail_are_list_positions(tmp_path: Path):
    # The list need not be in text order: position 0 is the city here.
    record = {
        "tokens": TOKENS,
        "entities": [CITY, PERSON],
        "relations": [{"type": "Live_In", "head": 1, "tail": 0}],
        "orig_id": 12,
    }
    sentence = only_sentence(READER, tmp_path / "a.json", _array(record))
    assert sentence.id == "12"
    assert mentions(sentence) == [("Oslo", "Loc"), ("Ada Kern", "Peop")]
    assert triples(sentence) == [("Ada Kern", "Live_In", "Oslo")]


def test_bilou_tags_become_entities_from_left_to_right(tmp_path: Path):
    record = {
        "tokens": ["Old", "Ada", "Kern", "Oslo", "Rome"],
        "tags": ["B-Peop", "I-Peop", "L-Peop", "U-Loc", "U-Loc"],
        "relations": [{"type": "Live_In", "head": 0, "tail": 2}],
    }
    sentence = only_sentence(READER, tmp_path / "part.json", _array(record))
    assert sentence.id == "part-1"
    assert mentions(sentence) == [("Old Ada Kern", "Peop"), ("Oslo", "Loc"), ("Rome", "Loc")]
    assert triples(sentence) == [("Old Ada Kern", "Live_In", "Rome")]


def test_a_missing_relation_list_means_not_annotated_and_an_empty_one_means_none(tmp_path: Path):
    content = _array({"tokens": TOKENS, "entities": []}, {"tokens": TOKENS, "entities": [], "relations": []})
    documents, _ = read_content(READER, tmp_path / "a.json", content)
    assert [d.sentences[0].relations for d in documents] == [None, ()]


def test_duplicate_entities_are_merged_and_their_relations_follow(tmp_path: Path):
    relations = [
        {"type": "Live_In", "head": 0, "tail": 2},
        {"type": "Live_In", "head": 1, "tail": 2},
        {"type": "Rule", "head": 1, "tail": 0},
    ]
    record = {"tokens": TOKENS, "entities": [PERSON, PERSON, CITY], "relations": relations}
    documents, report = read_content(READER, tmp_path / "a.json", _array(record))
    assert mentions(documents[0].sentences[0]) == [("Ada Kern", "Peop"), ("Oslo", "Loc")]
    assert triples(documents[0].sentences[0]) == [("Ada Kern", "Live_In", "Oslo")]
    assert report.dropped == {"duplicate entities": 1, "duplicate relations": 1, "relations of an entity with itself": 1}


def test_two_types_on_one_span_and_two_relations_on_one_pair_are_different_facts(tmp_path: Path):
    record = {
        "tokens": TOKENS,
        "entities": [PERSON, CITY, {**CITY, "type": "Org"}],
        "relations": [LIVES, {**LIVES, "type": "Rule"}, {**LIVES, "tail": 2}],
    }
    sentence = only_sentence(READER, tmp_path / "a.json", _array(record))
    assert len(sentence.entities) == 3
    assert len(sentence.relations or ()) == 3


def test_values_under_unknown_keys_are_counted(tmp_path: Path):
    record = {"tokens": TOKENS, "entities": [PERSON | {"head_word": 1}], "relations": [], "pos_tags": []}
    _, report = read_content(READER, tmp_path / "a.json", _array(record))
    assert report.dropped == {"values under the unknown key 'pos_tags'": 1, "values under the unknown key 'head_word'": 1}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (["Ada"], "expected a JSON object, got ['Ada']"),
        ({"entities": []}, "expected the key 'tokens', got keys entities"),
        ({"tokens": "Ada", "entities": []}, "tokens: expected a list, got 'Ada'"),
        ({"tokens": ["Ada", ""], "entities": []}, "token 1: expected a non-empty string, got ''"),
        ({"tokens": [], "entities": []}, "at least one token"),
        ({"tokens": TOKENS}, "either 'entities' (SpERT) or 'tags' (TablERT), got keys tokens"),
        ({"tokens": TOKENS, "entities": [], "tags": []}, "got both"),
        ({"tokens": TOKENS, "entities": [{**CITY, "end": 5}]}, "end <= 4 tokens, got start 3, end 5"),
        ({"tokens": TOKENS, "entities": [{**CITY, "end": 3}]}, "got start 3, end 3"),
        ({"tokens": TOKENS, "entities": [{**CITY, "end": "4"}]}, "entity 0: end: expected a whole number, got '4'"),
        ({"tokens": TOKENS, "entities": [{**CITY, "end": True}]}, "expected a whole number, got True"),
        ({"tokens": TOKENS, "entities": [PERSON], "relations": [LIVES]}, "a tail among 1 entities, counted from 0, got 1"),
        ({"tokens": TOKENS, "entities": [PERSON, CITY], "relations": [{**LIVES, "head": -1}]}, "among 2 entities, counted from 0, got -1"),
        ({"tokens": TOKENS, "tags": ["O"]}, "tags: expected one a token (4), got 1"),
        ({"tokens": TOKENS, "tags": ["I-Peop", "O", "O", "O"]}, "tag 0: expected O, B-TYPE or U-TYPE, got 'I-Peop'"),
        ({"tokens": TOKENS, "tags": ["B-Peop", "O", "O", "O"]}, "tag 1: expected I-Peop or L-Peop, got 'O'"),
        ({"tokens": TOKENS, "tags": ["B-Peop", "L-Loc", "O", "O"]}, "tag 1: expected I-Peop or L-Peop, got 'L-Loc'"),
        ({"tokens": TOKENS, "tags": ["U-", "O", "O", "O"]}, "tag 0: expected O, B-TYPE or U-TYPE, got 'U-'"),
        ({"tokens": TOKENS, "tags": ["O", "O", "O", "B-Loc"]}, "expected L-Loc before the end of the sentence"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, record: Any, expected: str):
    file = tmp_path / "bad.json"
    with pytest.raises(DataError) as caught:
        read_content(READER, file, _array({"tokens": ["fine"], "entities": []}, record))
    assert str(caught.value).startswith(f"{file}:1: record 2: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        ('[{"tokens": ["a"],\n "entities": [}]', 2, "expected a JSON array of records, got"),
        ('{"entities": {}, "relations": {}}', 1, "record 1: expected the key 'tokens', got keys entities, relations"),
        ("[]", 1, "at least one record"),
    ],
)
def test_a_file_that_is_no_array_is_named_with_its_line(tmp_path: Path, content: str, line: int, expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "bad.json", content)
    assert str(caught.value).startswith(f"{tmp_path / 'bad.json'}:{line}: ")
    assert expected in str(caught.value)


def test_recognition_looks_past_records_without_entities(tmp_path: Path):
    empty: dict[str, Any] = {"tokens": ["a"], "entities": [], "relations": []}
    cases = {
        "spert.json": (_array(empty, {"tokens": TOKENS, "entities": [PERSON], "relations": []}), True),
        "tablert.json": (_array({"tokens": ["a"], "tags": ["O"], "relations": []}), True),
        "folds.json": (_array(empty, {"tokens": TOKENS, "entities": [[0, 1, "Drug"]], "relations": []}), False),
        "undecided.json": (_array(empty), False),
        "types.json": ('{"entities": {}, "relations": {}}', False),
    }
    for name, (content, _) in cases.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert {name: READER.recognises(tmp_path / name) for name in cases} == {name: known for name, (_, known) in cases.items()}
