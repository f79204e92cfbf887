"""Is one system better than another? All their cells together, over documents or sentences, and fold by fold.

Two questions are asked. *Over units* (documents, or sentences): would other test documents have shown the difference too? Every document
is in the test part of one fold, so all folds together speak of the whole corpus once; the seeds of a document are drawn and swapped
together, since they err alike. *Over folds*: would other training parts have shown it? Each fold gives one difference, the mean over
its seeds. Folds share most of their training data, so that these differences are not independent, and no estimate of their variance is
right for all data (Bengio and Grandvalet, JMLR 5, 2004). Their p-value and effect size are a guide; their interval is widened for that
(Nadeau and Bengio 2003). With few folds no p-value can be small: `smallest_fold_p_value` says how small.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from relsift.candidates import Direction
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import Entities, Match
from relsift.evaluation.significance import (
    TIE,
    Comparison,
    Counts,
    by_document,
    compare_runs,
    corrected_interval,
    micro_f1,
    sentence_counts,
    sign_flips,
    smallest_sign_flips,
    with_lost,
)
from relsift.experiments.result import CellResult, Split
from relsift.schema import Document, Sentence, sentences_of

Unit = Literal["document", "sentence"]
UNITS: tuple[Unit, ...] = get_args(Unit)

Place = tuple[int, int]  # of a cell: fold, seed


@dataclass(frozen=True)
class SystemComparison(Comparison):
    """Beside the comparison over units, of all folds and seeds together, one over folds. Shares of one, first system minus second.

    Every pair of a fold and a seed has a cell on both sides. With the corpus's own split there is one fold, and nothing to say over folds.
    """

    unit: Unit  # what `units` counts
    split: Split
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    unpaired: int  # cells of either side that are left out
    first_mean: float  # mean over cells of the first system's micro F1, as the reports of `cv` and `reproduce` have it
    second_mean: float
    mean_difference: float  # first_mean minus second_mean
    fold_differences: dict[int, float]  # by fold, mean over its seeds
    effect_size: float | None  # Cohen's d_z over folds, mean / standard deviation; None with one fold, or where folds do not differ
    fold_interval: tuple[float, float] | None  # of the mean, at `confidence`; None with one fold
    fold_p_value: float  # by sign flips
    smallest_fold_p_value: float  # what it would be if all folds pointed the same way

    def folds_won(self) -> tuple[int, int]:
        """By the first system, by the second; a fold without a difference is nobody's."""
        values = self.fold_differences.values()
        return sum(value > TIE for value in values), sum(value < -TIE for value in values)


def compare_systems(
    first: Sequence[CellResult],
    second: Sequence[CellResult],
    *,
    units: Unit = "document",
    samples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> SystemComparison:
    """Compare the cells of one system with those of another, fold by fold and seed by seed.

    Used are the folds that both have, and of the seeds those that every such fold has on both sides; `unpaired` counts the rest.
    Raises: DataError if the cells of a side are not of one system, the plans differ, or no cells pair.
    """
    one, other = _by_place(first), _by_place(second)
    _check_plans([*first, *second])
    folds, seeds = _shared(one.keys(), other.keys())
    places = [(fold, number) for fold in folds for number in seeds]
    for place in places:
        if one[place].documents != other[place].documents:
            raise DataError(f"compare: expected the same test documents on both sides, got others in fold {place[0]}")
    whole = compare_runs(
        _runs(one, folds, seeds, units), _runs(other, folds, seeds, units),
        samples=samples, confidence=confidence, swap_runs_together=True, seed=seed,
    )  # fmt: skip
    differences = {place: _f1(one[place]) - _f1(other[place]) for place in places}
    by_fold = {fold: float(np.mean([differences[fold, number] for number in seeds])) for fold in folds}
    values = list(by_fold.values())
    spread, interval = 0.0, None
    if len(values) > 1:
        spread = float(np.std(values, ddof=1))
        interval = corrected_interval(values, ratio=1 / (first[0].plan.folds - 1), confidence=confidence)
    return SystemComparison(
        **{field.name: getattr(whole, field.name) for field in fields(whole)},
        unit=units, split=first[0].plan.split, folds=folds, seeds=seeds, unpaired=len(one) + len(other) - 2 * len(places),
        first_mean=float(np.mean([_f1(one[place]) for place in places])),
        second_mean=float(np.mean([_f1(other[place]) for place in places])),
        mean_difference=float(np.mean(list(differences.values()))), fold_differences=by_fold,
        effect_size=float(np.mean(values)) / spread if spread > TIE else None,
        fold_interval=interval,
        fold_p_value=sign_flips(values, samples=samples, seed=seed),
        smallest_fold_p_value=smallest_sign_flips(len(values), samples=samples),
    )  # fmt: skip


def compare_predictions(
    documents: Sequence[Document],
    first: Sequence[Sentence],
    second: Sequence[Sentence],
    *,
    direction: Direction,
    entities: Entities = "gold",
    match: Match = "strict",
    losses: Sequence[int] | None = None,
    units: Unit = "document",
    samples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare what two models found in the sentences of the same annotated documents. Raises: as `evaluate` does.

    Args:
        entities, match: as of `evaluate`.
        losses: of each document, annotated relations that its reader could not keep: both models missed them. None: there are none.
    """
    gold = list(sentences_of(documents))
    sizes = [sum(sentence.relations is not None for sentence in document.sentences) for document in documents]
    runs = [sentence_counts(gold, predicted, direction=direction, entities=entities, match=match) for predicted in (first, second)]
    if losses is not None:
        runs = [with_lost(counts, losses, sizes) for counts in runs]
    if units == "document":
        runs = [by_document(counts, sizes) for counts in runs]
    return compare_runs(runs[:1], runs[1:], samples=samples, confidence=confidence, seed=seed)


def verdict(comparison: Comparison, first: str, second: str) -> str:
    """One sentence: which one is better, or that it cannot be told.

    "Better" takes a small p-value and an interval without 0, and of several folds that the interval of their mean is without 0 too: over
    documents alone, one fold where a training went wrong is enough.
    """
    level = f"{100 * comparison.confidence:g} % interval"
    over_folds = isinstance(comparison, SystemComparison) and comparison.split == "folds"
    if not beyond_chance(comparison):
        return (
            f"No difference that {'these folds' if over_folds else 'this data'} can show: {first} minus {second} is "
            f"{100 * comparison.difference:+.1f} points ({level} {as_points(comparison.interval)}, p = {comparison.p_value:.3g})."
        )
    sign = 1 if comparison.difference > 0 else -1
    better, worse = (first, second) if sign > 0 else (second, first)
    least, most = sorted(100 * sign * bound for bound in comparison.interval)
    amount = f"by {100 * abs(comparison.difference):.1f} points ({level} {least:.1f} to {most:.1f}, p = {comparison.p_value:.3g})"
    if isinstance(comparison, SystemComparison) and comparison.fold_interval is not None and holds_zero(comparison.fold_interval):
        won, count = comparison.folds_won()[0 if sign > 0 else 1], len(comparison.folds)
        return (
            f"{better} scores higher than {worse} on these {comparison.unit}s {amount}, but {count} folds cannot show that it would with "
            f"other training parts ({won} of {count} folds won, {level} of their mean {as_points(comparison.fold_interval, sign)})."
        )
    return f"{better} is better than {worse} {amount}."


def beyond_chance(comparison: Comparison) -> bool:
    """Over units: a small p-value, and an interval without 0."""
    return comparison.p_value < 1 - comparison.confidence and not holds_zero(comparison.interval)


def as_points(interval: tuple[float, float], sign: int = 1) -> str:
    """Of shares of one, in percent, with signs; sign -1: the other way round."""
    low, high = sorted(100 * sign * bound for bound in interval)
    return f"{low:+.1f} to {high:+.1f}"


def holds_zero(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0 <= interval[1]


def as_unit(name: str) -> Unit:
    """Raises ConfigError for another name."""
    for unit in UNITS:
        if unit == name:
            return unit
    raise ConfigError(f"--units: expected {' or '.join(UNITS)}, got {name!r}")


def _by_place(cells: Sequence[CellResult]) -> dict[Place, CellResult]:
    if len(names := {cell.system.name for cell in cells}) > 1:
        raise DataError(f"compare: expected the cells of one system on each side, got several ({', '.join(sorted(names))})")
    places: dict[Place, CellResult] = {}
    for cell in cells:
        if (cell.fold, cell.seed) in places:
            raise DataError(f"compare: expected one cell a fold and seed, got two of fold {cell.fold}, seed {cell.seed}")
        places[cell.fold, cell.seed] = cell
    return places


def _check_plans(cells: Sequence[CellResult]) -> None:
    """All the same, but for the name of the data: its checksum counts."""
    plans = [asdict(cell.plan) for cell in cells]
    for one, other in pairwise(plans):
        different = [f"{name} {one[name]} and {other[name]}" for name in one if name != "data" and one[name] != other[name]]
        if different:
            raise DataError(f"compare: expected cells of the same data, folds and candidates on both sides, got {', '.join(different)}")


def _shared(one: Collection[Place], other: Collection[Place]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Folds and seeds to compare."""
    both = set(one) & set(other)
    folds = sorted({fold for fold, _ in both})
    seeds = [seed for seed in sorted({seed for _, seed in both}) if all((fold, seed) in both for fold in folds)]
    if not seeds:
        got = " and ".join(", ".join(f"fold {fold} seed {seed}" for fold, seed in sorted(side)) or "none" for side in (one, other))
        expected = "a seed that every shared fold has on both sides" if both else "cells of the same fold and seed on both sides"
        raise DataError(f"compare: expected {expected}, got {got}; compute what is missing with `relsift cv`")
    return tuple(folds), tuple(seeds)


def _runs(cells: Mapping[Place, CellResult], folds: Sequence[int], seeds: Sequence[int], units: Unit) -> list[Counts]:
    """One run a seed: (U, 3), the units of all folds."""
    return [np.concatenate([_units(cells[fold, seed], units) for fold in folds]) for seed in seeds]


def _units(cell: CellResult, units: Unit) -> Counts:
    counts = _counts(cell)
    if units == "sentence":
        return counts
    if sum(cell.documents) != len(counts):
        raise DataError(
            f"{_title(cell)}: expected counts of the {sum(cell.documents)} sentences of its documents, got {len(counts)}"
        )
    return by_document(counts, cell.documents)


def _f1(cell: CellResult) -> float:
    return float(micro_f1(_counts(cell).sum(axis=0)))


def _counts(cell: CellResult) -> Counts:
    if cell.counts is None:
        raise DataError(f"{_title(cell)}: expected counts of each test sentence, got a cell without them; compute it anew")
    return cell.counts


def _title(cell: CellResult) -> str:
    return f"{cell.system.name}, fold {cell.fold}, seed {cell.seed}"
