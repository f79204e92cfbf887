"""CoNLL04 "multi-head" text: blocks of one token a line, each block opened by `#doc ID`.

    #doc 7
    0   Ada     B-Peop   ['N']         [0]          five columns, separated by tabs: number, token, BIO tag,
    1   Kern    I-Peop   ['Work_For']  [4]          relation types, and the tokens that they lead to
    ...

Traps: a relation stands on the LAST token of its first argument and points at the LAST token of its second one. The publishers
call the column that is pointed at "head", as dependency parsers do; in our words the line's own entity is the head and the one
pointed at is the tail. `['N']` with the token's own number means "no relation", and the lists are written as in Python, with
single quotes.

Source of the format: Bekoulis et al., Expert Systems with Applications 114 (2018).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, read_text, shown, text_lines, whole_number
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_or_children, read_files
from relsift.readers.records import sentence_from_indices
from relsift.schema import Document, Entity, Relation

_MARK = "#doc"
_NO_RELATION = "N"
_NAME = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")  # as Python writes a string without escapes

SAMPLES = {
    "multihead.txt": "#doc 1\n"
    "0\tAda\tB-Peop\t['N']\t[0]\n"
    "1\tKern\tI-Peop\t['Work_For', 'Live_In']\t[4, 6]\n2\tof\tO\t['N']\t[2]\n3\tAcme\tB-Org\t['N']\t[3]\n"
    "4\tMills\tI-Org\t['OrgBased_In']\t[6]\n5\tin\tO\t['N']\t[5]\n6\tOslo\tB-Loc\t['N']\t[6]\n7\t.\tO\t['N']\t[7]\n"
    "#doc 2\n0\tNobody\tO\t['N']\t[0]\n1\tcame\tO\t['N']\t[1]\n"
}


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    token: str
    tag: str
    links: tuple[tuple[str, int], ...]  # relation type, number of the token pointed at


@dataclass(frozen=True, slots=True)
class _Block:
    where: str
    key: str
    lines: list[tuple[str, str]]  # place and content


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a block, in file order. Raises DataError naming file and line.

    Counts: I- tags that continue no entity (read as the start of one), relations of an entity with itself, duplicate relations, ids that
    stand twice.
    """
    return read_files(path, report, _KIND, partial(_documents, report=report, encoding=encoding), encoding)


def _documents(file: Path, *, report: ReadReport, encoding: str) -> Iterator[Document]:
    for block in _blocks(file, report, encoding):
        with report.leaving_out("sentences"):
            if not block.key:
                raise DataError(f"{block.where}: expected an id after {_MARK}, got none")
            rows = [_row(line, number, where, report) for number, (where, line) in enumerate(block.lines)]
            yield _document(block.key, rows, block.where, report)


def _blocks(file: Path, report: ReadReport, encoding: str) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(text_lines(read_text(file, encoding)), start=1):
        where = f"{file}:{number}"
        if line.startswith(_MARK):
            if block is not None:
                yield block
            block = _Block(where, line[len(_MARK) :].strip(), [])
        elif line.strip():
            with report.leaving_out("lines"):
                if block is None:
                    raise DataError(f"{where}: expected a line '{_MARK} ID' before the first token, got {shown(line)}")
                block.lines.append((where, line))
    if block is None:
        raise DataError(f"{file}:1: expected at least one line '{_MARK} ID', got an empty file")
    yield block


def _row(line: str, position: int, where: str, report: ReadReport) -> _Row:
    columns = line.split("\t")
    if len(columns) != 5:
        raise DataError(f"{where}: expected 5 tab-separated columns, got {len(columns)}: {shown(line)}")
    number, token, tag, types, targets = columns
    if number != str(position):
        raise DataError(f"{where}: expected token number {position}, got {shown(number)}")
    if not token:
        raise DataError(f"{where}: expected a token in the second column, got none")
    if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:].strip()):
        raise DataError(f"{where}: expected the tag O, B-TYPE or I-TYPE, got {shown(tag)}")
    links: list[tuple[str, int]] = []
    with report.leaving_out("relations"):
        links = _links(types, targets, position, where)
    return _Row(where, token, tag, tuple(links))


def _links(types: str, targets: str, position: int, where: str) -> list[tuple[str, int]]:
    type_names = [_name(item, where) for item in _items(types, where)]
    target_tokens = [whole_number(item, where) for item in _items(targets, where)]
    if len(type_names) != len(target_tokens):
        raise DataError(
            f"{where}: expected as many relation types as tokens they lead to, got {shown(types)} and {shown(targets)}"
        )
    links = []
    for type_name, target in zip(type_names, target_tokens):
        if type_name != _NO_RELATION:
            links.append((type_name, target))
        elif target != position:
            raise DataError(f"{where}: expected 'N' (no relation) to lead to its own token {position}, got {target}")
    return links


def _items(text: str, where: str) -> list[str]:
    """The items between the brackets of a list as Python writes it. No item of this format contains a comma."""
    inner = text.strip()
    if not (inner.startswith("[") and inner.endswith("]") and len(inner) > 1):
        raise DataError(f"{where}: expected a list in brackets, got {shown(text)}")
    return [item.strip() for item in inner[1:-1].split(",")] if inner[1:-1].strip() else []


def _name(item: str, where: str) -> str:
    match = _NAME.fullmatch(item)
    name = (match[1] or match[2] or "") if match else ""
    if not name.strip():
        raise DataError(f"{where}: expected a list of names in quotation marks, got the item {shown(item)}")
    return name


def _document(key: str, rows: list[_Row], where: str, report: ReadReport) -> Document:
    entities = _entities(rows, report)
    by_last_token = {entity.end - 1: number for number, entity in enumerate(entities)}
    relations: list[Relation | None] = []
    for position, row in enumerate(rows):
        for name, target in row.links:
            relation = None
            with report.leaving_out("relations", relation=name):
                head, tail = (_ending_at(token, rows, by_last_token, row.where) for token in (position, target))
                relation = Relation(head, tail, name)
            relations.append(relation)
    sentence = sentence_from_indices(key, [row.token for row in rows], entities, relations, report, where=where)
    return Document(key, (sentence,))


def _entities(rows: list[_Row], report: ReadReport) -> list[Entity]:
    spans: list[tuple[int, int, str]] = []
    previous = "O"
    for position, row in enumerate(rows):
        continues = row.tag[:1] == "I" and previous[1:] == row.tag[1:]
        if continues:
            spans[-1] = (spans[-1][0], position + 1, spans[-1][2])
        elif row.tag != "O":
            if row.tag[:1] == "I":
                report.drop("I- tags that continue no entity, read as B-", row.where)
            spans.append((position, position + 1, row.tag[2:]))
        previous = row.tag
    return [Entity(*span) for span in spans]


def _ending_at(position: int, rows: list[_Row], by_last_token: dict[int, int], where: str) -> int:
    if not 0 <= position < len(rows):
        raise DataError(f"{where}: expected a relation to lead to a token 0..{len(rows) - 1} of its block, got {position}")
    if position not in by_last_token:
        got = f"token {position} {shown(rows[position].token)}"
        raise DataError(f"{where}: expected a relation between the last tokens of two entities, got {got}")
    return by_last_token[position]


def _recognises_file(path: Path) -> bool:
    lines = first_lines(path, 2)
    return len(lines) > 1 and lines[0].startswith(f"{_MARK} ") and lines[1].count("\t") == 4 and lines[1].startswith("0\t")


def recognises(path: Path) -> bool:
    """A .txt file that opens with `#doc ID` and a first token of five columns."""
    return file_or_children(path, _KIND)


_KIND = FileKind("multihead", (".txt",), _recognises_file, re.compile(r"^(?:#doc\b|[0-9]+\t)"), least_share=0.5)
READER = Reader(
    name="multihead",
    summary="CoNLL04 multi-head text: one token a line, relations point at last tokens",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
