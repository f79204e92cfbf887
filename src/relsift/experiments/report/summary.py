"""Numbers of one system from its cells. Shares of one throughout; `tables` and `plots` make percent of them.

Cells differ by what they were tested on (fold) and by chance in training (seed), so each number has two spreads, never mixed. A standard
deviation is that of a sample (divided by n - 1). What is *pooled* counts over all cells together, so that a sentence counts once a seed.
Letters: N points of a curve, G points of the recall grid.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import ErrorSplit, Scores, TypeScore
from relsift.experiments.result import CellResult, Curve, Results
from relsift.experiments.system import System
from relsift.report.wording import with_deviation

AVERAGES = ("micro", "macro", "weighted")
MEASURES = ("precision", "recall", "f1")
GRID = np.linspace(0, 1, 101)  # (G,) recall

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """A number over the cells of one system."""

    mean: float                # of all cells
    by_fold: dict[int, float]  # fold -> mean of its cells, over its seeds
    by_seed: dict[int, float]  # seed -> mean of its cells, over the folds that all seeds have

    @property
    def over_folds(self) -> float | None:
        """Standard deviation of the folds' means; None if there are fewer than two."""
        return _deviation(self.by_fold.values())

    @property
    def over_seeds(self) -> float | None:
        """Standard deviation of the seeds' means; None if there are fewer than two."""
        return _deviation(self.by_seed.values())

    def in_percent(self) -> str:
        """`61.3 ± 1.2`: mean and standard deviation over folds; for a share of one."""
        return with_deviation(self.mean, self.over_folds)

    @classmethod
    def of(cls, cells: Sequence[CellResult], value: Callable[[CellResult], float]) -> Spread:
        """Raises DataError if there are no cells."""
        if not cells:
            raise DataError("report: expected at least one cell, got none")
        values = [(cell.fold, cell.seed, value(cell)) for cell in cells]
        by_fold: dict[int, list[float]] = defaultdict(list)
        by_seed: dict[int, list[float]] = defaultdict(list)
        shared = _shared_folds(cells)
        for fold, seed, number in values:
            by_fold[fold].append(number)
            if fold in shared:  # else a seed that lacks a hard fold would look better than the others
                by_seed[seed].append(number)
        means = [{key: fmean(group[key]) for key in sorted(group)} for group in (by_fold, by_seed)]
        return cls(fmean(number for _, _, number in values), *means)


@dataclass(frozen=True)
class MeanCurve:
    """recall: (G,) the grid. precision: (G,) mean over all cells. deviation: (G,) over folds, of the folds' means; zeros with one fold.

    A cell's precision at recall r is *interpolated*: the best precision at any recall >= r, and 0 beyond the highest recall it reaches
    (Manning et al. 2008, section 8.4). average_precision: the area under a cell's interpolated curve, which only knows the points that
    the cell keeps (at most `CURVE_POINTS`).
    """

    recall: Floats
    precision: Floats
    deviation: Floats
    average_precision: Spread

    @classmethod
    def of(cls, cells: Sequence[CellResult]) -> MeanCurve:
        by_fold: dict[int, list[Floats]] = defaultdict(list)
        for cell in cells:
            by_fold[cell.fold].append(interpolated(_curve(cell), GRID))
        area = Spread.of(cells, lambda cell: average_precision(_curve(cell)))
        every = np.array([curve for curves in by_fold.values() for curve in curves])     # (cells, G)
        folds = np.array([np.mean(curves, axis=0) for curves in by_fold.values()])       # (folds, G)
        deviation = folds.std(axis=0, ddof=1) if len(folds) > 1 else np.zeros_like(GRID)
        return cls(GRID, every.mean(axis=0), deviation, area)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One system. cells: how many. scores: average -> measure -> spread. pooled: all test scores together."""

    system: System
    cells: int
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    scores: dict[str, dict[str, Spread]]
    pooled: Scores
    mean_curve: MeanCurve | None  # None where a cell recorded no curve
    epochs: Spread
    best_epoch: Spread
    threshold: Spread
    seconds: Spread
    parameters: Spread

    @property
    def f1(self) -> Spread:
        """Of the micro average."""
        return self.scores["micro"]["f1"]

    @property
    def curve(self) -> MeanCurve:
        """Raises ConfigError where a cell recorded none."""
        if self.mean_curve is None:
            raise ConfigError(f"{self.system.name}: expected cells with precision-recall curves, got some without; compute them anew")
        return self.mean_curve


def summarise(results: Results, system: System) -> Summary:
    """Raises DataError if none of its cells is computed."""
    cells = results.of(system)
    if not cells:
        raise DataError(f"report: expected cells of {system.name}, got none; compute them first, or leave the system out")
    return Summary(
        system=system, cells=len(cells), folds=tuple(sorted({cell.fold for cell in cells})), seeds=tuple(results.seeds(system)),
        scores=average_spreads(cells, lambda cell: cell.test), pooled=pool(cell.test for cell in cells),
        mean_curve=None if any(cell.curve is None for cell in cells) else MeanCurve.of(cells),
        epochs=Spread.of(cells, lambda cell: cell.epochs), best_epoch=Spread.of(cells, lambda cell: cell.best_epoch),
        threshold=Spread.of(cells, lambda cell: cell.threshold), seconds=Spread.of(cells, lambda cell: cell.seconds),
        parameters=Spread.of(cells, lambda cell: cell.parameters),
    )  # fmt: skip


def summaries(results: Results) -> list[Summary]:
    """Of all systems that have cells, in the order of the report."""
    return [summarise(results, system) for system in results.systems if results.of(system)]


def average_spreads(cells: Sequence[CellResult], scores: Callable[[CellResult], Scores]) -> dict[str, dict[str, Spread]]:
    """average -> measure -> spread, of the scores that `scores` takes from a cell."""

    def number(average: str, measure: str) -> Spread:
        return Spread.of(cells, lambda cell: float(getattr(scores(cell).averages[average], measure)))

    return {average: {measure: number(average, measure) for measure in MEASURES} for average in AVERAGES}


def sampled(cell: CellResult) -> Scores:
    """The second scores, on a test part with fewer negatives. Raises DataError if the cell has none."""
    if cell.sampled is None:
        where = f"{cell.system.name}, fold {cell.fold}, seed {cell.seed}"
        raise DataError(f"report: expected a second score of {where}, got none; give the system a test_ratio and compute the cell anew")
    return cell.sampled


def pool(scores: Iterable[Scores]) -> Scores:
    """All counts added. A setting that differs between them says so. Raises DataError if there are none."""
    parts = list(scores)
    if not parts:
        raise DataError("report: expected scores to pool, got none")
    types: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    confusion: Counter[tuple[str, str]] = Counter()
    for part in parts:
        confusion.update(part.confusion)
        for name, count in part.per_type.items():
            for place, number in enumerate((count.true_positive, count.false_positive, count.false_negative)):
                types[name][place] += number
    keys = dict.fromkeys(key for part in parts for key in part.setting)
    values = {key: list(dict.fromkeys(part.setting.get(key, "not said") for part in parts)) for key in keys}
    setting = {key: distinct[0] if len(distinct) == 1 else "differs between cells" for key, distinct in values.items()}
    split = [sum(getattr(part.errors, kind.name) for part in parts) for kind in fields(ErrorSplit)]
    per_type = {name: TypeScore(*types[name]) for name in sorted(types)}
    return Scores(setting, sum(part.sentences for part in parts), per_type, ErrorSplit(*split), dict(sorted(confusion.items())))


def confusion_counts(scores: Scores) -> dict[tuple[str | None, str | None], int]:
    """(gold, predicted relation) -> entity pairs, None for no relation; pairs without a relation on either side are not counted."""
    counts: dict[tuple[str | None, str | None], int] = {}
    for name, count in scores.per_type.items():
        others = [other for other in scores.per_type if other != name]
        counts[name, None] = count.false_negative - sum(scores.confusion.get((name, other), 0) for other in others)
        counts[None, name] = count.false_positive - sum(scores.confusion.get((other, name), 0) for other in others)
        for other in scores.per_type:
            counts[name, other] = scores.confusion.get((name, other), 0)
    return counts


def interpolated(curve: Curve, recall: Floats) -> Floats:
    """(G,) the best precision at any recall >= that of the grid, 0 where none is reached."""
    precision, reached = curve.precision_recall()                                        # (N,) each, recall never falls
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)                  # (N + 1,) from each point on
    return np.asarray(best[np.searchsorted(reached, recall - 1e-12)])                    # less rounding: 0.3 must be reached by 3 of 10


def average_precision(curve: Curve) -> float:
    """Area under the interpolated curve: each point's step in recall times the best precision from there on."""
    precision, reached = curve.precision_recall()
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(reached, prepend=0.0) * best))


def _curve(cell: CellResult) -> Curve:
    if cell.curve is None:
        raise ConfigError(f"{cell.name}: expected a cell with a precision-recall curve, got one without; compute it anew")
    return cell.curve


def _deviation(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return stdev(numbers) if len(numbers) > 1 else None


def _shared_folds(cells: Sequence[CellResult]) -> set[int]:
    """Folds that every seed has."""
    folds: dict[int, set[int]] = defaultdict(set)
    for cell in cells:
        folds[cell.seed].add(cell.fold)
    return set.intersection(*folds.values())
