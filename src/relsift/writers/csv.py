"""CSV: one row a relation, with the columns of `relsift.integrations.pandas` and the sentence's `text`; quoted as RFC 4180 says.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula, and the text may be a stranger's. Such
texts get an apostrophe before them, and are counted; `csv[formulas=kept]` writes them as they are, for programs. Numbers are never changed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.rows import COLUMNS, KEPT, SENTENCE, relation_rows

ESCAPED, AS_IT_IS = "escaped", "kept"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CRLF = "\r\n"
_DIGITS = 6  # of scores, after the point


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, formulas: str = ESCAPED) -> None:
    with target.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(_LineFeeds(stream), lineterminator=_CRLF)
        rows.writerow([*COLUMNS, *SENTENCE])
        for document in documents:
            for sentence, values in relation_rows(document):
                cells = map(_cell, (*values, sentence.text))
                rows.writerow(cells if formulas == AS_IT_IS else [_escaped(cell, document.id, left_out) for cell in cells])


class _LineFeeds:
    """Ends lines by line feeds alone. The module csv quotes a carriage return in a text only if lines end by one, too."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, row: str) -> None:
        self.stream.write(row.removesuffix(_CRLF) + "\n")


def _cell(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value


def _escaped(cell: Any, document: str, left_out: Omissions) -> Any:
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return cell
    left_out.drop("texts that a spreadsheet takes for a formula (written with an apostrophe before them)", f"document {document}")
    return f"'{cell}"


WRITER = Writer(
    name="csv", summary="a table, one row a relation", suffix=".csv", write=write, keeps=KEPT, options={"formulas": (ESCAPED, AS_IT_IS)},
)  # fmt: skip
