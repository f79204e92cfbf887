"""BioC XML: documents of one passage with its sentences, annotations and relations, which have scores as infons.

A mention's concepts are its infon `identifier`. A relation of concepts has no nodes and the infons entity1 and entity2, as in BioRED; the
relations of mentions that follow from it are not written.

Offsets count characters from the beginning of the document.
Source: Comeau et al., Database 2013, 10.1093/database/bat064, and its BioC.dtd.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from relsift.concepts import ConceptFact, count_not_annotated, follows
from relsift.omissions import Omissions
from relsift.schema import Document, Relation, RelationAcross
from relsift.writers.base import Writer
from relsift.writers.layout import Layout, Placed, layout
from relsift.writers.names import xml_text

_BEGINNING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
    "<collection><source>relsift</source><date></date><key>relsift.key</key>\n"
)
_DIGITS = 6
_BETWEEN = ","  # the concepts of a mention


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(_BEGINNING)
        for document in documents:
            known = frozenset((one.head, one.tail, one.type) for one in document.concept_relations or ())
            root = _document(layout(document), known, left_out)
            _add_concept_relations(root, document, left_out)
            if count := count_not_annotated(document, known):
                what = "pairs of mentions in one sentence that a reader will relate, since their concepts are related"
                left_out.drop(what, f"document {document.id}", count)
            xml = ElementTree.tostring(root, encoding="unicode")
            stream.write(xml.replace("\r", "&#13;") + "\n")  # else a reader takes it for a line feed
        stream.write("</collection>\n")


def _document(page: Layout, known: frozenset[ConceptFact], left_out: Omissions) -> Element:
    root = Element("document")
    _add(root, "id", page.name, page.name, left_out)
    passage = SubElement(root, "passage")
    SubElement(passage, "offset").text = "0"
    num_entities = num_relations = 0
    for placed in page.sentences:
        own = tuple(
            one for one in placed.sentence.relations or () if one.score is not None or not follows(placed.sentence, one, known)
        )
        placed = replace(placed, sentence=placed.sentence.with_relations(own))
        _add_sentence(passage, page, placed, num_entities + 1, num_relations + 1, left_out)
        num_entities += len(placed.entities)
        num_relations += len(placed.sentence.relations or ())
    firsts = page.first_entities()
    for number, across in enumerate(page.across, start=num_relations + 1):
        head, tail = (firsts[sentence] + place + 1 for sentence, place in (across.head, across.tail))
        _add_relation(passage, across, number, (head, tail), page.name, left_out)
    return root


def _add_concept_relations(root: Element, document: Document, left_out: Omissions) -> None:
    for number, one in enumerate(document.concept_relations or (), start=1):
        related = SubElement(root, "relation", id=f"C{number}")
        _add_infons(related, {"type": one.type, "entity1": one.head, "entity2": one.tail}, document.id, left_out)


def _add_sentence(parent: Element, page: Layout, placed: Placed, entity: int, relation: int, left_out: Omissions) -> None:
    """Args: entity, relation: number of the first one."""
    element = SubElement(parent, "sentence")
    SubElement(element, "offset").text = str(placed.span[0])
    _add(element, "text", page.text[slice(*placed.span)], page.name, left_out)
    for number, (one, (start, end)) in enumerate(zip(placed.sentence.entities, placed.entities), start=entity):
        annotation = SubElement(element, "annotation", id=f"T{number}")
        if any(mark in concept for concept in one.concepts for mark in ",;"):
            left_out.drop("entities with a comma in the id of a concept, which a reader takes for two ids", f"document {page.name}")
        infons = {"type": one.type, "subtype": one.subtype, "score": _number(one.score), "identifier": _BETWEEN.join(one.concepts) or None}
        _add_infons(annotation, infons, page.name, left_out)
        SubElement(annotation, "location", offset=str(start), length=str(end - start))
        _add(annotation, "text", page.text[start:end], page.name, left_out)
    for number, link in enumerate(placed.sentence.relations or (), start=relation):
        _add_relation(element, link, number, (entity + link.head, entity + link.tail), page.name, left_out)


def _add_relation(
    parent: Element, link: Relation | RelationAcross, number: int, ends: tuple[int, int], where: str, left_out: Omissions
) -> None:
    """Args: ends: numbers of head and tail."""
    related = SubElement(parent, "relation", id=f"R{number}")
    infons = {"type": link.type, "score": _number(link.score), "probability": _number(link.probability)}
    _add_infons(related, infons, where, left_out)
    for end, role in zip(ends, ("Arg1", "Arg2")):
        SubElement(related, "node", refid=f"T{end}", role=role)


def _add_infons(parent: Element, infons: dict[str, str | None], where: str, left_out: Omissions) -> None:
    for key, value in infons.items():
        if value is not None:
            _add(parent, "infon", value, where, left_out).set("key", key)


def _add(parent: Element, name: str, text: str, where: str, left_out: Omissions) -> Element:
    element = SubElement(parent, name)
    element.text = xml_text(text, f"document {where}", left_out)
    return element


def _number(value: float | None) -> str | None:
    return None if value is None else str(round(value, _DIGITS))


WRITER = Writer(
    name="bioc", summary="BioC XML: sentences, annotations and relations", suffix=".xml", write=write,
    keeps=frozenset({
        "across", "sentences", "plain_sentences", "plain_documents", "unrelated", "subtypes", "entity_scores", "scores", "probabilities",
        "concepts", "concept_relations",
    }),
)  # fmt: skip
