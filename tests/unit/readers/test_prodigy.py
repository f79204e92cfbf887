"""Prodigy's JSON lines: answers, tokens, spans by characters and by tokens, ends of relations."""

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
from relsift.readers.prodigy import READER


def tokens_of(*words: str, gap: str = " ") -> list[dict[str, Any]]:
    tokens, offset = [], 0
    for number, word in enumerate(words):
        token = {"text": word, "start": offset, "end": offset + len(word), "id": number, "ws": bool(gap), "disabled": number % 2 == 0}
        tokens.append(token)
        offset += len(word) + len(gap)
    return tokens


TOKENS = tokens_of("Ada", "Kern", "runs", "Zed")
ADA = {"start": 0, "end": 8, "token_start": 0, "token_end": 1, "label": "PER"}
ZED = {"start": 14, "end": 17, "token_start": 3, "token_end": 3, "label": "ORG"}
RUNS = {"head": 1, "child": 3, "label": "runs", "head_span": ADA, "child_span": ZED}
RECORD: dict[str, Any] = {"text": "Ada Kern runs Zed", "tokens": TOKENS, "spans": [ADA, ZED], "relations": [RUNS], "answer": "accept"}


def test_token_end_is_inclusive_and_the_tokens_are_prodigys_own(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "a.jsonl", json.dumps(RECORD))
    assert sentence.tokens == ("Ada", "Kern", "runs", "Zed")
    assert sentence.offsets == ((0, 3), (4, 8), (9, 13), (14, 17))
    assert triples(sentence) == [("Ada Kern", "runs", "Zed")]


def test_only_accepted_records_are_read_and_the_others_counted(tmp_path: Path):
    records = [RECORD | {"answer": "reject"}, RECORD, RECORD | {"answer": "ignore"}, {k: v for k, v in RECORD.items() if k != "answer"}]
    documents, report = read_content(READER, tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)))
    assert [document.id for document in documents] == ["a-2", "a-4"]
    assert report.dropped == {"records with the answer 'reject'": 1, "records with the answer 'ignore'": 1}


def test_a_record_without_relations_is_not_annotated_with_them(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "a.jsonl", json.dumps({k: v for k, v in RECORD.items() if k != "relations"}))
    assert (mentions(sentence), sentence.relations) == ([("Ada Kern", "PER"), ("Zed", "ORG")], None)


def test_a_span_of_a_relation_is_known_by_its_characters_whatever_its_first_token_is_said_to_be(tmp_path: Path):
    # Seen in the data of spaCy's tutorial: token_start of head_span is the last token.
    odd = RUNS | {"head_span": ADA | {"token_start": 1}}
    assert triples(only_sentence(READER, tmp_path / "a.jsonl", json.dumps(RECORD | {"relations": [odd]}))) == [("Ada Kern", "runs", "Zed")]


def test_without_the_spans_of_a_relation_its_tokens_are_the_last_ones_of_spans(tmp_path: Path):
    bare = {"head": 3, "child": 1, "label": "run_by"}
    sentence = only_sentence(READER, tmp_path / "a.jsonl", json.dumps(RECORD | {"relations": [bare]}))
    assert triples(sentence) == [("Zed", "run_by", "Ada Kern")]


def test_relations_with_a_token_in_no_labelled_span_are_counted(tmp_path: Path):
    word = {"start": 9, "end": 13, "token_start": 2, "token_end": 2, "label": None}
    content = json.dumps(RECORD | {"relations": [RUNS | {"child": 2, "child_span": word}, {"head": 0, "child": 3, "label": "q"}]})
    (document,), report = read_content(READER, tmp_path / "a.jsonl", content)
    assert document.sentences[0].relations == ()
    assert report.dropped == {"relations with a token that is in no labelled span": 2}
    assert report.lost_relations == {"runs": 1, "q": 1}


def test_blank_tokens_are_left_out_and_spans_still_fit(tmp_path: Path):
    tokens = tokens_of("Ada", "\n", "Kern", "", gap="")
    spans = [ADA | {"end": 8, "token_end": 2}, ZED | {"label": None}]
    content = json.dumps({"text": "Ada\nKern", "tokens": tokens, "spans": spans, "relations": []})
    (document,), report = read_content(READER, tmp_path / "a.jsonl", content)
    (sentence,) = document.sentences
    assert (sentence.tokens, sentence.offsets, mentions(sentence)) == (("Ada", "Kern"), ((0, 3), (4, 8)), [("Ada\nKern", "PER")])
    assert report.dropped == {"spans without a label": 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tokens": [TOKENS[0] | {"text": "Ida"}, *TOKENS[1:]]}, "token 0: expected 'Ida' at 0 to 3 of the text, got 'Ada'"),
        ({"tokens": TOKENS[::-1]}, "token 1: expected tokens in the order of the text, got one at 9 behind 17"),
        ({"spans": [ADA | {"end": 3}]}, "span 0: expected characters of the tokens 0 to 1 (the last one included), 0 to 8, got 0 to 3"),
        ({"spans": [{"start": 0, "end": 7, "label": "PER"}]}, "span 0: expected characters of whole tokens, got 0 to 7"),
        ({"spans": [ADA | {"token_end": 4}]}, "span 0: expected 0 <= token_start <= token_end < 4 tokens, got 0 to 4"),
        (
            {"relations": [RUNS | {"head_span": ADA | {"label": "LOC"}}]},
            "relation 0: head_span: expected one of the record's spans, got LOC at 0 to 8",
        ),
        ({"relations": [RUNS | {"head": 2}]}, "relation 0: expected head, a token, in its head_span, got 2, the number of another token"),
        ({"tokens": None}, "tokens: expected a list, got None"),
    ],
)
def test_a_broken_record_is_named_with_what_was_expected(tmp_path: Path, changes: dict[str, Any], expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "a.jsonl", json.dumps(RECORD | changes))
    assert str(caught.value) == f"{tmp_path / 'a.jsonl'}:1: record 1: {expected}"


@given(marked_tokens())
def test_any_record_reads_back(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    tokens = tokens_of(*marked.tokens)
    spans = [
        {"start": tokens[start]["start"], "end": tokens[end - 1]["end"], "token_start": start, "token_end": end - 1, "label": kind}
        for start, end, kind in marked.mentions
    ]
    relations = [
        {
            "head": spans[head]["token_end"], "child": spans[tail]["token_end"], "label": kind,
            "head_span": spans[head], "child_span": spans[tail],
        }
        for head, tail, kind in marked.relations
    ]  # fmt: skip
    file = tmp_path_factory.getbasetemp() / "prodigy.jsonl"
    file.write_text(json.dumps({"text": marked.text, "tokens": tokens, "spans": spans, "relations": relations}), encoding="utf-8")
    report = ReadReport()
    (document,) = READER.read(file, report)
    (sentence,) = document.sentences
    assert not report.dropped
    assert [(e.start, e.end, e.type) for e in sentence.entities] == marked.mentions
    assert [(r.head, r.tail, r.type) for r in sentence.relations or ()] == marked.relations
    assert [document.text[slice(*offsets)] for offsets in sentence.offsets or ()] == marked.tokens
