"""Draws that depend on their key alone."""

from __future__ import annotations

from collections import Counter

from relsift.draws import RANGE, draw


def test_a_draw_never_changes():
    # The choices of a saved model are made with it, and must be made the same way for ever.
    assert draw(0, "word") == 11125813976033999948
    assert draw(1, ["张", "é"], 2) == draw(1, ("张", "é"), 2) == 4996097584420071830


def test_keys_that_only_look_alike_are_drawn_apart():
    assert len({draw(1, "a"), draw("1", "a"), draw(1, ["a"]), draw("1a"), draw(1, "a", "")}) == 5


def test_draws_are_spread_evenly_over_the_range():
    tenths = Counter(10 * draw(7, number) // RANGE for number in range(20_000))
    assert sorted(tenths) == list(range(10))
    assert all(abs(count - 2000) < 5 * 1800**0.5 for count in tenths.values())  # five standard deviations
