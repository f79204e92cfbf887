"""What a cell leaves."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invented_cells import ONE, PLAN
from relsift.errors import ConfigError
from relsift.experiments.report.summary import average_precision, interpolated
from relsift.experiments.result import CURVE_POINTS, Curve, Plan, cell_command, pack_counts, unpack_counts

scored = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=600)


def test_curve_by_hand():
    # Scores 3 right, 2 wrong, 2 right (equal: together), 1 wrong; five gold relations.
    curve = Curve.of([2.0, 3.0, 1.0, 2.0], [False, True, False, True], 5)
    assert curve == Curve([3.0, 2.0, 1.0], [1, 3, 4], [1, 2, 2], 5)
    precision, recall = curve.precision_recall()
    assert precision.tolist() == [1, 2 / 3, 2 / 4]
    assert recall.tolist() == [1 / 5, 2 / 5, 2 / 5]


def test_f1_of_a_curve_between_its_points_by_hand():
    curve = Curve([3.0, 2.0, 1.0], [1, 3, 4], [1, 2, 2], 5)
    assert curve.f1(3.0) == 2 * 1 / (1 + 5)
    assert curve.f1(2.5) == 2 * 1.5 / (2 + 5)
    assert curve.f1(-7.0) == curve.f1(1.0) == 2 * 2 / (4 + 5)
    assert curve.f1(3.1) == Curve([], [], [], 5).f1(0.0) == 0


def test_without_pairs_the_curve_has_no_points():
    curve = Curve.of([], [], 3)
    assert curve == Curve([], [], [], 3) == Curve.from_json(curve.to_json())
    assert average_precision(curve) == 0 and interpolated(curve, np.array([0.0, 0.5])).tolist() == [0, 0]


@given(scored, st.integers(0, 50))
def test_every_point_of_the_curve_is_what_its_threshold_takes(pairs, further):
    scores, correct = [float(score) for score, _ in pairs], [right for _, right in pairs]
    curve = Curve.of(scores, correct, sum(correct) + further)
    assert 1 <= len(curve.thresholds) <= CURVE_POINTS
    assert curve.taken[-1] == len(pairs)
    assert curve.thresholds == sorted(set(curve.thresholds), reverse=True)
    for threshold, taken, right in zip(curve.thresholds, curve.taken, curve.right, strict=True):
        assert taken == sum(score >= threshold for score in scores)
        assert right == sum(hit for score, hit in zip(scores, correct) if score >= threshold)
    assert Curve.from_json(curve.to_json()) == curve


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), min_size=1))
def test_counts_packed_and_unpacked_are_the_same(rows):
    counts = np.array(rows, np.int64)
    assert (unpack_counts(pack_counts(counts)) == counts).all()


# ---- plans


OWN = replace(PLAN, split="own", folds=1)


def test_a_plan_with_the_own_split_says_so_in_place_of_folds():
    assert OWN.options() == "--data invented --direction directed --type-filter --split own"
    cleaned = replace(PLAN, no_relation=("NA", "no relation"), on_error="skip")
    assert cleaned.options().endswith(" --folds 5 --no-relation NA --no-relation 'no relation' --on-error skip")
    assert "taken for no relation: NA, no relation · broken data left out" in cleaned.setting()
    assert Plan(**json.loads(json.dumps(cleaned.to_json()))) == cleaned
    assert not {"no_relation", "on_error"} & PLAN.to_json().keys()  # plans from before these options stay as they were
    assert PLAN.options() == "--data invented --direction directed --type-filter --folds 5"
    assert OWN.setting() == "data=invented · the corpus's own split · direction=directed · type filter on"
    assert cell_command(ONE, OWN, 1, 3).endswith(" --name one --model multitask_cnn --preset paper --only-seed 3 --out OUT")


def test_a_plan_without_the_key_has_folds_by_document():
    old = {name: value for name, value in asdict(PLAN).items() if name != "split"}
    assert Plan(**old) == PLAN and PLAN.split == "folds"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"split": "halves"}, "plan.split: expected folds or own, got 'halves'"), ({"split": "own"}, "plan.folds: expected 1 .*, got 5")],
)
def test_a_plan_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(PLAN, **changes)
