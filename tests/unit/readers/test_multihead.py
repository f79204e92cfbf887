"""The multi-head reader: last-token links, both directions, and what it says about broken lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import mentions, only_sentence, read_content, triples

from relsift.errors import DataError
from relsift.readers.multihead import READER

ADA = "0\tAda\tB-Peop\t['N']\t[0]\n1\tKern\tI-Peop\t['N']\t[1]\n2\tof\tO\t['N']\t[2]\n"


def test_a_relation_leads_from_its_own_line_to_the_last_token_of_the_tail(tmp_path: Path):
    block = "#doc 4\n" + ADA + "3\tAcme\tB-Org\t['N']\t[3]\n4\tMills\tI-Org\t['Employs']\t[1]\n"
    sentence = only_sentence(READER, tmp_path / "a.txt", block)
    assert sentence.id == "4"
    assert mentions(sentence) == [("Ada Kern", "Peop"), ("Acme Mills", "Org")]
    assert triples(sentence) == [("Acme Mills", "Employs", "Ada Kern")]


def test_two_relation_types_on_one_pair_are_both_kept_and_a_repeated_one_is_counted(tmp_path: Path):
    block = "#doc 4\n0\tAda\tB-P\t['Rules', 'Lives', 'Rules']\t[1, 1, 1]\n1\tOslo\tB-L\t['N']\t[1]\n"
    documents, report = read_content(READER, tmp_path / "a.txt", block)
    assert triples(documents[0].sentences[0]) == [("Ada", "Rules", "Oslo"), ("Ada", "Lives", "Oslo")]
    assert report.dropped == {"duplicate relations": 1}


def test_neighbouring_entities_of_one_type_are_kept_apart_by_their_b_tag(tmp_path: Path):
    block = "#doc 4\n0\tOslo\tB-L\t['N']\t[0]\n1\tNew\tB-L\t['N']\t[1]\n2\tYork\tI-L\t['N']\t[2]\n"
    assert mentions(only_sentence(READER, tmp_path / "a.txt", block)) == [("Oslo", "L"), ("New York", "L")]


@pytest.mark.parametrize("before", ["O", "B-Org"])
def test_an_i_tag_that_continues_nothing_starts_an_entity_and_is_counted(tmp_path: Path, before: str):
    block = f"#doc 4\n0\tx\t{before}\t['N']\t[0]\n1\tNew\tI-L\t['N']\t[1]\n2\tYork\tI-L\t['N']\t[2]\n"
    documents, report = read_content(READER, tmp_path / "a.txt", block)
    assert mentions(documents[0].sentences[0])[-1] == ("New York", "L")
    assert report.dropped == {"I- tags that continue no entity, read as B-": 1}
    assert report.examples["I- tags that continue no entity, read as B-"] == [f"{tmp_path / 'a.txt'}:3"]


def test_a_relation_of_an_entity_with_itself_is_counted(tmp_path: Path):
    documents, report = read_content(READER, tmp_path / "a.txt", "#doc 4\n0\tAda\tB-P\t['Knows']\t[0]\n")
    assert documents[0].sentences[0].relations == ()
    assert report.dropped == {"relations of an entity with itself": 1}


def test_windows_line_ends_blank_lines_and_several_blocks_are_read(tmp_path: Path):
    documents, _ = read_content(
        READER, tmp_path / "a.txt", "#doc 1\r\n0\tHi\tO\t['N']\t[0]\r\n\r\n#doc 2\r\n0\tHo\tO\t['N']\t[0]\r\n"
    )
    assert [(d.id, d.sentences[0].tokens) for d in documents] == [("1", ("Hi",)), ("2", ("Ho",))]
    assert documents[0].sentences[0].relations == ()  # annotated: there are none


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        ("0\tHi\tO\t['N']\t[0]\n", 1, "'#doc ID' before the first token"),
        ("#doc\n0\tHi\tO\t['N']\t[0]\n", 1, "an id after #doc"),
        ("", 1, "at least one line '#doc ID'"),
        ("#doc 1\n#doc 2\n0\tHi\tO\t['N']\t[0]\n", 1, "at least one token"),
        ("#doc 1\n0 Hi O ['N'] [0]\n", 2, "5 tab-separated columns, got 1"),
        ("#doc 1\n1\tHi\tO\t['N']\t[0]\n", 2, "token number 0, got '1'"),
        ("#doc 1\n0\tHi\tL-Peop\t['N']\t[0]\n", 2, "O, B-TYPE or I-TYPE, got 'L-Peop'"),
        ("#doc 1\n0\tHi\tO\tN\t[0]\n", 2, "a list in brackets, got 'N'"),
        ("#doc 1\n0\tHi\tO\t['N']\t['0']\n", 2, "expected a whole number, got"),
        ("#doc 1\n0\tHi\tO\t['N', 'N']\t[0]\n", 2, "as many relation types as tokens"),
        ("#doc 1\n0\tHi\tO\t['N']\t[3]\n", 2, "to its own token 0, got 3"),
        ("#doc 1\n0\tAda\tB-P\t['Knows']\t[9]\n", 2, "a token 0..0 of its block, got 9"),
    ],
)
def test_a_broken_line_is_named_with_what_was_expected(tmp_path: Path, content: str, line: int, expected: str):
    with pytest.raises(DataError) as caught:
        read_content(READER, tmp_path / "bad.txt", content)
    assert str(caught.value).startswith(f"{tmp_path / 'bad.txt'}:{line}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("target", [0, 2])  # the first token of Ada Kern; a token of no entity
def test_a_relation_that_does_not_lead_to_a_last_token_is_refused(tmp_path: Path, target: int):
    block = "#doc 4\n" + ADA + f"3\tAcme\tB-Org\t['Employs']\t[{target}]\n"
    with pytest.raises(DataError, match=rf"bad\.txt:5: expected a relation between the last tokens .* got token {target} "):
        read_content(READER, tmp_path / "bad.txt", block)
