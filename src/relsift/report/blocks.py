"""The parts of a report. Blocks hold plain text, which each output escapes: a relation called `<b>` or `a|b` appears as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from relsift.errors import DataError


@dataclass(frozen=True)
class Paragraph:
    text: str
    kind: Literal["plain", "warning", "note"] = "plain"  # a warning is set in bold, a note in small print


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column of a table is set."""

    title: str = ""
    align: Literal["left", "right"] = "right"
    group: str = ""        # a heading over neighbouring columns of the same group, in italics
    strong: bool = False   # cells in bold
    wrap: bool = False     # long texts, on several lines if need be


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts. Raises DataError if a row has not one text a column."""

    columns: tuple[Column, ...]          # if no column has a title, the terminal shows no head
    rows: tuple[tuple[str, ...], ...]    # one text a column
    title: str = ""
    notes: tuple[str, ...] = ()          # under the table
    totals: int = 0                      # number of last rows that sum up the others; the terminal draws a line above them

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise DataError(f"report, table {self.title!r}: expected {len(self.columns)} cells a row, got {len(row)}: {row}")

    @classmethod
    def of(
        cls,
        titles: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        align: Literal["left", "right"] = "right",
        strong: Collection[str] = (),
        title: str = "",
        notes: tuple[str, ...] = (),
        totals: int = 0,
    ) -> Table:
        """The common form: a left column of names, then columns of one kind.

        Args:
            titles: of the columns.
            rows: cells by `str`.
            align: of all columns but the first.
            strong: titles of bold columns.
            title, notes, totals: as in the class.
        """
        columns = [Column(title=name, align=align, strong=name in strong) for name in titles]
        columns[0] = replace(columns[0], align="left")
        cells = tuple(tuple(map(str, row)) for row in rows)
        return cls(columns=tuple(columns), rows=cells, title=title, notes=notes, totals=totals)

    @classmethod
    def list_of(cls, rows: Iterable[Sequence[str]]) -> Table:
        """Rows without a head, every column flush left; at least one row."""
        cells = tuple(map(tuple, rows))
        return cls(columns=(Column(align="left"),) * len(cells[0]), rows=cells)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A plot with its caption."""

    name: str           # part of the file name, see `file`
    svg: str            # a whole SVG document
    caption: str
    alt: str            # what it shows, in words
    command: str = ""   # that draws it again; printed after the caption

    def file(self, report_name: str) -> str:
        """Path of the plot, relative to the folder of the report."""
        return f"plots/{report_name}-{self.name}.svg"


@dataclass(frozen=True)
class Commands:
    """Lines to type in a shell."""

    lines: tuple[str, ...]


Block = Paragraph | Table | Figure | Commands


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A whole page."""

    title: str
    sections: tuple[Section, ...]
    top: tuple[Block, ...] = ()   # before the first section

    def blocks(self) -> Iterator[Block]:
        yield from self.top
        for section in self.sections:
            yield from section.blocks

    def figures(self) -> list[Figure]:
        return [block for block in self.blocks() if isinstance(block, Figure)]
