"""The DyGIE reader: document-level inclusive indices, sentence boundaries, clusters, and broken lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.dygie import READER
from relsift.schema import RelationAcross, sentences_of

# Tokens of the document:   0       1        2     3      4    5     6
SENTENCES = [["Nobody", "came"], ["Ada", "Kern", "of", "New", "York"]]


def _line(**changes: Any) -> str:
    record = {
        "doc_key": "d",
        "sentences": SENTENCES,
        "ner": [[], [[2, 3, "Peop"], [5, 6, "Loc"]]],
        "relations": [[], []],
    } | changes
    return json.dumps({key: value for key, value in record.items() if value is not None}) + "\n"


def test_spans_count_through_the_document_and_include_their_last_token(tmp_path: Path):
    documents, report = read_content(READER, tmp_path / "a.jsonl", _line(relations=[[], [[5, 6, 2, 3, "Home-of"]]]))
    first, second = documents[0].sentences
    assert not report.dropped
    assert (first.id, first.doc_id, first.entities, first.relations) == ("d-0", "d", (), ())
    assert [(e.start, e.end) for e in second.entities] == [(0, 2), (3, 5)]
    assert triples(second) == [("New York", "Home-of", "Ada Kern")]


def test_a_missing_relations_key_means_not_annotated(tmp_path: Path):
    documents, _ = read_content(READER, tmp_path / "a.jsonl", _line(relations=None))
    assert [s.relations for s in sentences_of(documents)] == [None, None]


def test_clusters_and_unknown_keys_are_counted(tmp_path: Path):
    _, report = read_content(READER, tmp_path / "a.jsonl", _line(clusters=[[[2, 3], [5, 6]], [[0, 0], [1, 1]]], events=[]))
    assert report.dropped == {"coreference clusters": 2, "values under the unknown key 'events'": 1}


def test_a_relation_across_sentences_is_counted(tmp_path: Path):
    content = _line(ner=[[[0, 0, "Peop"]], [[2, 3, "Peop"]]], relations=[[[0, 0, 2, 3, "Knows"]], []])
    documents, report = read_content(READER, tmp_path / "a.jsonl", content)
    assert [len(s.relations or ()) for s in sentences_of(documents)] == [0, 0]
    assert report.dropped == {"relations across sentences": 1}
    assert documents[0].across == (RelationAcross((0, 0), (1, 0), "Knows"),)


def test_an_entity_across_a_boundary_is_counted_with_its_relations(tmp_path: Path):
    content = _line(ner=[[], [[1, 2, "Peop"], [5, 6, "Loc"]]], relations=[[], [[1, 2, 5, 6, "Lives"]]])
    documents, report = read_content(READER, tmp_path / "a.jsonl", content)
    assert mentions(documents[0].sentences[1]) == [("New York", "Loc")]
    assert report.dropped == {"entities that cross a sentence boundary": 1, "relations of a dropped entity": 1}


def test_a_relation_end_with_two_types_takes_the_first_and_is_counted(tmp_path: Path):
    content = _line(ner=[[], [[2, 3, "Peop"], [5, 6, "Loc"], [5, 6, "Org"]]], relations=[[], [[2, 3, 5, 6, "Lives"]]])
    documents, report = read_content(READER, tmp_path / "a.jsonl", content)
    (relation,) = documents[0].sentences[1].relations or ()
    assert documents[0].sentences[1].entities[relation.tail].type == "Loc"
    assert report.dropped == {"relation ends on a span with several entity types, read as the first": 1}


def test_a_duplicate_entity_does_not_make_its_relation_ambiguous(tmp_path: Path):
    content = _line(ner=[[], [[2, 3, "Peop"], [5, 6, "Loc"], [5, 6, "Loc"]]], relations=[[], [[2, 3, 5, 6, "Lives"]]])
    documents, report = read_content(READER, tmp_path / "a.jsonl", content)
    assert triples(documents[0].sentences[1]) == [("Ada Kern", "Lives", "New York")]
    assert report.dropped == {"duplicate entities": 1}


def test_an_empty_sentence_is_counted_and_keeps_the_numbers_of_the_others(tmp_path: Path):
    content = _line(sentences=[["Hi"], [], ["Oslo"]], ner=[[], [], [[1, 1, "Loc"]]], relations=None)
    documents, report = read_content(READER, tmp_path / "a.jsonl", content)
    assert [(s.id, mentions(s)) for s in documents[0].sentences] == [("d-0", []), ("d-2", [("Oslo", "Loc")])]
    assert report.dropped == {"empty sentences": 1}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "expected one JSON object a line, got"),
        ("[]", "expected a JSON object, got []"),
        (_line(doc_key=["d"]), "doc_key: expected a string or a whole number as id, got ['d']"),
        (_line(ner=None), "expected the key 'ner', got keys doc_key, relations, sentences"),
        (_line(ner=[[]]), "ner: expected one list a sentence (2), got 1"),
        (_line(relations=[[], [], []]), "relations: expected one list a sentence (2), got 3"),
        (_line(ner=[[], [[2, 3]]]), "sentence 1: ner: item 0: expected a list of 2 whole numbers and a label, got [2, 3]"),
        (_line(ner=[[], [[3, 2, "Peop"]]]), "expected 0 <= first <= last < 7 tokens, got 3..2"),
        (_line(ner=[[], [[5, 7, "Loc"]]]), "expected 0 <= first <= last < 7 tokens, got 5..7"),
        # Indices that start anew in each sentence are the commonest mistake.
        (_line(ner=[[], [[0, 1, "Peop"]]]), "tokens of this sentence (2..6), got 0..1; indices count through the whole document"),
        (_line(relations=[[], [[2, 3, 5, 5, "Lives"]]]), "sentence 1: relations: item 0: expected first and last token of two entities"),
        (_line(sentences=[["Nobody", ""], SENTENCES[1]]), "sentence 0: token 1: expected a non-empty string"),
    ],
)
def test_a_broken_line_is_named_with_what_was_expected(tmp_path: Path, line: str, expected: str):
    file = tmp_path / "bad.jsonl"
    with pytest.raises(DataError) as caught:
        read_content(READER, file, _line() + line.rstrip("\n") + "\n")
    assert str(caught.value).startswith(f"{file}:2: ")
    assert expected in str(caught.value)


def test_a_file_with_clusters_but_no_entity_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"coref\.json:1: expected entities under 'ner', got none beside 1 clusters"):
        read_content(READER, tmp_path / "coref.json", _line(ner=[[], []], clusters=[[[0, 0], [1, 1]]]))


def test_a_file_without_ner_is_not_recognised(tmp_path: Path):
    (tmp_path / "coref.json").write_text(_line(ner=None, clusters=[]), encoding="utf-8")
    (tmp_path / "full.json").write_text(_line(), encoding="utf-8")
    assert not READER.recognises(tmp_path / "coref.json")
    assert READER.recognises(tmp_path / "full.json")


def test_a_document_of_one_token_is_read(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "a.jsonl", _line(sentences=[["Oslo"]], ner=[[[0, 0, "Loc"]]], relations=[[]]))
    assert mentions(sentence) == [("Oslo", "Loc")]
