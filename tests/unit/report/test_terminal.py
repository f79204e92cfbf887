"""Tables on a terminal: aligned by what it shows, and text from the data stays text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from relsift.report.blocks import Column, Table
from relsift.report.terminal import plain_text, rich_table


def printed(table: Table, **options: object) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80, **options).print(rich_table(table))  # type: ignore[arg-type]
    return stream.getvalue()


def test_columns_are_aligned_by_what_a_terminal_shows():
    table = Table(columns=(Column(align="left"), Column()), rows=(("a", "1"), ("渡轮", "22")))
    assert plain_text(table) == "a      1\n渡轮  22"


def test_plain_text_has_title_head_rows_and_notes_in_this_order():
    table = Table.of(("relation", "F1"), [("LIVES", 61.3)], title="scores", notes=("in percent",))
    assert plain_text(table) == "scores\nrelation    F1\nLIVES     61.3\nin percent"


def test_a_table_without_titles_has_no_head():
    table = Table.list_of([("name", "gazette"), ("language", "zh")])
    assert plain_text(table) == "name      gazette\nlanguage  zh"
    assert printed(table).count("│") == 2 * 3 and "┃" not in printed(table)


def test_a_line_stands_above_the_totals():
    rows = [("a", 1), ("b", 2), ("micro", 3), ("macro", 4)]
    lines = printed(Table.of(("relation", "gold"), rows, totals=2)).splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("├")]
    assert rules == [lines.index(next(line for line in lines if "micro" in line)) - 1]
    assert not any(line.startswith("├") for line in printed(Table.of(("relation", "gold"), rows)).splitlines())


@pytest.mark.parametrize("text", ["[b]bold[/b]", "<b>", "a|b", ":smile:", "关系|[类型]", "[/]"])
def test_text_shows_as_it_is(text: str):
    table = Table.of((text, "F1"), [(text, text)], title=text, notes=(text,))
    assert plain_text(table).count(text) == 5
    assert printed(table).count(text) == 5


def test_control_characters_are_shown_and_not_sent():
    table = Table.of(("name", "F1"), [("\x1b[31mred\r\n", "1")], title="\x1b]0;t\x07", notes=("\x08",))
    for text in (plain_text(table), printed(table, force_terminal=True, no_color=True, color_system=None)):
        assert "\\x1b[31mred\\r\\n" in text and "\\x1b]0;t\\x07" in text and "\\x08" in text
        assert not {"\r", "\x07", "\x08"} & set(text)
        assert "\x1b[31m" not in text and "\x1b]0" not in text
