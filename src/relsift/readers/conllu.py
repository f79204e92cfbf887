"""CoNLL-U as a source of dependency trees: ten columns a token, blank lines between sentences.

Its trees are added to sentences with the same tokens (`relsift parse --conllu`); `relsift.readers.conllu_data` reads it as data. The
columns FORM, HEAD, DEPREL and XPOS (or UPOS) are read. Multi-word tokens (`3-4`) and empty nodes
(`5.1`) are skipped, since they are no nodes of the basic tree.
Format: https://universaldependencies.org/format.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import read_text, shown, text_lines, whole_number
from relsift.schema import ROOT, Syntax

COLUMNS = 10
_ID, _FORM, _UPOS, _XPOS, _HEAD, _DEPREL = 0, 1, 3, 4, 6, 7
_NONE = "_"


def read_trees(file: Path) -> Iterator[tuple[tuple[str, ...], Syntax]]:
    """Tokens and trees of every sentence, in file order. Raises DataError naming file and line."""
    rows: list[list[str]] = []
    start = 1
    for number, line in enumerate(text_lines(read_text(file)), start=1):
        if line.startswith("#"):
            continue
        if line.strip():
            start = start if rows else number
            rows += _row(line, f"{file}:{number}", len(rows))
        elif rows:
            yield sentence_tree(rows, f"{file}:{start}")
            rows = []
    if rows:
        yield sentence_tree(rows, f"{file}:{start}")


def _row(line: str, where: str, num_rows: int) -> list[list[str]]:
    """The line's columns, if it is a node of the basic tree."""
    columns = line.split("\t")
    if len(columns) != COLUMNS:
        raise DataError(f"{where}: expected {COLUMNS} columns with tabs between, got {len(columns)}: {shown(line)}")
    if "-" in columns[_ID] or "." in columns[_ID]:
        return []
    if columns[_ID] != str(num_rows + 1):
        raise DataError(f"{where}: expected token {num_rows + 1}, got {shown(columns[_ID])}")
    if not columns[_FORM] or not columns[_HEAD].isdecimal():
        raise DataError(f"{where}: expected a form and a number as head, got {shown(columns[_FORM])} and {shown(columns[_HEAD])}")
    whole_number(columns[_HEAD], where)
    return [columns]


def sentence_tree(rows: list[list[str]], where: str) -> tuple[tuple[str, ...], Syntax]:
    """Tokens and tree of the nodes of one sentence, by their ten columns. Raises: DataError for what is no forest."""
    try:
        syntax = Syntax(
            tuple(int(row[_HEAD]) - 1 if row[_HEAD] != "0" else ROOT for row in rows),
            tuple(row[_DEPREL] for row in rows),
            tuple(row[_UPOS] if row[_XPOS] == _NONE else row[_XPOS] for row in rows),
        )
    except DataError as error:
        raise DataError(f"{where}: {error} (tokens counted from 0)") from error
    return tuple(row[_FORM] for row in rows), syntax
