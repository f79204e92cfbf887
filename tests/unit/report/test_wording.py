"""How numbers are written, and how wide a text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.report.wording import counted, display_width, interval, p_value, percent, points, shortened, with_deviation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.6125), "61.3"), (percent(None), "–"), (points(-0.00049), "0.0"), (points(0.01), "+1.0"),
        (points(-0.013), "−1.3"), (p_value(0.0099), "0.0099"), (p_value(0.01), "0.010"),
        (p_value(1.0), "1.000"), (p_value(0.00009), "< 0.0001"), (counted(1, "fold"), "1 fold"),
        (counted(1441, "cell"), "1,441 cells"), (with_deviation(0.613, 0.012), "61.3 ± 1.2"), (with_deviation(0.613, None), "61.3"),
        (interval((-0.003, 0.012)), "−0.3 to +1.2"),
    ],
)  # fmt: skip
def test_how_numbers_are_written(text: str, expected: str):
    assert text == expected


@pytest.mark.parametrize(("text", "width"), [("", 0), ("Ada", 3), ("渡轮", 4), ("Ada，渡轮", 9), ("é", 1)])
def test_a_chinese_character_takes_two_columns(text: str, width: int):
    assert display_width(text) == width


def test_a_long_name_keeps_its_ends_and_a_short_one_stays():
    assert shortened("pcnn", 4) == "pcnn"
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert shortened("pipeline, pairs of found entities", 12) == "pipeli…ities"


@given(st.text(max_size=40), st.integers(3, 30))
def test_a_shortened_name_has_at_most_so_many_columns(text, most):
    assert display_width(shortened(text, most)) <= most
