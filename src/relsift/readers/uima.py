"""UIMA CAS, as INCEpTION exports it: XMI with its TypeSystem.xml, or JSON CAS 0.4.

    <custom:Person xmi:id="5" sofa="1" begin="0" end="3" value="poet"/>
    <custom:Knows xmi:id="7" sofa="1" begin="8" end="10" Governor="5" Dependent="6" value="friend"/>      from 5 to 6
    <cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString="Ada met Bo."/>

A file is one document. Offsets count UTF-16 code units. Sentences are those of DKPro Core (`segmentation.type.Sentence`); a file without
any is split by relsift. Relations are annotations with a Governor (head) and a Dependent (tail), INCEpTION's relation layers. Which
layers and features are read is told by `relsift.readers.layers`, and can be chosen by the options `entity_layer`, `entity_feature`,
`relation_layer` and `relation_feature`. Links, slots, chains and views but the first with text are not read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, shown
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.layers import OPEN_OPTIONS, Choice, Chosen, Layer, choose, count_others
from relsift.readers.positions import Positions
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.readers.uima_cas import DEPENDENT, GOVERNOR, Cas, Structure, json_cas, xmi_cas
from relsift.schema import Document
from relsift.sentences import split_sentences
from relsift.text import Span

_SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
_DOCUMENT_TYPES = ("uima.tcas.DocumentAnnotation",)
_OF_CHAINS = frozenset(("next", "referenceType", "referenceRelation"))  # features of layers that are no entities
_NO_TYPE = "(no type)"  # stands for the type of a relation that has none, where lost relations are counted
_JSON_SIGN = re.compile(r'"%(?:FEATURE_STRUCTURES|TYPES|VIEWS)"\s*:')
_SHOWN = 60  # characters of a file in a message

SAMPLES = {
    "a.json": '{"%FEATURE_STRUCTURES": [\n'
    '{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaID": "_InitialView", "sofaString": "Ada met Bo."},\n'
    '{"%ID": 2, "%TYPE": "webanno.custom.Person", "@sofa": 1, "begin": 0, "end": 3, "value": "poet"},\n'
    '{"%ID": 3, "%TYPE": "webanno.custom.Person", "@sofa": 1, "begin": 8, "end": 10, "value": "baker"},\n'
    '{"%ID": 4, "%TYPE": "webanno.custom.Knows", "@sofa": 1, "begin": 8, "end": 10, "value": "friend", "@Governor": 2, "@Dependent": 3}],\n'
    '"%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": [2, 3, 4]}}}\n',
    "b.xmi": '<xmi:XMI xmlns:cas="http:///uima/cas.ecore" xmlns:xmi="http://www.omg.org/XMI" xmlns:custom="http:///webanno/custom.ecore">\n'
    '<custom:Person xmi:id="2" sofa="1" begin="0" end="2" value="baker"/>\n'
    '<custom:Person xmi:id="3" sofa="1" begin="9" end="12" value="poet"/>\n'
    '<custom:Knows xmi:id="4" sofa="1" begin="9" end="12" Governor="2" Dependent="3" value="fan"/>\n'
    '<cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString="Bo reads Ada. It rains."/>\n'
    '<cas:View sofa="1" members="2 3 4"/>\n</xmi:XMI>\n',
}


def read(
    path: Path, report: ReadReport, *, entity_layer: str = "", entity_feature: str = "", relation_layer: str = "",
    relation_feature: str = "", encoding: str = UTF8,
) -> Iterator[Document]:  # fmt: skip
    """Yield one document per file, sorted by path.

    Raises: DataError naming file and line; also for layers or features to choose from, and positions inside a character.
    Counts: layers and views that are not read, entities and relations without a type, entities without text, and what
        `document_from_offsets` counts.
    """
    choice = Choice(entity_layer, entity_feature, relation_layer, relation_feature)

    def documents(file: Path) -> Iterator[Document]:
        with report.leaving_out("documents"):
            beginning = beginning_of(file).lstrip()
            is_json = beginning.startswith(("{", "["))
            if beginning.strip("\0\ufffd") and not is_json and not beginning.startswith("<"):
                raise DataError(f"{file}:1: expected a UIMA CAS, as XMI or JSON, got {shown(beginning[:_SHOWN])}")
            cas = json_cas(file, report, encoding) if is_json else xmi_cas(file, report, None if encoding == UTF8 else encoding)
            yield _document(cas, file_key(file, path), choice, report)

    return read_files(path, report, _KIND, documents, encoding)


def _document(cas: Cas, key: str, choice: Choice, report: ReadReport) -> Document:
    where = str(cas.file)
    annotations = [one for one in cas.annotations() if one.type not in _DOCUMENT_TYPES]
    spans, relations = _layers(annotations, cas)
    entity, relation = choose(spans, relations, choice, where)
    count_others({one.type for one in annotations}, (entity, relation), report, where)
    positions = Positions(cas.text, "utf16")
    entities: dict[str, TextEntity] = {}
    dropped: set[str] = set()
    for one in annotations:
        if entity is not None and one.type == entity.layer.name:
            dropped.add(one.id)
            with report.leaving_out("entities"):
                made = _entity(one, entity, cas.text, positions, report)
                if made is not None:
                    entities[one.id] = made
                    dropped.discard(one.id)
    found = []
    for one in annotations:
        if relation is not None and one.type == relation.layer.name:
            with report.leaving_out("relations", relation=_type_of(one, relation) or _NO_TYPE):
                made_relation = _relation(one, relation, entities, dropped, report)
                if made_relation is not None:
                    found.append(made_relation)
    sentences = _sentences(annotations, cas.text, positions, report)
    if sentences is None:
        sentences = split_sentences(cas.text, [(e.start, e.end) for e in entities.values()])
    return document_from_offsets(
        key, cas.text, list(entities.values()), None if relation is None else found, report, where=where, sentences=sentences
    )


def _layers(annotations: list[Structure], cas: Cas) -> tuple[list[Layer], list[Layer]]:
    """The layers of spans and of relations, in the order in which the file has them."""
    features: dict[tuple[str, bool], set[str]] = defaultdict(set)
    bases: dict[str, set[str]] = defaultdict(set)
    for one in annotations:
        features[one.type, one.is_relation] |= one.names
        for end in (GOVERNOR, DEPENDENT) if one.is_relation else ():
            joined = cas.structures.get(one.features.get(end, ""))
            if joined is not None:
                bases[one.type].add(joined.type)
    for kind, names in cas.declared.items():
        for is_relation in (False, True):
            if (kind, is_relation) in features:  # what is declared, and not what refers to another structure
                features[kind, is_relation] = set(names)
    layers = {
        key: Layer(key[0], tuple(sorted(names)), frozenset(bases[key[0]])) for key, names in features.items() if not names & _OF_CHAINS
    }
    return [layer for key, layer in layers.items() if not key[1]], [layer for key, layer in layers.items() if key[1]]


def _type_of(one: Structure, chosen: Chosen) -> str:
    return chosen.layer.short if chosen.feature is None else one.features.get(chosen.feature, "").strip()


def _entity(one: Structure, chosen: Chosen, text: str, positions: Positions, report: ReadReport) -> TextEntity | None:
    start, end = _span(one, text, positions)
    kind = _type_of(one, chosen)
    if not text[start:end].strip():
        report.lose_entity("entities without text", one.where)
        return None
    if not kind:
        report.lose_entity("entities without a type", f"{one.where}: {shown(text[start:end])}")
        return None
    return TextEntity(one.id, start, end, kind)


def _span(one: Structure, text: str, positions: Positions) -> Span:
    begin, after = one.span()
    start, end = positions.offset(begin), positions.offset(after)
    if start is None or end is None:
        raise DataError(f"{one.where}: expected offsets in UTF-16 code units of a text of {len(text)} characters, got {begin} to {after}")
    return start, end


def _relation(
    one: Structure, chosen: Chosen, entities: dict[str, TextEntity], dropped: set[str], report: ReadReport
) -> TextRelation | None:
    kind = _type_of(one, chosen)
    ends = []
    for name in (GOVERNOR, DEPENDENT):
        end = one.features.get(name, "")
        if end not in entities and end not in dropped:
            raise DataError(f"{one.where}: expected the id of an annotation of the entity layer as {name}, got {shown(end)}")
        ends.append(end)
    if not kind:
        report.lose_relation("relations without a type", one.where, _NO_TYPE)
    elif not all(end in entities for end in ends):
        report.lose_relation("relations of a dropped entity", one.where, kind)
    else:
        return TextRelation(ends[0], ends[1], kind)
    return None


def _sentences(annotations: list[Structure], text: str, positions: Positions, report: ReadReport) -> list[Span] | None:
    """The sentences of the file, in order; None if it has none. Raises: DataError if two overlap."""
    spans = []
    for one in annotations:
        if one.type == _SENTENCE:
            with report.leaving_out("sentences"):
                start, end = _span(one, text, positions)
                if text[start:end].strip():
                    spans.append((start, end, one.where))
    spans.sort()
    for (_, end, _), (start, _, where) in pairwise(spans):
        if start < end:
            raise DataError(f"{where}: expected sentences that do not overlap, got one that begins inside another")
    return [(start, end) for start, end, _ in spans] or None


def _recognises_file(path: Path) -> bool:
    beginning = beginning_of(path)
    if beginning.lstrip().startswith("{"):
        return _JSON_SIGN.search(beginning) is not None
    return "<xmi:XMI" in beginning


def recognises(path: Path) -> bool:
    """An XMI or JSON CAS file, or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("uima", (".xmi", ".json"), _recognises_file, re.compile(rf"<xmi:XMI|{_JSON_SIGN.pattern}"))
READER = Reader(
    name="uima",
    summary="UIMA CAS as XMI or JSON, exports of INCEpTION",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    open_options=OPEN_OPTIONS,
    has_encoding=True,
)
