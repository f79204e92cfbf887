"""The power law of a learning curve: known laws are found again, and what cannot be fitted is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from relsift.experiments.power_law import extrapolate, fit_power_law

SIZES = (100, 200, 400, 800)


def law(limit: float, missing: float, rate: float) -> list[tuple[int, float]]:
    return [(size, limit - missing * (size / 800) ** -rate) for size in SIZES]


@given(st.floats(0.5, 1.0), st.floats(0.02, 0.2), st.floats(0.1, 1.5))
def test_f1_at_twice_the_size_of_a_known_law_is_found_again(limit: float, missing: float, rate: float):
    found = fit_power_law(law(limit, missing, rate))
    assert found is not None
    assert found.at(1600) == pytest.approx(limit - missing * 2**-rate, abs=2e-3)


def test_noisy_points_get_the_law_that_scipy_finds():
    points = [(100, 0.41), (200, 0.52), (400, 0.61), (800, 0.64)]
    found = fit_power_law(points)
    assert found is not None

    def model(x: float, a: float, b: float, c: float) -> float:
        return a - b * x**-c

    (a, b, c), _ = curve_fit(model, [n / 800 for n, _ in points], [f1 for _, f1 in points], p0=(0.8, 0.1, 0.5))
    assert (found.limit, found.missing, found.rate) == pytest.approx((a, b, c), rel=0.03)
    assert found.at(1600) == pytest.approx(a - b * 2**-c, abs=1e-3)


def test_the_limit_is_never_above_all_of_f1():
    straight = [(100, 0.2), (200, 0.4), (400, 0.6), (800, 0.8)]  # without a bound this line in log n would go on for ever
    found = fit_power_law(straight)
    assert found is not None and found.limit <= 1 and found.at(10**9) <= 1


@pytest.mark.parametrize(
    "points",
    [
        [(100, 0.5), (200, 0.6)],
        [(100, 0.5), (100, 0.4), (200, 0.6)],
        [(100, 0.7), (200, 0.6), (400, 0.5)],
        [(100, 0.5), (200, 0.5), (400, 0.5)],
    ],
    ids=["two sizes", "two sizes of three points", "falling", "flat"],
)
def test_what_has_no_rising_law_has_no_fit(points: list[tuple[int, float]]):
    assert fit_power_law(points) is None
    assert extrapolate({1: points}) is None


def test_a_gain_counts_from_the_law_at_its_largest_size():
    found = extrapolate({1: law(0.8, 0.2, 1.0)})
    assert found is not None
    assert (found.sentences, found.f1, found.gain) == (1600, pytest.approx(0.7, abs=2e-3), pytest.approx(0.1, abs=3e-3))


def test_it_takes_three_seeds_for_an_interval_which_is_empty_if_they_agree_and_holds_the_value_if_not():
    same = law(0.8, 0.2, 0.5)
    two = extrapolate({1: same, 2: same})
    assert two is not None and two.gain_interval is None
    three = extrapolate(dict.fromkeys((1, 2, 3), same))
    assert three is not None and three.gain_interval == pytest.approx((three.gain, three.gain))
    shifted = {seed: [(n, f1 + shift) for n, f1 in same] for seed, shift in ((1, -0.02), (2, 0.0), (3, 0.02))}
    apart = extrapolate(shifted)
    assert apart is not None and apart.f1_interval is not None and apart.gain_interval is not None
    # All curves have one shape, so redraws differ by the mean shift: standard error sqrt(2/3) 0.02 / sqrt(3), widened by sqrt(3/2) and t.
    assert apart.f1_interval[1] - apart.f1 == pytest.approx(4.303 * 0.02 / 3**0.5, rel=0.05)
    assert apart.gain_interval == pytest.approx((apart.gain, apart.gain), abs=2e-3)
