"""Records that are odd or broken in the JSON formats and in the texts with one token or sentence a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import mentions, read_content, triples

from relsift.errors import DataError
from relsift.readers.ade import FOLDS, REL
from relsift.readers.base import Reader, ReadReport
from relsift.readers.dygie import READER as DYGIE
from relsift.readers.gazette import READER as GAZETTE
from relsift.readers.multihead import READER as MULTIHEAD
from relsift.readers.semeval2010 import READER as SEMEVAL
from relsift.readers.spert import READER as SPERT
from relsift.schema import Document, sentences_of

ADA = {"type": "P", "start": 0, "end": 1}
ZED = {"type": "O", "start": 2, "end": 3}
RECORD: dict[str, Any] = {"tokens": ["Ada", "runs", "Zed"], "entities": [ADA, ZED], "relations": [{"type": "runs", "head": 0, "tail": 1}]}
LINE: dict[str, Any] = {
    "doc_key": "k", "sentences": [["Ada", "runs", "Zed"]], "ner": [[[0, 0, "P"], [2, 2, "O"]]], "relations": [[[0, 0, 2, 2, "runs"]]]
}  # fmt: skip


def skipping(reader: Reader, file: Path, content: str) -> tuple[list[Document], ReadReport]:
    file.write_text(content, encoding="utf-8", newline="")
    report = ReadReport(on_error="skip")
    return list(reader.read(file, report)), report


def test_a_broken_entity_takes_its_relations_along_and_no_other(tmp_path: Path):
    record = {
        **RECORD,
        "entities": [{**ADA, "end": "1"}, ZED, ADA],
        "relations": [*RECORD["relations"], {"type": "owned_by", "head": 1, "tail": 2}, {"type": "odd", "head": 1, "tail": 9}],
    }
    documents, report = skipping(SPERT, tmp_path / "a.json", json.dumps([record]))
    (sentence,) = sentences_of(documents)
    assert (mentions(sentence), triples(sentence)) == ([("Zed", "O"), ("Ada", "P")], [("Zed", "owned_by", "Ada")])
    assert report.dropped == {"broken entities": 1, "relations of a dropped entity": 1, "broken relations": 1}
    assert report.lost_relations == {"runs": 1, "odd": 1}
    assert report.faults[1].endswith("relation 2: expected a tail among 3 entities, counted from 0, got 9 (odd)")


@pytest.mark.parametrize(
    ("reader", "name", "content"),
    [
        (SPERT, "a.json", json.dumps([RECORD, {**RECORD, "tokens": [], "entities": [], "relations": []}])),
        (FOLDS, "a.json", json.dumps([{"tokens": tokens, "entities": [], "relations": []} for tokens in (["a"], [])])),
        (MULTIHEAD, "a.txt", "#doc 1\n0\ta\tO\t['N']\t[0]\n#doc 2\n"),
    ],
)
def test_a_sentence_without_tokens_is_left_out_under_skip_and_the_message_says_so(tmp_path: Path, reader: Reader, name: str, content: str):
    with pytest.raises(DataError, match=r"expected at least one token, got none; `--on-error skip` leaves the sentence out"):
        read_content(reader, tmp_path / name, content)
    documents, report = skipping(reader, tmp_path / name, content)
    assert len(documents) == 1
    assert report.dropped == {"broken sentences": 1}


def test_relations_of_an_entity_with_itself_are_lost_and_counted(tmp_path: Path):
    _, report = read_content(DYGIE, tmp_path / "a.jsonl", json.dumps({**LINE, "relations": [[[0, 0, 0, 0, "same"]]]}))
    assert report.dropped == {"relations of an entity with itself": 1}
    assert report.lost_relations == {"same": 1}


def test_scores_behind_labels_are_left_out_and_counted(tmp_path: Path):
    line = {**LINE, "ner": [[[0, 0, "P", 9.1, 0.99], [2, 2, "O", 3, 0.9]]], "relations": [[[0, 0, 2, 2, "runs", 5.5, 0.97]]]}
    documents, report = read_content(DYGIE, tmp_path / "a.jsonl", json.dumps(line))
    assert [triples(sentence) for sentence in sentences_of(documents)] == [[("Ada", "runs", "Zed")]]
    assert report.dropped == {"scores behind a label": 3}


def test_a_broken_sentence_of_a_document_leaves_the_others_where_they_are(tmp_path: Path):
    line = {
        "doc_key": 5,
        "sentences": [["Bo", None], ["Ada", "runs", "Zed"]],
        "ner": [[[0, 0, "P"]], [[2, 2, "P"], [4, 4, "O"]]],
        "relations": [[[0, 0, 2, 2, "knows"]], [[2, 2, 4, 4, "runs"], [2, 2, None, 4, "runs"]]],
    }
    documents, report = skipping(DYGIE, tmp_path / "a.jsonl", json.dumps(line))
    assert [(s.id, triples(s)) for s in sentences_of(documents)] == [("5-1", [("Ada", "runs", "Zed")])]
    assert report.dropped == {
        "broken sentences": 1, "entities of a broken sentence": 1, "relations of a dropped entity": 1, "broken relations": 1
    }  # fmt: skip
    assert report.lost_relations == {"knows": 1, "runs": 1}


@pytest.mark.parametrize(
    ("reader", "name", "record", "key"),
    [(SPERT, "a.json", {**RECORD, "orig_id": 12}, "12"), (DYGIE, "a.jsonl", {**LINE, "doc_key": 12}, "12")],
)
def test_whole_numbers_are_ids_and_empty_ids_get_a_number(tmp_path: Path, reader: Reader, name: str, record: Any, key: str):
    def written(record: Any) -> str:
        return json.dumps([record] if reader is SPERT else record)

    assert read_content(reader, tmp_path / name, written(record))[0][0].id == key
    field = "orig_id" if reader is SPERT else "doc_key"
    documents, report = read_content(reader, tmp_path / name, written({**record, field: " "}))
    assert documents[0].id == "a-1"
    assert report.dropped.total() == 1
    for wrong in (1.5, True, ["x"]):
        with pytest.raises(DataError, match=r"expected a string or a whole number as id"):
            read_content(reader, tmp_path / name, written({**record, field: wrong}))


@pytest.mark.parametrize("layout", ["lines", "array", "pretty array", "one pretty object"])
@pytest.mark.parametrize(("reader", "record"), [(SPERT, RECORD), (DYGIE, LINE)], ids=["spert", "dygie"])
def test_records_may_stand_in_an_array_or_on_lines(tmp_path: Path, reader: Reader, record: Any, layout: str):
    text = {
        "lines": json.dumps(record) + "\n\n" + json.dumps(record) + "\n",
        "array": json.dumps([record, record]),
        "pretty array": json.dumps([record, record], indent=1),
        "one pretty object": json.dumps(record, indent=1),
    }[layout]
    documents, _ = read_content(reader, tmp_path / "a.json", text)
    assert [triples(sentence) for sentence in sentences_of(documents)] == [[("Ada", "runs", "Zed")]] * (1 if "one" in layout else 2)


def test_the_line_of_a_broken_record_of_an_array_is_named(tmp_path: Path):
    text = json.dumps([RECORD, {**RECORD, "tokens": "Ada"}], indent=1)
    line = text[: text.rindex("{", 0, text.index('"Ada",\n  "entities"'))].count("\n") + 1
    with pytest.raises(DataError, match=rf"a\.json:{line}: record 2: tokens: expected a list, got 'Ada'"):
        read_content(SPERT, tmp_path / "a.json", text)


def test_the_records_before_the_end_of_a_cut_array_are_read_under_skip(tmp_path: Path):
    documents, report = skipping(SPERT, tmp_path / "a.json", json.dumps([RECORD, RECORD])[:-9])
    assert len(documents) == 1
    assert report.dropped == {"broken files": 1}


@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN", "Infinity", "9" * 400, "9" * 5000, '"\\u0000"', '"\\ud800"'])
def test_numbers_and_characters_that_nothing_can_hold_are_refused_with_their_place(tmp_path: Path, value: str):
    record = json.dumps([RECORD]).replace('"end": 1', f'"end": {value}')
    with pytest.raises(DataError, match=r"a\.json:1: ") as caught:
        read_content(SPERT, tmp_path / "a.json", record)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("reader", "name", "content"),
    [
        (MULTIHEAD, "a.txt", "#doc 1\n0\ta\tB-X\t['r']\t[{0}]\n"),
        (REL, "a.rel", "7|Rash after drugol.|Rash|{0}|{0}|drugol|14|20\n"),
        (GAZETTE, "a.txt", "# a\n# b\n[x|PER:1] [y|PER:2]\n= PER-SOC(1,{0})\n"),
        (GAZETTE, "a.txt", "# a\n# b\n[x|PER:{0}] [y|PER:2]\n= none\n"),
        (SEMEVAL, "a.txt", '{0}\t"<e1>a</e1> <e2>b</e2>"\nR(e1,e{0})\n'),
    ],
)
def test_numbers_of_thousands_of_digits_are_refused_in_one_short_line(tmp_path: Path, reader: Reader, name: str, content: str):
    with pytest.raises(DataError) as caught:
        read_content(reader, tmp_path / name, content.format("9" * 5000))
    assert len(str(caught.value)) < 500


def test_kbp37_is_read_as_the_semeval_layout_that_it_is(tmp_path: Path):
    content = (
        '0\t" <e1> Ada </e1> runs <e2> Zed </e2> . "\nper:employee_of(e2,e1)\n\n'
        '1\t" <e2> Bo </e2> saw <e1> Yat </e1> . "\nno_relation\n\n'
        '2\t" <e2> Bo </e2> runs <e1> Yat </e1> . "\norg:top_members/employees(e1,e2)\n'
    )
    documents, report = read_content(SEMEVAL, tmp_path / "train.txt", content)
    assert [triples(sentence) for sentence in sentences_of(documents)] == [
        [("Zed", "per:employee_of", "Ada")], [], [("Yat", "org:top_members/employees", "Bo")]
    ]  # fmt: skip
    assert not report.dropped
    assert SEMEVAL.recognises(tmp_path / "train.txt")
    for sentence in sentences_of(documents):
        for entity in sentence.entities:
            assert entity.chars is not None
            assert documents[0].text is None or not set(" ") & {sentence.text_of(entity)[0], sentence.text_of(entity)[-1]}


def test_a_block_without_a_label_costs_no_other_block(tmp_path: Path):
    good = '{0}\t"<e1>a</e1> <e2>b</e2>"\nR(e1,e2)\nComment:\n\n'
    documents, report = skipping(SEMEVAL, tmp_path / "a.txt", good.format(1) + good.format(2).replace("R(e1,e2)\n", "") + good.format(3))
    assert [document.id for document in documents] == ["1", "3"]
    assert report.dropped == {"broken sentences": 1}


def test_mentions_in_another_normal_form_are_found(tmp_path: Path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    for sentence, words in ((composed, decomposed), (decomposed, composed)):
        size = len(sentence)
        line = f"7|{sentence} after drugol.|{words}|0|{size}|drugol|{size + 7}|{size + 13}\n"
        documents, _ = read_content(REL, tmp_path / "a.rel", line)
        assert [entity.chars for entity in documents[0].sentences[0].entities] == [(0, size), (size + 7, size + 13)]


def test_an_overlapping_sentence_of_an_abstract_is_left_out_with_its_relations(tmp_path: Path):
    right = "{0}|Rash after drugol.|Rash|3|7|drugol|14|20\n"
    content = right.format(7) + "7|A rash or drugol|rash|6|10|drugol|14|20\n" + right.format(8)
    documents, report = skipping(REL, tmp_path / "a.rel", content)
    assert [len(document.sentences) for document in documents] == [1, 1]
    assert report.dropped == {"broken sentences": 1}
    assert report.lost_relations == {"Adverse-Effect": 1}
