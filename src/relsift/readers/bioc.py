"""BioC: collections of documents with passages, annotations and relations, as XML or JSON (BioRED, BC5CDR, PubTator).

    <collection><document><id>101</id>
        <passage><offset>0</offset><text>Avolin slows Berex.</text>
            <annotation id="1"><infon key="type">Drug</infon><infon key="identifier">D1</infon>
                <location offset="0" length="6"/><text>Avolin</text></annotation></passage>
        <relation id="R1"><infon key="type">slows</infon><node refid="1" role="Arg1"/><node refid="2" role="Arg2"/></relation>
    </document></collection>

Offsets count in the document, from its beginning: a passage has its own offset. Locations that are not next to each other are one
discontinuous mention. A relation with two nodes joins two annotations, in the order of its nodes. A relation without nodes joins two
concepts, which its infons name: entity1 and entity2 in BioRED, role1 and role2 in PubTator 3, Chemical and Disease in BC5CDR. It is
given to mentions by the rule of `relsift.readers.concepts`.

The text of a document here is its passages, one a line. Where a passage has <sentence>s, these are the sentences. An XML file is read one
document at a time, a JSON file as a whole. A DTD is not read; entities from other files are refused.
Option: `positions`, what offsets count (see `relsift.readers.positions`); some programs count bytes.
Source: Comeau et al., Database 2013, 10.1093/database/bat064.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.annotated_text import AnnotatedText, OffsetCheck, Part
from relsift.readers.base import Reader, ReadReport, beginning_of, shown
from relsift.readers.bioc_json import json_documents
from relsift.readers.bioc_records import BiocAnnotation, BiocDocument, BiocPassage, BiocRelation
from relsift.readers.bioc_xml import xml_documents
from relsift.readers.brat_lines import TextBound
from relsift.readers.concepts import ConceptRelation, mention_relations, with_concepts
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, matching_files, read_files
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, UNITS
from relsift.readers.raw import EMPTY_TEXTS
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document
from relsift.sentences import split_sentences
from relsift.text import Span

_SHOWN = 60  # characters of a file in a message
_BEGINNING = 1 << 18  # bytes of a file that are looked at to recognise it
_XML = re.compile(r"<collection[\s>].*?<document[\s>].*?<(?:passage|infon)[\s>]", re.DOTALL)
_JSON = re.compile(r'"passages"\s*:\s*\[\s*\{')
_JSON_PASSAGE = re.compile(r'"offset"\s*:\s*\d')

SAMPLES = {
    "a.json": '{"source": "notes", "documents": [{"id": "101", "passages": [\n'
    '{"offset": 0, "text": "Avolin slows the uptake of Berex.", "annotations": [\n'
    '{"id": "1", "infons": {"type": "Drug", "identifier": "D901"}, "text": "Avolin", "locations": [{"offset": 0, "length": 6}]},\n'
    '{"id": "2", "infons": {"type": "Drug", "identifier": "D902"}, "text": "Berex", "locations": [{"offset": 27, "length": 5}]}]}],\n'
    '"relations": [{"infons": {"type": "slows", "entity1": "D901", "entity2": "D902"}}]}]}\n',
    "b.xml": '<?xml version="1.0"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n<collection><document><id>102</id>\n'
    "<passage><offset>0</offset><text>Avolin helps.</text></passage>\n"
    "<passage><offset>14</offset><text>Take Avolin or Berex with water.</text>\n"
    '<annotation id="2"><infon key="type">Drug</infon><location offset="19" length="6"/><text>Avolin</text></annotation>\n'
    '<annotation id="3"><infon key="type">Drug</infon><location offset="29" length="5"/><text>Berex</text></annotation>\n'
    '<relation><infon key="type">replaces</infon><node refid="2"/><node refid="3"/></relation>\n'
    "</passage></document></collection>\n",
}


def read(path: Path, report: ReadReport, *, positions: str = CHARACTERS, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document per BioC document, in file order.

    Raises: DataError naming file and place; also if the words of many annotations are not at their offsets.
    Counts: discontinuous entities, relations of other than two annotations or with a relation, relations of concepts that no
        relation of mentions shows, passages without text, and what `document_from_offsets` counts.
    """

    def all_texts() -> Iterator[AnnotatedText]:
        scratch = ReadReport(on_error="skip")
        for file in matching_files(path, scratch, _KIND, encoding):
            with scratch.leaving_out("files"):
                for record in _records(file, scratch, encoding):
                    yield _Layout.of(record, scratch).annotated(record)

    check = OffsetCheck(READER.name, path, positions, all_texts)

    def documents(file: Path) -> Iterator[Document]:
        for number, record in enumerate(_records(file, report, encoding)):
            document = None
            with report.leaving_out("documents"):
                document = _document(record, record.id or f"{file_key(file, path)}-{number}", check, report)
            if document is not None:
                yield document

    return read_files(path, report, _KIND, documents, encoding)


def _records(file: Path, report: ReadReport, encoding: str) -> Iterator[BiocDocument]:
    beginning = beginning_of(file).lstrip()
    if beginning.startswith(("{", "[")):
        return json_documents(file, report, encoding)
    if beginning.strip("\0\ufffd") and not beginning.startswith("<"):
        raise DataError(f"{file}:1: expected BioC, as XML or JSON, got {shown(beginning[:_SHOWN])}")
    return xml_documents(file, report, None if encoding == UTF8 else encoding)  # XML says itself in which encoding it is


@dataclass(slots=True)
class _Layout:
    """The text of a document: its passages one a line, and what lies in each of them."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    leaves: list[tuple[BiocPassage, int, bool]] = field(default_factory=list)  # with offset in the text, and: is it a given sentence?
    mentions: list[list[TextBound]] = field(default_factory=list)  # of each leaf, offsets from its beginning
    concepts: dict[str, tuple[str, ...]] = field(default_factory=dict)  # id of a mention -> its concepts
    keys: dict[str, dict[int | None, list[str]]] = field(default_factory=lambda: defaultdict(dict))  # id in the file -> passage -> mentions

    @classmethod
    def of(cls, record: BiocDocument, report: ReadReport) -> _Layout:
        """The layout of a document. Counts: passages without text."""
        layout = cls()
        for number, passage in enumerate(record.passages):
            given = [sentence for sentence in passage.sentences if sentence.text.strip()]
            first = len(layout.leaves)
            for count, leaf in enumerate(given or [passage]):
                if leaf.text.strip():
                    before = given[count - 1] if count else None
                    touches = before is not None and before.offset + len(before.text) == leaf.offset
                    layout._add_leaf(leaf, "" if touches or not layout.leaves else " " if before else "\n", is_sentence=bool(given))
            inside = range(first, len(layout.leaves))
            for holder in (passage, *passage.sentences):
                layout._add_mentions(holder.annotations, inside, number, report)
        layout._add_mentions(record.annotations, range(len(layout.leaves)), None, report)
        return layout

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def annotated(self, record: BiocDocument) -> AnnotatedText:
        """For the check of its offsets."""
        parts = [Part(leaf.text, mentions, start) for (leaf, start, _), mentions in zip(self.leaves, self.mentions)]
        return AnnotatedText(record.where, parts, [(r.where, r.infons.get("type", "")) for r in record.relations], UNITS)

    def sentences(self, entities: Mapping[str, TextEntity]) -> list[Span]:
        """Those that the file gives; in other passages, those that relsift finds."""
        spans: list[Span] = []
        for leaf, start, is_sentence in self.leaves:
            end = start + len(leaf.text)
            if is_sentence:
                spans.append((start, end))
            else:
                inside = [(e.start - start, e.end - start) for e in entities.values() if start <= e.start < end]
                spans += [(a + start, b + start) for a, b in split_sentences(leaf.text, inside)]
        return spans

    def _add_leaf(self, leaf: BiocPassage, gap: str, *, is_sentence: bool) -> None:
        self.leaves.append((leaf, self.length + len(gap), is_sentence))
        self.mentions.append([])
        self.pieces += [gap, leaf.text]
        self.length += len(gap) + len(leaf.text)

    def _add_mentions(self, annotations: list[BiocAnnotation], inside: range, passage: int | None, report: ReadReport) -> None:
        for annotation in annotations:
            first = min(annotation.spans)[0]
            # The last passage or sentence that begins before the mention does.
            leaf = max((number for number in inside if self.leaves[number][0].offset <= first), default=inside.start if inside else None)
            if leaf is None:
                report.lose_entity("entities of a passage without text", annotation.where)
                continue
            with report.leaving_out("entities"):
                key = annotation.id
                if not key or key in self.concepts:
                    key = f"{annotation.id or 'entity'}#{len(self.concepts)}"  # some tools count anew in each passage
                offset = self.leaves[leaf][0].offset
                spans = tuple((start - offset, end - offset) for start, end in annotation.spans)
                words = annotation.words if annotation.words and annotation.words.strip() else None
                self.mentions[leaf].append(TextBound(annotation.where, key, annotation.type, spans, words))
                self.concepts[key] = annotation.concepts
                self.keys[annotation.id].setdefault(passage, []).append(key)


def _document(record: BiocDocument, key: str, check: OffsetCheck, report: ReadReport) -> Document | None:
    layout = _Layout.of(record, report)
    if not layout.leaves and record.passages and not record.relations:
        report.drop(EMPTY_TEXTS, record.where)
        return Document(key, (), "")
    if not layout.leaves:
        raise DataError(f"{record.where}: expected a document with text, got {len(record.passages)} passages without any")
    entities = check.entities(layout.annotated(record), report)
    if entities is None:
        return None
    sentences = layout.sentences(entities)
    of_concepts, of_mentions = _relations(record, layout, entities, report)
    of_mentions += mention_relations(of_concepts, list(entities.values()), layout.concepts, sentences, report)
    document = document_from_offsets(
        key, layout.text, list(entities.values()), of_mentions, report, where=record.where, sentences=sentences
    )
    # Without any relation it cannot be told what they would be of; concepts are there to be related.
    are_of_concepts = of_concepts or (not record.relations and any(layout.concepts.values()))
    return with_concepts(document, layout.concepts, of_concepts if are_of_concepts else None)


def _relations(
    record: BiocDocument, layout: _Layout, entities: Mapping[str, TextEntity], report: ReadReport
) -> tuple[list[ConceptRelation], list[TextRelation]]:
    of_concepts, of_mentions = [], []
    for relation in record.relations:
        with report.leaving_out("relations", relation=relation.infons.get("type")):
            concepts = relation.of_concepts()
            if concepts is not None:
                of_concepts.append(concepts)
                continue
            found = _of_mentions(relation, record, layout, entities, report)
            if found is not None:
                of_mentions.append(found)
    return of_concepts, of_mentions


def _of_mentions(
    relation: BiocRelation, record: BiocDocument, layout: _Layout, entities: Mapping[str, TextEntity], report: ReadReport
) -> TextRelation | None:
    """The relation of two mentions; None if it cannot be kept, which is counted. Raises: DataError for an unknown id."""
    kind, ends = relation.type, relation.ends()
    if ends is None:
        report.lose_relation("relations with other than two nodes", relation.where, kind)
        return None
    keys = []
    for end in ends:
        by_passage = layout.keys.get(end, {})
        found = by_passage.get(relation.passage) or [key for keys_there in by_passage.values() for key in keys_there]
        if len(found) > 1:
            raise DataError(f"{relation.where}: expected the id of one annotation, got {shown(end)}, which {len(found)} have")
        if not found and end not in record.announced:
            raise DataError(f"{relation.where}: expected the id of an annotation of this document, got {shown(end)}")
        keys += found
    if len(keys) < len(ends) or not all(key in entities for key in keys):
        report.lose_relation("relations of a dropped entity", relation.where, kind)
        return None
    return TextRelation(keys[0], keys[1], kind)


def _recognises_file(path: Path) -> bool:
    beginning = beginning_of(path, _BEGINNING)
    if beginning.lstrip()[:1] in ("{", "["):
        return _JSON.search(beginning) is not None and _JSON_PASSAGE.search(beginning) is not None
    return _XML.search(beginning) is not None


def recognises(path: Path) -> bool:
    """An .xml file that opens with a <collection>, a .json file of documents with passages, or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("bioc", (".xml", ".json", ".bioc"), _recognises_file, re.compile(r'<passage>|"passages"\s*:'))
READER = Reader(
    name="bioc",
    summary="BioC XML and JSON: passages, annotations, relations of annotations or of concepts",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"positions": (*UNITS, AUTO)},
    has_encoding=True,
)
