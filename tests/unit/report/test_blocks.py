"""Tables as blocks: their common forms and what they refuse."""

from __future__ import annotations

import pytest

from relsift.errors import DataError
from relsift.report.blocks import Column, Figure, Paragraph, Report, Section, Table


def test_a_row_of_another_length_is_refused():
    with pytest.raises(DataError, match="expected 2 cells a row, got 1"):
        Table(columns=(Column(title="system"), Column(title="F1")), rows=(("a",),))


def test_the_common_form_has_names_to_the_left_and_numbers_to_the_right():
    table = Table.of(("system", "F1", "seeds"), [("base", 61.3, 2)], strong=("F1",), title="t", notes=("n",), totals=1)
    assert table.columns == (Column(title="system", align="left"), Column(title="F1", strong=True), Column(title="seeds"))
    assert table.rows == (("base", "61.3", "2"),)
    assert (table.title, table.notes, table.totals) == ("t", ("n",), 1)
    assert {column.align for column in Table.of(("name", "state"), [], align="left").columns} == {"left"}


def test_a_report_knows_its_figures_in_order():
    one, two = (Figure(name=name, svg="", caption="", alt="") for name in ("one", "two"))
    report = Report("t", (Section("s", (Paragraph("p"), two)),), top=(one,))
    assert report.figures() == [one, two]
    assert one.file("table1") == "plots/table1-one.svg"
