"""Is one system better than another, or is it chance? Paired tests of micro F1 over sentences or documents.

F1 is no mean over sentences, so that tests for means do not apply; both procedures here compute it anew from resampled counts.
*Approximate randomisation* gives the p-value: were the two systems alike, each unit's two outputs could as well change places (Noreen
1989; Yeh, COLING 2000). *Paired bootstrap* gives the interval: units are drawn with replacement, with both systems' outputs on them
(Efron 1979; Berg-Kirkpatrick et al., EMNLP 2012; percentile interval of Efron and Tibshirani 1993, chapter 13).
Letters: U units (sentences or documents), R paired runs (seeds), N random samples.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Direction
from relsift.errors import DataError, require
from relsift.evaluation.scores import Entities, Match, compared
from relsift.schema import Sentence

Counts = NDArray[np.int64]  # (U, 3): true positives, predicted, gold
Floats = NDArray[np.float64]

CELLS_AT_ONCE = 2_000_000  # samples x units in memory
TIE = 1e-12  # differences of F1 closer than this are equal but for rounding


@dataclass(frozen=True)
class Comparison:
    """difference: micro F1 of the first system minus that of the second, over all runs together.

    interval: of the difference, at `confidence`. p_value: two-sided; the smallest possible one is 1 / (samples + 1).
    """

    first: float
    second: float
    difference: float
    interval: tuple[float, float]
    confidence: float
    p_value: float
    units: int
    runs: int
    samples: int
    seed: int


def sentence_counts(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    *,
    direction: Direction,
    entities: Entities = "gold",
    match: Match = "strict",
    units: Sequence[Hashable] | None = None,
) -> Counts:
    """(U, 3) true positives, predicted and gold relations of every annotated sentence, under the rules of `evaluate`: their sums are its
    micro counts.

    Args: units: of each sentence, which unit it belongs to, such as its document; None takes every sentence by itself.
    Raises: as `evaluate` does.
    """
    require(units is None or len(units) == len(gold), "units", expected=f"one a sentence ({len(gold)})", got=len(units or ()))
    numbers: dict[Hashable, int] = {}
    rows: list[list[int]] = []
    for position, wanted, found in compared(gold, predicted, direction, entities, match):
        number = numbers.setdefault(position if units is None else units[position], len(numbers))
        if number == len(rows):
            rows.append([0, 0, 0])
        for column, count in enumerate((len(wanted & found), len(found), len(wanted))):
            rows[number][column] += count
    return np.array(rows, np.int64)


def micro_f1(counts: Counts | Floats) -> Any:
    """F1 from sums (…, 3) of counts -> (…,); 0 where nothing is right."""
    right, whole = counts[..., 0], counts[..., 1] + counts[..., 2]
    return np.divide(2 * right, whole, out=np.zeros(np.shape(right)), where=whole > 0)


def compare(
    first: Sequence[Counts],
    second: Sequence[Counts],
    *,
    samples: int = 10_000,
    confidence: float = 0.95,
    swap_runs_together: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same units in the same order.

    Args:
        first, second: R runs each, such as one a seed, of (U, 3) counts; run r of one is paired with run r of the other. F1 is that of all
            runs together.
        samples: N, of each procedure. confidence: of the interval, between 0 and 1.
        swap_runs_together: a unit's outputs change places in all runs or in none. Off, in each run by itself, which takes a unit's runs
            for independent: then a difference that shows only on a few units, but in every run, counts for more.
    Raises: DataError if the two sides do not have the same units, going by shape and gold counts.
    """
    require(samples >= 1, "samples", expected="a number >= 1", got=samples)
    require(0 < confidence < 1, "confidence", expected="a number between 0 and 1", got=confidence)
    one, other = _stacked(first, second)                                                # (R, U, 3) each
    generator = np.random.default_rng(seed)
    scores = [float(micro_f1(counts.sum(axis=(0, 1)))) for counts in (one, other)]
    if swap_runs_together:
        p_value = randomisation(one.sum(axis=0), other.sum(axis=0), samples, generator)
    else:
        p_value = randomisation(one.reshape(-1, 3), other.reshape(-1, 3), samples, generator)
    drawn = bootstrap(one.sum(axis=0), other.sum(axis=0), samples, generator)           # a unit is drawn with all its runs
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Comparison(
        scores[0], scores[1], scores[0] - scores[1], (float(low), float(high)), confidence, p_value,
        one.shape[1], one.shape[0], samples, seed,
    )  # fmt: skip


def randomisation(first: Counts, second: Counts, samples: int, generator: np.random.Generator) -> float:
    """Two-sided p-value (r + 1) / (N + 1) of the difference in micro F1: r of N random swaps give one at least as large.

    Args: first, second: (U, 3), of units that change places independently.
    Source: Yeh, COLING 2000, section 3; the added ones count the observed outcome among the samples (Noreen 1989).
    """
    sums, others = first.sum(axis=0), second.sum(axis=0)                                # (3,)
    observed = abs(micro_f1(sums) - micro_f1(others))
    change = (second - first)[(first != second).any(axis=1)]                            # swaps of equal outputs change nothing
    larger = 0
    for count in _chunks(samples, len(change)):
        swapped = generator.integers(0, 2, (count, len(change)), np.uint8).astype(np.float64)
        moved = swapped @ change                                                        # (count, 3)
        difference = micro_f1(sums + moved) - micro_f1(others - moved)
        larger += int((np.abs(difference) >= observed - TIE).sum())
    return (larger + 1) / (samples + 1)


def bootstrap(first: Counts, second: Counts, samples: int, generator: np.random.Generator) -> Floats:
    """(N,) differences in micro F1 of N samples of U units, drawn with replacement from U.

    Source: Efron 1979; paired, as in Berg-Kirkpatrick et al., EMNLP 2012, section 2.
    """
    units = len(first)
    both = np.concatenate([first, second], axis=1).astype(np.float64)                   # (U, 6)
    result = []
    for count in _chunks(samples, units):
        drawn = generator.integers(0, units, (count, units)) + units * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * units).reshape(count, units)
        sums = times @ both                                                             # (count, 6)
        result.append(micro_f1(sums[:, :3]) - micro_f1(sums[:, 3:]))
    return np.concatenate(result)


def _stacked(first: Sequence[Counts], second: Sequence[Counts]) -> tuple[Counts, Counts]:
    shapes = [[np.shape(counts) for counts in runs] for runs in (first, second)]
    wanted = shapes[0][0] if shapes[0] else (0, 3)
    if shapes[0] != shapes[1] or len(wanted) != 2 or wanted[1] != 3 or not wanted[0] or set(shapes[0]) != {wanted}:
        raise DataError(f"compare: expected as many runs of the same (units, 3) counts on both sides, got {shapes[0]} and {shapes[1]}")
    one, other = np.array(first, np.int64), np.array(second, np.int64)                  # (R, U, 3)
    gold = one[0, :, 2]
    different = (one[:, :, 2] != gold).any(axis=0) | (other[:, :, 2] != gold).any(axis=0)
    if different.any():
        raise DataError(f"compare: expected the same gold relations in every run, got a difference in unit {int(different.argmax())}")
    return one, other


def _chunks(samples: int, units: int) -> Iterator[int]:
    size = max(1, CELLS_AT_ONCE // max(1, units))
    for start in range(0, samples, size):
        yield min(size, samples - start)
