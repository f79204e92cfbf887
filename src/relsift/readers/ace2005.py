"""ACE 2005: a source text `X.sgm` and its annotation `X.apf.xml` side by side, or a folder of such pairs (LDC2006T06, licensed).

Offsets count the characters of the .sgm with its tags removed and everything else as it is: line ends kept, `&amp;` is five
characters. START and END are both inclusive. A mention has an extent ("the mayor of Lund, who …") and a head ("mayor"). Options:

    extent: head or full, which of the two spans is the entity.
    entity_types: coarse (7 types, `GPE`) or subtype (`GPE:Nation`). The subtype is kept beside the coarse type as well.
    relation_types: coarse (6 types, `PART-WHOLE`) or subtype (18, `PART-WHOLE:Geographical`).
    language: automatic, en (words) or zh (every character is a token).
    line_ends: kept or lf. The offsets count one character a line end; lf reads an .sgm whose line ends became CR LF in that way.

Only the TEXT body is read. It is split at its tags (turns, posts, speakers) and, since its lines are wrapped, at full stops and
blank lines, but never inside the extent of a relation mention. Of a document in several annotation passes, the last is read.
"""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, found_beside, input_files, is_hidden, read_text, shown, whole_number
from relsift.readers.encodings import UTF8
from relsift.readers.folders import each_file
from relsift.readers.markup import Element, Markup, parse
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets, same_words
from relsift.schema import Document
from relsift.sentences import split_sentences
from relsift.text import Span
from relsift.token_text import is_cjk

_APF, _SGM = ".apf.xml", ".sgm"
_TAG = re.compile(r"<(/?\w*+)[^<>]*+>")  # possessive, so that a text of "<" takes linear time
_PASSES = ("timex2norm", "adj", "fp2", "fp1")  # the release's folders of annotation passes, the last pass first
_UNUSED = {"value": "values", "timex2": "times", "event": "events"}

SAMPLES = {
    "town.sgm": "<DOC>\n<DOCID> TOWN_1 </DOCID>\n<BODY>\n<HEADLINE>\nNews\n</HEADLINE>\n<TEXT>\n"
    "Ida Holm, the mayor of\nLund &amp; Co, left. It rained.\n</TEXT>\n</BODY>\n</DOC>\n",
    "town.apf.xml": '<?xml version="1.0"?>\n<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">\n'
    '<source_file URI="town.sgm" SOURCE="newswire" TYPE="text" AUTHOR="LDC" ENCODING="UTF-8">\n<document DOCID="TOWN_1">\n'
    '<entity ID="TOWN_1-E1" TYPE="PER" SUBTYPE="Individual" CLASS="SPC">\n'
    '<entity_mention ID="TOWN_1-E1-1" TYPE="NOM" LDCTYPE="NOM">\n'
    '<extent><charseq START="29" END="54">the mayor of\nLund &amp; Co</charseq></extent>\n'
    '<head><charseq START="33" END="37">mayor</charseq></head>\n</entity_mention>\n</entity>\n'
    '<entity ID="TOWN_1-E2" TYPE="ORG" SUBTYPE="Commercial" CLASS="SPC">\n'
    '<entity_mention ID="TOWN_1-E2-1" TYPE="NAM" LDCTYPE="NAM">\n'
    '<extent><charseq START="42" END="54">Lund &amp; Co</charseq></extent>\n'
    '<head><charseq START="42" END="54">Lund &amp; Co</charseq></head>\n</entity_mention>\n</entity>\n'
    '<relation ID="TOWN_1-R1" TYPE="ORG-AFF" SUBTYPE="Employment" TENSE="Past" MODALITY="Asserted">\n'
    '<relation_argument REFID="TOWN_1-E1" ROLE="Arg-1"/>\n<relation_argument REFID="TOWN_1-E2" ROLE="Arg-2"/>\n'
    '<relation_mention ID="TOWN_1-R1-1" LEXICALCONDITION="Preposition">\n'
    '<extent><charseq START="29" END="54">the mayor of\nLund &amp; Co</charseq></extent>\n'
    '<relation_mention_argument REFID="TOWN_1-E1-1" ROLE="Arg-1"/>\n'
    '<relation_mention_argument REFID="TOWN_1-E2-1" ROLE="Arg-2"/>\n</relation_mention>\n</relation>\n'
    "</document>\n</source_file>\n",
}


@dataclass(frozen=True, slots=True)
class _Source:
    """A source file without its tags."""

    text: str  # the text in which offsets count
    bodies: list[Span]  # of the TEXT elements
    tags: list[int]  # offsets inside the bodies at which a tag was removed

    def has_inside(self, span: Span) -> bool:
        """Whether a body holds the whole span."""
        number = bisect.bisect_right(self.bodies, (span[0], len(self.text))) - 1
        return number >= 0 and span[1] <= self.bodies[number][1]


def read(
    path: Path,
    report: ReadReport,
    *,
    extent: str = "head",
    entity_types: str = "coarse",
    relation_types: str = "coarse",
    language: str = "automatic",
    line_ends: str = "kept",
    encoding: str = UTF8,
) -> Iterator[Document]:
    """Yield one document per pair, sorted by path. Raises DataError naming file and line.

    Counts: entities outside the TEXT body or whose words are not at their offsets, times, values, events, time and value
        arguments of relations, entities and relations without a mention (metonymy), earlier annotation passes, ids that stand twice, and
        what `document_from_offsets` counts.

    Args: encoding: of the .sgm files; an .apf.xml says itself in which one it is.
    """

    def documents(file: Path) -> Iterator[Document]:
        with report.leaving_out("documents"):
            markup = parse(file)
            source = _source(found_beside(file, _APF, _SGM) or _with(file, _APF, _SGM), encoding, lf=line_ends == "lf")
            document = markup.child(markup.root, "document")
            further = [other for other in markup.root.iter("document") if other is not document]
            if further:
                raise DataError(f"{markup.where(further[0])}: expected one <document> a file, as one .sgm belongs to it, got a second one")
            mentions, dropped = _entities(markup, document, source, report, head=extent == "head", fine=entity_types == "subtype")
            relations, extents = _relations(markup, document, mentions, dropped, report, fine=relation_types == "subtype")
            yield document_from_offsets(
                markup.get(document, "DOCID"),
                source.text,
                list(mentions.values()),
                relations,
                report,
                where=str(file),
                sentences=_sentences(source, [*extents, *((e.start, e.end) for e in mentions.values())]),
                characters=language == "zh" or (language == "automatic" and _is_chinese(source)),
            )

    return each_file(_files(path, report), report, documents)


def _with(file: Path, suffix: str, other: str) -> Path:
    return file.with_name(file.name[: len(file.name) - len(suffix)] + other)


def _files(path: Path, report: ReadReport) -> list[Path]:
    if path.suffix.lower() == _SGM:
        path = found_beside(path, _SGM, _APF) or _with(path, _SGM, _APF)
    files = [file for file in input_files(path, ".xml") if file.name.lower().endswith(_APF)]
    if not files:
        raise DataError(f"{path}: expected {_APF} files beside .sgm files, got none")
    file_of: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: (_PASSES.index(f.parent.name) if f.parent.name in _PASSES else len(_PASSES), f)):
        chosen = file_of.setdefault(file.name, file)
        if chosen is not file:
            if chosen.parent.name == file.parent.name or not {chosen.parent.name, file.parent.name} <= set(_PASSES):
                raise DataError(f"{file}: expected a document once, or once a pass ({'/'.join(_PASSES)}), got it in {chosen} too")
            report.drop("files of an earlier annotation pass", str(file))
    return sorted(file_of.values())


def _source(file: Path, encoding: str, *, lf: bool = False) -> _Source:
    """Raises DataError if the file is missing or has no <TEXT> … </TEXT>."""
    if not file.is_file():
        raise DataError(f"{file}: expected the source text beside the annotation, got no such file")
    raw = read_text(file, encoding)
    raw = raw.replace("\r\n", "\n") if lf else raw
    pieces: list[str] = []
    bodies: list[Span] = []
    tags: list[int] = []
    length = tag_end = 0
    body_start: int | None = None
    for match in _TAG.finditer(raw):
        pieces.append(raw[tag_end : match.start()])
        length += match.start() - tag_end
        tag_end = match.end()
        name = match.group(1).upper()
        if name == "TEXT":
            body_start = length
        elif name == "/TEXT" and body_start is not None:
            bodies.append((body_start, length))
            body_start = None
        elif body_start is not None:
            tags.append(length)
    pieces.append(raw[tag_end:])
    if not bodies or body_start is not None:
        raise DataError(f"{file}: expected <TEXT> … </TEXT>, got {'no </TEXT>' if body_start is not None else 'neither'}")
    return _Source("".join(pieces), bodies, tags)


def _entities(
    markup: Markup, document: Element, source: _Source, report: ReadReport, *, head: bool, fine: bool
) -> tuple[dict[str, TextEntity], set[str]]:
    """The mentions by id, and the ids that relations may name but that are no entity here: dropped mentions, times and values."""
    mentions: dict[str, TextEntity] = {}
    dropped: set[str] = set()
    misplaced: list[str] = []
    num_placed = 0  # mentions whose words are at their offsets
    for entity in document.iter("entity"):
        entity_mentions = list(entity.iter("entity_mention"))
        if not entity_mentions:
            report.drop("entities without a mention", markup.where(entity))
        for mention in entity_mentions:
            with report.leaving_out("entities"):
                mention_id = markup.get(mention, "ID")
                if mention_id in mentions or mention_id in dropped:
                    raise DataError(f"{markup.where(mention)}: expected each id once, got {shown(mention_id)} again")
                dropped.add(mention_id)  # until it is kept
                kind = markup.get(entity, "TYPE")
                subtype = f"{kind}:{entity.get('SUBTYPE')}" if entity.get("SUBTYPE") else None
                charseq = markup.child(mention, "head" if head else "extent", "charseq")
                start, end = _span(markup, charseq, source.text)
                words, expected = source.text[start:end], charseq.text or ""
                if not _same_mention(html.unescape(words), html.unescape(expected)):
                    misplaced.append(f"{markup.where(charseq)}: expected {shown(expected)} for {mention_id}, got {shown(words)}")
                    continue
                num_placed += 1
                if not words.strip():
                    raise DataError(f"{markup.where(charseq)}: expected some text for {mention_id}, got only blanks")
                if not source.has_inside((start, end)):
                    report.lose_entity("entities outside the TEXT body", f"{markup.where(charseq)}: {mention_id} {shown(words)}")
                    continue
                dropped.discard(mention_id)
                mentions[mention_id] = TextEntity(mention_id, start, end, subtype if fine and subtype else kind, subtype)
    if len(misplaced) > num_placed:
        total = len(misplaced) + num_placed
        rewritten = "the .sgm has CR LF as line end, so read it with ace2005[line_ends=lf]"
        hint = rewritten if "\r\n" in source.text else "was the .sgm rewritten?"
        raise DataError(f"{misplaced[0]}, and so for {len(misplaced)} of {total} mentions; {hint}")
    for place in misplaced:
        report.lose_entity("entities whose words are not at their offsets", place)
    dropped |= _unused(markup, document, mentions, report)
    return mentions, dropped


def _unused(markup: Markup, document: Element, mentions: Collection[str], report: ReadReport) -> set[str]:
    """Counts times, values and events; returns the ids of their mentions."""
    ids: set[str] = set()
    for tag, reason in _UNUSED.items():
        for element in document.iter(tag):
            report.drop(reason, markup.where(element))
            ids.update(mention.get("ID", "") for mention in element.iter(f"{tag}_mention"))
    for mention_id in sorted(ids.intersection(mentions)):
        raise DataError(f"{markup.file}: expected each id once, got {shown(mention_id)} for an entity and for a time, value or event")
    return ids


def _relations(
    markup: Markup, document: Element, mentions: dict[str, TextEntity], dropped: set[str], report: ReadReport, *, fine: bool
) -> tuple[list[TextRelation], list[Span]]:
    """The relations between mentions, and the extents of their mentions in the text."""
    relations: list[TextRelation] = []
    extents: list[Span] = []
    for relation in document.iter("relation"):
        relation_type = relation.get("TYPE", "")
        if fine and relation.get("SUBTYPE"):
            relation_type += f":{relation.get('SUBTYPE')}"
        relation_mentions = list(relation.iter("relation_mention"))
        if not relation_mentions:
            report.drop("relations without a mention", f"{markup.where(relation)}: {relation_type}")
        for mention in relation_mentions:
            with report.leaving_out("relations", relation=relation_type or None):
                markup.get(relation, "TYPE")
                head, tail = _arguments(markup, mention, mentions, dropped, report)
                if head in dropped or tail in dropped:
                    report.lose_relation("relations of a dropped entity, a time or a value", markup.where(mention), relation_type)
                    continue
                charseq = mention.find("extent/charseq")
                if charseq is not None:
                    extents.append(_span(markup, charseq, None))
                relations.append(TextRelation(head, tail, relation_type))
    return relations, extents


def _arguments(
    markup: Markup, mention: Element, mentions: Collection[str], dropped: Collection[str], report: ReadReport
) -> tuple[str, str]:
    """The ids of Arg-1 and Arg-2."""
    arguments: dict[str, str] = {}
    for argument in mention.iter("relation_mention_argument"):
        where = markup.where(argument)
        role, mention_id = markup.get(argument, "ROLE"), markup.get(argument, "REFID")
        if role not in ("Arg-1", "Arg-2"):
            report.drop("time and value arguments of relations", f"{where}: {role}")
        elif mention_id not in mentions and mention_id not in dropped:
            raise DataError(f"{where}: expected the id of a mention of this file, got {shown(mention_id)}")
        elif role in arguments:
            raise DataError(f"{where}: expected {role} once in a relation mention, got it again")
        else:
            arguments[role] = mention_id
    if len(arguments) != 2:
        raise DataError(
            f"{markup.where(mention)}: expected the arguments Arg-1 and Arg-2, got {', '.join(arguments) or 'neither'}"
        )
    return arguments["Arg-1"], arguments["Arg-2"]


def _same_mention(words: str, expected: str) -> bool:
    """The same words, without further blanks at the edges: in a file with exclusive ends most mentions would end in one."""
    no_further_blanks = len(words) - len(words.strip()) <= len(expected) - len(expected.strip())
    return no_further_blanks and same_words(words, expected)


def _span(markup: Markup, charseq: Element, text: str | None) -> Span:
    """The half-open span from START and END, both inclusive; checked against the text if given."""
    where = markup.where(charseq)
    start, end = (whole_number(markup.get(charseq, name), f"{where}: {name}") for name in ("START", "END"))
    if not 0 <= start <= end or (text is not None and end >= len(text)):
        inside = "" if text is None else f" within {len(text)} characters"
        raise DataError(f"{where}: expected START <= END{inside}, got START='{start}' END='{end}'")
    return start, end + 1


def _sentences(source: _Source, keep: list[Span]) -> list[Span]:
    """The sentences of the bodies, split at tags first. Spans of `keep` are never split."""
    keep = sorted(keep)
    starts = [start for start, _ in keep]
    furthest = list(accumulate((end for _, end in keep), max))  # the furthest end of the spans so far
    sentences: list[Span] = []
    for body_start, body_end in source.bodies:
        tags = source.tags[bisect.bisect_right(source.tags, body_start) : bisect.bisect_left(source.tags, body_end)]
        breaks = [tag for tag in tags if (before := bisect.bisect_left(starts, tag)) == 0 or furthest[before - 1] <= tag]
        for left, right in pairwise([body_start, *breaks, body_end]):
            near = keep[bisect.bisect_left(starts, left) : bisect.bisect_left(starts, right)]
            keep_inside = [(start - left, end - left) for start, end in near if end <= right]
            sentences += [(left + a, left + b) for a, b in split_sentences(source.text[left:right], keep_inside, wrapped=True)]
    return sentences


def _is_chinese(source: _Source) -> bool:
    letters = [character for first, last in source.bodies for character in source.text[first:last] if character.isalpha()]
    return sum(map(is_cjk, letters)) > len(letters) / 2


def recognises(path: Path) -> bool:
    """An .apf.xml file or its .sgm, or a folder with such a pair."""
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.name.lower().endswith(_APF) and not is_hidden(file, path))
        first = next(files, None)
        return first is not None and recognises(first)
    if path.suffix.lower() == _SGM:
        return found_beside(path, _SGM, _APF) is not None
    return path.name.lower().endswith(_APF) and "<source_file" in beginning_of(path)


READER = Reader(
    name="ace2005",
    summary="ACE 2005: .sgm sources with .apf.xml annotation, English and Chinese",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={
        "extent": ("head", "full"),
        "entity_types": ("coarse", "subtype"),
        "relation_types": ("coarse", "subtype"),
        "language": ("automatic", "en", "zh"),
        "line_ends": ("kept", "lf"),
    },
    has_encoding=True,
)
