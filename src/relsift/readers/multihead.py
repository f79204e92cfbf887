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

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, read_text
from relsift.readers.records import file_or_children, matching_files, sentence_from_indices
from relsift.schema import Document, Entity, Relation

_MARK = "#doc"
_NO_RELATION = "N"
_SUFFIXES = (".txt",)

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


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document a block, in file order. Raises DataError naming file and line.

    Counts: I- tags that continue no entity (read as the start of one), relations of an entity with itself, duplicate relations.
    """
    for file in matching_files(path, report, _recognises_file, *_SUFFIXES):
        for where, key, rows in _blocks(file):
            yield _document(key, rows, where, report)


def _blocks(file: Path) -> Iterator[tuple[str, str, list[_Row]]]:
    """Place, id and rows of each block."""
    key, block_where, rows = "", "", list[_Row]()
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        line = line.rstrip("\r")
        where = f"{file}:{number}"
        if line.startswith(_MARK):
            if block_where:
                yield block_where, key, rows
            key, block_where, rows = line[len(_MARK) :].strip(), where, []
            if not key:
                raise DataError(f"{where}: expected an id after {_MARK}, got none")
        elif line.strip():
            if not block_where:
                raise DataError(f"{where}: expected a line '{_MARK} ID' before the first token, got {line!r}")
            rows.append(_row(line, len(rows), where))
    if not block_where:
        raise DataError(f"{file}:1: expected at least one line '{_MARK} ID', got an empty file")
    yield block_where, key, rows


def _row(line: str, position: int, where: str) -> _Row:
    columns = line.split("\t")
    if len(columns) != 5:
        raise DataError(f"{where}: expected 5 tab-separated columns, got {len(columns)}: {line!r}")
    number, token, tag, types, targets = columns
    if number != str(position):
        raise DataError(f"{where}: expected token number {position}, got {number!r}")
    if tag != "O" and not (tag[:2] in ("B-", "I-") and len(tag) > 2):
        raise DataError(f"{where}: expected the tag O, B-TYPE or I-TYPE, got {tag!r}")
    type_names, target_tokens = _list(types, str, where), _list(targets, int, where)
    if len(type_names) != len(target_tokens):
        raise DataError(f"{where}: expected as many relation types as tokens they lead to, got {types} and {targets}")
    links = []
    for type_name, target in zip(type_names, target_tokens):
        if type_name != _NO_RELATION:
            links.append((type_name, target))
        elif target != position:
            raise DataError(f"{where}: expected 'N' (no relation) to lead to its own token {position}, got {target}")
    return _Row(where, token, tag, tuple(links))


def _list(text: str, kind: type, where: str) -> list[Any]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise DataError(f"{where}: expected a list in brackets, got {text!r}") from error
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        raise DataError(f"{where}: expected a list of {'names' if kind is str else 'token numbers'}, got {text!r}")
    return value


def _document(key: str, rows: list[_Row], where: str, report: ReadReport) -> Document:
    entities = _entities(rows, report)
    by_last_token = {entity.end - 1: number for number, entity in enumerate(entities)}
    relations = [
        Relation(_ending_at(position, rows, by_last_token, row.where), _ending_at(target, rows, by_last_token, row.where), name)
        for position, row in enumerate(rows)
        for name, target in row.links
    ]
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
        got = f"token {position} {rows[position].token!r}"
        raise DataError(f"{where}: expected a relation between the last tokens of two entities, got {got}")
    return by_last_token[position]


def _recognises_file(path: Path) -> bool:
    lines = beginning_of(path).lstrip("\ufeff").split("\n")
    return len(lines) > 1 and lines[0].startswith(f"{_MARK} ") and lines[1].count("\t") == 4 and lines[1].startswith("0\t")


def recognises(path: Path) -> bool:
    """A .txt file that opens with `#doc ID` and a first token of five columns."""
    return file_or_children(path, _recognises_file, *_SUFFIXES)


READER = Reader(
    name="multihead",
    summary="CoNLL04 multi-head text: one token a line, relations point at last tokens",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
)
