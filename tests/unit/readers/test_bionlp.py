"""BioNLP shared tasks: given entities, what was to be found, events, parts of the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from offset_documents import Marked, counted, expected, found, marked_documents
from reading import triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.bionlp import READER
from relsift.schema import Document

TEXT = "Ada met Bo. Cy left.\n"
GIVEN = "T1\tPerson 0 3\tAda\nT2\tPerson 8 10\tBo\n"


def read(folder: Path, text: str = TEXT, given: str = GIVEN, **found_files: str) -> tuple[Document, ReadReport]:
    (folder / "a.txt").write_text(text, encoding="utf-8", newline="")
    (folder / "a.a1").write_text(given, encoding="utf-8", newline="")
    for suffix, content in found_files.items():
        (folder / f"a.{suffix}").write_text(content, encoding="utf-8", newline="")
    report = ReadReport()
    (document,) = READER.read(folder, report)
    return document, report


@pytest.mark.parametrize("unit", ["characters", "utf16", "bytes"])
@settings(max_examples=20)
@given(marked=marked_documents())
def test_what_is_written_is_read(unit: str, marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.getbasetemp() / "random"
    folder.mkdir(exist_ok=True)
    lines = [
        f"T{n}\t{m.type} {counted(marked.text[: m.start], unit)} {counted(marked.text[: m.end], unit)}\t{marked.words(m)}\n"
        for n, m in enumerate(marked.mentions, start=1)
    ]
    half = len(lines) // 2  # some entities were given, others were to be found
    (folder / "x.txt").write_text(marked.text, encoding="utf-8", newline="")
    (folder / "x.a1").write_text("".join(lines[:half]), encoding="utf-8", newline="")
    relations = [f"R{n}\t{kind} Arg1:T{a + 1} Arg2:T{b + 1}\n" for n, (a, b, kind) in enumerate(marked.relations)]
    (folder / "x.a2").write_text("".join([*lines[half:], *relations]), encoding="utf-8", newline="")
    report = ReadReport()
    assert found(list(READER.read(folder, report, positions=unit))) == expected(marked)
    assert not report.dropped


@pytest.mark.parametrize("name", ["a2", "rel"])
def test_relations_stand_in_an_a2_or_a_rel_file(tmp_path: Path, name: str):
    document, report = read(tmp_path, **{name: "T3\tPerson 12 14\tCy\nR1\tknows Arg1:T1 Arg2:T2\n"})
    assert triples(document.sentences[0]) == [("Ada", "knows", "Bo")]
    assert [entity.text for entity in document.entities] == ["Ada", "Bo", "Cy"]
    assert not report.dropped


def test_without_such_a_file_relations_are_not_annotated(tmp_path: Path):
    document, report = read(tmp_path)
    assert [sentence.relations for sentence in document.sentences] == [None, None]
    assert not report.dropped


def test_events_are_counted_with_their_triggers_and_other_mentions_there_are_entities(tmp_path: Path):
    events = "T3\tMeeting 4 7\tmet\nT4\tPerson 12 14\tCy\nE1\tMeeting:T3 Theme:T1 Cause:T2\nM1\tNegation E1\n"
    document, report = read(tmp_path, a2=events)
    assert [entity.text for entity in document.entities] == ["Ada", "Bo", "Cy"]
    assert report.dropped == {"events, with their triggers": 1, "attributes": 1}


def test_an_event_without_a_trigger_is_a_relation(tmp_path: Path):
    document, report = read(tmp_path, a2="E1\tKnows_Of Agent:T1 Target:T2\nE2\tMet First:T1 Second:T2 Third:T2\n")
    assert triples(document.sentences[0]) == [("Ada", "Knows_Of", "Bo")]
    assert report.dropped == {"relations with other than two arguments": 1}
    assert report.lost_relations == {"Met": 1}


def test_titles_and_paragraphs_are_no_entities_and_join_no_sentences(tmp_path: Path):
    document, report = read(tmp_path, given=f"T3\tParagraph 0 20\t{TEXT.strip()}\n{GIVEN}", a2="R1\tknows Arg1:T1 Arg2:T2\n")
    assert len(document.sentences) == 2
    assert len(document.entities) == 2
    assert report.dropped == {"titles and paragraphs, which are no entities": 1}


def test_given_entities_may_be_repeated_but_not_with_another_meaning(tmp_path: Path):
    document, report = read(tmp_path, a2=GIVEN)
    assert len(document.entities) == 2
    assert not report.dropped
    with pytest.raises(DataError, match=r"a\.a2:1: expected an id that the \.a1 file does not have, got 'T1' again"):
        read(tmp_path, a2="T1\tPlace 0 3\tAda\n")


def test_files_without_given_entities_are_counted_and_each_file_names_the_pair(tmp_path: Path):
    (tmp_path / "b.txt").write_text("alone", encoding="utf-8")
    (tmp_path / "c.a2").write_text("", encoding="utf-8")
    _, report = read(tmp_path, a2="R1\tknows Arg1:T1 Arg2:T2\n")
    assert report.dropped == {"files without an .a1 file": 2}
    for name in ("a.txt", "a.a1", "a.a2"):
        (document,) = READER.read(tmp_path / name, ReadReport())
        assert triples(document.sentences[0]) == [("Ada", "knows", "Bo")]
    with pytest.raises(DataError, match=r"b\.txt: expected its given entities beside it, in b\.a1, got no such file"):
        list(READER.read(tmp_path / "b.txt", ReadReport()))
