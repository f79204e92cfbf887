"""UIMA CAS: XMI and JSON say the same; UTF-16 offsets; sentences, views, layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from offset_documents import Marked, counted, expected, found, marked_documents
from reading import mentions, read_content, triples

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.uima import READER

SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
SPACES = {"custom": "webanno.custom", "seg": SENTENCE.rpartition(".")[0], "ner": NAMED_ENTITY.rpartition(".")[0]}

Structure = dict[str, Any]


def annotation(key: int, kind: str, start: int, end: int, **features: Any) -> Structure:
    return {"%ID": key, "%TYPE": kind, "@sofa": 1, "begin": start, "end": end, **features}


def as_json(text: str, structures: list[Structure], types: dict[str, Any] | None = None) -> str:
    sofa = {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaID": "_InitialView", "sofaString": text}
    members = [structure["%ID"] for structure in structures]
    views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": members}}
    return json.dumps({"%TYPES": types or {}, "%FEATURE_STRUCTURES": [sofa, *structures], "%VIEWS": views})


def as_xmi(text: str, structures: list[Structure]) -> str:
    names = {package: prefix for prefix, package in SPACES.items()}
    elements = []
    for structure in structures:
        package, _, name = structure["%TYPE"].rpartition(".")
        attributes = {"xmi:id": structure["%ID"], **{key.removeprefix("@"): value for key, value in structure.items() if key[0] != "%"}}
        elements.append(f"<{names[package]}:{name} {' '.join(f'{key}={quoteattr(str(value))}' for key, value in attributes.items())}/>")
    spaces = " ".join(f'xmlns:{prefix}="http:///{package.replace(".", "/")}.ecore"' for prefix, package in SPACES.items())
    ends = {"\n": "&#10;", "\r": "&#13;"}
    sofa = f'<cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString={quoteattr(text, ends)}/>'
    view = f'<cas:View sofa="1" members="{" ".join(str(structure["%ID"]) for structure in structures)}"/>'
    head = '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore"'
    return f"{head} {spaces}>{''.join(elements)}{sofa}{view}</xmi:XMI>"


def structures_of(marked: Marked) -> list[Structure]:
    def at(offset: int) -> int:
        return counted(marked.text[:offset], "utf16")

    structures, place = [], 0
    for number, row in enumerate(marked.rows):
        structures.append(annotation(100 + number, SENTENCE, at(place), at(place + len(row))))
        place += len(row) + 1
    for number, m in enumerate(marked.mentions):
        structures.append(annotation(200 + number, "webanno.custom.Span", at(m.start), at(m.end), value=m.type))
    for number, (a, b, kind) in enumerate(marked.relations):
        start, end = at(marked.mentions[b].start), at(marked.mentions[b].end)
        ends = {"@Governor": 200 + a, "@Dependent": 200 + b}
        structures.append(annotation(300 + number, "webanno.custom.Rel", start, end, value=kind, **ends))
    return structures


@pytest.mark.parametrize("layout", ["json", "xmi"])
@settings(max_examples=25)
@given(marked=marked_documents())
def test_what_is_written_is_read(layout: str, marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / f"random.{layout}"
    write = as_json if layout == "json" else as_xmi
    file.write_text(write(marked.text, structures_of(marked)), encoding="utf-8")
    report = ReadReport()
    documents = list(READER.read(file, report))
    assert found(documents) == expected(marked)
    assert not report.dropped
    assert documents[0].text == marked.text


ADA, BO = annotation(2, "webanno.custom.Span", 0, 3, value="P"), annotation(3, "webanno.custom.Span", 8, 10, value="Q")


def read(file: Path, structures: list[Structure], text: str = "Ada met Bo", **options: str) -> Any:
    file.write_text(as_json(text, structures), encoding="utf-8")
    report = ReadReport()
    (document,) = READER.read(file, report, **options)
    return document, report


def test_a_position_inside_a_character_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected offsets in UTF-16 code units of a text of 2 characters, got 0 to 1"):
        read(tmp_path / "a.json", [annotation(2, "webanno.custom.Span", 0, 1, value="P")], "😀a")


def test_sentences_are_those_of_the_file_and_relsifts_where_there_are_none(tmp_path: Path):
    text = "Ada met. Bo left"
    document, _ = read(tmp_path / "a.json", [annotation(9, SENTENCE, 0, 16), ADA], text)
    assert [sentence.text for sentence in document.sentences] == [text]
    document, _ = read(tmp_path / "a.json", [ADA], text)
    assert [sentence.text for sentence in document.sentences] == ["Ada met.", "Bo left"]
    with pytest.raises(DataError, match="expected sentences that do not overlap"):
        read(tmp_path / "a.json", [annotation(9, SENTENCE, 0, 10), annotation(8, SENTENCE, 9, 16), ADA], text)


def test_what_is_no_member_of_the_view_was_deleted(tmp_path: Path):
    value = json.loads(as_json("Ada met Bo", [ADA, BO]))
    value["%VIEWS"]["_InitialView"]["%MEMBERS"] = [2]
    (document,), _ = read_content(READER, tmp_path / "a.json", json.dumps(value))
    assert mentions(document.sentences[0]) == [("Ada", "P")]


def test_named_entities_are_read_beside_the_layers_of_dkpro_core(tmp_path: Path):
    token = annotation(5, "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token", 0, 3, order=0)
    entity = annotation(6, NAMED_ENTITY, 0, 3, value="PER", identifier="Q1")
    document, report = read(tmp_path / "a.json", [token, entity])
    assert mentions(document.sentences[0]) == [("Ada", "PER")]
    assert document.sentences[0].relations is None
    assert not report.dropped
    with pytest.raises(DataError, match=r"expected one entity layer, got 2: .*NamedEntity, webanno.custom.Span; name it with"):
        read(tmp_path / "a.json", [token, entity, ADA])
    document, report = read(tmp_path / "a.json", [token, entity, ADA], entity_layer="Span")
    assert mentions(document.sentences[0]) == [("Ada", "P")]
    assert report.dropped == {"layers that are not read": 1}


def test_what_has_no_type_or_no_text_is_counted_and_its_relations_with_it(tmp_path: Path):
    ends = {"@Governor": 2, "@Dependent": 4}
    relations = [annotation(5, "webanno.custom.Rel", 8, 10, **ends, value="knows"), annotation(6, "webanno.custom.Rel", 8, 10, **ends)]
    spans = [ADA, annotation(4, "webanno.custom.Span", 8, 10), annotation(7, "webanno.custom.Span", 5, 5, value="P")]
    document, report = read(tmp_path / "a.json", [*spans, *relations])
    assert mentions(document.sentences[0]) == [("Ada", "P")]
    assert report.dropped == {
        "entities without a type": 1, "entities without text": 1, "relations without a type": 1, "relations of a dropped entity": 1,
    }  # fmt: skip
    assert report.lost_relations == {"knows": 1, "(no type)": 1}


def test_a_declared_feature_that_is_never_filled_is_no_reason_to_take_the_layers_name(tmp_path: Path):
    bare = annotation(2, "webanno.custom.Span", 0, 3)
    document, _ = read(tmp_path / "a.json", [bare])
    assert mentions(document.sentences[0]) == [("Ada", "Span")]  # nothing says that it has a feature
    types = {"webanno.custom.Span": {"%NAME": "webanno.custom.Span", "value": {"%NAME": "value", "%RANGE": "uima.cas.String"}}}
    _, report = read_content(READER, tmp_path / "a.json", as_json("Ada met Bo", [bare], types))
    assert report.dropped == {"entities without a type": 1}
    (tmp_path / "TypeSystem.xml").write_text(
        '<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types><typeDescription><name>webanno.custom.Span</name>'
        "<features><featureDescription><name>value</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features>"
        "</typeDescription></types></typeSystemDescription>",
        encoding="utf-8",
    )
    _, report = read_content(READER, tmp_path / "b.xmi", as_xmi("Ada met Bo", [bare]))
    assert report.dropped == {"entities without a type": 1}


def test_a_relation_to_something_else_is_refused(tmp_path: Path):
    relation = annotation(5, "webanno.custom.Rel", 8, 10, value="knows", **{"@Governor": 2, "@Dependent": 99})
    with pytest.raises(DataError, match="expected the id of an annotation of the entity layer as Dependent, got '99'"):
        read(tmp_path / "a.json", [ADA, BO, relation])
    document, _ = read(tmp_path / "a.json", [ADA, BO, {**relation, "@Dependent": 3}])
    assert triples(document.sentences[0]) == [("Ada", "knows", "Bo")]


def test_a_cas_without_text_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.json: expected a CAS with text .*, got 1 Sofas without"):
        read(tmp_path / "a.json", [ADA], "")
