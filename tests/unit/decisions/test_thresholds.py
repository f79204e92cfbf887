"""The tuned threshold against trying every threshold there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.decisions.thresholds import best_threshold
from relsift.errors import DataError

FEW_LEVELS = st.integers(-3, 3).map(float)  # many ties
SINGLE = st.floats(-1e4, 1e4, width=32)
PAIRS = st.lists(st.tuples(FEW_LEVELS | SINGLE, st.booleans()), min_size=1, max_size=25)


def f1_at(threshold: float, pairs: list[tuple[float, bool]], gold: int) -> float:
    taken = [right for score, right in pairs if score >= threshold]
    return 2 * sum(taken) / (len(taken) + gold)


@given(pairs=PAIRS, missed=st.integers(0, 5))
def test_no_threshold_is_better_and_the_promised_f1_is_reached(pairs, missed):
    gold = max(1, sum(right for _, right in pairs) + missed)
    threshold, f1 = best_threshold([score for score, _ in pairs], [right for _, right in pairs], gold)
    every = [score for score, _ in pairs] + [max(score for score, _ in pairs) + 1]
    assert f1 == max(f1_at(t, pairs, gold) for t in every)
    assert f1_at(threshold, pairs, gold) == f1


@given(pairs=PAIRS)
def test_order_of_the_pairs_does_not_matter(pairs):
    gold = max(1, sum(right for _, right in pairs))
    forth = best_threshold([score for score, _ in pairs], [right for _, right in pairs], gold)
    back = best_threshold([score for score, _ in reversed(pairs)], [right for _, right in reversed(pairs)], gold)
    assert forth == back


def test_it_lies_half_way_between_the_last_taken_and_the_first_left():
    # Taking 4 and 3 gives 2 hits of 2 gold: F1 1. The next score is 1: half-way is 2.
    assert best_threshold([1.0, 4.0, 3.0], [False, True, True], 2) == (2.0, 1.0)


def test_pairs_of_equal_score_stand_or_fall_together():
    # Taking all three: 2 * 2 / (3 + 2) = 0.8; there is no threshold between equal scores.
    assert best_threshold([1.0, 1.0, 1.0], [True, False, True], 2) == (0.0, 0.8)


def test_where_nothing_is_worth_taking_nothing_is_taken():
    threshold, f1 = best_threshold([0.5, 3.0], [False, False], 4)
    assert f1 == 0
    assert threshold > 3.0


def test_gold_relations_that_no_candidate_covers_lower_the_f1():
    assert best_threshold([1.0], [True], 3)[1] == 2 * 1 / (1 + 3)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_finite_number_is_refused(score):
    with pytest.raises(DataError, match="expected finite numbers as scores, got infinity or not-a-number"):
        best_threshold([1.0, score], [True, False], 1)


def test_without_scores_it_refuses():
    with pytest.raises(DataError, match="threshold"):
        best_threshold([], [], 1)
