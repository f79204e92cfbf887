"""PubTator: passages, mentions, relations of concepts, and offsets that other programs counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from offset_documents import Marked, counted, expected, found, marked_documents
from reading import mentions, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.pubtator import READER

TWO = "7|t|Ada met Bo.\n7|a|Cy left.\n7\t0\t3\tAda\tPerson\tP1\n7\t8\t10\tBo\tPerson\tP2\n7\t12\t14\tCy\tPerson\tP3\n"


def written(marked: Marked, unit: str) -> str:
    """Each mention is a concept of its own, so each relation joins two mentions."""
    names = ("t", "a", "b")
    lines = [f"7|{name}|{row}" for name, row in zip(names, marked.rows)]
    for number, m in enumerate(marked.mentions):
        start, end = counted(marked.text[: m.start], unit), counted(marked.text[: m.end], unit)
        lines.append(f"7\t{start}\t{end}\t{marked.words(m)}\t{m.type}\tC{number}")
    return "\n".join([*lines, *(f"7\t{kind}\tC{a}\tC{b}\tNovel" for a, b, kind in marked.relations)]) + "\n"


@pytest.mark.parametrize("unit", ["characters", "utf16", "bytes"])
@settings(max_examples=25)
@given(marked=marked_documents())
def test_what_is_written_is_read(unit: str, marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / "random.pubtator"
    file.write_text(written(marked, unit), encoding="utf-8")
    report = ReadReport()
    documents = list(READER.read(file, report, positions=unit))
    assert (*map(found, [documents]),) == (expected(marked),)
    assert not report.dropped
    assert documents[0].text == marked.text


def test_an_id_of_minus_one_stands_for_no_concept(tmp_path: Path):
    content = TWO.replace("P1", "-1") + "7\tmet\tP1\tP2\n7\tmet\t-1\tP2\n"
    _, report = read_content(READER, tmp_path / "a.pubtator", content)
    assert report.dropped == {
        "relations of concepts that no relation of mentions shows": 1, "relations with a concept without id": 1,
    }  # fmt: skip
    assert report.lost_relations == {"met": 2}


def test_genes_are_numbers_and_a_relation_of_them_is_no_mention(tmp_path: Path):
    content = TWO.replace("P1", "5743").replace("P2", "1022") + "7\tmet\t5743\t1022\n"
    (document,), report = read_content(READER, tmp_path / "a.pubtator", content)
    assert triples(document.sentences[0]) == [("Ada", "met", "Bo")]
    assert not report.dropped


def test_a_seventh_column_and_a_tab_at_the_end_are_allowed(tmp_path: Path):
    content = "7|t|renal and hepatic pain\n7|a|\n7\t0\t22\trenal and hepatic pain\tDisease\tD007674|D008107\trenal pain|hepatic pain\n"
    (document,), report = read_content(READER, tmp_path / "a.txt", content)
    assert mentions(document.sentences[0]) == [("renal and hepatic pain", "Disease")]
    assert not report.dropped


def test_articles_follow_each_other_with_or_without_a_blank_line(tmp_path: Path):
    for between in ("\n", ""):
        documents, _ = read_content(READER, tmp_path / "a.pubtator", TWO + between + TWO.replace("7", "8", 1).replace("\n7", "\n8"))
        assert [document.id for document in documents] == ["7", "8"]
        assert all(len(document.entities) == 3 for document in documents)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("8\t0\t3\tAda\tPerson\tP1", "a.pubtator:6: expected a line of article '7', got"),
        ("7\t0\t3\tAda", "a.pubtator:6: expected 'id<tab>start<tab>end<tab>words<tab>type<tab>concept', got 4 columns"),
        ("7\t3\t0\tAda\tPerson\tP1", "a.pubtator:6: expected 0 <= start <= end, got 3 and 0"),
        ("7\tmet\tP1", "a.pubtator:6: expected 'id<tab>type<tab>concept<tab>concept', got"),
        ("nothing", "a.pubtator:6: expected a line of article '7', got 'nothing'"),
    ],
)
def test_a_broken_line_is_named_or_left_out(tmp_path: Path, line: str, message: str):
    file = tmp_path / "a.pubtator"
    file.write_text(TWO + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.pubtator:6: ") as raised:
        list(READER.read(file, ReadReport()))
    assert message in str(raised.value)
    report = ReadReport(on_error="skip")
    (document,) = READER.read(file, report)
    assert len(document.entities) == 3
    assert len(report.faults) == 1


def test_offsets_that_count_bytes_are_refused_with_the_way_to_read_them(tmp_path: Path):
    content = "7|t|é é é Ada met Bo\n7|a|x\n7\t9\t12\tAda\tPerson\tP1\n7\t17\t19\tBo\tPerson\tP2\n"
    with pytest.raises(DataError, match=r"they seem to count bytes of UTF-8: try pubtator\[positions=bytes\]"):
        read_content(READER, tmp_path / "a.pubtator", content)
    (document,) = READER.read(tmp_path / "a.pubtator", ReadReport(), positions="auto")
    assert [entity.text for entity in document.entities] == ["Ada", "Bo"]


def test_recognises_titles_and_no_other_text(tmp_path: Path):
    file = tmp_path / "a.txt"
    no_titles = ("7|x|no\n", "7|t|a\nplain text\n", "a | b\n")
    for content, is_pubtator in ((TWO, True), ("7|t|only\n", True), *((other, False) for other in no_titles)):
        file.write_text(content, encoding="utf-8")
        assert READER.recognises(file) is is_pubtator
