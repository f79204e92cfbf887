"""Text on a terminal, and tables: aligned plain text, which can be searched and piped, or a table of rich. `printable` escapes all text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relsift.report.blocks import Table
from relsift.report.wording import display_width

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_text(table: Table) -> str:
    """Columns two blanks apart, of any total width, without a last line break; the title above, the notes below."""
    head = [tuple(column.title for column in table.columns)] if _has_head(table) else []
    rows = [tuple(map(printable, row)) for row in (*head, *table.rows)]
    widths = [max(map(display_width, cells)) for cells in zip(*rows)]
    lines = [printable(table.title)] if table.title else []
    for row in rows:
        cells = []
        for text, width, column in zip(row, widths, table.columns):
            blanks = " " * (width - display_width(text))
            cells.append(blanks + text if column.align == "right" else text + blanks)
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *map(printable, table.notes)])


def rich_table(table: Table) -> RichTable:
    """A table for a console of rich. Square brackets and `:names:` in it stay text."""
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(printable(table.title), style="table.title") if table.title else None
    notes = Text("\n".join(map(printable, table.notes)), style="table.caption") if table.notes else None
    result = RichTable(title=title, caption=notes, caption_justify="left", show_header=_has_head(table))
    for column in table.columns:
        result.add_column(Text(printable(column.title)), justify=column.align)
    for number, row in enumerate(table.rows, start=1):
        result.add_row(*(Text(printable(text)) for text in row), end_section=number == len(table.rows) - table.totals)
    return result


def printable(text: str) -> str:
    """What is no visible text as escapes such as `\\x1b` and `\\u202e`: a name from the data must not move the cursor or change colours.

    These are control characters (line breaks and tabs too), line separators, halves of characters (bytes of a file name that are no
    text), and what turns the direction of the text around.
    """
    return _NOT_PRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def _has_head(table: Table) -> bool:
    return any(column.title for column in table.columns)
