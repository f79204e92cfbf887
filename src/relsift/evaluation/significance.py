"""Is one system better than another, or is it chance? Paired tests of micro F1 over sentences or documents, and over folds.

F1 is not a mean over sentences, so tests of means do not apply. Both procedures recompute it from resampled counts.
*Approximate randomisation* gives the p-value: if the two systems were equal, swapping their outputs on a unit would change nothing
(Noreen 1989; Yeh, COLING 2000). *Paired bootstrap* gives the interval: units are drawn with replacement, with the outputs of both
systems (Efron 1979; Berg-Kirkpatrick et al., EMNLP 2012; percentile interval of Efron and Tibshirani 1993, chapter 13).
Over folds, each fold gives one difference. *Sign flips* give a p-value without an assumption about the distribution; the *corrected*
t interval allows for the overlap of training parts.
Letters: U units (sentences or documents), R paired runs (seeds), N random samples, J folds.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Direction
from relsift.errors import DataError, require
from relsift.evaluation.entities import gold_and_predicted_entities
from relsift.evaluation.facts import gold_and_predicted_facts
from relsift.evaluation.scores import Entities, Match
from relsift.schema import Sentence

Counts = NDArray[np.int64]  # (U, 3): true positives, predicted, gold
Floats = NDArray[np.float64]

CELLS_AT_ONCE = 2_000_000  # samples x units in memory
MOST_SAMPLES = 1_000_000  # beyond, the third digit of a p-value does not change any more, and a test takes hours
TIE = 1e-12  # differences of F1 closer than this are equal but for rounding
EXACT_FOLDS = 20  # up to so many folds, all patterns of signs are counted (a million); beyond, a sample


@dataclass(frozen=True)
class Comparison:
    """The result of `compare_runs`.

    >>> right, wrong = np.array([[1, 1, 1]] * 20), np.array([[0, 1, 1]] * 20)  # 20 sentences with one relation each
    >>> result = compare_runs([right], [wrong], samples=100)
    >>> result.difference, round(result.p_value, 4), result.units
    (1.0, 0.0099, 20)
    """

    first: float  # micro F1 of the first system, all runs together
    second: float
    difference: float  # first minus second
    interval: tuple[float, float]  # of the difference, at `confidence`
    confidence: float
    p_value: float  # two-sided; at least 1 / (samples + 1)
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
    """(U, 3) true positives, predicted and gold relations of every unit, counted as in `evaluate`: the sums are its micro counts.

    Args: units: the unit of each sentence, such as its document; None: every sentence is a unit.
    Raises: as `evaluate` does.

    See also: `by_document`, `entity_counts`, `compare_runs`, `interval_of`.

    >>> from relsift.schema import Entity, Relation
    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> sentence_counts([gold, gold], [gold, gold.with_relations(())], direction="directed").tolist()
    [[1, 1, 1], [0, 0, 1]]
    """
    return _counts(gold_and_predicted_facts(gold, predicted, direction, entities, match), len(gold), units)


def entity_counts(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, match: Match = "strict", units: Sequence[Hashable] | None = None
) -> Counts:
    """(U, 3) as `sentence_counts`, of entities as `evaluate_entities` counts them. Args: as there.

    >>> from relsift.schema import Entity
    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), ())
    >>> found = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "LOC")), ())
    >>> entity_counts([gold], [found]).tolist()
    [[1, 2, 2]]
    """
    return _counts(gold_and_predicted_entities(gold, predicted, match), len(gold), units)


def _counts(sides: Iterable[tuple[int, set[Any], set[Any]]], size: int, units: Sequence[Hashable] | None) -> Counts:
    """Args: sides: position, gold and predicted values of each annotated one of `size` sentences."""
    require(units is None or len(units) == size, "units", expected=f"one a sentence ({size})", got=len(units or ()))
    row_of_unit: dict[Hashable, int] = {}
    rows: list[list[int]] = []
    for position, gold, predicted in sides:
        row = row_of_unit.setdefault(position if units is None else units[position], len(row_of_unit))
        if row == len(rows):
            rows.append([0, 0, 0])
        for column, count in enumerate((len(gold & predicted), len(predicted), len(gold))):
            rows[row][column] += count
    return np.array(rows, np.int64)


def with_lost(counts: Counts, losses: Sequence[int], blocks: Sequence[int]) -> Counts:
    """The counts where relations that a reader could not keep count as gold ones, so that they are missed by every system.

    Args:
        counts: (U, 3). losses: lost relations of each of D documents.
        blocks: how many of the units, in their order, each document has; the losses go to the document's first unit, those of a
            document without one to the nearest before it, or to the first of all.
    Raises: DataError if the blocks are not those of the counts.

    >>> counts = np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1]])
    >>> with_lost(counts, losses=[2, 0], blocks=[1, 2]).tolist()  # two relations of the first document were lost
    [[1, 1, 3], [0, 1, 1], [1, 1, 1]]
    """
    if sum(blocks) != len(counts) or len(blocks) != len(losses):
        raise DataError(f"counts: expected those of {sum(blocks)} units in {len(losses)} documents, got {len(counts)} in {len(blocks)}")
    result = counts.copy()
    start = 0
    for size, lost in zip(blocks, losses):
        if lost:
            result[min(start, len(counts) - 1) if size else max(start - 1, 0), 2] += lost
        start += size
    return result


def by_document(counts: Counts, blocks: Sequence[int]) -> Counts:
    """(D, 3) sums over the units of each document; a document without units is left out. Args: counts: (U, 3). blocks: as of `with_lost`.

    >>> by_document(np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1]]), blocks=[1, 2]).tolist()  # of one and of two sentences
    [[1, 1, 1], [1, 2, 2]]
    """
    pieces = np.split(counts, np.cumsum(blocks)[:-1])
    return np.array([piece.sum(axis=0) for piece in pieces if len(piece)], np.int64)


def micro_f1(counts: Counts | Floats) -> Any:
    """F1 from sums (…, 3) of counts -> (…,); 0 where nothing is right.

    >>> float(micro_f1(np.array([3, 4, 6])))           # 3 right of 4 found, where 6 are annotated
    0.6
    """
    true_positive, predicted_and_gold = counts[..., 0], counts[..., 1] + counts[..., 2]
    return np.divide(2 * true_positive, predicted_and_gold, out=np.zeros(np.shape(true_positive)), where=predicted_and_gold > 0)


@dataclass(frozen=True)
class Interval:
    """How far micro precision, recall and F1 of one system may lie from what was measured, by the sample of units alone.

    >>> interval = interval_of(np.array([[1, 1, 1], [0, 1, 1]] * 50), unit="sentence", samples=100)
    >>> interval.units, interval.confidence, interval.f1[0] < 0.5 < interval.f1[1]
    (100, 0.95, True)
    """

    precision: tuple[float, float]
    recall: tuple[float, float]
    f1: tuple[float, float]
    confidence: float
    unit: str  # what was drawn: document or sentence
    units: int
    samples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def interval_of(counts: Counts, *, unit: str, samples: int = 10_000, confidence: float = 0.95, seed: int = 0) -> Interval | None:
    """Percentile bootstrap interval of one system's micro scores; None for fewer than two units, which say nothing of others.

    Args: counts: (U, 3), as of `sentence_counts`. unit: document or sentence, for the record.
        samples: N, to draw. confidence: of the interval, between 0 and 1. seed: of the draws.
    Source: Efron 1979; Efron and Tibshirani 1993, chapter 13.

    See also: `sentence_counts`, `by_document`.

    >>> counts = np.array([[1, 1, 1], [0, 1, 1]] * 50)  # in every second of 100 sentences the one relation found is right
    >>> low, high = interval_of(counts, unit="sentence").f1
    >>> bool(0.38 < low < 0.42 and 0.58 < high < 0.62)  # 0.5, plus or minus two standard errors of 0.05
    True
    """
    require(1 <= samples <= MOST_SAMPLES, "samples", expected=f"1 to {MOST_SAMPLES}", got=samples)
    require(0 < confidence < 1, "confidence", expected="a number between 0 and 1", got=confidence)
    if len(counts) < 2:
        return None
    generator = np.random.default_rng(seed)
    sums = np.concatenate(list(_bootstrap_sums(counts, samples, generator)))           # (N, 3)
    right, found, gold = sums.T
    measures = [np.divide(right, of, out=np.zeros(len(sums)), where=of > 0) for of in (found, gold)]
    bounds = [np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2]) for values in (*measures, micro_f1(sums))]
    precision, recall, f1 = ((float(low), float(high)) for low, high in bounds)
    return Interval(precision, recall, f1, confidence, unit, len(counts), samples, seed)


def compare_runs(
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
        swap_runs_together: a unit's outputs are swapped in all runs or in none. If False, each run is swapped on its own, as if the runs
            of a unit were independent: a difference on few units, but in every run, is then more significant.
    Raises: DataError if the two sides do not have the same units, going by shape and gold counts.

    See also: `sentence_counts`, `randomisation`, `bootstrap`, `sign_flips`.

    >>> ours, theirs = np.array([[1, 1, 1]] * 30), np.array([[1, 1, 1], [0, 1, 1]] * 15)  # 30 sentences
    >>> result = compare_runs([ours], [theirs], samples=100)
    >>> result.first, result.second, result.p_value < 0.05
    (1.0, 0.5, True)
    """
    require(1 <= samples <= MOST_SAMPLES, "samples", expected=f"1 to {MOST_SAMPLES}", got=samples)
    require(0 < confidence < 1, "confidence", expected="a number between 0 and 1", got=confidence)
    first_counts, second_counts = _stacked(first, second)                               # (R, U, 3) each
    generator = np.random.default_rng(seed)
    scores = [float(micro_f1(counts.sum(axis=(0, 1)))) for counts in (first_counts, second_counts)]
    if swap_runs_together:
        p_value = randomisation(first_counts.sum(axis=0), second_counts.sum(axis=0), samples, generator)
    else:
        p_value = randomisation(first_counts.reshape(-1, 3), second_counts.reshape(-1, 3), samples, generator)
    drawn = bootstrap(first_counts.sum(axis=0), second_counts.sum(axis=0), samples, generator)  # a unit is drawn with all its runs
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Comparison(
        scores[0], scores[1], scores[0] - scores[1], (float(low), float(high)), confidence, p_value,
        first_counts.shape[1], first_counts.shape[0], samples, seed,
    )  # fmt: skip


def randomisation(first: Counts, second: Counts, samples: int, generator: np.random.Generator) -> float:
    """Two-sided p-value (r + 1) / (N + 1) of the difference in micro F1: r of N random swaps give one at least as large.

    Args: first, second: (U, 3), of units that change places independently. samples: N. generator: of the swaps.
    Source: Yeh, COLING 2000, section 3; the added ones count the observed outcome among the samples (Noreen 1989).

    >>> ours, theirs = np.array([[1, 1, 1]] * 30), np.array([[1, 1, 1], [0, 1, 1]] * 15)  # 30 sentences
    >>> round(randomisation(ours, theirs, 100, np.random.default_rng(0)), 4)  # none of 100 random swaps gives such a difference
    0.0099
    """
    first_sums, second_sums = first.sum(axis=0), second.sum(axis=0)                     # (3,)
    observed = abs(micro_f1(first_sums) - micro_f1(second_sums))
    change = (second - first)[(first != second).any(axis=1)]                            # swaps of equal outputs change nothing
    num_as_large = 0
    for count in _sample_chunks(samples, len(change)):
        swapped = generator.integers(0, 2, (count, len(change)), np.uint8).astype(np.float64)
        moved = swapped @ change                                                        # (count, 3)
        difference = micro_f1(first_sums + moved) - micro_f1(second_sums - moved)
        num_as_large += int((np.abs(difference) >= observed - TIE).sum())
    return (num_as_large + 1) / (samples + 1)


def bootstrap(first: Counts, second: Counts, samples: int, generator: np.random.Generator) -> Floats:
    """(N,) differences in micro F1 of N samples of U units, drawn with replacement from U.

    Args: first, second: (U, 3), of the two systems on the same units. samples: N. generator: of the draws.
    Source: Efron 1979; paired, as in Berg-Kirkpatrick et al., EMNLP 2012, section 2.

    >>> ours, theirs = np.array([[1, 1, 1]] * 30), np.array([[1, 1, 1], [0, 1, 1]] * 15)  # 30 sentences
    >>> differences = bootstrap(ours, theirs, 100, np.random.default_rng(0))
    >>> differences.shape, bool(differences.min() > 0)
    ((100,), True)
    """
    both = np.concatenate([first, second], axis=1)                                      # (U, 6)
    return np.concatenate([micro_f1(s[:, :3]) - micro_f1(s[:, 3:]) for s in _bootstrap_sums(both, samples, generator)])


def _bootstrap_sums(counts: Counts, samples: int, generator: np.random.Generator) -> Iterator[Floats]:
    """(…, C) sums of U units drawn with replacement from (U, C) counts, N samples in all, some at a time."""
    units, values = len(counts), counts.astype(np.float64)
    for count in _sample_chunks(samples, units):
        drawn = generator.integers(0, units, (count, units)) + units * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * units).reshape(count, units)
        yield times @ values


def sign_flips(differences: Sequence[float], *, samples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of a mean difference: if the two systems were equal, either sign of each difference would be as likely.

    Args:
        differences: J of them, first system minus second. samples: of patterns of signs, where J > EXACT_FOLDS; up to there all 2^J
            patterns are counted, the observed one among them. seed: of that sample.
    Raises: ConfigError if there are none.
    Source: Fisher 1935, section 21, for paired differences; Pitman 1937.

    See also: `smallest_sign_flips`, `corrected_interval`.

    >>> sign_flips([0.02, 0.01, 0.03])  # all folds agree: 2 of 8 patterns of signs are as large
    0.25
    """
    require(len(differences) > 0, "differences", expected="at least one", got=0)
    values = np.asarray(differences, np.float64)
    observed = abs(values.sum()) - TIE * len(values)
    if len(values) <= EXACT_FOLDS:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums + value, sums - value])                         # (2^j,) after j differences
        return float((np.abs(sums) >= observed).mean())
    generator = np.random.default_rng(seed)
    num_as_large = 0
    for count in _sample_chunks(samples, len(values)):
        signs = generator.integers(0, 2, (count, len(values))) * 2 - 1
        num_as_large += int((np.abs(signs @ values) >= observed).sum())
    return (num_as_large + 1) / (samples + 1)


def smallest_sign_flips(count: int, *, samples: int = 10_000) -> float:
    """The smallest p-value of `sign_flips` for `count` differences: that of differences with the same sign. Args: samples: as there.

    >>> smallest_sign_flips(5), smallest_sign_flips(6)  # five folds can never give p < 0.05
    (0.0625, 0.03125)
    """
    return 2.0 ** (1 - count) if count <= EXACT_FOLDS else 1 / (samples + 1)


def corrected_interval(differences: Sequence[float], *, ratio: float, confidence: float = 0.95) -> tuple[float, float]:
    """Of the mean of J >= 2 differences of folds or resamples, whose training parts overlap: corrected resampled t-test.

    mean ± t(J - 1) · sqrt((1 / J + ratio) · variance). Without `ratio` it is the usual t interval, which is too narrow here.
    Args: ratio: size of a test part to that of its training part; 1 / (k - 1) for k folds. confidence: of the interval, between 0 and 1.
    Source: Nadeau and Bengio, Inference for the generalization error, Machine Learning 52 (2003).

    >>> low, high = corrected_interval([0.02, 0.01, 0.03], ratio=1 / 2)  # three folds
    >>> round(low, 3), round(high, 3)
    (-0.019, 0.059)
    """
    count = len(differences)
    require(count >= 2, "differences", expected="at least two", got=count)
    require(ratio >= 0, "ratio", expected="a number >= 0", got=ratio)
    mean, variance = float(np.mean(differences)), float(np.var(differences, ddof=1))
    half = student_bound(confidence, count - 1) * math.sqrt((1 / count + ratio) * variance)
    return mean - half, mean + half


def student_bound(confidence: float, freedom: int) -> float:
    """t with P(-t <= T <= t) = confidence for Student's distribution with `freedom` >= 1 degrees of freedom.

    Source: the finite series of Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4, halving the interval.

    >>> round(student_bound(0.95, freedom=4), 3)
    2.776
    """
    require(0 < confidence < 1, "confidence", expected="a number between 0 and 1", got=confidence)
    require(freedom >= 1, "freedom", expected="a number >= 1", got=freedom)
    odd = freedom % 2

    def inside(angle: float) -> float:                                                  # t = sqrt(freedom) · tan(angle)
        total, term = 0.0, math.cos(angle) if odd else 1.0
        for step in range(freedom // 2):
            total += term
            term *= math.cos(angle) ** 2 * (2 * step + 1 + odd) / (2 * step + 2 + odd)
        share = math.sin(angle) * total
        return 2 / math.pi * (angle + share) if odd else share

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _stacked(first: Sequence[Counts], second: Sequence[Counts]) -> tuple[Counts, Counts]:
    shapes = [[np.shape(counts) for counts in runs] for runs in (first, second)]
    shape = shapes[0][0] if shapes[0] else (0, 3)
    if shapes[0] != shapes[1] or len(shape) != 2 or shape[1] != 3 or not shape[0] or set(shapes[0]) != {shape}:
        raise DataError(f"compare: expected as many runs of the same (units, 3) counts on both sides, got {shapes[0]} and {shapes[1]}")
    first_counts, second_counts = np.array(first, np.int64), np.array(second, np.int64)  # (R, U, 3)
    gold = first_counts[0, :, 2]
    differs = (first_counts[:, :, 2] != gold).any(axis=0) | (second_counts[:, :, 2] != gold).any(axis=0)
    if differs.any():
        raise DataError(f"compare: expected the same gold relations in every run, got a difference in unit {int(differs.argmax())}")
    return first_counts, second_counts


def _sample_chunks(samples: int, units: int) -> Iterator[int]:
    size = max(1, CELLS_AT_ONCE // max(1, units))
    for start in range(0, samples, size):
        yield min(size, samples - start)
