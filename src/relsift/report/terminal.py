"""A table on a terminal: aligned plain text, which can be searched and piped, or a table of rich. `visible` is the one rule for text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from relsift.report.blocks import Table
from relsift.report.wording import display_width

if TYPE_CHECKING:
    from rich.table import Table as RichTable


def plain_text(table: Table) -> str:
    """Columns two blanks apart, no last line break; no width is assumed. The title stands above, the notes below."""
    head = [tuple(column.title for column in table.columns)] if _has_head(table) else []
    rows = [tuple(map(visible, row)) for row in (*head, *table.rows)]
    widths = [max(map(display_width, cells)) for cells in zip(*rows)]
    lines = [visible(table.title)] if table.title else []
    for row in rows:
        cells = []
        for text, width, column in zip(row, widths, table.columns):
            blanks = " " * (width - display_width(text))
            cells.append(blanks + text if column.align == "right" else text + blanks)
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *map(visible, table.notes)])


def rich_table(table: Table) -> RichTable:
    """To be printed by a console of rich. Square brackets and `:names:` stay text."""
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(visible(table.title), style="table.title") if table.title else None
    notes = Text("\n".join(map(visible, table.notes)), style="table.caption") if table.notes else None
    result = RichTable(title=title, caption=notes, caption_justify="left", show_header=_has_head(table))
    for column in table.columns:
        result.add_column(Text(visible(column.title)), justify=column.align)
    for number, row in enumerate(table.rows, start=1):
        result.add_row(*(Text(visible(text)) for text in row), end_section=number == len(table.rows) - table.totals)
    return result


def visible(text: str) -> str:
    """Control characters as escapes such as `\\x1b`: a name from the data must not move the cursor or change colours."""
    return "".join(ascii(character)[1:-1] if unicodedata.category(character) == "Cc" else character for character in text)


def _has_head(table: Table) -> bool:
    return any(column.title for column in table.columns)
