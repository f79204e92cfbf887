"""DDI-2013: inclusive offsets, sentence ids from the file, broken XML named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import read_content

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


# ---- XML ----------------------------------------------------------------------------------------------------------------------


def _note(body: str, doctype: str = "") -> str:
    return f'<?xml version="1.0"?>\n{doctype}\n<document id="d">{body}</document>\n'


@pytest.mark.parametrize("place", ['<sentence id="s" text="Caf&eacute; opens"/>', '<sentence id="s" text="Cafe">&eacute;</sentence>'])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE document SYSTEM "ddi.dtd">', "<!DOCTYPE document SYSTEM 'ddi.dtd'>", '<!DOCTYPE document PUBLIC "-//X" "ddi.dtd">', "",
        '<!DOCTYPE document SYSTEM "ddi.dtd" [<!ENTITY other "x">]>',
    ],
)  # fmt: skip
def test_an_entity_of_another_file_is_refused_and_not_left_out_of_the_text(tmp_path: Path, place: str, doctype: str):
    with pytest.raises(DataError, match=r"a\.xml:3: expected well-formed XML, got undefined entity"):
        read_content(READER, tmp_path / "a.xml", _note(place, doctype))


def test_a_text_that_lies_in_another_file_is_refused(tmp_path: Path):
    doctype = '<!DOCTYPE document [<!ENTITY other SYSTEM "other.txt">]>'
    with pytest.raises(DataError, match=r"a\.xml:3: expected entities that the file defines, got other"):
        read_content(READER, tmp_path / "a.xml", _note('<sentence id="s" text="Cafe">&other;</sentence>', doctype))


def test_an_entity_that_the_file_defines_stands_for_its_text(tmp_path: Path):
    doctype = '<!DOCTYPE document SYSTEM "ddi.dtd" [<!ENTITY eacute "&#233;">]>'
    documents, _ = read_content(READER, tmp_path / "a.xml", _note('<sentence id="s" text="Caf&eacute; opens"/>', doctype))
    assert documents[0].text == "Café opens\n"


def test_entities_that_multiply_are_refused(tmp_path: Path):
    entities = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 12))
    doctype = f'<!DOCTYPE document [<!ENTITY l0 "lol">{entities}]>'
    for body in ('<sentence id="s" text="&l11;"/>', '<sentence id="s" text="x">&l11;</sentence>'):
        with pytest.raises(DataError, match=r"a\.xml:3: expected well-formed XML, got limit on input amplification"):
            read_content(READER, tmp_path / "a.xml", _note(body, doctype))


def test_elements_nested_a_hundred_thousand_deep_are_read(tmp_path: Path):
    body = "<a>" * 100_000 + "</a>" * 100_000 + '<sentence id="s" text="Cafe opens"/>'
    documents, _ = read_content(READER, tmp_path / "a.xml", _note(body))
    assert len(documents[0].sentences) == 1


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "GB18030", "utf-16"])
def test_a_file_is_read_in_the_encoding_that_it_declares(tmp_path: Path, declared: str):
    words = "张三 works" if declared == "GB18030" else "René works"
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<document id="d"><sentence id="s" text="{words}"/></document>'
    (tmp_path / "a.xml").write_bytes(text.encode(declared))
    assert [document.text for document in READER.read(tmp_path / "a.xml", ReadReport())] == [f"{words}\n"]


def test_the_words_of_a_mention_may_be_in_another_normal_form(tmp_path: Path):
    entity = '<entity id="e" charOffset="0-4" type="drug" text="Caf\u00e9"/>'
    documents, _ = read_content(READER, tmp_path / "a.xml", _note(f'<sentence id="s" text="Cafe\u0301 opens">{entity}</sentence>'))
    assert [sentence.entities[0].chars for sentence in documents[0].sentences] == [(0, 5)]


@pytest.mark.parametrize("offsets", ["0-" + "9" * 5000, "9" * 30 + "-3", "٣-٤", "0-3;"])
def test_offsets_that_are_no_whole_numbers_of_64_bits_are_refused(tmp_path: Path, offsets: str):
    entity = f'<entity id="e" charOffset="{offsets}" type="drug"/>'
    with pytest.raises(DataError, match=r"a\.xml:3: expected ") as caught:
        read_content(READER, tmp_path / "a.xml", _note(f'<sentence id="s" text="Cafe opens">{entity}</sentence>'))
    assert len(str(caught.value)) < 400


def test_every_entity_and_pair_is_kept_or_counted_once(tmp_path: Path):
    """Six entities and five interactions: each stands in the documents or under one reason."""
    body = (
        '<sentence id="s0" text="Avolin slows Berex and Corin.">'
        '<entity id="e0" charOffset="0-5" type="brand" text="Avolin"/><entity id="e1" charOffset="13-17" type="drug" text="Berex"/>'
        '<entity id="e2" charOffset="0-5;13-17" type="drug"/><entity id="e3" charOffset="99-100" type="drug"/>'
        '<pair id="p0" e1="e0" e2="e1" ddi="true" type="effect"/><pair id="p1" e1="e0" e2="e2" ddi="true" type="int"/>'
        '<pair id="p2" e1="e0" e2="e3" ddi="true" type="int"/><pair id="p3" e1="e0" e2="e1" ddi="true"/>'
        '<pair id="p4" e1="e0" e2="e1" ddi="false"/></sentence>'
        '<sentence id="s1" text=" "><entity id="e4" charOffset="0-0" type="drug"/><pair e1="e4" e2="e4" ddi="true" type="int"/></sentence>'
        '<entity id="e5" charOffset="0-5" type="brand" text="Avolin"/>'
    )
    (tmp_path / "a.xml").write_text(_note(body), encoding="utf-8")
    report = ReadReport(on_error="skip")
    (document,) = READER.read(tmp_path / "a.xml", report)
    (sentence,) = document.sentences
    assert (len(sentence.entities), len(sentence.relations or ())) == (2, 1)
    assert report.dropped == {
        "discontinuous entities": 1, "broken entities": 2, "entities of a sentence without text": 1, "sentences without text": 1,
        "relations of a dropped entity": 2, "interactions without a type": 1, "relations of a sentence without text": 1,
    }  # fmt: skip
    assert report.lost_relations == {"int": 3, "(no type)": 1}
