"""Means and spreads by hand, pooled counts, and the mean curve against a literal loop."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import CURVE, ONE, TWO, cell, f1_of, results, scores, two_systems
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.evaluation.scores import Scores
from relsift.experiments.report.summary import (
    GRID,
    MeanCurve,
    Spread,
    average_precision,
    confusion_counts,
    interpolated,
    pool,
    sampled,
    summaries,
    summarise,
)
from relsift.experiments.result import Curve

ROOT_HALF = 0.5**0.5  # the standard deviation of two numbers is their distance over the root of two


def test_means_and_spreads_over_folds_and_over_seeds():
    f1 = summarise(two_systems(), ONE).f1
    assert f1.mean == pytest.approx(0.65)
    assert f1.by_fold == pytest.approx({1: 0.6, 2: 0.7}) and f1.over_folds == pytest.approx(0.1 * ROOT_HALF)
    assert f1.by_seed == pytest.approx({1: 0.55, 2: 0.75}) and f1.over_seeds == pytest.approx(0.2 * ROOT_HALF)


def test_each_measure_of_each_average_is_that_of_the_scores():
    test = scores({"a": (2, 1, 0), "b": (0, 2, 3)})
    summary = summarise(results(cell(ONE, 1, 1, test)), ONE)
    for average, prf in test.averages.items():
        for measure in ("precision", "recall", "f1"):
            assert summary.scores[average][measure].mean == pytest.approx(getattr(prf, measure))
    assert summary.scores["macro"]["recall"].mean == pytest.approx(0.5)  # 1 and 0
    assert (summary.cells, summary.folds, summary.seeds) == (1, (1,), (1,))


def test_one_fold_or_one_seed_has_no_spread():
    f1 = summarise(results(cell(ONE, 1, 1, f1_of(1, 1, 1)), cell(ONE, 1, 2, f1_of(2, 1, 1))), ONE).f1
    assert f1.over_folds is None and f1.over_seeds is not None


def test_a_seed_that_lacks_a_fold_is_compared_on_the_folds_that_all_seeds_have():
    # fold 2 is easy: over all folds seed 1 would seem better than seed 2
    cells = [cell(ONE, 1, 1, f1_of(1, 1, 1)), cell(ONE, 2, 1, f1_of(9, 1, 1)), cell(ONE, 1, 2, f1_of(1, 1, 1))]
    f1 = summarise(results(*cells), ONE).f1
    assert f1.by_seed == pytest.approx({1: 0.5, 2: 0.5})
    assert f1.mean == pytest.approx((0.5 + 0.9 + 0.5) / 3) and f1.by_fold == pytest.approx({1: 0.5, 2: 0.9})


def test_seeds_without_a_common_fold_have_no_spread():
    f1 = summarise(results(cell(ONE, 1, 1, f1_of(1, 1, 1)), cell(ONE, 2, 2, f1_of(9, 1, 1))), ONE).f1
    assert f1.by_seed == {} and f1.over_seeds is None


def test_systems_without_cells_are_refused_or_left_out():
    one_system = results(cell(ONE, 1, 1, f1_of(1, 1, 1)))
    assert [row.system for row in summaries(one_system)] == [ONE]
    with pytest.raises(DataError, match="expected cells of two, got none"):
        summarise(one_system, TWO)
    with pytest.raises(DataError, match="at least one cell"):
        Spread.of([], lambda cell: 1.0)


def test_pooling_adds_all_counts_and_says_where_settings_differ():
    one = scores({"a": (2, 1, 2), "b": (1, 1, 0)}, {("a", "b"): 1})
    other = scores({"a": (1, 0, 1)}, None, {"entities": "gold", "candidates": "7 kept, 0 dropped"})
    whole = pool([one, other])
    assert whole.sentences == 10
    a = whole.per_type["a"]
    assert (a.true_positive, a.false_positive, a.false_negative, whole.per_type["b"].false_positive) == (3, 1, 3, 1)
    assert (whole.errors.false_negative, whole.errors.false_positive, whole.errors.wrong_class) == (2, 1, 1)
    assert whole.confusion == {("a", "a"): 3, ("a", "b"): 1, ("b", "b"): 1}
    assert whole.setting == {"entities": "gold", "candidates": "differs between cells"}
    with pytest.raises(DataError, match="expected scores to pool"):
        pool([])


def test_margins_of_the_confusion_matrix_are_the_missed_and_the_spurious():
    test = scores({"a": (2, 1, 3), "b": (1, 2, 1)}, {("a", "b"): 1, ("b", "a"): 1})
    counts = confusion_counts(test)
    assert counts == {
        ("a", "a"): 2, ("a", "b"): 1, ("a", None): 2, ("b", "b"): 1, ("b", "a"): 1, ("b", None): 0, (None, "a"): 0, (None, "b"): 1,
    }  # fmt: skip
    for kind in "ab":  # a row holds all gold relations, a column all predicted ones
        assert sum(n for (gold, _), n in counts.items() if gold == kind) == test.per_type[kind].support
        predicted = test.per_type[kind].true_positive + test.per_type[kind].false_positive
        assert sum(n for (_, column), n in counts.items() if column == kind) == predicted
    assert sum(n for (gold, _), n in counts.items() if gold is None) == test.errors.false_positive
    assert sum(n for (_, column), n in counts.items() if column is None) == test.errors.false_negative


def test_interpolated_precision_by_hand():
    # precision 1, 1/2, 1/2 at recall 1/4, 1/4, 1/2: the best at recall >= r is 1 up to 1/4, 1/2 up to 1/2, then nothing
    assert interpolated(CURVE, np.array([0.0, 0.25, 0.26, 0.5, 0.51, 1.0])).tolist() == [1.0, 1.0, 0.5, 0.5, 0.0, 0.0]
    assert average_precision(CURVE) == pytest.approx(0.25 * 1 + 0.25 * 0.5)


def literal(curve: Curve, recall: float) -> float:
    points = [(right / curve.gold, right / taken) for right, taken in zip(curve.right, curve.taken)]
    return max((precision for reached, precision in points if reached >= recall - 1e-12), default=0.0)


@given(hits=st.lists(st.booleans(), min_size=1, max_size=40), missed=st.integers(0, 5))
def test_interpolation_and_area_agree_with_a_literal_loop(hits: list[bool], missed: int):
    gold = sum(hits) + missed or 1
    curve = Curve.of([-float(n) for n in range(len(hits))], hits, gold)
    assert interpolated(curve, GRID).tolist() == pytest.approx([literal(curve, recall) for recall in GRID])
    steps = np.arange(0, gold) / gold + 0.5 / gold  # the curve is a step function of the gold relations
    assert average_precision(curve) == pytest.approx(float(np.mean([literal(curve, recall) for recall in steps])))


def test_the_mean_curve_and_its_deviation_over_folds():
    perfect, empty = Curve([0.9], [4], [4], 4), Curve([0.9], [4], [0], 4)
    test = f1_of(1, 1, 1)
    cells = [cell(ONE, 1, 1, test, curve=perfect), cell(ONE, 1, 2, test, curve=empty), cell(ONE, 2, 1, test, curve=perfect)]
    curve = MeanCurve.of(cells)
    assert curve.precision.tolist() == pytest.approx([2 / 3] * len(GRID))
    assert curve.deviation.tolist() == pytest.approx([0.5 * ROOT_HALF] * len(GRID))  # folds: 1/2 and 1
    assert curve.average_precision.by_fold == {1: 0.5, 2: 1.0}
    assert not MeanCurve.of(cells[:2]).deviation.any()


def test_second_scores_are_asked_for_only_where_there_are_some():
    with_second = cell(ONE, 1, 1, f1_of(1, 1, 1), sampled=f1_of(3, 1, 1))
    assert isinstance(sampled(with_second), Scores) and sampled(with_second).micro.f1 == pytest.approx(0.75)
    with pytest.raises(DataError, match="second score of two, fold 2, seed 3, got none"):
        sampled(cell(TWO, 2, 3, f1_of(1, 1, 1)))


def test_a_spread_is_written_with_its_deviation_over_folds():
    f1 = summarise(two_systems(), ONE).f1
    assert f1.in_percent() == "65.0 ± 7.1"
    assert Spread(0.5, {1: 0.5}, {}).in_percent() == "50.0"
