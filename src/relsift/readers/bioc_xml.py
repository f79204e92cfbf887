"""BioC XML: one document after the other, each as soon as it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown, whole_number
from relsift.readers.bioc_records import BiocAnnotation, BiocDocument, BiocPassage, BiocRelation
from relsift.readers.markup import Element, Markup, stream


def xml_documents(file: Path, report: ReadReport, encoding: str | None) -> Iterator[BiocDocument]:
    """The documents of a file. Raises: DataError naming file and line, also for a file without a document."""
    num_documents = 0
    for markup in stream(file, "document", encoding):
        num_documents += 1
        with report.leaving_out("documents"):
            yield _document(markup, report)
    if not num_documents:
        raise DataError(f"{file}: expected BioC XML, a <collection> of <document>s, got none of them")


def _document(markup: Markup, report: ReadReport) -> BiocDocument:
    root = markup.root
    key = _text(root.find("id")).strip()
    document = BiocDocument(f"{markup.where(root)}: document {shown(key)}", key)  # many files are one long line
    for number, element in enumerate(root.findall("passage")):
        passage = _passage(markup, element, report)
        passage.sentences = [_passage(markup, sentence, report) for sentence in element.findall("sentence")]
        document.passages.append(passage)
        for holder in (element, *element.findall("sentence")):
            document.relations += _relations(markup, holder, report, number)
    document.annotations = _annotations(markup, root, report)
    document.relations += _relations(markup, root, report, None)
    document.announced = {element.get("id", "") for element in root.iter("annotation")}
    return document


def _passage(markup: Markup, element: Element, report: ReadReport) -> BiocPassage:
    where = markup.where(element)
    offset = whole_number(_text(markup.child(element, "offset")).strip(), where)
    return BiocPassage(where, offset, _text(element.find("text")), _annotations(markup, element, report))


def _annotations(markup: Markup, parent: Element, report: ReadReport) -> list[BiocAnnotation]:
    annotations = []
    for element in parent.findall("annotation"):
        with report.leaving_out("entities"):
            where = _place(markup, element)
            spans = []
            for location in element.findall("location"):
                start, length = (whole_number(markup.get(location, name), where) for name in ("offset", "length"))
                spans.append((start, start + length))
            if not spans or any(not 0 <= start <= end for start, end in spans):
                raise DataError(f"{where}: expected <location>s with offset and length >= 0, got {spans or 'none'}")
            words = element.find("text")
            annotations.append(
                BiocAnnotation(where, element.get("id", ""), _infons(element), tuple(spans), None if words is None else _text(words))
            )
    return annotations


def _relations(markup: Markup, parent: Element, report: ReadReport, passage: int | None) -> list[BiocRelation]:
    relations = []
    for element in parent.findall("relation"):
        infons = _infons(element)
        with report.leaving_out("relations", relation=infons.get("type")):
            nodes = tuple((markup.get(node, "refid"), node.get("role", "")) for node in element.findall("node"))
            relations.append(BiocRelation(_place(markup, element), infons, nodes, passage))
    return relations


def _place(markup: Markup, element: Element) -> str:
    return f"{markup.where(element)}: {element.tag} {shown(element.get('id', ''))}"


def _infons(element: Element) -> dict[str, str]:
    return {infon.get("key", ""): _text(infon) for infon in element.findall("infon")}


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext())
