"""The lines of one WebAnno TSV 3 file: layers, sentences, and the annotations of their rows.

    1-2<tab>4-8<tab>Haag<tab>PER[1]|OTH<tab>knows<tab>1-1[1_0]

A row is a token (`1-2`) or a part of one (`1-2.1`). Each feature of a layer has a column; `|` separates annotations that lie on one row,
`[1]` joins those of several rows. A relation stands on the row where it ends; its last column names the row where it begins.
Format: https://inception-project.github.io/releases/36.0/docs/user-guide.html#sect_webannotsv
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import shown, whole_number
from relsift.readers.layers import Layer

FORMAT = re.compile(r"#FORMAT=WebAnno TSV 3\.\d+")
_UNIT = re.compile(r"\d{1,9}-\d{1,9}(?:\.\d{1,9})?")
_OFFSETS = re.compile(r"(\d+)-(\d+)")
_ESCAPE = re.compile(r"\\(->|.)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_ITEM = re.compile(r"((?:\\.|[^\\|])*)", re.DOTALL)
_NUMBERED = re.compile(r"(.*)(?<!\\)\[(\d{1,9})\]", re.DOTALL)
_SOURCE = re.compile(r"(\d{1,9}-\d{1,9}(?:\.\d{1,9})?)(?:\[(\d{1,9})_(\d{1,9})\])?")
_BASE = "BT_"
_SLOT = "ROLE_"


@dataclass(frozen=True, slots=True)
class Columns:
    """A layer and its columns in a row."""

    kind: str  # SP: spans, CH: chains, RL: relations
    layer: Layer
    first: int  # its first column
    names: tuple[str, ...]  # of its columns; ("",) for a layer without features

    def column(self, feature: str | None) -> int:
        """The column of a feature; of the first one for None."""
        return self.first + (0 if feature is None else self.names.index(feature))


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a column."""

    value: str | None  # None: the annotation has no value
    number: int  # what joins it to others; 0: nothing


@dataclass(frozen=True, slots=True)
class Row:
    """A token or a part of one."""

    where: str
    unit: str  # such as 1-2, or 1-2.1
    start: int  # in UTF-16 code units of the document
    end: int
    columns: tuple[str, ...]

    def items(self, column: int) -> list[Item]:
        """The annotations in a column."""
        field_text = self.columns[column]
        if field_text == "_":
            return []
        items = []
        for text in split_items(field_text):
            match = _NUMBERED.fullmatch(text)
            value, number = (match[1], int(match[2])) if match else (text, 0)
            items.append(Item(None if value == "*" else unescaped(value), number))
        return items

    def sources(self, column: int) -> list[tuple[str, int, int]]:
        """Where the relations of this row begin: row, number there, number here. Raises: DataError."""
        found = []
        for text in [] if self.columns[column] == "_" else split_items(self.columns[column]):
            match = _SOURCE.fullmatch(text)
            if match is None:
                raise DataError(f"{self.where}: expected the row where a relation begins, such as 1-1 or 1-1[1_2], got {shown(text)}")
            found.append((match[1], int(match[2] or 0), int(match[3] or 0)))
        return found


@dataclass(slots=True)
class TsvSentence:
    """A sentence, its text, and its rows."""

    where: str
    id: str | None = None
    text_parts: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[DataError] = field(default_factory=list)  # of broken rows; without such a row, annotations over several rows would be cut

    @property
    def text(self) -> str:
        return "\n".join(self.text_parts)


def unescaped(text: str) -> str:
    r"""A value as it was before it was written.

    >>> unescaped(r"a\_b\|c\->d\te")
    'a_b|c->d\te'
    """
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text


def split_items(text: str) -> list[str]:
    r"""The parts between bars that are not escaped.

    >>> split_items(r"a|b\|c")
    ['a', 'b\\|c']
    """
    items, place = [], 0
    while True:
        match = _ITEM.match(text, place)
        end = match.end() if match else len(text)
        items.append(text[place:end])
        if end >= len(text):
            return items
        place = end + 1


def header(lines: list[str], file: Path) -> tuple[list[Columns], list[DataError]]:
    """The layers of a file, in the order of their columns, and the faults of broken ones."""
    layers: list[Columns] = []
    faults: list[DataError] = []
    column = 3
    for number, line in enumerate(lines, start=1):
        if not line.startswith("#T_"):
            if line.startswith("#Text=") or _UNIT.match(line):
                break
            continue
        kind, equals, rest = line[3:].partition("=")
        name, *features = rest.split("|")
        if kind not in ("SP", "CH", "RL") or not equals or not name.strip():
            faults.append(DataError(f"{file}:{number}: expected a layer such as '#T_SP=webanno.custom.Span|value', got {line[:80]!r}"))
            continue
        names = [feature for feature in features if feature]
        bases = frozenset(feature.removeprefix(_BASE) for feature in names if feature.startswith(_BASE))
        usable = tuple(
            feature
            for before, feature in zip(["", *names], names)
            if not feature.startswith((_BASE, _SLOT)) and not before.startswith(_SLOT)  # a slot's second column is its target
        )
        if kind == "RL" and len(bases) != 1:
            faults.append(DataError(f"{file}:{number}: expected a relation layer that ends in '|BT_LAYER', got {line[:80]!r}"))
        columns = tuple(names) or ("",)
        layers.append(Columns(kind, Layer(name, usable, bases), column, columns))
        column += len(columns)
    return layers, faults


def sentences(lines: list[str], file: Path, num_columns: int) -> Iterator[TsvSentence]:
    """The sentences of a file. Rows before the first one are a sentence with a fault."""
    sentence: TsvSentence | None = None
    for number, line in enumerate(lines, start=1):
        where = f"{file}:{number}"
        if line.startswith(("#Text=", "#Sentence.id=")):
            if sentence is None or sentence.rows or sentence.faults:
                if sentence is not None:
                    yield sentence
                sentence = TsvSentence(where)
            name, _, value = line.partition("=")
            if name == "#Text":
                sentence.text_parts.append(unescaped(value))
            else:
                sentence.id = value.strip() or None
        elif not line.strip() or line.startswith(("#FORMAT=", "#T_")) or (line.startswith("#") and not _UNIT.match(line)):
            continue
        elif sentence is None:
            fault = DataError(f"{where}: expected a line '#Text=…' before the first token, got {line[:80]!r}")
            sentence = TsvSentence(where, faults=[fault])
        else:
            try:
                sentence.rows.append(_row(line, where, num_columns))
            except DataError as error:
                sentence.faults.append(error)
    if sentence is not None:
        yield sentence


def _row(line: str, where: str, num_columns: int) -> Row:
    unit, *rest = line.split("\t")
    if len(rest) == num_columns and not rest[-1]:
        rest.pop()  # the tab at the end of a line
    if not _UNIT.fullmatch(unit) or len(rest) != num_columns - 1:
        raise DataError(f"{where}: expected a token such as '1-2<tab>4-8<tab>Haag' with {num_columns} columns, got {line[:80]!r}")
    match = _OFFSETS.fullmatch(rest[0])
    if match is None:
        raise DataError(f"{where}: expected offsets such as 4-8, got {shown(rest[0])}")
    start, end = whole_number(match[1], where), whole_number(match[2], where)
    if start > end:
        raise DataError(f"{where}: expected offsets that rise, got {shown(rest[0])}")
    return Row(where, unit, start, end, (unit, *rest))
