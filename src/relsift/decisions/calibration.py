"""From a score to the probability that the relation is right, with plain numbers: applying one needs numpy alone.

| method | probability of a score s | parameters |
|---|---|---|
| temperature | sigmoid(s / T) | T > 0 |
| platt | sigmoid(a s + b) | a > 0 |
| isotonic | straight lines between points, constant outside | points that never fall |

Sources: Guo et al., ICML 2017 (temperature); Platt 1999; Zadrozny and Elkan, KDD 2002 (isotonic). Fitting: `relsift.decisions.fitting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relsift.errors import ConfigError

Method = Literal["temperature", "platt", "isotonic"]
METHODS: tuple[Method, ...] = get_args(Method)  # from the simplest on
_WHERE = "decision.calibration"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A rising function from scores to probabilities.

    See also: `relsift.evaluation.calibration.calibration_scores`.

    >>> Calibration(method="platt", slope=2.0, shift=-1.0).probability([0.5, 1.0]).round(3).tolist()
    [0.5, 0.731]
    >>> Calibration(method="isotonic", scores=(0.0, 2.0), probabilities=(0.1, 0.9)).probability([-5.0, 1.0]).tolist()
    [0.1, 0.5]
    """

    method: Method
    temperature: float | None = None  # only of temperature; in units of scores
    slope: float | None = None  # only of platt; per unit of scores
    shift: float | None = None  # only of platt; log-odds
    scores: tuple[float, ...] = ()  # only of isotonic; rising
    probabilities: tuple[float, ...] = ()  # only of isotonic; in [0, 1], never falling

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"{_WHERE}.method: expected one of {', '.join(METHODS)}, got {self.method!r}")
        needed = {"temperature": {"temperature"}, "platt": {"slope", "shift"}, "isotonic": {"scores", "probabilities"}}[self.method]
        given = self.to_json().keys() - {"method"}
        if needed != given:
            raise ConfigError(f"{_WHERE}: expected {' and '.join(sorted(needed))} of {self.method}, got {sorted(given)}")
        for name in ("temperature", "slope"):
            value = getattr(self, name)
            if value is not None and not (is_finite(value) and value > 0):
                raise ConfigError(f"{_WHERE}.{name}: expected a number above 0, with which probabilities rise, got {value!r}")
        if self.shift is not None and not is_finite(self.shift):
            raise ConfigError(f"{_WHERE}.shift: expected a number that is finite, got {self.shift!r}")
        if self.method == "isotonic":
            _check_points(self.scores, self.probabilities)

    def probability(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The probability of each score, in [0, 1]; a higher score never has a lower one."""
        values = np.asarray(scores, np.float64)
        if self.method == "isotonic":
            return np.asarray(np.interp(values, self.scores, self.probabilities), np.float64)
        with np.errstate(over="ignore"):  # of scores beyond all bounds the probability is 0 or 1
            if self.temperature is not None:  # divided: the inverse of a temperature next to 0 is infinite, and 0 times that no number
                log_odds = values / self.temperature
            else:
                log_odds = (self.slope or 1.0) * values + (self.shift or 0.0)
            return np.asarray(0.5 * (1.0 + np.tanh(log_odds / 2)), np.float64)

    def to_json(self) -> dict[str, Any]:
        """Without the parameters of other methods."""
        return {name: value for name, value in asdict(self).items() if value is not None and not (isinstance(value, tuple) and not value)}

    @classmethod
    def from_json(cls, value: Any) -> Calibration:
        """Raises ConfigError for what `to_json` does not write."""
        if not isinstance(value, dict):
            raise ConfigError(f"{_WHERE}: expected a method with its parameters, or null, got {value!r:.80}")
        if unknown := value.keys() - set(cls.__dataclass_fields__):
            raise ConfigError(f"{_WHERE}: expected a method with its parameters, got the key {min(unknown)!r}")
        if "method" not in value:
            raise ConfigError(f"{_WHERE}: expected a method, one of {', '.join(METHODS)}, got none")
        parts: dict[str, Any] = {name: tuple(part) if isinstance(part, list) else part for name, part in value.items()}
        return cls(**parts)


def _check_points(scores: Sequence[float], probabilities: Sequence[float]) -> None:
    fit = isinstance(scores, tuple) and isinstance(probabilities, tuple) and len(scores) == len(probabilities)
    if not fit or not all(map(is_finite, (*scores, *probabilities))):
        raise ConfigError(f"{_WHERE}: expected as many finite scores as probabilities, got {scores!r:.60} and {probabilities!r:.60}")
    if any(left >= right for left, right in pairwise(scores)):
        raise ConfigError(f"{_WHERE}.scores: expected rising scores, got {list(scores)!r:.80}")
    falls = any(left > right for left, right in pairwise(probabilities))
    if falls or not all(0 <= value <= 1 for value in probabilities):
        raise ConfigError(f"{_WHERE}.probabilities: expected numbers in [0, 1] that never fall, got {list(probabilities)!r:.80}")


def is_finite(value: Any) -> bool:
    """Whether it is a number, and neither infinity nor not-a-number.

    >>> is_finite(0.5), is_finite(float("nan")), is_finite(10**400)
    (True, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that is beyond all floats
        return False
