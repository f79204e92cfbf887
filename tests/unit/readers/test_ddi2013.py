"""DDI-2013: inclusive offsets, sentence ids from the file, broken XML named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.ddi2013 import READER, SAMPLES
from relsift.schema import Document

WORDS = "Avol and Berex interact."
ENTITIES = (
    '<entity id="e0" charOffset="0-3" type="brand" text="Avol"/>\n<entity id="e1" charOffset="9-13" type="drug" text="Berex"/>\n'
)


def write(folder: Path, inside: str, words: str = WORDS) -> Path:
    path = folder / "a.xml"
    path.write_text(f'<document id="d">\n<sentence id="d.s7" text="{words}">\n{inside}</sentence>\n</document>', encoding="utf-8")
    return path


def read(path: Path, **options: str) -> tuple[list[Document], ReadReport]:
    report = ReadReport()
    return list(READER.read(path, report, **options)), report


def test_the_sample_has_one_interaction_and_the_ids_of_the_file(tmp_path: Path):
    for name, content in SAMPLES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (document,), report = read(tmp_path)
    assert [s.id for s in document.sentences] == ["d1.s0", "d1.s1", "d1.s2"]
    assert [[(r.head, r.tail, r.type) for r in s.relations or ()] for s in document.sentences] == [[(0, 1, "mechanism")], [], []]
    assert not report.dropped


def test_the_last_character_is_counted_in(tmp_path: Path):
    (document,), _ = read(write(tmp_path, ENTITIES + '<pair e1="e1" e2="e0" ddi="true" type="int"/>'))
    (sentence,) = document.sentences
    assert [sentence.text_of(e) for e in sentence.entities] == ["Avol", "Berex"]
    assert document.text is not None
    assert [document.text[slice(*e.chars)] for e in sentence.entities if e.chars] == ["Avol", "Berex"]
    assert [(r.head, r.tail) for r in sentence.relations or ()] == [(1, 0)]


def test_offsets_start_anew_in_each_sentence(tmp_path: Path):
    path = tmp_path / "a.xml"
    sentence = '<sentence id="d.s{}" text="{}"><entity id="d.s{}.e0" charOffset="0-3" type="drug" text="{}"/></sentence>'
    inside = sentence.format(0, "Avol.", 0, "Avol") + sentence.format(1, "Bere.", 1, "Bere")
    path.write_text(f'<document id="d">{inside}</document>')
    (document,), _ = read(path)
    assert document.text is not None
    assert [document.text[slice(*s.entities[0].chars)] for s in document.sentences if s.entities[0].chars] == ["Avol", "Bere"]


def test_full_stops_and_line_breaks_inside_a_sentence_do_not_split_it(tmp_path: Path):
    (document,), _ = read(write(tmp_path, "", words="One. Two.&#10;Three."))
    assert [s.tokens for s in document.sentences] == [("One", ".", "Two", ".", "Three", ".")]


def test_discontinuous_entities_are_dropped_or_covered_as_asked(tmp_path: Path):
    inside = '<entity id="e0" charOffset="0-3;9-13" type="group" text="Avol Berex"/>\n'
    inside += '<entity id="e1" charOffset="9-13" type="drug" text="Berex"/>\n<pair e1="e0" e2="e1" ddi="true" type="int"/>'
    path = write(tmp_path, inside)
    (document,), report = read(path)
    assert len(document.sentences[0].entities) == 1
    assert report.dropped == {"discontinuous entities": 1, "relations of a dropped entity": 1}
    (document,), report = read(path, discontinuous="cover")
    assert [document.sentences[0].text_of(e) for e in document.sentences[0].entities] == ["Avol and Berex", "Berex"]
    assert report.dropped == {"discontinuous entities covered from end to end": 1}


def test_an_interaction_without_a_type_and_an_empty_sentence_are_counted(tmp_path: Path):
    inside = ENTITIES + '<pair e1="e0" e2="e1" ddi="true"/></sentence><sentence id="d.s8" text="">'
    (document,), report = read(write(tmp_path, inside))
    assert [s.relations for s in document.sentences] == [()]
    assert report.dropped == {"interactions without a type": 1, "sentences without text": 1}


@pytest.mark.parametrize(
    ("inside", "line", "message"),
    [
        ('<entity id="e0" charOffset="0-4" type="drug" text="Avol"/>', 3, "expected 'Avol' at 0-4 .*, got 'Avol '"),
        ('<entity id="e0" charOffset="0-99" type="drug" text="Avol"/>', 3, "expected rising offsets below 24"),
        ('<entity id="e0" charOffset="5-2" type="drug" text="Avol"/>', 3, "expected rising offsets below 24"),
        ('<entity id="e0" charOffset="0:3" type="drug" text="Avol"/>', 3, "expected offsets such as"),
        ('<entity id="e0" charOffset="0-3" text="Avol"/>', 3, "expected <entity> with the attribute 'type'"),
        (ENTITIES + '<pair e1="e0" e2="e9" ddi="true" type="int"/>', 5, "expected the id of an entity .*, got 'e9'"),
        (ENTITIES + '<pair e1="e0" e2="e1" ddi="maybe"/>', 5, "expected ddi='true' or ddi='false', got 'maybe'"),
        ("<entity", 3, "expected well-formed XML, got not well-formed"),
        ("<entity>\n</wrong>", 4, "expected well-formed XML, got mismatched tag"),
        ("&unknown;", 3, "expected well-formed XML, got undefined entity"),
    ],
)
def test_broken_files_are_refused_with_file_and_line(tmp_path: Path, inside: str, line: int, message: str):
    path = write(tmp_path, inside)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.xml:1: expected well-formed XML, got no element found"),
        (b"<other/>", "a.xml:1: expected <document>, got <other>"),
        (b'<?xml version="1.0" encoding="no-such"?><document/>', "a.xml:1: expected XML in an encoding that can be read"),
        (b"<document><sentence id='s' text='\xff'/></document>", "a.xml:1: expected UTF-8 text, got byte 0xff"),
    ],
)
def test_files_that_are_not_the_format_are_refused(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_recognises_documents_of_sentences_only(tmp_path: Path):
    path = write(tmp_path, ENTITIES)
    assert READER.recognises(path)
    assert READER.recognises(tmp_path)
    path.write_text("<collection><document id='1'/></collection>")
    assert not READER.recognises(path)
