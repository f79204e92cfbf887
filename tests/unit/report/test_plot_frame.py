"""The frame of a plot: its size in inches, series that differ in more than colour, and no trace left in matplotlib."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest

from relsift.errors import ConfigError, DataError
from relsift.report.plot_frame import LETTER, WIDTH, drawing, legend, name_rows, require_content, series_style, svg_text, text_inches

pytest.importorskip("matplotlib")


def drawn(names: list[str]) -> str:
    with drawing(height=2.0, left=1.0, bottom=0.5, top=0.25) as (figure, (axes,)):
        name_rows(axes, names)
        legend(axes, ["series"], lines=True)
        return svg_text(figure)


def test_the_margins_stand_around_the_axes():
    svg = drawn(["a"])
    assert re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups() == (f"{72 * WIDTH:g}", f"{72 * 2.75:g}")  # type: ignore[union-attr]
    assert drawn(["a"]) == svg


def test_rows_are_named_and_text_stays_text():
    names = ["<b>", "关系", "$x$"]
    texts = [element.text for element in ElementTree.fromstring(drawn(names)).iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text in names] == names and "series" in texts


def test_settings_of_the_user_are_as_before_also_after_an_error():
    import matplotlib

    with matplotlib.rc_context({"font.size": 30}):
        before = matplotlib.rcParams.copy()
        with pytest.raises(ZeroDivisionError), drawing(height=1.0, left=1.0):
            assert matplotlib.rcParams["font.size"] == 9.0
            raise ZeroDivisionError
        assert matplotlib.rcParams.copy() == before


def test_neighbouring_series_differ_in_colour_marker_and_dashes_and_every_number_has_a_style():
    for number in range(20):
        assert all(one != other for one, other in zip(series_style(number), series_style(number + 1)))


def test_a_chinese_letter_takes_the_room_of_two():
    assert text_inches(["ab", "关系"]) - text_inches(["ab"]) == pytest.approx(2 * LETTER)
    assert text_inches([]) > 0


def test_nothing_to_draw_is_an_error():
    require_content(["something"])
    with pytest.raises(DataError, match="expected something to draw"):
        require_content([])


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"pip install 'relsift\[report\]'"), drawing(height=1.0, left=1.0):
        pass
