"""A report as one HTML page that needs no network and no script. The standard library's `html.escape` is the one rule for text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from relsift.report.blocks import Block, Column, Commands, Figure, Paragraph, Report, Table
from relsift.report.page_frame import page_frame
from relsift.report.themes import in_page


def report(content: Report) -> str:
    """A whole file."""
    before, after = page_frame(content.title, styles=("page.css", "report.css"), body={"class": "report"})
    numbers = iter(range(1, 1 + len(content.figures())))
    parts = [f'<header class="top"><h1>{escape(content.title)}</h1></header>\n<main>\n', *(_block(one, numbers) for one in content.top)]
    for section in content.sections:
        blocks = "".join(_block(one, numbers) for one in section.blocks)
        parts.append(f"<section>\n<h2>{escape(section.title)}</h2>\n{blocks}</section>\n")
    return "".join([before, *parts, "</main>\n", after])


def _block(content: Block, numbers: Iterator[int]) -> str:
    """numbers: of the figures of the page, those not yet used."""
    match content:
        case Paragraph(text, kind):
            return f'<p class="{kind}">{escape(text)}</p>\n'
        case Commands(lines):
            return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>\n"
        case Table():
            return table(content)
        case Figure():
            plot = in_page(content.svg, f"plot{next(numbers)}", escape(content.alt))
            command = f" Made by <code>{escape(content.command)}</code>." if content.command else ""
            caption = f"<figcaption>{escape(content.caption)}{command}</figcaption>"
            return f'<figure>\n<div class="wide">{plot}</div>\n{caption}\n</figure>\n'


def table(content: Table) -> str:
    heads = "".join(f'<th scope="col" class="{c.align}">{escape(c.title)}</th>' for c in content.columns)
    rows = "".join(f"<tr>{_cells(row, content.columns)}</tr>\n" for row in content.rows)
    title = f"<caption>{escape(content.title)}</caption>\n" if content.title else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>\n' for note in content.notes)
    return (
        f'<div class="wide"><table class="figures">\n{title}<thead>{_groups(content.columns)}<tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n{notes}"
    )


def _groups(columns: Sequence[Column]) -> str:
    """A row of headings over neighbouring columns; empty if no column has a group."""
    if not any(column.group for column in columns):
        return ""
    runs: list[tuple[str, int]] = []
    for column in columns:
        if runs and runs[-1][0] == column.group:
            runs[-1] = column.group, runs[-1][1] + 1
        else:
            runs.append((column.group, 1))
    cells = (
        f'<th scope="colgroup" colspan="{span}" class="group">{escape(name)}</th>' if name else f'<td colspan="{span}"></td>'
        for name, span in runs
    )
    return f"<tr>{''.join(cells)}</tr>\n"


def _cells(row: Sequence[str], columns: Sequence[Column]) -> str:
    cells = []
    for place, (text, column) in enumerate(zip(row, columns)):
        content = f"<strong>{escape(text)}</strong>" if column.strong and text else escape(text)
        classes = f"{column.align} wrap" if column.wrap else column.align
        cells.append(f'<th scope="row" class="{classes}">{content}</th>' if place == 0 else f'<td class="{classes}">{content}</td>')
    return "".join(cells)
