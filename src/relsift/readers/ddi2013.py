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
from collections.abc import Iterator
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files
from relsift.readers.markup import Element, Markup, parse
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets, same_words
from relsift.schema import Document
from relsift.text import Span

_OFFSETS = re.compile(r"\d+-\d+(;\d+-\d+)*")
_HEAD = re.compile(r"<document\s[^>]*\bid=.*?<sentence\s", re.DOTALL)

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


def read(path: Path, report: ReadReport, *, discontinuous: str = "drop") -> Iterator[Document]:
    """Yield one document per file, sorted by path. Raises DataError naming file and line.

    Counts: sentences without text, discontinuous entities and their relations, interactions without a type, and what
        `document_from_offsets` counts.
    """
    for file in input_files(path, ".xml"):
        yield _document(parse(file), report, cover=discontinuous == "cover")


def _document(markup: Markup, report: ReadReport, *, cover: bool) -> Document:
    root = markup.root
    if root.tag != "document":
        raise DataError(f"{markup.where(root)}: expected <document>, got <{root.tag}>")
    text = ""
    spans: list[Span] = []
    ids: dict[int, str] = {}
    entities: list[TextEntity] = []
    relations: list[TextRelation] = []
    for sentence in root.iter("sentence"):
        words = sentence.get("text", "")
        if not words.strip():
            report.drop("sentences without text", markup.where(sentence))
            continue
        ids[len(spans)] = markup.get(sentence, "id")
        spans.append((len(text), len(text) + len(words)))
        sentence_entities, dropped = _entities(markup, sentence, words, report, cover=cover)
        entities += [TextEntity(e.id, e.start + len(text), e.end + len(text), e.type) for e in sentence_entities]
        relations += _relations(markup, sentence, {e.id for e in sentence_entities}, dropped, report)
        text += words + "\n"
    name = markup.get(root, "id")
    where = str(markup.file)
    return document_from_offsets(name, text, entities, relations, report, where=where, sentences=spans, sentence_ids=ids)


def _entities(
    markup: Markup, sentence: Element, words: str, report: ReadReport, *, cover: bool
) -> tuple[list[TextEntity], set[str]]:
    """The entities of a sentence, with half-open offsets, and the ids of those that are dropped."""
    entities: list[TextEntity] = []
    dropped: set[str] = set()
    for entity in sentence.iter("entity"):
        where = markup.where(entity)
        key, offsets = markup.get(entity, "id"), markup.get(entity, "charOffset")
        if not _OFFSETS.fullmatch(offsets):
            raise DataError(f"{where}: expected offsets such as '3-5' or '3-5;9-12', got {offsets!r}")
        numbers = [int(number) for number in re.split("[-;]", offsets)]
        start, end = numbers[0], numbers[-1]
        if numbers != sorted(numbers) or end >= len(words):
            raise DataError(f"{where}: expected rising offsets below {len(words)}, the sentence's length, got {offsets!r}")
        expected = entity.get("text")
        covered_words = " ".join(words[a : b + 1] for a, b in zip(numbers[::2], numbers[1::2]))
        discontinuous = len(numbers) > 2
        # Compared exactly, so that a file with exclusive ends is noticed even if a blank follows every mention.
        agrees = expected is None or (same_words(covered_words, expected) if discontinuous else covered_words == expected)
        if not agrees and not discontinuous:
            raise DataError(f"{where}: expected {expected!r} at {offsets} (last character included), got {covered_words!r}")
        if discontinuous:
            kept = cover and agrees  # one entity of the corpus has offsets that are off by one
            report.drop(f"discontinuous entities{' covered from end to end' if kept else ''}", f"{where}: {key} {expected!r}")
            if not kept:
                dropped.add(key)
                continue
        entities.append(TextEntity(key, start, end + 1, markup.get(entity, "type")))
    return entities, dropped


def _relations(markup: Markup, sentence: Element, known: set[str], dropped: set[str], report: ReadReport) -> list[TextRelation]:
    relations = []
    for pair in sentence.iter("pair"):
        where = markup.where(pair)
        head, tail, related = (markup.get(pair, name) for name in ("e1", "e2", "ddi"))
        for key in (head, tail):
            if key not in known | dropped:
                raise DataError(f"{where}: expected the id of an entity of this sentence, got {key!r}")
        if related not in ("true", "false"):
            raise DataError(f"{where}: expected ddi='true' or ddi='false', got {related!r}")
        if related == "false":
            continue
        if {head, tail} & dropped:
            report.drop("relations of a dropped entity", where)
        elif not pair.get("type"):
            report.drop("interactions without a type", where)
        else:
            relations.append(TextRelation(head, tail, markup.get(pair, "type")))
    return relations


def recognises(path: Path) -> bool:
    """An .xml file that opens with a <document> of <sentence>s, or a folder with such a file."""
    if path.is_dir():
        first = next(iter(sorted(path.glob("*.xml")) or path.rglob("*.xml")), None)
        return first is not None and recognises(first)
    return path.suffix == ".xml" and not path.name.endswith(".apf.xml") and bool(_HEAD.search(beginning_of(path)))


READER = Reader(
    name="ddi2013",
    summary="DDI-2013 XML: drug names and their interactions",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"discontinuous": ("drop", "cover")},
)
