"""From scores to probabilities: by hand, always rising, fitted against scikit-learn, and the choice of a method."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from relsift.decisions.calibration import Calibration
from relsift.decisions.decision import Decision
from relsift.decisions.fitting import FOLDS, fit, folds_of
from relsift.errors import CheckpointError

RANDOM = np.random.default_rng(7)


def drawn(count: int, slope: float, shift: float) -> tuple[Any, Any, Any]:
    """Scores, and what is right with the probability sigmoid(slope * score + shift)."""
    scores = RANDOM.normal(0, 3, count)
    right = RANDOM.random(count) < 1 / (1 + np.exp(-(slope * scores + shift)))
    return scores, right, np.arange(count) % FOLDS


def test_probabilities_by_hand():
    assert Calibration(method="temperature", temperature=2.0).probability([0.0, 2 * np.log(3.0)]).tolist() == pytest.approx([0.5, 0.75])
    assert Calibration(method="platt", slope=1.0, shift=np.log(3.0)).probability(0.0) == pytest.approx(0.75)
    steps = Calibration(method="isotonic", scores=(0.0, 1.0, 3.0), probabilities=(0.2, 0.4, 0.4))
    assert steps.probability([-9, 0.5, 2, 9]).tolist() == pytest.approx([0.2, 0.3, 0.4, 0.4])


CALIBRATIONS = st.one_of(
    st.builds(Calibration, method=st.just("temperature"), temperature=st.floats(1e-3, 1e3)),
    st.builds(Calibration, method=st.just("platt"), slope=st.floats(1e-3, 1e3), shift=st.floats(-50, 50)),
    st.lists(st.integers(-50, 50), min_size=1, max_size=6, unique=True).flatmap(
        lambda scores: st.lists(st.floats(0, 1), min_size=len(scores), max_size=len(scores)).map(
            lambda chances: Calibration(method="isotonic", scores=tuple(map(float, sorted(scores))), probabilities=tuple(sorted(chances)))
        )
    ),
)


@given(calibration=CALIBRATIONS, one=st.floats(-1e6, 1e6), other=st.floats(-1e6, 1e6))
def test_a_higher_score_never_has_a_lower_probability(calibration, one, other):
    low, high = calibration.probability(sorted([one, other])).tolist()
    assert 0 <= low <= high <= 1


@given(calibration=CALIBRATIONS)
def test_json_gives_the_calibration_back_within_its_decision(calibration):
    decision = Decision(calibration=calibration)
    assert Decision.from_json(json.loads(json.dumps(decision.to_json())), "here") == decision


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"method": "magic"}, "expected one of temperature, platt, isotonic, got 'magic'"),
        ({"temperature": 1.0}, "expected a method"),
        ({"method": "temperature"}, "expected temperature of temperature, got"),
        ({"method": "temperature", "temperature": 0.0}, "expected a number above 0"),
        ({"method": "temperature", "temperature": "1"}, "expected a number above 0"),
        ({"method": "platt", "slope": -1.0, "shift": 0.0}, "with which probabilities rise, got -1.0"),
        ({"method": "platt", "slope": 1.0, "shift": float("nan")}, "shift: expected a number that is finite"),
        ({"method": "platt", "slope": 1.0, "shift": 0.0, "temperature": 1.0}, "expected shift and slope of platt"),
        ({"method": "isotonic", "scores": [0.0, 1.0], "probabilities": [0.5, 0.4]}, "that never fall"),
        ({"method": "isotonic", "scores": [0.0, 0.0], "probabilities": [0.5, 0.6]}, "expected rising scores"),
        ({"method": "isotonic", "scores": [0.0, 1.0], "probabilities": [0.5, 1.5]}, r"expected numbers in \[0, 1\]"),
        ({"method": "isotonic", "scores": [0.0], "probabilities": [0.5, 0.6]}, "expected as many"),
        ({"method": "isotonic", "scores": [0.0], "probabilities": ["a"]}, "expected as many finite"),
        ({"method": "isotonic", "scores": "ab", "probabilities": "ab"}, "expected as many finite"),
        ({"method": "platt", "extra": 1}, "got the key 'extra'"),
        ([1.0], "expected a method with its parameters"),
    ],
)
def test_a_calibration_edited_into_nonsense_is_refused_with_its_file(value: Any, message: str):
    with pytest.raises(CheckpointError, match=rf"here: .*decision\.calibration.*{message}"):
        Decision.from_json({"format": 2, "threshold": 0.0, "calibration": value}, "here")


def test_platt_and_isotonic_are_those_of_scikit_learn():
    scores, right, folds = drawn(400, 1.5, -1.0)
    fitted, warnings = fit(scores, right, folds, "isotonic")
    assert fitted is not None and warnings == []
    reference = IsotonicRegression(y_min=1 / 402, y_max=401 / 402, out_of_bounds="clip").fit(scores, right)
    grid = np.linspace(-12, 12, 101)
    assert fitted.probability(grid) == pytest.approx(reference.predict(grid), abs=1e-12)
    platt, _ = fit(scores, right, folds, "platt")
    sigmoid = _SigmoidCalibration().fit(scores, right)
    assert platt is not None and platt.probability(grid) == pytest.approx(sigmoid.predict(grid), abs=1e-4)


def test_the_method_is_the_simplest_that_held_out_data_has_no_better_than():
    chosen = {}
    for name, (slope, shift) in {"temperature": (0.5, 0.0), "platt": (1.0, -2.0)}.items():
        fitted, warnings = fit(*drawn(2000, slope, shift))
        assert fitted is not None and warnings == []
        chosen[name] = fitted
    assert chosen["temperature"].temperature == pytest.approx(2.0, rel=0.15)
    assert (chosen["platt"].slope, chosen["platt"].shift) == (pytest.approx(1.0, rel=0.15), pytest.approx(-2.0, rel=0.15))
    scores = np.linspace(-4, 4, 2000)
    right = RANDOM.random(2000) < np.where(scores < 0, 0.2, 0.7)  # a step is no sigmoid
    fitted, _ = fit(scores, right, np.arange(2000) % FOLDS)
    assert fitted is not None and fitted.method == "isotonic"


def test_few_examples_allow_one_parameter_and_none_allow_none():
    scores, folds = np.linspace(-2, 2, 60), np.arange(60) % FOLDS
    fitted, [warning] = fit(scores, scores > 0.7, folds)
    assert fitted is not None and fitted.method == "temperature" and "only 20 relations" in warning
    assert fit(scores, np.zeros(60, np.bool_), folds)[0] is None
    assert "no relation that the decision could take is right" in fit(scores, np.zeros(60, np.bool_), folds)[1][0]
    assert fit(np.empty(0), np.empty(0, np.bool_), np.empty(0, np.int64))[0] is None
    all_right, _ = fit(np.abs(scores) + 1, np.ones(60, np.bool_), folds)
    assert all_right is not None and all_right.probability([2.0])[0] > 0.9
    falling, warnings = fit(scores, scores < 0.0, folds, "platt")
    assert falling is None and warnings == ["no probabilities: in the data to calibrate on they would not rise with the score (platt)"]


def test_few_examples_whose_scores_lie_on_one_side_of_0_are_calibrated_with_a_shift():
    scores = np.linspace(-9, -5, 40)
    fitted, [warning] = fit(scores, scores > -8, np.arange(40) % FOLDS)  # most are right, though all are below 0
    assert fitted is not None and fitted.method == "platt" and "by platt alone" in warning
    assert fitted.probability(-8.9) < 0.5 < fitted.probability(-5.0)


def test_no_temperature_is_so_small_that_a_probability_is_no_number():
    assert Calibration(method="temperature", temperature=5e-324).probability([-1.0, 0.0, 1.0]).tolist() == [0.0, 0.5, 1.0]


def test_folds_hold_out_whole_documents_and_have_as_many_each_as_can_be():
    groups = [f"d{number % 12}" for number in range(40)]
    folds = folds_of(groups)
    assert all(len({fold for fold, group in zip(folds.tolist(), groups) if group == name}) == 1 for name in set(groups))
    assert sorted(len({g for g, f in zip(groups, folds.tolist()) if f == fold}) for fold in range(FOLDS)) == [2, 2, 2, 3, 3]


def test_a_decision_is_loaded_and_applied_without_scikit_learn(tmp_path: Path):
    Decision(calibration=Calibration(method="platt", slope=1.0, shift=0.0)).save(tmp_path)
    code = (
        "import sys, pathlib; from relsift.decisions.decision import Decision\n"
        f"print(Decision.load(pathlib.Path({str(tmp_path)!r})).calibration.probability([0.0])[0], 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["0.5", "False"]
