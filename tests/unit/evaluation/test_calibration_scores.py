"""Brier score and log loss against scikit-learn, the calibration error by hand, and which relations are judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from relsift.errors import DataError
from relsift.evaluation.calibration import BINS, calibration_scores, found_probabilities
from relsift.report.calibration import calibration_line, reliability_table
from relsift.schema import Entity, Relation, Sentence


@given(st.lists(st.tuples(st.integers(1, 99).map(lambda n: n / 100), st.booleans()), min_size=2, max_size=60))
def test_brier_score_and_log_loss_are_those_of_scikit_learn(pairs):
    probabilities, right = [p for p, _ in pairs], [r for _, r in pairs]
    scores = calibration_scores(probabilities, right)
    assert scores.brier == pytest.approx(brier_score_loss(right, probabilities, labels=[False, True]))
    assert scores.log_loss == pytest.approx(log_loss(right, probabilities, labels=[False, True]))
    assert sum(part.count for part in scores.bins) == len(pairs) and len(scores.bins) == min(BINS, len(pairs))


def test_the_calibration_error_by_hand():
    # Bins of two: means 0.2, 0.5, 0.9 with shares 0, 1, 0.5 of right ones
    scores = calibration_scores([0.1, 0.9, 0.3, 0.4, 0.9, 0.6], [False, True, False, True, False, True], bins=3)
    assert [(part.count, part.probability, part.right) for part in scores.bins] == [
        (2, pytest.approx(0.2), 0.0), (2, pytest.approx(0.5), 1.0), (2, pytest.approx(0.9), 0.5),
    ]  # fmt: skip
    assert scores.expected_error == pytest.approx((2 * 0.2 + 2 * 0.5 + 2 * 0.4) / 6)
    assert (scores.relations, scores.right) == (6, 3)
    assert "expected calibration error 36.7 % (3 bins of equally many)" in calibration_line(scores)
    assert reliability_table(scores).rows[0][:4] == ("10.0 to 30.0", "2", "20.0", "0.0")


@given(st.permutations([(0.5, True), (0.5, False), (0.5, False), (0.2, False), (0.9, True), (0.5, True), (0.5, False)]))
def test_the_order_of_equal_probabilities_does_not_matter(pairs):
    scores = calibration_scores([p for p, _ in pairs], [r for _, r in pairs], bins=3)
    assert scores.expected_error == pytest.approx((abs(0.2 + 0.5 + 0.5 - 0.8) + 2 * 0.1 + abs(0.5 + 0.9 - 1.4)) / 7)


@pytest.mark.parametrize("values", [[], [1.5], [-0.1], [float("nan")]])
def test_what_is_no_probability_is_refused(values):
    with pytest.raises(DataError, match="calibration: expected probabilities from 0 to 1"):
        calibration_scores(values, [True] * len(values))


def test_found_relations_with_a_probability_are_judged_and_those_missed_are_not():
    entities = tuple(Entity(n, n + 1, "PER") for n in range(3))
    gold = Sentence("s", ("a", "b", "c"), entities, (Relation(0, 1, "knows"), Relation(1, 2, "knows")))
    found = gold.with_relations([Relation(1, 0, "knows", 1.0, 0.8), Relation(0, 2, "knows", 1.0, 0.6), Relation(1, 2, "owns", 2.0)])
    assert found_probabilities([gold], [found], direction="directed") == ([0.8, 0.6], [False, False])
    assert found_probabilities([gold], [found], direction="undirected") == ([0.8, 0.6], [True, False])
    assert np.isclose(calibration_scores([0.8, 0.6], [True, False]).brier, (0.04 + 0.36) / 2)
