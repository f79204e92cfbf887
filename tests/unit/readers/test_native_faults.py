"""What real native files hold: lines without ids or words, broken parts to leave out, other layouts of JSON, other encodings."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native import READER, document_of, numbered_lines, read_lines
from relsift.schema import Document, Relation, sentences_of
from relsift.writers.native import write

ADA_ACME = [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "ORG"}]
RELATED = {"head": 0, "tail": 1, "type": "runs"}
LINE: dict[str, Any] = {"id": "s1", "tokens": ["Ada", "runs", "Acme"], "entities": ADA_ACME, "relations": [RELATED]}


def without_id(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "id"}


def read_file(tmp_path: Path, content: str | bytes, name: str = "f.jsonl", on_error: str = "stop", **options: str):
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    report = ReadReport(on_error=on_error)  # type: ignore[arg-type]
    return list(READER.read(file, report, **options)), report


def lines(*records: dict[str, Any] | str) -> str:
    return "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)


def ids(documents: list[Document]) -> list[str]:
    return [sentence.id for sentence in sentences_of(documents)]


# ---- ids


def test_lines_without_an_id_are_named_by_file_and_number_which_is_said_once(tmp_path: Path):
    documents, report = read_file(tmp_path, lines(without_id(LINE), LINE | {"id": ""}, LINE | {"id": None}, LINE | {"id": 0}))
    assert ids(documents) == ["f-1", "f-2", "f-3", "0"]
    assert report.lines() == [f"3 lines without an id, named by their number (first: {tmp_path}/f.jsonl:1)"]


def test_an_id_that_stands_twice_is_counted_unless_the_documents_differ(tmp_path: Path):
    documents, report = read_file(tmp_path, lines(LINE, LINE | {"id": "x"}, LINE, LINE | {"doc_id": "d"}, LINE | {"doc_id": "e"}))
    assert ids(documents) == ["s1", "x", "s1", "s1", "s1"]
    assert report.lines() == [f"1 line with an id that an earlier line has (kept) (first: {tmp_path}/f.jsonl:3: 's1')"]


def test_a_file_without_ids_is_recognised_also_where_the_first_line_is_long(tmp_path: Path):
    file = tmp_path / "f.jsonl"
    for record in (without_id(LINE), {"text": "x" * 9000, "entities": []}, {"text": "é" * 400_000, "entities": []}):
        file.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
        assert READER.recognises(file)
    file.write_text('{"text": "", "label": 1}\n', encoding="utf-8")
    assert not READER.recognises(file)


@pytest.mark.parametrize("layout", [LINE, [LINE], [LINE, LINE]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
def test_other_layouts_and_encodings_are_recognised_so_that_reading_says_what_to_do(layout: Any, encoding: str, tmp_path: Path):
    (tmp_path / "f.jsonl").write_bytes(json.dumps(layout, indent=1).encode(encoding))
    assert READER.recognises(tmp_path / "f.jsonl")


# ---- lines without words


@pytest.mark.parametrize("words", [{"text": ""}, {"text": " \n"}, {"tokens": []}, {"tokens": [], "text": " ", "offsets": []}])
def test_a_line_without_words_is_a_document_without_sentences_and_is_written_as_one_line(words: dict[str, Any], tmp_path: Path):
    empty = {"id": "e", **words, "entities": [], "relations": []}
    documents, report = read_file(tmp_path, lines(LINE, empty, LINE | {"id": "s2"}))
    assert [(d.id, len(d.sentences)) for d in documents] == [("s1", 1), ("e", 0), ("s2", 1)]
    assert dict(report.dropped) == {"empty texts (kept, as documents without sentences)": 1}
    stream = io.StringIO()
    write(documents, stream)
    back, _ = read_file(tmp_path, stream.getvalue())
    assert back == documents
    record = json.loads(stream.getvalue().split("\n")[1])
    assert (record["id"], record["tokens"], record["entities"], record["relations"]) == ("e", [], [], [])


def test_a_line_without_words_inside_a_document_keeps_its_place(tmp_path: Path):
    # A user may pair input and output lines: three lines in, three lines out, in order.
    of_d = [LINE | {"id": "1", "doc_id": "d"}, {"id": "2", "doc_id": "d", "tokens": []}, LINE | {"id": "3", "doc_id": "d"}]
    documents, _ = read_file(tmp_path, lines(*of_d))
    stream = io.StringIO()
    write(documents, stream)
    assert [json.loads(line)["id"] for line in stream.getvalue().splitlines()] == ["1", "2", "3"]


# ---- leaving out


def test_what_is_broken_is_left_out_as_the_smallest_unit_and_its_relations_count_as_lost(tmp_path: Path):
    entities = [{"start": 0, "end": 9, "type": "PER"}, *ADA_ACME]
    relations = [
        {"head": 0, "tail": 1, "type": "a"},  # of the broken entity
        {"head": 2, "tail": 1, "type": "b"},  # kept; positions move
        {"head": 1, "tail": 1, "type": "c"},  # broken
        {"head": 1, "tail": 7, "type": "c"},  # broken
    ]
    broken = {"id": "s2", "tokens": ["Ada", 3], "relations": [RELATED, RELATED]}
    content = lines(LINE, "{", LINE | {"id": "s3", "entities": entities, "relations": relations}, broken).encode() + b'{"id": "\xff"}\n'
    documents, report = read_file(tmp_path, content, on_error="skip")
    assert ids(documents) == ["s1", "s3"]
    sentence = documents[1].sentences[0]
    assert [(e.start, e.end) for e in sentence.entities] == [(0, 1), (2, 3)]
    assert sentence.relations == (Relation(1, 0, "b"),)
    assert dict(report.dropped) == {"broken lines": 3, "broken entities": 1, "broken relations": 2, "relations of a broken entity": 1}
    assert dict(report.lost_relations) == {"a": 1, "c": 2, "runs": 2}
    assert [fault.split(": ")[0].rpartition(":")[2] for fault in report.faults] == ["2", "3", "3", "3", "4", "5"]
    with pytest.raises(DataError, match=r"f\.jsonl:2: expected one JSON object a line"):
        read_file(tmp_path, content)


def test_an_entity_by_characters_that_lies_outside_its_text_is_left_out_alone(tmp_path: Path):
    spans = [(0, 3), (9, 99), (4, 5), (3, 4)]  # the last one is a blank
    record = {"id": "t", "text": "Ada runs Zed.", "entities": [{"start": a, "end": b, "type": "X"} for a, b in spans]}
    documents, report = read_file(tmp_path, lines(record), on_error="skip")
    assert [e.chars for e in documents[0].sentences[0].entities] == [(0, 3), (4, 5)]
    assert dict(report.dropped) == {"broken entities": 2}


def test_a_file_of_broken_lines_alone_is_refused_even_where_they_are_left_out(tmp_path: Path):
    with pytest.raises(DataError, match=r"f\.jsonl: expected at least one line of JSON, got only broken ones"):
        read_file(tmp_path, "{\n}\n", on_error="skip")


@pytest.mark.parametrize("place", ["start", "end", "id", "chars", "score", "text_start", "token"])
def test_numbers_of_hundreds_of_digits_are_refused_in_a_short_line(place: str):
    number = 10**400
    record: dict[str, Any] = LINE | {"text": "Ada runs Acme", "offsets": [[0, 3], [4, 8], [9, 13]]}
    if place in ("start", "end", "id"):
        record["entities"] = [ADA_ACME[0] | {place: number}]
    elif place == "chars":
        record["entities"] = [ADA_ACME[0] | {"chars": [0, number]}]
    elif place == "score":
        record["relations"] = [RELATED | {"score": number}]
    else:
        record |= {"text_start": number} if place == "text_start" else {"tokens": ["Ada", number, "Acme"]}
    with pytest.raises(DataError, match=r"^f:1: ") as caught:
        list(read_lines([(1, json.dumps(record))], "f", ReadReport()))
    assert len(str(caught.value)) < 400


def test_a_fault_in_a_huge_value_is_told_in_a_short_line():
    with pytest.raises(DataError, match=r"^f:1: tokens: expected a list, got 'xxx") as caught:
        list(read_lines([(1, json.dumps(LINE | {"tokens": "x" * 100_000}))], "f", ReadReport()))
    assert len(str(caught.value)) < 200


def test_null_in_place_of_a_list_is_no_entity(tmp_path: Path):
    documents, report = read_file(tmp_path, lines({"id": "s", "tokens": ["Ada"], "entities": None, "relations": None}))
    assert documents[0].sentences[0].entities == ()
    assert not report.dropped


# ---- layouts of JSON


def test_a_pretty_printed_object_is_read_and_so_are_several(tmp_path: Path):
    one, two = (json.dumps(LINE | {"id": key}, indent=1) for key in "ab")
    assert ids(read_file(tmp_path, one)[0]) == ["a"]
    assert ids(read_file(tmp_path, f"\n{one}\n\n{two}\n")[0]) == ["a", "b"]


def test_a_fault_in_pretty_printed_json_is_an_error_with_its_line(tmp_path: Path):
    one = json.dumps(LINE, indent=1)
    with pytest.raises(DataError, match=rf"f\.jsonl:{one.count(chr(10)) + 3}: entity 0: expected the key 'start'"):
        read_file(tmp_path, one + "\n\n" + json.dumps(LINE | {"entities": [{}]}, indent=1))
    with pytest.raises(DataError, match=r"f\.jsonl:3: expected JSON objects, got"):
        read_file(tmp_path, '{\n"id": "a",\n"tokens": x}')
    with pytest.raises(DataError, match=r"f\.jsonl:1: expected JSON objects, got the key 'id' twice"):
        read_file(tmp_path, '{\n"id": "a", "id": "b"}')


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_is_read_item_by_item(indent: int | None, tmp_path: Path):
    array = json.dumps([LINE, without_id(LINE), LINE | {"entities": [{}]}], indent=indent)
    with pytest.raises(DataError, match=r"b\.json: item 2: entity 0: expected the key 'start'"):
        read_file(tmp_path, array, name="b.json")
    documents, report = read_file(tmp_path, array, name="b.json", on_error="skip")
    assert ids(documents) == ["s1", "b-1", "s1"]
    assert report.dropped["broken entities"] == 1


@pytest.mark.parametrize("first", ['{"id": "a", "tok', "[]", '["x"]', "{", '"x"'])
def test_a_broken_first_line_costs_no_other_line(first: str, tmp_path: Path):
    documents, report = read_file(tmp_path, f"{first}\n{lines(LINE)}", on_error="skip")
    assert ids(documents) == ["s1"]
    assert dict(report.dropped) == {"broken lines": 1}


# ---- encodings and line ends


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "windows-1252", "gb18030"])
def test_a_named_encoding_is_read(encoding: str, tmp_path: Path):
    word = "Müller" if encoding == "windows-1252" else "Müller张"
    content = "\r\n".join([json.dumps(LINE | {"tokens": [word, "runs", "Acme"]}, ensure_ascii=False)] * 2)
    documents, _ = read_file(tmp_path, content.encode(encoding), encoding=encoding)
    assert [sentence.tokens[0] for sentence in sentences_of(documents)] == [word] * 2


def test_what_is_not_utf_8_names_the_place_and_the_option(tmp_path: Path):
    with pytest.raises(DataError, match=r"f\.jsonl:1: expected UTF-8 text, got byte 0xff at column 0; .*\[encoding=utf-16\]:"):
        read_file(tmp_path, lines(LINE).encode("utf-16"))
    with pytest.raises(DataError, match=r"f\.jsonl:2: expected UTF-8 text, got byte 0xe9 at column 20; .*\[encoding=cp1252\]:"):
        read_file(tmp_path, lines(LINE).encode() + '{"id": 1, "text": "Ré"}'.encode("windows-1252"))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_line_end_and_a_byte_order_mark_give_the_same_lines(line_end: str, mark: str, tmp_path: Path):
    content = mark + line_end.join([json.dumps(LINE), json.dumps(LINE | {"id": "s2"})]) + line_end
    documents, report = read_file(tmp_path, content)
    assert ids(documents) == ["s1", "s2"]
    assert not report.dropped


def test_lines_of_old_macs_are_numbered_one_by_one():
    assert list(numbered_lines([b"a\rb\r\n", b"\n", b"c\r"])) == [(1, b"a"), (2, b"b"), (3, b"\n"), (4, b"c\r")]
    with pytest.raises(DataError, match=r"^f:2: expected one JSON object a line"):
        list(read_lines(numbered_lines([json.dumps(LINE).encode() + b"\rx\r"]), "f", ReadReport()))


def test_files_that_were_joined_may_have_a_byte_order_mark_in_the_middle(tmp_path: Path):
    assert ids(read_file(tmp_path, lines(LINE) + "\ufeff" + lines(LINE | {"id": "s2"}))[0]) == ["s1", "s2"]


# ---- tokens and texts that are nearly nothing


def test_tokens_that_are_blanks_stay_where_they_are(tmp_path: Path):
    tokens = ["Ada", " ", "runs", "\n", "Zed", "\u200b", "\u3000", "."]
    documents, report = read_file(tmp_path, lines(LINE | {"tokens": tokens}))
    assert documents[0].sentences[0].tokens == tuple(tokens)
    assert not report.dropped


def test_gaps_between_texts_are_filled_only_while_they_are_short(tmp_path: Path):
    record = {"tokens": ["Ada"], "text": "Ada", "offsets": [[0, 3]], "entities": [{"start": 0, "end": 1, "type": "X", "chars": [0, 3]}]}
    near = [record | {"id": n, "doc_id": "near", "text_start": start} for n, start in enumerate([2, 7])]
    far = [record | {"id": n, "doc_id": "far", "text_start": start} for n, start in enumerate([5, 100_000_000])]
    documents, report = read_file(tmp_path, lines(*near, *far))
    assert documents[0].text == "  Ada  Ada"
    assert documents[1].text is None  # not 100 MB of blanks
    assert [(s.text, s.offsets) for s in documents[1].sentences] == [("Ada", ((5, 8),)), ("Ada", ((100_000_000, 100_000_003),))]
    assert not report.dropped
    stream = io.StringIO()
    write(documents, stream)
    assert [json.loads(line)["text_start"] for line in stream.getvalue().splitlines()] == [2, 7, 5, 100_000_000]


def test_one_value_alone_is_a_document_with_the_id_given_and_no_word_about_it():
    report = ReadReport()
    document = document_of(without_id(LINE), "here", report, key="k")
    assert (document.id, ids([document])) == ("k", ["k"])
    assert not report.dropped
    with pytest.raises(DataError, match=r"^here: entity 0: expected the key 'start'"):
        document_of(LINE | {"entities": [{}]}, "here", report, key="k")


def test_thousands_of_wrong_mentions_of_a_long_text_are_told_in_seconds(tmp_path: Path):
    mentions = [{"start": 5 * i + 1, "end": 5 * i + 2, "text": "zz", "type": "P"} for i in range(1000)]
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "a", "text": "ab é " * 60_000, "entities": mentions}), encoding="utf-8")
    report, before = ReadReport(on_error="skip"), time.process_time()
    assert len(list(READER.read(tmp_path / "a.jsonl", report))) == 1
    assert report.dropped["broken entities"] == 1000
    assert time.process_time() - before < 5
