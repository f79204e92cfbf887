"""DDI-2013 XML: drug names in pharmacological sentences, and which pairs of them interact.

    <document id="d"><sentence id="d.s0" text="…">
        <entity id="d.s0.e0" charOffset="0-6" type="drug" text="…"/>          offsets count the last character in
        <pair id="d.s0.p0" e1="d.s0.e0" e2="d.s0.e1" ddi="true" type="effect"/>
    </sentence></document>

Offsets count within the sentence and include the last character; `3-5;9-12` is discontinuous. Every pair of a sentence is
listed; those with ddi="true" are relations of their `type`. The document's text here is its sentences, one a line. Option:

    discontinuous: drop (such an entity and its relations are left out) or cover (the entity is all text from its first to its last
        character, with the words between; counted as well).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, is_hidden, shown, whole_number
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, read_files
from relsift.readers.markup import Element, Markup, parse
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets, same_words
from relsift.schema import Document
from relsift.text import Span

_OFFSETS = re.compile(r"[0-9]+-[0-9]+(;[0-9]+-[0-9]+)*")
_DOCUMENT = re.compile(r"<document\s[^<>]*>")
_NO_TYPE = "(no type)"  # stands for the type of an interaction that has none, where lost relations are counted

SAMPLES = {
    "note.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<document id="d1">\n'
    '  <sentence id="d1.s0" text="Avolin slows the uptake of Berex.">\n'
    '    <entity id="d1.s0.e0" charOffset="0-5" type="brand" text="Avolin"/>\n'
    '    <entity id="d1.s0.e1" charOffset="27-31" type="drug" text="Berex"/>\n'
    '    <pair id="d1.s0.p0" e1="d1.s0.e0" e2="d1.s0.e1" ddi="true" type="mechanism"/>\n  </sentence>\n'
    '  <sentence id="d1.s1" text="Take Avolin or Berex with water.">\n'
    '    <entity id="d1.s1.e0" charOffset="5-10" type="brand" text="Avolin"/>\n'
    '    <entity id="d1.s1.e1" charOffset="15-19" type="drug" text="Berex"/>\n'
    '    <pair id="d1.s1.p0" e1="d1.s1.e0" e2="d1.s1.e1" ddi="false"/>\n  </sentence>\n'
    '  <sentence id="d1.s2" text="Keep it dry."/>\n</document>\n',
}


def read(path: Path, report: ReadReport, *, discontinuous: str = "drop", encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document per file, sorted by path. Raises DataError naming file and line.

    Counts: sentences without text, discontinuous entities and their relations, interactions without a type, ids that stand twice, and
        what `document_from_offsets` counts.
    """

    def documents(file: Path) -> Iterator[Document]:
        with report.leaving_out("documents"):
            # XML says itself in which encoding it is; a name given by the user goes first.
            yield _document(parse(file, None if encoding == UTF8 else encoding), report, cover=discontinuous == "cover")

    return read_files(path, report, _KIND, documents, encoding)


@dataclass(slots=True)
class _Text:
    """The sentences of a document so far, one a line, with offsets into all of them."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    spans: list[Span] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    entities: list[TextEntity] = field(default_factory=list)
    relations: list[TextRelation] = field(default_factory=list)
    entity_ids: set[str] = field(default_factory=set)


def _document(markup: Markup, report: ReadReport, *, cover: bool) -> Document:
    root = markup.root
    if root.tag != "document":
        raise DataError(f"{markup.where(root)}: expected <document>, got <{root.tag}>")
    name = markup.get(root, "id")
    text = _Text()
    seen: set[Element] = set()
    for sentence in root.iter("sentence"):
        with report.leaving_out("sentences"):
            entities, pairs = sentence.findall("entity"), sentence.findall("pair")
            seen.update(entities, pairs)
            _add_sentence(markup, sentence, entities, pairs, text, report, cover=cover)
    for tag in ("entity", "pair"):
        for element in root.iter(tag):
            if element not in seen:
                with report.leaving_out("entities" if tag == "entity" else "relations"):
                    raise DataError(f"{markup.where(element)}: expected <{tag}> directly inside a <sentence>, got it elsewhere")
    where = str(markup.file)
    return document_from_offsets(
        name, "".join(text.pieces), text.entities, text.relations, report, where=where, sentences=text.spans, sentence_ids=text.ids
    )


def _add_sentence(
    markup: Markup, sentence: Element, entities: list[Element], pairs: list[Element], text: _Text, report: ReadReport, *, cover: bool
) -> None:
    words = sentence.get("text", "")
    if not words.strip():
        report.drop("sentences without text", markup.where(sentence))
        for element in entities:
            report.lose_entity("entities of a sentence without text", markup.where(element))
        for pair in pairs:
            if pair.get("ddi") == "true":
                report.lose_relation("relations of a sentence without text", markup.where(pair), pair.get("type") or _NO_TYPE)
        return
    key = markup.get(sentence, "id")
    kept: dict[str, TextEntity] = {}
    dropped: set[str] = set()
    for element in entities:
        dropped.add(element.get("id", ""))  # until it is kept
        with report.leaving_out("entities"):
            entity = _entity(markup, element, words, report, cover=cover)
            if entity is not None:
                if entity.id in text.entity_ids:
                    raise DataError(f"{markup.where(element)}: expected each entity id once, got {shown(entity.id)} again")
                text.entity_ids.add(entity.id)
                kept[entity.id] = entity
                dropped.discard(entity.id)
    text.relations += _relations(markup, pairs, kept.keys(), dropped, report)
    text.entities += [TextEntity(e.id, e.start + text.length, e.end + text.length, e.type) for e in kept.values()]
    text.ids[len(text.spans)] = key
    text.spans.append((text.length, text.length + len(words)))
    text.pieces += [words, "\n"]
    text.length += len(words) + 1


def _entity(markup: Markup, entity: Element, words: str, report: ReadReport, *, cover: bool) -> TextEntity | None:
    """The entity with half-open offsets in its sentence; None if it is discontinuous and left out."""
    where = markup.where(entity)
    key, offsets = markup.get(entity, "id"), markup.get(entity, "charOffset")
    if not _OFFSETS.fullmatch(offsets):
        raise DataError(f"{where}: expected offsets such as '3-5' or '3-5;9-12', got {shown(offsets)}")
    numbers = [whole_number(number, where) for number in re.split("[-;]", offsets)]
    start, end = numbers[0], numbers[-1]
    if numbers != sorted(numbers) or end >= len(words):
        raise DataError(f"{where}: expected rising offsets below {len(words)}, the sentence's length, got {shown(offsets)}")
    expected = entity.get("text")
    covered_words = " ".join(words[a : b + 1] for a, b in zip(numbers[::2], numbers[1::2]))
    discontinuous = len(numbers) > 2
    # Compared with its blanks, so that a file with exclusive ends is noticed even if a blank follows every mention.
    agrees = expected is None or (same_words if discontinuous else _equal)(covered_words, expected)
    if not agrees and not discontinuous:
        raise DataError(
            f"{where}: expected {shown(expected)} at {offsets} (last character included), got {shown(covered_words)}"
        )
    if not covered_words.strip():
        raise DataError(f"{where}: expected some text at {offsets}, got only blanks")
    kind = markup.get(entity, "type")
    if discontinuous:
        kept = cover and agrees  # one entity of the corpus has offsets that are off by one
        place = f"{where}: {key} {shown(expected)}"
        if not kept:
            report.lose_entity("discontinuous entities", place)
            return None
        report.drop("discontinuous entities covered from end to end", place)
    return TextEntity(key, start, end + 1, kind)


def _equal(words: str, expected: str) -> bool:
    return words == expected or normalize("NFC", words) == normalize("NFC", expected)


def _relations(
    markup: Markup, pairs: list[Element], known: Collection[str], dropped: set[str], report: ReadReport
) -> list[TextRelation]:
    relations = []
    for pair in pairs:
        annotated = pair.get("type") or _NO_TYPE if pair.get("ddi") == "true" else None
        with report.leaving_out("relations", relation=annotated):
            where = markup.where(pair)
            head, tail, related = (markup.get(pair, name) for name in ("e1", "e2", "ddi"))
            for key in (head, tail):
                if key not in known and key not in dropped:
                    raise DataError(f"{where}: expected the id of an entity of this sentence, got {shown(key)}")
            if related not in ("true", "false"):
                raise DataError(f"{where}: expected ddi='true' or ddi='false', got {shown(related)}")
            if annotated is None:
                continue
            if head in dropped or tail in dropped:
                report.lose_relation("relations of a dropped entity", where, annotated)
            elif not pair.get("type"):
                report.lose_relation("interactions without a type", where, annotated)
            else:
                relations.append(TextRelation(head, tail, annotated))
    return relations


def _recognises_file(path: Path) -> bool:
    beginning = beginning_of(path)
    opening = None if path.name.lower().endswith(".apf.xml") else _DOCUMENT.search(beginning)
    return opening is not None and " id=" in re.sub(r"\s", " ", opening.group()) and re.search(r"<sentence\s", beginning) is not None


def recognises(path: Path) -> bool:
    """An .xml file that opens with a <document> of <sentence>s, or a folder with such a file."""
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.suffix.lower() == ".xml" and not is_hidden(file, path))
        first = next((file for file in files if file.is_file()), None)
        return first is not None and _recognises_file(first)
    return path.suffix.lower() == ".xml" and _recognises_file(path)


# Every XML file that is not in another format is read: a part that is broken at its beginning must not be missed.
_KIND = FileKind("ddi2013", (".xml",), _recognises_file, re.compile(""))
READER = Reader(
    name="ddi2013",
    summary="DDI-2013 XML: drug names and their interactions",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"discontinuous": ("drop", "cover")},
    has_encoding=True,
)
