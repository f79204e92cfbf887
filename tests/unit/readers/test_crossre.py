"""CrossRE's JSON lines: inclusive spans, what stands behind a relation, entities related to themselves."""

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
from relsift.readers.crossre import READER
from relsift.schema import sentences_of

LINE: dict[str, Any] = {
    "doc_key": "ai-1", "sentence": ["Ada", "Kern", "runs", "Zed"], "ner": [[0, 1, "person"], [3, 3, "organisation"]],
    "relations": [[0, 1, 3, 3, "role", "", False, False]],
}  # fmt: skip


def test_the_last_token_belongs_to_a_span(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "ai-train.json", json.dumps(LINE))
    assert (sentence.id, mentions(sentence)) == ("ai-1", [("Ada Kern", "person"), ("Zed", "organisation")])
    assert triples(sentence) == [("Ada Kern", "role", "Zed")]


def test_what_stands_behind_a_relation_is_counted_as_far_as_it_says_something(tmp_path: Path):
    relations = [[0, 1, 3, 3, "role", "head", True, False], [3, 3, 0, 1, "part-of", "", "", False, True], [0, 1, 3, 3, "named"]]
    (document,), report = read_content(READER, tmp_path / "a.json", json.dumps(LINE | {"relations": relations}))
    assert len(document.sentences[0].relations) == 3
    assert report.dropped == {"explanations behind a relation": 1, "marks behind a relation": 2}


def test_a_relation_of_an_entity_with_itself_is_lost_and_costs_no_other(tmp_path: Path):
    relations = [[0, 1, 0, 1, "role", "", False, False], *LINE["relations"]]
    (document,), report = read_content(READER, tmp_path / "a.json", json.dumps(LINE | {"relations": relations}))
    assert triples(document.sentences[0]) == [("Ada Kern", "role", "Zed")]
    assert report.dropped == {"relations of an entity with itself": 1}
    assert report.lost_relations == {"role": 1}


def test_a_broken_entity_takes_only_its_relations_along(tmp_path: Path):
    line = LINE | {"ner": [[0, 9, "person"], *LINE["ner"]], "relations": [[0, 9, 3, 3, "role"], *LINE["relations"]]}
    (tmp_path / "a.json").write_text(json.dumps(line), encoding="utf-8")
    report = ReadReport(on_error="skip")
    (sentence,) = sentences_of(READER.read(tmp_path / "a.json", report))
    assert triples(sentence) == [("Ada Kern", "role", "Zed")]
    assert report.dropped == {"broken entities": 1, "broken relations": 1}
    assert report.lost_relations == {"role": 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ner": [[0, 4, "person"]]}, "ner: item 0: expected 0 <= first <= last < 4 tokens, got 0..4"),
        (
            {"relations": [[0, 0, 3, 3, "role"]]},
            "relations: item 0: expected the relation to name the span of an entity, got tokens 0 to 1 (exclusive)",
        ),
        ({"relations": [[0, 1, 3, "role"]]}, "relations: item 0: expected a list of 4 whole numbers and a label, got [0, 1, 3, 'role']"),
        ({"sentence": [], "ner": [], "relations": []}, "expected at least one token, got none; `--on-error skip` leaves the sentence out"),
        ({"doc_key": 1.5}, "doc_key: expected a string or a whole number as id, got 1.5"),
    ],
)
def test_a_broken_line_is_named_with_what_was_expected(tmp_path: Path, changes: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "a.json", json.dumps(LINE | changes))
    assert str(caught.value) == f"{tmp_path / 'a.json'}:1: {expected}"


@given(marked_tokens())
def test_any_sentence_reads_back(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    ner = [[start, end - 1, kind] for start, end, kind in marked.mentions]
    relations = [[*ner[head][:2], *ner[tail][:2], kind, "", False, False] for head, tail, kind in marked.relations]
    content = json.dumps({"doc_key": "k", "sentence": marked.tokens, "ner": ner, "relations": relations})
    sentence = only_sentence(READER, tmp_path_factory.getbasetemp() / "crossre.json", content)
    assert [(e.start, e.end, e.type) for e in sentence.entities] == marked.mentions
    assert [(r.head, r.tail, r.type) for r in sentence.relations or ()] == marked.relations
