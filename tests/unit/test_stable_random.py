"""Draws that depend on their key alone."""

from __future__ import annotations

from collections import Counter

from relsift.stable_random import RANGE, stable_integer


def test_a_draw_never_changes():
    # The choices of a saved model are made with it, and must be made the same way for ever.
    assert stable_integer(0, "word") == 11125813976033999948
    assert stable_integer(1, ["张", "é"], 2) == stable_integer(1, ("张", "é"), 2) == 4996097584420071830


def test_keys_that_only_look_alike_are_drawn_apart():
    keys = ((1, "a"), ("1", "a"), (1, ["a"]), ("1a",), (1, "a", ""))
    assert len({stable_integer(*key) for key in keys}) == 5


def test_draws_are_spread_evenly_over_the_range():
    tenths = Counter(10 * stable_integer(7, number) // RANGE for number in range(20_000))
    assert sorted(tenths) == list(range(10))
    assert all(abs(count - 2000) < 5 * 1800**0.5 for count in tenths.values())  # five standard deviations
