"""CoNLL-U as data: tokens, trees, entities, and bridging as the only relation that the format has a convention for.

    # newdoc id = mill
    # global.Entity = eid-etype-head-other
    # text = The mill lost its wheel.
    1<tab>The<tab>…<tab>Entity=(e1-place-2
    2<tab>mill<tab>…<tab>Entity=e1)
    5<tab>wheel<tab>…<tab>Bridge=e1<e2:part|Entity=(e2-object-1)|SpaceAfter=No

Entities stand in the MISC column, see `relsift.readers.conllu_entities`. `Bridge=e1<e2:part` relates an earlier mention of e1 (head) to
the mention of e2 that begins on this row (tail), with the type `part`; without a type it is `bridge`. It is kept if a mention of e1
begins before it in the same sentence, the last one of these; else it is counted as lost. A file without any `Bridge=` is not
annotated with relations. Trees are kept if every token has a head. Coreference is not kept. Words of a multi-word token (`3-4`) are
tokens; if together they do not spell it, the sentence has no character offsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, read_text, shown, text_lines
from relsift.readers.conllu import COLUMNS, sentence_tree
from relsift.readers.conllu_entities import TAG_KEYS, BracketParts, Mention, MiscRow, bracketed_mentions, tagged_mentions
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.records import sentence_from_indices
from relsift.readers.standoff import same_words
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.text import Span

_ID, _FORM, _HEAD, _MISC = 0, 1, 6, 9
_NONE = "_"
_WORD, _RANGE, _EMPTY = re.compile(r"\d{1,9}"), re.compile(r"(\d{1,9})-(\d{1,9})"), re.compile(r"\d{1,9}\.\d{1,9}")
_COMMENT = re.compile(r"#\s*(newdoc(?: id)?|sent_id|text|global\.Entity)\s*(?:=\s*(.*))?")
_BRIDGE = re.compile(r"([^<>:,]+)<([^<>:,]+)(?::([^,]+))?")
_BRIDGE_KEY, _BRIDGE_TYPE = "Bridge", "bridge"
_SPLIT = "SplitAnte"
_ROW = "{}\t{}\t_\t_\t_\t_\t{}\t{}\t_\t{}\n"

SAMPLES = {
    "mill.conllu": "# newdoc id = mill\n# global.Entity = eid-etype-head-other\n# sent_id = mill-1\n# text = The mill lost its wheel.\n"
    + _ROW.format(1, "The", 2, "det", "Entity=(e1-place-2")
    + _ROW.format(2, "mill", 3, "nsubj", "Entity=e1)")
    + _ROW.format(3, "lost", 0, "root", "_")
    + _ROW.format(4, "its", 5, "det", "_")
    + _ROW.format(5, "wheel", 3, "obj", "Bridge=e1<e2:part|Entity=(e2-object-1)|SpaceAfter=No")
    + _ROW.format(6, ".", 3, "punct", "_")
    + "\n# sent_id = mill-2\n# text = It rained.\n"
    + _ROW.format(1, "It", 2, "expl", "_")
    + _ROW.format(2, "rained", 0, "root", "SpaceAfter=No")
    + _ROW.format(3, ".", 2, "punct", "_"),
}


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document per `# newdoc`, or one per file without any.

    Raises: DataError naming file and line; also if the words of a sentence are not those of its `# text`.
    Counts: bridging without an earlier mention in the sentence, split antecedents, and what `relsift.readers.conllu_entities` and
        `sentence_from_indices` count.
    """

    def documents(file: Path) -> Iterator[Document]:
        text = read_text(file, encoding)
        has_relations = f"{_BRIDGE_KEY}=" in text
        for number, block in enumerate(_documents(text_lines(text), file)):
            with report.leaving_out("documents"):
                yield _document(block, block.id or f"{file_key(file, path)}{f'-{number}' if number else ''}", has_relations, report)

    return read_files(path, report, _KIND, documents, encoding)


@dataclass(slots=True)
class _Block:
    """The lines of a sentence, without comments that mean nothing here."""

    where: str
    id: str = ""
    text: str | None = None
    rows: list[tuple[str, list[str]]] = field(default_factory=list)  # place and columns


@dataclass(slots=True)
class _DocumentBlock:
    """The sentences of a document."""

    id: str = ""
    parts: BracketParts = field(default_factory=BracketParts)
    sentences: list[_Block] = field(default_factory=list)


def _documents(lines: Sequence[str], file: Path) -> Iterator[_DocumentBlock]:
    document = _DocumentBlock()
    block: _Block | None = None
    for number, line in enumerate([*lines, ""], start=1):
        where = f"{file}:{number}"
        comment = _COMMENT.fullmatch(line.strip()) if line.startswith("#") else None
        if comment is not None and comment[1].startswith("newdoc"):
            if document.sentences:
                yield document
            document = _DocumentBlock((comment[2] or "").strip(), BracketParts(document.parts.names))
        elif comment is not None and comment[1] == "global.Entity":
            document.parts = BracketParts(tuple((comment[2] or "").strip().split("-")))
        elif not line.strip():
            if block is not None and block.rows:
                document.sentences.append(block)
            block = None
        else:
            block = block or _Block(where)
            if comment is not None and comment[1] == "sent_id":
                block.id = (comment[2] or "").strip()
            elif comment is not None:
                block.text = comment[2] or ""
            elif not line.startswith("#"):
                block.rows.append((where, line.split("\t")))
    if not document.sentences:
        raise DataError(f"{file}:1: expected sentences of {COLUMNS} columns, got none")
    yield document


def _document(block: _DocumentBlock, key: str, has_relations: bool, report: ReadReport) -> Document:
    pieces: list[str] = []
    length = 0
    sentences = []
    for number, one in enumerate(block.sentences):
        with report.leaving_out("sentences"):
            text, sentence = _sentence(one, one.id or f"{key}-{number}", key, block.parts, has_relations, report)
            offsets = sentence.offsets
            moved = None if offsets is None else tuple((start + length, end + length) for start, end in offsets)
            sentences.append(replace(sentence, offsets=moved))
            pieces.append(text)
            length += len(text) + 1
    return Document(key, tuple(sentences), "\n".join(pieces))


def _sentence(
    block: _Block, key: str, doc_id: str, parts: BracketParts, has_relations: bool, report: ReadReport
) -> tuple[str, Sentence]:
    """The sentence's text, and the sentence with offsets into it."""
    words, misc = _rows(block)
    if not words:
        raise DataError(f"{block.where}: expected a sentence with at least one word, got none")
    text, offsets = _text(block)
    if block.text is not None and not same_words(text, block.text):
        raise DataError(f"{block.where}: expected the words of '# text = {block.text[:60]}', got {shown(text)}")
    has_tags = any(name.upper() in TAG_KEYS for row in misc for name in row.values)
    mentions = bracketed_mentions(misc, parts, report) + (tagged_mentions(misc, report) if has_tags else [])
    mentions.sort(key=lambda mention: (mention.start, -mention.end))
    relations = _bridges(misc, mentions, report) if has_relations else None
    entities = [Entity(mention.start, mention.end, mention.type) for mention in mentions]
    sentence = sentence_from_indices(key, [row[_FORM] for row in words], entities, relations, report, where=block.where, doc_id=doc_id)
    has_tree = all(row[_HEAD] != _NONE for row in words)
    return text, replace(sentence, offsets=offsets, syntax=sentence_tree(words, block.where)[1] if has_tree else None)


def _rows(block: _Block) -> tuple[list[list[str]], list[MiscRow]]:
    """The words, and the MISC column of words and empty nodes. Raises: DataError."""
    words: list[list[str]] = []
    misc: list[MiscRow] = []
    for where, columns in block.rows:
        if len(columns) != COLUMNS:
            raise DataError(f"{where}: expected {COLUMNS} columns with tabs between, got {len(columns)}: {shown(chr(9).join(columns))}")
        key = columns[_ID]
        values = dict(pair.partition("=")[::2] for pair in columns[_MISC].split("|") if pair != _NONE)
        if _EMPTY.fullmatch(key):
            misc.append(MiscRow(where, len(words), True, values))
        elif _WORD.fullmatch(key):
            if int(key) != len(words) + 1 or not columns[_FORM].strip():
                raise DataError(f"{where}: expected the form of word {len(words) + 1}, got {shown(key)} {shown(columns[_FORM])}")
            head = columns[_HEAD]
            if head != _NONE and not (head.isascii() and head.isdigit() and len(head) < 10):
                raise DataError(f"{where}: expected a number as head, or '_', got {shown(head)}")
            misc.append(MiscRow(where, len(words), False, values))
            words.append(columns)
        elif not _RANGE.fullmatch(key):
            raise DataError(f"{where}: expected a number such as 3, 3-4 or 3.1 in the first column, got {shown(key)}")
    return words, misc


def _text(block: _Block) -> tuple[str, tuple[Span, ...] | None]:
    """The text, and where the words lie in it; None if the words of a multi-word token do not spell it."""
    text, offsets, last_of_range = "", list[Span](), 0
    spelled = True
    for _, columns in block.rows:
        key, form = columns[_ID], columns[_FORM]
        gap = "" if "SpaceAfter=No" in columns[_MISC].split("|") else " "
        several = _RANGE.fullmatch(key)
        if several is not None:
            first, last_of_range = int(several[1]), int(several[2])
            parts = [other[_FORM] for _, other in block.rows if _WORD.fullmatch(other[_ID]) and first <= int(other[_ID]) <= last_of_range]
            spelled = spelled and "".join(parts) == form
            start = len(text)
            for part in parts:
                offsets.append((start, start + len(part)))
                start += len(part)
            text += form + gap
        elif _WORD.fullmatch(key) and int(key) > last_of_range:
            offsets.append((len(text), len(text) + len(form)))
            text += form + gap
    return text.rstrip(" "), tuple(offsets) if spelled else None


def _bridges(rows: Sequence[MiscRow], mentions: Sequence[Mention], report: ReadReport) -> list[Relation | None]:
    relations: list[Relation | None] = []
    for row in rows:
        if _SPLIT in row.values:
            report.drop("split antecedents, which are not read", row.where)
        for item in filter(None, row.values.get(_BRIDGE_KEY, "").split(",")):
            with report.leaving_out("relations", relation=_BRIDGE_TYPE):
                match = _BRIDGE.fullmatch(item)
                if match is None:
                    raise DataError(f"{row.where}: expected bridging such as e1<e2:part, got {shown(item)}")
                kind = (match[3] or "").strip() or _BRIDGE_TYPE
                tails = [n for n, mention in enumerate(mentions) if mention.key == match[2] and mention.start == row.token]
                before = [n for n, mention in enumerate(mentions) if mention.start <= row.token and n not in tails]
                heads = [n for n in before if mentions[n].key == match[1]]
                if heads and tails:
                    relations.append(Relation(heads[-1], tails[0], kind))
                else:
                    report.lose_relation("bridging without an earlier mention in the sentence", f"{row.where}: {item}", kind)
    return relations


def _recognises_file(path: Path) -> bool:
    rows = [line for line in first_lines(path, 200) if line.strip() and not line.startswith("#")]
    columns = rows[0].split("\t") if rows else []
    return len(columns) == COLUMNS and re.fullmatch(r"1|1-\d+|0\.1", columns[_ID]) is not None


def recognises(path: Path) -> bool:
    """A .conllu file whose first row has ten columns, or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("conllu", (".conllu",), _recognises_file, re.compile(r"^\d+(?:-\d+)?\t(?:[^\t]*\t){8}"))
READER = Reader(
    name="conllu",
    summary="CoNLL-U: trees, entities of the MISC column, bridging",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
