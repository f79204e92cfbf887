"""Both ADE readers: offsets into an abstract that is not there, grouping of lines, folds, and broken input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.ade import FOLDS, REL
from relsift.readers.base import ReadReport
from relsift.schema import sentences_of

TOKENS = ["Rash", "after", "drugol", "."]
RECORD: dict[str, Any] = {
    "tokens": TOKENS,
    "entities": [[2, 3, "Drug"], [0, 1, "Adverse-Effect"]],
    "relations": [[0, 1, 2, 3, "Adverse-Effect"]],
}


def test_lines_of_one_sentence_become_one_sentence_with_shared_mentions(tmp_path: Path):
    # "Rash and cough after drugol." begins at character 10 of the abstract.
    content = "7|Rash and cough after drugol.|Rash|10|14|drugol|31|37\n7|Rash and cough after drugol.|cough|19|24|drugol|31|37\n"
    sentence = only_sentence(REL, tmp_path / "a.rel", content)
    assert sentence.doc_id == "7"
    assert mentions(sentence) == [("Rash", "Adverse-Effect"), ("drugol", "Drug"), ("cough", "Adverse-Effect")]
    assert triples(sentence) == [("Rash", "Adverse-Effect", "drugol"), ("cough", "Adverse-Effect", "drugol")]


def test_sentences_stand_at_their_offsets_in_the_rebuilt_abstract(tmp_path: Path):
    content = "7|Cough after drugol.|Cough|20|25|drugol|32|38\n7|Drugol rash.|rash|10|14|Drugol|3|9\n"
    documents, _ = read_content(REL, tmp_path / "a.rel", content)
    assert documents[0].text == "   Drugol rash.     Cough after drugol."
    assert [s.id for s in documents[0].sentences] == ["7-0", "7-1"]
    assert [s.offsets[0] for s in documents[0].sentences if s.offsets] == [(3, 9), (20, 25)]


def test_a_mention_that_stands_twice_is_settled_by_the_other_one(tmp_path: Path):
    # The sentence begins at 5: "rash" at 5 + 13 is its second occurrence.
    sentence = only_sentence(REL, tmp_path / "a.rel", "7|No rash, then rash after drugol.|rash|19|23|drugol|30|36\n")
    assert [(e.start, e.end) for e in sentence.entities] == [(4, 5), (6, 7)]


def test_a_sentence_that_fits_two_offsets_takes_the_first_mention_and_is_counted(tmp_path: Path):
    # "ab cd ab cd": ab and cd stand three apart, twice.
    documents, report = read_content(REL, tmp_path / "a.rel", "7|ab cd ab cd|ab|20|22|cd|23|25\n")
    assert [(e.start, e.end) for e in documents[0].sentences[0].entities] == [(0, 1), (1, 2)]
    assert report.dropped == {"sentences that several offsets would fit, read as the first mention": 1}


def test_a_later_line_settles_a_sentence_that_fitted_two_offsets(tmp_path: Path):
    content = "7|ab cd ab cd ef|ab|20|22|cd|23|25\n7|ab cd ab cd ef|ef|26|28|cd|23|25\n"
    documents, report = read_content(REL, tmp_path / "a.rel", content)
    assert [(e.start, e.end) for e in documents[0].sentences[0].entities] == [(2, 3), (3, 4), (4, 5)]
    assert not report.dropped


def test_the_same_words_at_another_offset_are_another_sentence(tmp_path: Path):
    content = "7|Drugol rash.|rash|10|14|Drugol|3|9\n7|Drugol rash.|rash|57|61|Drugol|50|56\n"
    documents, _ = read_content(REL, tmp_path / "a.rel", content)
    assert [(s.id, len(s.relations or ())) for s in documents[0].sentences] == [("7-0", 1), ("7-1", 1)]


def test_lines_of_one_abstract_form_one_document_even_if_others_stand_between(tmp_path: Path):
    rash, cough = "|Drugol rash.|rash|10|14|Drugol|3|9\n", "|Cough by drugol.|Cough|20|25|drugol|29|35\n"
    documents, _ = read_content(REL, tmp_path / "a.rel", f"7{rash}8{rash}7{cough}")
    assert [(d.id, len(d.sentences)) for d in documents] == [("7", 2), ("8", 1)]


def test_a_drug_inside_an_effect_keeps_both_mentions(tmp_path: Path):
    sentence = only_sentence(REL, tmp_path / "a.rel", "7|Drugol toxicity.|Drugol toxicity|3|18|Drugol|3|9\n")
    assert [(e.start, e.end, e.type) for e in sentence.entities] == [(0, 2, "Adverse-Effect"), (0, 1, "Drug")]


def test_tokens_are_cut_at_the_edges_of_mentions(tmp_path: Path):
    sentence = only_sentence(REL, tmp_path / "a.rel", "7|Pseudorash by drugols.|rash|9|13|drugol|17|23\n")
    assert sentence.tokens == ("Pseudo", "rash", "by", "drugol", "s", ".")


def test_a_separator_inside_the_sentence_belongs_to_it(tmp_path: Path):
    sentence = only_sentence(REL, tmp_path / "a.rel", "7|Rash | drugol.|Rash|3|7|drugol|10|16\n")
    assert sentence.tokens == ("Rash", "|", "drugol", ".")


def test_duplicate_lines_are_counted(tmp_path: Path):
    line = "7|Drugol rash.|rash|10|14|Drugol|3|9\n"
    _, report = read_content(REL, tmp_path / "a.rel", line * 2)
    assert report.dropped == {"duplicate relations": 1}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7|Drugol rash.|rash|10|14|Drugol|3", "expected 8 fields separated by '|', got 7"),
        ("7|Drugol rash.|rash|ten|14|Drugol|3|9", "expected a whole number, got 'ten'"),
        ("7|Drugol rash.|rash|10|15|Drugol|3|9", "expected offsets 4 characters apart for 'rash', got 10..15"),
        ("7|Drugol rash.||10|10|Drugol|3|9", "expected the words of a mention before the offsets 10 and 10"),
        ("7|Drugol rash.|cough|10|15|Drugol|3|9", "expected the mention 'cough' in the sentence, got 'Drugol rash.'"),
        ("7|Drugol rash.|rash|11|15|Drugol|3|9", "as far apart as 'rash' and 'Drugol' are in the sentence, got 11 and 3"),
        ("7|Drugol rash.|rash|4|8|Drugol|0|6", "expected 'rash' at offset 7 or later, its place in the sentence, got 4"),
        ("7|Drugol rash.|rash|900000007|900000011|Drugol|3|9", "expected offsets up to 100000 characters"),
        (
            "7|rash. Drugol|rash|4|8|Drugol|10|16",
            "expected the sentence to begin where the one before it ends (15) or later, got 4",
        ),
    ],
)
def test_a_broken_line_is_named_with_what_was_expected(tmp_path: Path, line: str, expected: str):
    file = tmp_path / "bad.rel"
    with pytest.raises(DataError) as caught:
        read_content(REL, file, f"7|Drugol rash.|rash|10|14|Drugol|3|9\n{line}\n")
    assert str(caught.value).startswith(f"{file}:2: ")
    assert expected in str(caught.value)


def test_the_file_of_doses_is_refused_by_its_name(tmp_path: Path):
    file = tmp_path / "DRUG-DOSE.rel"
    with pytest.raises(DataError, match=r"DRUG-DOSE\.rel:1: expected drugs and their effects"):
        read_content(REL, file, "7|Drugol 5 mg.|5 mg|10|14|Drugol|3|9\n")
    assert not REL.recognises(file)


def test_an_empty_rel_file_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.rel:1: expected at least one relation, got an empty file"):
        read_content(REL, tmp_path / "a.rel", "\n")


def test_a_fold_names_relations_by_exclusive_spans_head_first(tmp_path: Path):
    sentence = only_sentence(FOLDS, tmp_path / "test.ADE0.json", json.dumps([RECORD]))
    assert sentence.id == "test.ADE0-1"
    assert mentions(sentence) == [("drugol", "Drug"), ("Rash", "Adverse-Effect")]
    assert triples(sentence) == [("Rash", "Adverse-Effect", "drugol")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"entities": [[2, 3, 4]]}, "entity 0: expected a list of 2 whole numbers and a label, got [2, 3, 4]"),
        ({"relations": [[0, 1, 2, "Drug"]]}, "relation 0: expected a list of 4 whole numbers and a label"),
        (
            {"relations": [[0, 1, 2, 4, "Drug"]]},
            "relation 0: expected the relation to name the span of an entity, got tokens 2 to 4",
        ),
        ({"entities": [[0, 1, "Adverse-Effect"], [2, 5, "Drug"]], "relations": []}, "end <= 4 tokens, got start 2, end 5"),
        ({"tokens": []}, "at least one token"),
    ],
)
def test_a_broken_record_of_a_fold_is_named(tmp_path: Path, changes: dict[str, Any], expected: str):
    file = tmp_path / "test.ADE0.json"
    with pytest.raises(DataError) as caught:
        read_content(FOLDS, file, json.dumps([RECORD, RECORD | changes]))
    assert str(caught.value).startswith(f"{file}:1: record 2: ")
    assert expected in str(caught.value)


def test_a_folder_of_one_fold_is_read_whole_and_one_of_several_is_refused(tmp_path: Path):
    for name in ("test.ADE3.json", "train.ADE3.json"):
        (tmp_path / name).write_text(json.dumps([RECORD]), encoding="utf-8")
    assert len(list(sentences_of(FOLDS.read(tmp_path, ReadReport())))) == 2
    (tmp_path / "test.ADE4.json").write_text(json.dumps([RECORD]), encoding="utf-8")
    with pytest.raises(DataError, match=r"expected the files of one fold, since each is the whole corpus, got folds 3, 4"):
        list(FOLDS.read(tmp_path, ReadReport()))
