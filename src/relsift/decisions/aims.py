"""What a threshold is tuned for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relsift.errors import ConfigError

_FORMS = "f1, f0.5, f2 (any weight of recall from 0.1 to 10), or precision>=0.9 (any share above 0)"
_REACHED = 1e-9  # a precision this close below the demanded one is equal but for rounding


@dataclass(frozen=True)
class Aim:
    """A measure to be as high as can be.

    >>> Aim.of("f2").value(3, 4, 6)  # (1 + 4) * 3 hits / (4 * 6 gold + 4 taken)
    0.5357142857142857
    >>> Aim.of("precision>=0.7").value([3, 3], [4, 5], 6).tolist()  # reached: 1 + recall; not reached: the precision itself
    [1.5, 0.6]
    """

    name: str
    beta: float = 1.0  # weight of recall against precision
    precision: float | None = None  # to be reached with the highest recall; `beta` has no meaning then

    @classmethod
    def of(cls, text: str) -> Aim:
        """Raises ConfigError for anything but the forms `f1`, `f0.5`, `precision>=0.9`."""
        if found := re.fullmatch(r"f(\d+(?:\.\d+)?)", text):
            if 0.1 <= (beta := float(found[1])) <= 10:
                return cls(text, beta)
        elif (found := re.fullmatch(r"precision>=(\d*\.?\d+)", text)) and 0 < (precision := float(found[1])) <= 1:
            return cls(text, precision=precision)
        raise ConfigError(f"--aim: expected {_FORMS}, got {text!r}")

    def value(self, hits: ArrayLike, taken: ArrayLike, gold: int) -> Any:
        """What is to be high, of counts or arrays of counts; 0 where nothing is taken.

        Args: hits: right relations taken. taken: relations taken. gold: all annotated relations, at least 1.
        """
        right, all_taken = np.asarray(hits, np.float64), np.asarray(taken, np.float64)
        if self.precision is None:
            weight = self.beta * self.beta
            result = (1 + weight) * right / (weight * gold + all_taken)
        else:
            reached = _precision(right, all_taken)
            result = np.where(reached >= self.precision - _REACHED, 1 + right / gold, reached)
        return result if result.ndim else float(result)

    def is_reached(self, hits: int, taken: int) -> bool:
        """Whether the demanded precision is there; true of an aim that demands none."""
        return self.precision is None or float(_precision(np.float64(hits), np.float64(taken))) >= self.precision - _REACHED


def _precision(hits: Any, taken: Any) -> NDArray[np.float64]:
    return np.asarray(np.where(taken > 0, hits / np.maximum(taken, 1), 0.0))


F1 = Aim("f1")
