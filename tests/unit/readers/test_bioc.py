"""BioC: XML and JSON say the same; offsets of documents; relations of annotations and of concepts; XML that must not be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from offset_documents import Marked, counted, expected, found, marked_documents
from reading import read_content, triples

from relsift.errors import DataError
from relsift.readers import markup
from relsift.readers.base import ReadReport
from relsift.readers.bioc import READER


def record(marked: Marked, unit: str) -> dict[str, Any]:
    """A JSON document with a passage a line, and mention-level relations; the first one stands in its passage."""
    passages: list[dict[str, Any]] = []
    for number, row in enumerate(marked.rows):
        offset = counted("".join(f"{before}\n" for before in marked.rows[:number]), unit)
        passages.append({"offset": offset, "infons": {}, "text": row, "annotations": [], "relations": []})
    for number, m in enumerate(marked.mentions):
        location = {"offset": counted(marked.text[: m.start], unit), "length": counted(marked.words(m), unit)}
        passages[m.line]["annotations"].append(
            {"id": f"T{number}", "infons": {"type": m.type}, "text": marked.words(m), "locations": [location]}
        )
    relations = [
        {"id": f"R{n}", "infons": {"type": kind}, "nodes": [{"refid": f"T{a}", "role": "from"}, {"refid": f"T{b}", "role": "to"}]}
        for n, (a, b, kind) in enumerate(marked.relations)
    ]
    for relation in relations[:1]:
        passages[marked.mentions[marked.relations[0][0]].line]["relations"].append(relation)
    return {"id": "7", "infons": {}, "passages": passages, "annotations": [], "relations": relations[1:]}


def xml(value: dict[str, Any]) -> str:
    """The JSON document as XML."""

    def infons(item: dict[str, Any]) -> str:
        return "".join(f"<infon key={quoteattr(key)}>{escape(text)}</infon>" for key, text in item["infons"].items())

    def relations(item: dict[str, Any]) -> str:
        nodes = {r["id"]: "".join(f'<node refid="{n["refid"]}" role="{n["role"]}"/>' for n in r["nodes"]) for r in item["relations"]}
        return "".join(f'<relation id="{r["id"]}">{infons(r)}{nodes[r["id"]]}</relation>' for r in item["relations"])

    def annotations(item: dict[str, Any]) -> Iterator[str]:
        for a in item["annotations"]:
            locations = "".join(f'<location offset="{p["offset"]}" length="{p["length"]}"/>' for p in a["locations"])
            yield f'<annotation id="{a["id"]}">{infons(a)}{locations}<text>{escape(a["text"])}</text></annotation>'

    passages = "".join(
        f"<passage><offset>{p['offset']}</offset><text>{escape(p['text'])}</text>{''.join(annotations(p))}{relations(p)}</passage>"
        for p in value["passages"]
    )
    return f"<collection><source/><date/><key/><document><id>{value['id']}</id>{passages}{relations(value)}</document></collection>"


@pytest.mark.parametrize("layout", ["json", "xml"])
@pytest.mark.parametrize("unit", ["characters", "utf16", "bytes"])
@settings(max_examples=15)
@given(marked=marked_documents())
def test_what_is_written_is_read(layout: str, unit: str, marked: Marked, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / f"random.{layout}"
    value = record(marked, unit)
    file.write_text(json.dumps({"documents": [value]}) if layout == "json" else xml(value), encoding="utf-8")
    report = ReadReport()
    documents = list(READER.read(file, report, positions=unit))
    assert found(documents) == expected(marked)
    assert not report.dropped
    assert documents[0].text == marked.text


def passage(offset: int, text: str, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"offset": offset, "text": text, "annotations": list(annotations), **more}


def annotation(key: str, text: str, *spans: tuple[int, int], **infons: Any) -> dict[str, Any]:
    locations = [{"offset": start, "length": end - start} for start, end in spans]
    return {"id": key, "infons": {"type": "Drug", **infons}, "text": text, "locations": locations}


def read_json(file: Path, *passages: dict[str, Any], relations: list[dict[str, Any]] | None = None) -> Any:
    value = {"documents": [{"id": "7", "passages": list(passages), "relations": relations or []}]}
    return read_content(READER, file.with_suffix(".json"), json.dumps(value))


def test_locations_apart_are_a_discontinuous_mention_and_its_relations_are_lost(tmp_path: Path):
    text = passage(0, "renal and hepatic pain", annotation("1", "renal pain", (0, 5), (18, 22)), annotation("2", "hepatic pain", (10, 22)))
    relation = {"infons": {"type": "near"}, "nodes": [{"refid": "1"}, {"refid": "2"}]}
    (document,), report = read_json(tmp_path / "a", text, relations=[relation])
    assert [entity.text for entity in document.entities] == ["hepatic pain"]
    assert report.dropped == {"discontinuous entities": 1, "relations of a dropped entity": 1}
    assert (report.lost_entities, report.lost_relations) == (1, {"near": 1})


def test_sentences_of_a_passage_are_sentences_with_their_own_offsets(tmp_path: Path):
    given = [passage(10, "Ada met. Bo", annotation("1", "Bo", (19, 21))), passage(22, "It rained", annotation("2", "It", (22, 24)))]
    (document,), report = read_json(tmp_path / "a", {"offset": 10, "annotations": [], "sentences": given})
    assert [sentence.text for sentence in document.sentences] == ["Ada met. Bo", "It rained"]
    assert [entity.text for entity in document.entities] == ["Bo", "It"]
    assert document.text == "Ada met. Bo It rained"
    assert not report.dropped


def test_passages_far_apart_follow_each_other(tmp_path: Path):
    first, second = passage(5, "Ada met", annotation("1", "Ada", (5, 8))), passage(90, "Bo", annotation("2", "Bo", (90, 92)))
    (document,), _ = read_json(tmp_path / "a", first, second)
    assert document.text == "Ada met\nBo"
    assert [entity.text for entity in document.entities] == ["Ada", "Bo"]


@pytest.mark.parametrize(
    "infons",
    [
        {"type": "slows", "entity1": "D1", "entity2": "D2", "novel": "No"},
        {"relation": "slows", "Chemical": "D1", "Disease": "D2"},
        {"type": "slows", "score": "0.9", "role1": {"identifier": "D1", "name": "x"}, "role2": {"identifier": "D2"}},
    ],
    ids=["BioRED", "BC5CDR", "PubTator 3"],
)
def test_relations_of_concepts_are_given_to_their_mentions(tmp_path: Path, infons: dict[str, Any]):
    key = "MESH" if "Chemical" in infons else "identifier"
    text = passage(0, "Ada met Bo", annotation("1", "Ada", (0, 3), **{key: "D1"}), annotation("2", "Bo", (8, 10), **{key: "D2"}))
    nodes = [{"refid": "0", "role": "1,0"}] if "role1" in infons else []  # PubTator 3 writes one node that refers to nothing
    (document,), report = read_json(tmp_path / "a", text, relations=[{"infons": infons, "nodes": nodes}])
    assert triples(document.sentences[0]) == [("Ada", "slows", "Bo")]
    assert not report.dropped


def test_a_number_among_other_infons_is_no_concept_where_there_is_an_identifier(tmp_path: Path):
    ada = annotation("1", "Ada", (0, 3), identifier="5", homologene="9")
    text = passage(0, "Ada met Bo", ada, annotation("2", "Bo", (8, 10), identifier="6"))
    _, report = read_json(tmp_path / "a", text, relations=[{"infons": {"type": "slows", "entity1": "9", "entity2": "6"}}])
    assert report.lost_relations == {"slows": 1}


def test_roles_say_which_end_comes_first_and_ids_may_start_anew_in_each_passage(tmp_path: Path):
    nodes = [{"refid": "1", "role": "Arg2"}, {"refid": "2", "role": "Arg1"}]
    first = passage(0, "Ada met Bo", annotation("1", "Ada", (0, 3)), annotation("2", "Bo", (8, 10)))
    second = passage(11, "Cy met Di", annotation("1", "Cy", (11, 13)), annotation("2", "Di", (18, 20)))
    second["relations"] = [{"infons": {"type": "knows"}, "nodes": nodes}]
    (document,), report = read_json(tmp_path / "a", first, second)
    assert triples(document.sentences[1]) == [("Di", "knows", "Cy")]
    assert not report.dropped
    with pytest.raises(DataError, match=r"relation 0: expected the id of one annotation, got '2', which 2 have"):
        read_json(tmp_path / "a", first, second, relations=[{"infons": {"type": "knows"}, "nodes": nodes}])


@pytest.mark.parametrize(
    ("relation", "reason"),
    [
        ({"infons": {"type": "x"}, "nodes": [{"refid": "1"}] * 3}, "relations with other than two nodes"),
        ({"infons": {"type": "x"}, "nodes": [{"refid": "1"}, {"refid": "R9"}]}, "broken relations"),
        ({"infons": {}, "nodes": [{"refid": "1"}, {"refid": "2"}]}, "broken relations"),
        ({"infons": {"type": "x"}, "nodes": []}, "broken relations"),
    ],
)
def test_what_relates_other_than_two_annotations_is_counted(tmp_path: Path, relation: dict[str, Any], reason: str):
    file = tmp_path / "a.json"
    text = passage(0, "Ada met Bo", annotation("1", "Ada", (0, 3)), annotation("2", "Bo", (8, 10)))
    file.write_text(json.dumps([{"id": "7", "passages": [text], "relations": [relation]}]), encoding="utf-8")
    report = ReadReport(on_error="skip")
    (document,) = READER.read(file, report)
    assert len(document.entities) == 2
    assert list(report.dropped) == [reason]


# ---- XML that must not be trusted -----------------------------------------------------------------------------------------------

BODY = "<collection>\n<document><id>1</id><passage><offset>0</offset><text>{}</text></passage></document></collection>"


def test_a_doctype_that_is_only_named_is_not_read(tmp_path: Path):
    documents, _ = read_content(READER, tmp_path / "a.xml", '<!DOCTYPE collection SYSTEM "BioC.dtd">\n' + BODY.format("Ada &amp; Bo"))
    assert documents[0].text == "Ada & Bo"


def test_entities_that_multiply_and_those_of_other_files_are_refused(tmp_path: Path):
    bomb = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(DataError, match=r"a\.xml:2: expected well-formed XML, got limit on input amplification"):
        read_content(READER, tmp_path / "a.xml", f"<!DOCTYPE collection [{bomb}]>{BODY.format('&l11;')}")
    other = '<!DOCTYPE collection [<!ENTITY other SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(DataError, match=r"a\.xml:2: expected entities that the file defines, got other"):
        read_content(READER, tmp_path / "a.xml", other + BODY.format("&other;"))
    with pytest.raises(DataError, match=r"a\.xml:3: expected well-formed XML, got undefined entity"):
        read_content(READER, tmp_path / "a.xml", '<!DOCTYPE collection SYSTEM "BioC.dtd">\n' + BODY.format("&eacute;"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-8-sig"])
@pytest.mark.parametrize("size", [7, 64, 1 << 20])
def test_a_file_is_read_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, size: int):
    monkeypatch.setattr(markup, "_PIECE", max(size, 60) if encoding == "iso-8859-1" else size)  # the first piece has the declaration
    file = tmp_path / "a.xml"
    declared = '<?xml version="1.0" encoding="iso-8859-1"?>' if encoding == "iso-8859-1" else ""
    second = "<document><id>2</id><passage><offset>0</offset><text>é</text></passage></document>"
    body = BODY.format("Café").replace("</document>", f"</document>\n{second}")
    file.write_bytes((declared + body).encode(encoding))
    documents = list(READER.read(file, ReadReport()))
    assert [(document.id, document.text) for document in documents] == [("1", "Café"), ("2", "é")]


def test_a_fault_behind_the_first_document_is_named_with_its_line(tmp_path: Path):
    file = tmp_path / "a.xml"
    file.write_bytes(BODY.format("Ada").replace("</collection>", "\n<document><id>2</id>\n<x").encode())
    report = ReadReport(on_error="skip")
    assert [document.id for document in READER.read(file, report)] == ["1"]
    assert report.dropped == {"broken files": 1}
    assert f"{file}:4: expected well-formed XML" in report.faults[0]
    file.write_bytes(BODY.format("Ad\xe9").encode("latin-1"))
    with pytest.raises(DataError, match=r"a\.xml:2: expected UTF-8 text, got byte 0xe9"):
        list(READER.read(file, ReadReport()))


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_relation_of_a_broken_annotation_is_lost_with_it_and_is_no_second_error(tmp_path: Path, kind: str):
    value = broken_record()
    text = json.dumps(value) if kind == "json" else xml(value)
    (tmp_path / f"a.{kind}").write_text(text, encoding="utf-8")
    report = ReadReport(on_error="skip")
    (document,) = READER.read(tmp_path, report)
    assert [len(sentence.entities) for sentence in document.sentences] == [1]
    assert report.num_faults == report.dropped["broken entities"] == 1
    assert report.dropped["relations of a dropped entity"] == report.lost_relations["r"] == 1


def broken_record() -> dict[str, Any]:
    annotations = [
        {"id": key, "infons": {"type": "T"}, "text": "Ada", "locations": [{"offset": offset, "length": 3}]}
        for key, offset in (("T0", -5), ("T1", 0))
    ]
    nodes = [{"refid": "T0", "role": "from"}, {"refid": "T1", "role": "to"}]
    passage = {"offset": 0, "infons": {}, "text": "Ada left.", "annotations": annotations, "relations": []}
    relation = {"id": "R", "infons": {"type": "r"}, "nodes": nodes}
    return {"id": "7", "infons": {}, "passages": [passage], "annotations": [], "relations": [relation]}


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_document_of_blank_passages_is_one_without_sentences(tmp_path: Path, kind: str):
    passage = {"offset": 0, "infons": {}, "text": " ", "annotations": [], "relations": []}
    value = {"id": "7", "infons": {}, "passages": [passage], "annotations": [], "relations": []}
    (document,), report = read_content(READER, tmp_path / f"a.{kind}", json.dumps(value) if kind == "json" else xml(value))
    assert (document.id, document.sentences) == ("7", ())
    assert report.dropped == {"empty texts (kept, as documents without sentences)": 1}


def test_elements_that_are_nested_without_end_are_refused_before_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(markup, "_DEEPEST", 1000)
    (tmp_path / "a.xml").write_text("<collection><document>" + "<passage>" * 1_500, encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.xml:1: expected elements that are nested at most 1000 deep, got <passage>"):
        list(READER.read(tmp_path, ReadReport()))
