"""Plots are XML, the same bytes each time, hold the numbers they are given, and leave no trace in matplotlib."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hand_made import ONE, TWO, cell, f1_of, results, scores, two_systems

from relsift.errors import DataError
from relsift.experiments.report import plots
from relsift.experiments.report.plots import Line
from relsift.experiments.report.summary import Spread, summaries
from relsift.report.plot_frame import ROW
from relsift.report.themes import SERIES

pytest.importorskip("matplotlib")

ROWS = summaries(two_systems())
CHINESE = scores({"雇佣关系": (3, 1, 2), "a<b>&$x$_y": (1, 2, 1)}, {("雇佣关系", "a<b>&$x$_y"): 1})
CHINESE_ROWS = summaries(results(cell(ONE, 1, 1, CHINESE), cell(TWO, 1, 1, CHINESE)))
POINTS = {0.5: Spread(0.8, {1: 0.7, 2: 0.9}, {}), 15.0: Spread(0.4, {1: 0.4}, {})}
PANELS = {"test part subsampled": [Line("Baseline", POINTS)], "whole test part": [Line("Baseline", POINTS), Line("+Tag", POINTS)]}
EVERY: dict[str, Callable[[], str]] = {
    "f1_by_system": lambda: plots.f1_by_system(ROWS),
    "precision_recall": lambda: plots.precision_recall(ROWS),
    "f1_by_negatives": lambda: plots.f1_by_negatives(PANELS),
    "confusion": lambda: plots.confusion(CHINESE),
    "f1_by_relation": lambda: plots.f1_by_relation(CHINESE_ROWS),
}
each = pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def height(svg: str) -> float:
    return float(re.search(r'height="([\d.]+)pt"', svg)[1])  # type: ignore[index]


@each
def test_a_plot_is_xml_without_a_date_or_a_picture_and_the_same_each_time(draw: Callable[[], str]):
    svg = draw()
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<metadata" not in svg and "<image" not in svg
    assert draw() == svg


@each
def test_settings_of_matplotlib_neither_show_nor_change(draw: Callable[[], str]):
    import matplotlib

    svg = draw()
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        before = matplotlib.rcParams.copy()  # dict() would resolve the backend, which imports pyplot
        assert draw() == svg
        assert matplotlib.rcParams.copy() == before
    assert "matplotlib.pyplot" not in sys.modules


def test_chinese_and_odd_labels_are_text_in_fonts_that_have_them_and_nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = [plots.confusion(CHINESE), plots.f1_by_relation(CHINESE_ROWS)]
    for svg in drawn:
        assert {"雇佣关系", "a<b>&$x$_y"} <= set(texts(svg))
        assert all("'Noto Sans CJK SC'" in style for style in re.findall(r'<text style="([^"]*)"', svg))


def test_the_confusion_matrix_shows_the_counts_in_order_of_support():
    # gold 雇佣关系: 3 right, 1 the other relation, 1 missed; gold of the other: 1 right, 1 missed; spurious: 1 and 1
    labels = texts(plots.confusion(CHINESE))
    names = ["雇佣关系", "a<b>&$x$_y", plots.NO_RELATION]
    assert [text for text in labels if text in names] == names * 2
    assert [text for text in labels if text.isdigit() or text == "–"] == ["3", "1", "1", "1", "1", "1", "1", "–"]


def test_a_plot_of_systems_grows_with_them_and_names_each():
    one, two = plots.f1_by_system(ROWS[:1]), plots.f1_by_system(ROWS)
    assert height(two) - height(one) == pytest.approx(72 * ROW)
    assert {"Baseline", "+Tag"} <= set(texts(two)) and "+Tag" not in texts(one)


def test_lines_that_stand_in_several_panels_look_alike_and_the_panels_have_titles():
    svg = plots.f1_by_negatives(PANELS)
    assert {"test part subsampled", "whole test part", "Baseline", "+Tag"} <= set(texts(svg))
    colours = [colour for colour in re.findall(r"stroke: (#[0-9a-f]{6}); stroke-width: 1\.6", svg) if colour in SERIES]
    assert set(colours[:3]) == {SERIES[0], SERIES[1]} and colours[0] == colours[1] == SERIES[0]


def test_a_relation_that_one_system_lacks_gets_no_mark_of_it():
    lacking = summaries(results(cell(ONE, 1, 1, scores({"a": (1, 0, 0), "b": (1, 0, 1)})), cell(TWO, 1, 1, f1_of(1, 0, 0))))
    assert {"a", "b", "r"} <= set(texts(plots.f1_by_relation(lacking)))


@pytest.mark.parametrize("draw", [plots.f1_by_system, plots.precision_recall, plots.f1_by_relation])
def test_names_longer_than_a_plot_keep_their_ends(draw):
    long = [replace(system, title=f"{system.title} {'of a model with a long name ' * 9}{system.name}") for system in (ONE, TWO)]
    tested = scores({f"works {'for and with ' * 20}one": (3, 1, 2), "based": (1, 2, 1)})
    shown = texts(draw(summaries(results(*(cell(system, fold, 1, tested) for system in long for fold in (1, 2)), systems=tuple(long)))))
    assert any(text.startswith("Baseline") and "…" in text and text.endswith("one") for text in shown)
    assert max(map(len, shown)) <= 33


def test_nothing_to_draw_is_said():
    for draw in (lambda: plots.f1_by_system([]), lambda: plots.confusion(scores({})), lambda: plots.f1_by_negatives({})):
        with pytest.raises(DataError, match="expected something to draw"):
            draw()
