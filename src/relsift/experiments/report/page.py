"""A report as sections of blocks, written twice: Markdown with its plots beside it, and one HTML page that needs no network and no script.

Blocks hold plain text; the writers escape it, so that a relation called `<b>` or `a|b` stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Literal

from relsift.errors import DataError
from relsift.experiments.report.themes import in_page
from relsift.writers.html import resource


@dataclass(frozen=True)
class Paragraph:
    """kind: a *warning* is to be seen first, a *note* is small print."""

    text: str
    kind: Literal["plain", "warning", "note"] = "plain"


@dataclass(frozen=True, kw_only=True)
class Column:
    """group: a heading over neighbouring columns of the same group, in italics. wrap: long texts, on several lines if need be."""

    title: str
    align: Literal["left", "right"] = "right"
    group: str = ""
    strong: bool = False
    wrap: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """rows: one text a column. notes: under the table."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise DataError(f"report, table {self.title!r}: expected {len(self.columns)} cells a row, got {len(row)}: {row}")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """name: of its file. svg: a whole SVG document. alt: what it shows, in words. command: makes it again; stands after the caption."""

    name: str
    svg: str
    caption: str
    alt: str
    command: str = ""


@dataclass(frozen=True)
class Commands:
    lines: tuple[str, ...]


Block = Paragraph | Table | Figure | Commands


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """top: what stands before the first section."""

    title: str
    sections: tuple[Section, ...]
    top: tuple[Block, ...] = ()

    def blocks(self) -> Iterator[Block]:
        yield from self.top
        for section in self.sections:
            yield from section.blocks


def write_report(report: Report, folder: Path, name: str) -> list[Path]:
    """Write NAME.md, plots/NAME-FIGURE.svg and NAME.html; returns the files.

    Raises: DataError if two figures have one name, or a name that is no file name.
    """
    figures = [block for block in report.blocks() if isinstance(block, Figure)]
    names = [name, *(figure.name for figure in figures)]
    if wrong := [one for one in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", one)]:
        raise DataError(f"report {name!r}: expected names of letters, digits, '.', '_' and '-', got {wrong[0]!r}")
    if twice := [one for one in names[1:] if names[1:].count(one) > 1]:
        raise DataError(f"report {name!r}: expected a name of its own for every figure, got {twice[0]!r} twice")
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    texts = {folder / f"{name}.md": markdown(report, name), folder / f"{name}.html": html(report)}
    texts |= {folder / _plot_file(name, figure): figure.svg for figure in figures}
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _plot_file(name: str, figure: Figure) -> str:
    return f"plots/{name}-{figure.name}.svg"


# ---- Markdown -------------------------------------------------------------------------------------


def markdown(report: Report, name: str) -> str:
    """GitHub's Markdown. name: of the file without `.md`, which the plots' files bear too."""
    parts = [f"# {_md(report.title)}", *(_md_block(block, name) for block in report.top)]
    for section in report.sections:
        parts += [f"## {_md(section.title)}", *(_md_block(block, name) for block in section.blocks)]
    return "\n\n".join(parts) + "\n"


def _md(text: str) -> str:
    """Text that shows as it is. An underscore inside a word needs no backslash, which keeps relation names readable."""
    text = re.sub(r"([\\`*<>\[\]|~$&])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def _md_line(text: str) -> str:
    """The same at the start of a line, where a sign or a number could begin a heading or a list."""
    return re.sub(r"^(#{0,5}|[+=-]*|\d+)([#+=.)-])(?=\s|$)", r"\1\\\2", _md(text))


def _md_block(block: Block, name: str) -> str:
    match block:
        case Paragraph(text, "warning"):
            return f"> **{_md(text)}**"
        case Paragraph(text):
            return _md_line(text)
        case Commands(lines):
            return _md_code(lines)
        case Table():
            return _md_table(block)
        case Figure():
            command = f" Made by {_md_span(block.command)}." if block.command else ""
            return f"![{_md(block.alt)}]({_plot_file(name, block)})\n\n{_md_line(block.caption)}{command}"


def _md_code(lines: tuple[str, ...]) -> str:
    fence = _ticks("".join(lines), 3)
    return "\n".join([fence, *lines, fence])


def _md_span(text: str) -> str:
    ticks = _ticks(text, 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _ticks(text: str, least: int) -> str:
    """More backticks in a row than `text` has anywhere."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall(r"`+", text))])


def _md_table(table: Table) -> str:
    heads = [f"*{_md(c.group)}*: {_md(c.title)}" if c.group else _md(c.title) for c in table.columns]
    rules = ["---:" if column.align == "right" else "---" for column in table.columns]
    rows = [
        [f"**{_md(text)}**" if column.strong and text else _md(text) for text, column in zip(row, table.columns)]
        for row in table.rows
    ]
    lines = ["| " + " | ".join(line) + " |" for line in (heads, rules, *rows)]
    title = [f"**{_md(table.title)}**"] if table.title else []
    return "\n\n".join([*title, "\n".join(lines), *map(_md_line, table.notes)])


# ---- HTML -----------------------------------------------------------------------------------------


def html(report: Report) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    styles = resource("page.css") + files("relsift.experiments.report").joinpath("report.css").read_text(encoding="utf-8")
    numbers = iter(range(1, 1 + sum(isinstance(block, Figure) for block in report.blocks())))
    parts = [
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(report.title)}</title>\n'
        f"<style>{styles}</style>\n</head>\n"
        f'<body class="report">\n<header class="top"><h1>{escape(report.title)}</h1></header>\n<main>\n',
        *(_html_block(block, numbers) for block in report.top),
    ]
    for section in report.sections:
        blocks = "".join(_html_block(block, numbers) for block in section.blocks)
        parts.append(f"<section>\n<h2>{escape(section.title)}</h2>\n{blocks}</section>\n")
    return "".join([*parts, "</main>\n</body>\n</html>\n"])


def _html_block(block: Block, numbers: Iterator[int]) -> str:
    """numbers: of the figures of the page."""
    match block:
        case Paragraph(text, kind):
            return f'<p class="{kind}">{escape(text)}</p>\n'
        case Commands(lines):
            return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>\n"
        case Table():
            return _html_table(block)
        case Figure():
            plot = in_page(block.svg, f"plot{next(numbers)}", escape(block.alt))
            command = f" Made by <code>{escape(block.command)}</code>." if block.command else ""
            caption = f"<figcaption>{escape(block.caption)}{command}</figcaption>"
            return f'<figure>\n<div class="wide">{plot}</div>\n{caption}\n</figure>\n'


def _html_table(table: Table) -> str:
    heads = "".join(f'<th scope="col" class="{c.align}">{escape(c.title)}</th>' for c in table.columns)
    rows = "".join(f"<tr>{_html_cells(row, table.columns)}</tr>\n" for row in table.rows)
    title = f"<caption>{escape(table.title)}</caption>\n" if table.title else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>\n' for note in table.notes)
    return (
        f'<div class="wide"><table class="figures">\n{title}<thead>{_html_groups(table.columns)}<tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n{notes}"
    )


def _html_groups(columns: tuple[Column, ...]) -> str:
    if not any(column.group for column in columns):
        return ""
    runs: list[tuple[str, int]] = []
    for column in columns:
        if runs and runs[-1][0] == column.group:
            runs[-1] = column.group, runs[-1][1] + 1
        else:
            runs.append((column.group, 1))
    heads = (f'<th scope="colgroup" colspan="{span}" class="group">{escape(name)}</th>' for name, span in runs)
    cells = (head if name else f'<td colspan="{span}"></td>' for head, (name, span) in zip(heads, runs))
    return f"<tr>{''.join(cells)}</tr>\n"


def _html_cells(row: tuple[str, ...], columns: tuple[Column, ...]) -> str:
    cells = []
    for place, (text, column) in enumerate(zip(row, columns)):
        shown = f"<strong>{escape(text)}</strong>" if column.strong and text else escape(text)
        kind = f"{column.align} wrap" if column.wrap else column.align
        cells.append(f'<th scope="row" class="{kind}">{shown}</th>' if place == 0 else f'<td class="{kind}">{shown}</td>')
    return "".join(cells)
