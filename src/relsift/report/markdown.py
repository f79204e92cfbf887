"""Blocks as GitHub's Markdown. `escape` is the one rule for text; code keeps its backticks by a longer fence."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from relsift.report.blocks import Block, Commands, Figure, Paragraph, Report, Section, Table
from relsift.report.terminal import printable


def report(content: Report, name: str) -> str:
    """The text of a whole Markdown file. name: of the file without `.md`; the names of the plots begin with it."""
    top = (block(part, name) for part in content.top)
    return "\n\n".join([f"# {escape(content.title)}", *top, *(section(part, name) for part in content.sections)]) + "\n"


def section(content: Section, name: str) -> str:
    """A heading of the second level and its blocks, without a last line break; `name` as for `report`."""
    return "\n\n".join([f"## {escape(content.title)}", *(block(part, name) for part in content.blocks)])


def block(content: Block, name: str) -> str:
    """Without a last line break; `name` as for `report`."""
    match content:
        case Paragraph(text, "warning"):
            return f"> **{escape(text)}**"
        case Paragraph(text):
            return _line(text)
        case Commands(lines):
            return _code_block(lines)
        case Table():
            return table(content)
        case Figure():
            command = f" Made by {_code_span(content.command)}." if content.command else ""
            return f"![{escape(content.alt)}]({content.file(name)})\n\n{_line(content.caption)}{command}"


def table(content: Table) -> str:
    """A table with its title above and its notes below, without a last line break."""
    heads = [f"*{escape(c.group)}*: {escape(c.title)}" if c.group else escape(c.title) for c in content.columns]
    rules = ["---:" if column.align == "right" else "---" for column in content.columns]
    rows = [
        [f"**{escape(text)}**" if column.strong and text else escape(text) for text, column in zip(row, content.columns)]
        for row in content.rows
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, rules, *rows)]
    title = [f"**{escape(content.title)}**"] if content.title else []
    return "\n\n".join([*title, "\n".join(lines), *map(_line, content.notes)])


def escape(text: str) -> str:
    """Markdown that displays the text as it is. An underscore inside a word needs no backslash, which keeps relation names readable.

    What could begin HTML is an entity: not every program for Markdown takes a backslash before it. Control characters are escapes.
    """
    text = html.escape(printable(" ".join(text.split())), quote=False)
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def _line(text: str) -> str:
    """Escape a text that starts a line, where a sign or a number could begin a heading or a list."""
    return re.sub(r"^(#{0,5}|[+=-]*|\d+)([#+=.)-])(?=\s|$)", r"\1\\\2", escape(text))


def _code_block(lines: Sequence[str]) -> str:
    lines = [_code(line) for line in lines]
    fence = _ticks("".join(lines), 3)
    return "\n".join([fence, *lines, fence])


def _code_span(text: str) -> str:
    text = _code(text)
    ticks = _ticks(text, 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _code(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _ticks(text: str, least: int) -> str:
    """More backticks in a row than `text` has anywhere."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall(r"`+", text))])
