"""The SemEval reader: direction, quotation marks, tags inside words, and broken blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.semeval2010 import READER

SENTENCE = '7\t"The <e1>baker</e1> lit the <e2>oven</e2>."\n'


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Instrument-Agency(e2,e1)", [("oven", "Instrument-Agency", "baker")]),
        ("Instrument-Agency(e1,e2)", [("baker", "Instrument-Agency", "oven")]),
        ("Other", []),
    ],
)
def test_the_first_argument_of_the_label_is_the_head(tmp_path: Path, label: str, expected: list[tuple[str, str, str]]):
    sentence = only_sentence(READER, tmp_path / "a.txt", f"{SENTENCE}{label}\nComment: x\n\n")
    assert sentence.id == "7"
    assert sentence.relations is not None
    assert mentions(sentence) == [("baker", "Nominal"), ("oven", "Nominal")]
    assert triples(sentence) == expected


def test_the_text_has_no_tags_and_only_the_outermost_quotation_marks_are_removed(tmp_path: Path):
    content = '7\t""Go," cried the <e1>cook</e1> from the <e2>cellar</e2>."\nOther\n'
    documents, _ = read_content(READER, tmp_path / "a.txt", content)
    sentence = documents[0].sentences[0]
    assert documents[0].text == '"Go," cried the cook from the cellar.'
    assert sentence.tokens[:3] == ('"', "Go", ",")
    assert [documents[0].text[slice(*(e.chars or (0, 0)))] for e in sentence.entities] == ["cook", "cellar"]


def test_a_tag_that_touches_a_word_cuts_it(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "a.txt", '7\t"A sack of<e1>flour</e1> and <e2>grain</e2>s"\nOther\n')
    assert sentence.tokens == ("A", "sack", "of", "flour", "and", "grain", "s")
    assert mentions(sentence) == [("flour", "Nominal"), ("grain", "Nominal")]


def test_a_full_stop_inside_does_not_split_the_sentence(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "a.txt", '7\t"It <e1>rained</e1>. Then it <e2>froze</e2>."\nOther\n')
    assert len(sentence.entities) == 2


def test_comments_and_blank_lines_may_be_missing_and_lines_may_end_in_crlf(tmp_path: Path):
    block = SENTENCE.replace("\n", "\r\n") + "Other\r\n"
    documents, _ = read_content(READER, tmp_path / "a.txt", block + block.replace("7\t", "8 ") + "Comment: none\r\n\r\n")
    assert [d.id for d in documents] == ["7", "8"]


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        ("Other\n", 3, "expected one label a sentence, then the next sentence, got 'Other'"),
        ("8\tNo quotes.\nOther\n", 3, "in quotation marks"),
        ('8\t"No <e1>tags</e1>."\nOther\n', 3, "expected <e1>…</e1> and <e2>…</e2>, once each, got <e1> </e1>"),
        ('8\t"<e1>a</e1> <e2>b</e2> <e2>c</e2>"\nOther\n', 3, "once each"),
        ('8\t"<e1></e1>a <e2>b</e2>"\nOther\n', 3, "expected words between <e1> and </e1>, got none"),
        ('8\t"<e1>a</e1> <e2>b</e2>"\nCause-Effect\n', 4, "or a relation such as Cause-Effect(e1,e2), got 'Cause-Effect'"),
        ('8\t"<e1>a</e1> <e2>b</e2>"\nCause-Effect(e1,e1)\n', 4, "got 'Cause-Effect(e1,e1)'"),
        ('8\t"<e1>a</e1> <e2>b</e2>"\n' + SENTENCE, 3, "Other, no_relation or a relation"),
        ('8\t"<e1>a</e1> <e2>b</e2>"\n', 3, "got none below the sentence"),
    ],
)
def test_a_broken_block_is_named_with_its_line(tmp_path: Path, content: str, line: int, expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "bad.txt", f"{SENTENCE}Other\n{content}")
    assert str(caught.value).startswith(f"{tmp_path / 'bad.txt'}:{line}: ")
    assert expected in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"bad\.txt:1: expected at least one sentence"):
        read_content(READER, tmp_path / "bad.txt", "\n")


def test_a_folder_yields_its_labelled_files_and_counts_the_others(tmp_path: Path):
    (tmp_path / "KEY.TXT").write_text("7\tOther\n", encoding="utf-8")
    (tmp_path / "TRAIN.TXT").write_text(f"{SENTENCE}Other\n", encoding="utf-8")
    report = ReadReport()
    assert [d.id for d in READER.read(tmp_path, report)] == ["7"]
    assert report.dropped == {"files of a folder that are in another format": 1}
