"""A learning curve as a power law, F1 = a − b (n / N)^−c, and what it says of more annotations.

Letters: n training sentences, N the most that were trained on, M points of a curve, G rates that are tried. `a` is the F1 that endless
annotation would bring, `b` what is missing to it at N sentences, `c` how fast that shrinks.
Source: learning curves of many models follow such a law (Hestness et al., arXiv 1712.00409; Viering and Loog, TPAMI 2023, with its limits).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relsift.evaluation.significance import student_bound

FEWEST_SIZES = 3  # the law has three numbers to fit
FEWEST_SEEDS = 3  # of fewer curves the spread is a matter of luck
DRAWS = 1000  # of the bootstrap
_RATES = np.geomspace(0.05, 3.0, 64)  # (G,) values of c: below, the law is a straight line in log n; above, a step

Floats = NDArray[np.float64]
Curve = Sequence[tuple[int, float]]
"""(training sentences, F1) of one seed at every size."""


@dataclass(frozen=True)
class PowerLaw:
    """F1 = limit − missing (n / size)^−rate.

    >>> PowerLaw(limit=0.75, missing=0.5, rate=1.0, size=100).at(200)
    0.5
    """

    limit: float  # F1, at most 1
    missing: float  # F1, from 0 on
    rate: float  # no unit, above 0
    size: int  # sentences

    def at(self, sentences: int) -> float:
        """F1 after training on so many sentences."""
        return float(self.limit - self.missing * (sentences / self.size) ** -self.rate)

    def to_json(self) -> dict[str, float]:
        return {"limit": self.limit, "missing": self.missing, "rate": self.rate, "size": self.size}


@dataclass(frozen=True)
class Extrapolation:
    """What the law expects of more sentences than there are. Intervals: 95 %; None for fewer than `FEWEST_SEEDS` seeds."""

    law: PowerLaw
    sentences: int
    f1: float
    gain: float  # over the law's F1 at its size
    f1_interval: tuple[float, float] | None
    gain_interval: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        return {
            "sentences": self.sentences, "f1": self.f1, "f1_interval": self.f1_interval, "gain": self.gain,
            "gain_interval": self.gain_interval,
        }  # fmt: skip


def fit_power_law(points: Curve) -> PowerLaw | None:
    """The law with the least squared error, every point with the same weight; `limit` is at most 1.

    Returns: None for fewer than three sizes, and where F1 does not rise with the size: then there is nothing to extrapolate.

    >>> law = fit_power_law([(n, 0.7 - 0.3 * (n / 800) ** -0.5) for n in (100, 200, 400, 800)])
    >>> round(law.at(1600), 3)
    0.488
    """
    if len({sentences for sentences, _ in points}) < FEWEST_SIZES:
        return None
    law = _best(points)
    return law if law.missing > 0 else None


def extrapolate(curves: Mapping[int, Curve], factor: float = 2.0) -> Extrapolation | None:
    """F1 at `factor` times the largest size. Args: curves: of each seed, all of the same sizes. Returns: None as `fit_power_law`.

    The interval is a bootstrap over seeds, whose curves differ in samples and initial weights. It is the standard error of `DRAWS` fits to
    curves drawn with replacement, widened for few seeds as that of a mean is (Student's t, and n - 1 in place of n).
    """
    points = [point for curve in curves.values() for point in curve]
    law = fit_power_law(points)
    if law is None:
        return None
    sentences = round(factor * law.size)
    f1, gain = law.at(sentences), law.at(sentences) - law.at(law.size)
    if len(curves) < FEWEST_SEEDS:
        return Extrapolation(law, sentences, f1, gain, None, None)
    draw, f1s, gains = random.Random(0), list[float](), list[float]()
    for _ in range(DRAWS):
        drawn = _best([point for curve in draw.choices(list(curves.values()), k=len(curves)) for point in curve])
        f1s.append(drawn.at(sentences))
        gains.append(f1s[-1] - drawn.at(law.size))
    half = student_bound(0.95, len(curves) - 1) * (len(curves) / (len(curves) - 1)) ** 0.5
    error, gain_error = half * stdev(f1s), half * stdev(gains)
    return Extrapolation(
        law, sentences, f1, gain, (max(0.0, f1 - error), min(1.0, f1 + error)), (gain - gain_error, gain + gain_error)
    )


def _best(points: Curve) -> PowerLaw:
    """The law with the least squared error; `missing` is 0 where F1 does not rise."""
    sizes = np.array([sentences for sentences, _ in points], np.float64)  # (M,)
    y = np.array([f1 for _, f1 in points], np.float64)  # (M,)
    rates = _RATES
    for _ in range(2):  # on a coarse grid, then between the neighbours of the best rate there
        a, b, errors = _linear((sizes / sizes.max()) ** -rates[:, None], y)
        best = int(errors.argmin())
        law = PowerLaw(float(a[best]), float(b[best]), float(rates[best]), int(sizes.max()))
        rates = np.geomspace(rates[max(best - 1, 0)], rates[min(best + 1, len(rates) - 1)], len(rates))
    return law


def _linear(z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """(G,) each: limits at most 1 and missing shares from 0 on, which fit best for each rate, and their squared errors.

    For a given rate the law is linear: the best values are those without bounds, or lie on a bound.

    Args: z: (G, M) (n / N)^−c. y: (M,) F1.
    """
    spread = z - z.mean(1, keepdims=True)  # (G, M)
    b = -(spread @ (y - y.mean())) / (spread**2).sum(1)  # (G,)
    a = y.mean() + b * z.mean(1)  # (G,)
    a, b = np.where(b < 0, y.mean(), a), np.maximum(b, 0.0)
    above = a > 1
    a, b = np.where(above, 1.0, a), np.where(above, (z @ (1 - y)) / (z**2).sum(1), b)
    return a, b, np.square(a[:, None] - b[:, None] * z - y).sum(1)
