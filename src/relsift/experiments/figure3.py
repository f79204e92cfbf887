"""Figure 3 of Ye et al. 2019: F1 as negatives are added, baseline against tags with the second task.

Negatives are sampled from the *training* part in nested samples: those at 1:1 are among those at 1:5. The paper samples the test part in
the same way, which lowers F1 by itself as the ratio grows: more negatives are more chances for a false positive, whatever the model does.
So each cell is scored twice: on a test part sampled at its own ratio, and on the whole one, the threshold tuned on a development part
that is like the test part each time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import log2
from statistics import fmean, linear_regression

from relsift.evaluation.scores import Scores
from relsift.evaluation.significance import corrected_interval
from relsift.experiments.experiment import Experiment, drawn, with_cells
from relsift.experiments.report import figures, tables
from relsift.experiments.report.plots import Line
from relsift.experiments.report.setting import opening, setting
from relsift.experiments.report.summary import Spread, sampled
from relsift.experiments.result import CellResult, Plan, Results
from relsift.experiments.system import BASE, MTL_TAG, System
from relsift.report.blocks import Block, Column, Figure, Paragraph, Report, Section, Table
from relsift.report.wording import counted, interval, points

RATIOS = (0.5, 1.0, 5.0, 10.0, 15.0)  # negatives a positive
SAMPLED, WHOLE = "test part at the same ratio", "whole test part"
QUESTION = (
    "As negatives are added, does F1 fall, and does the gap between the baseline and +MTL+Tag widen (Ye et al. 2019, figure 3)? On a test "
    "part sampled at the same ratio, as in the paper, F1 falls by itself; on the whole test part it need not."
)


def at_ratio(system: System, ratio: float) -> System:
    named = replace(system, name=f"{system.name}-1to{ratio:g}", title=f"{system.title} 1:{ratio:g}", test_ratio=ratio)
    return named.with_overrides(f"candidates.negatives={ratio:g}")


def systems(plan: Plan) -> tuple[System, ...]:
    return tuple(at_ratio(system, ratio) for ratio in RATIOS for system in (BASE, MTL_TAG))


def report(results: Results, command: str) -> Report:
    with_cells(results)
    spreads = _spreads(results)
    blocks_of_curve: list[Block] = [_table(results, spreads), drawn(lambda: plot(results, command))]
    blocks_of_curve += [Paragraph(sentence) for sentence in trend_sentences(results)]
    too_far = [ratio for ratio in RATIOS if not any(ratio in by_ratio for by_ratio in spreads[WHOLE].values())]
    if too_far:
        names = ", ".join(f"1:{ratio:g}" for ratio in too_far)
        blocks_of_curve.append(
            Paragraph(f"Not shown: {names}, where not computed, or where the training part has fewer negatives than that.", "note")
        )
    sections = (
        Section("F1 by negatives per positive", tuple(blocks_of_curve)),
        Section("All cells, scored on the whole test part", (tables.score_table(results),)),
        Section("Setting", tuple(setting(results, commands=(command,)))),
    )
    return Report("Figure 3", sections, (Paragraph(QUESTION), *opening(results)))


def plot(results: Results, command: str) -> Figure:
    """Raises ConfigError without matplotlib."""
    panels = {where: [Line(base.title, by_base[base.name]) for base in (BASE, MTL_TAG)] for where, by_base in _spreads(results).items()}
    return figures.negatives_figure(results, panels, command=command)


def _spreads(results: Results) -> dict[str, dict[str, dict[float, Spread]]]:
    """Test part -> system -> ratio -> micro F1."""
    return {where: {base.name: by_ratio(results, base, where) for base in (BASE, MTL_TAG)} for where in (SAMPLED, WHOLE)}


def _has_enough(cell: CellResult, ratio: float) -> bool:
    """The training part really had so many negatives a positive, but for rounding."""
    kept, positive = cell.training_candidates["kept"], cell.training_candidates["positive"]
    return bool(kept - positive >= 0.99 * ratio * positive)


def by_ratio(results: Results, base: System, where: str) -> dict[float, Spread]:
    """Micro F1 by negatives per positive, where the training parts of all cells really have so many."""
    cells = {ratio: results.of(at_ratio(base, ratio)) for ratio in RATIOS}
    scores = sampled if where == SAMPLED else _whole
    return {
        ratio: Spread.of(group, lambda cell: scores(cell).micro.f1)
        for ratio, group in cells.items()
        if group and all(_has_enough(cell, ratio) for cell in group)
    }


def gap(results: Results, ratio: float, where: str) -> float | None:
    """Of +MTL+Tag to the baseline, over cells of the same fold and seed: one system may have a hard fold that the other lacks."""
    gaps = _gaps(results, ratio, where)
    return fmean(gaps.values()) if gaps else None


@dataclass(frozen=True)
class Trend:
    """slope: what a doubling of the negatives adds to the gap.

    interval: 95 %, over folds, see `corrected_interval`; None for fewer than three, whose spread is a matter of luck.
    """

    slope: float
    interval: tuple[float, float] | None
    ratios: tuple[float, ...]
    folds: int
    seeds: int


def trend(results: Results, where: str) -> Trend | None:
    """By least squares on the logarithm of the ratio, for each fold and seed with both systems at every ratio; None without two ratios.

    A fold that lacks a ratio, as the last one of a grid that was stopped, is left out.
    """
    enough = set(by_ratio(results, BASE, where)) & set(by_ratio(results, MTL_TAG, where))
    gaps = {ratio: _gaps(results, ratio, where) for ratio in RATIOS if ratio in enough}
    places = set.intersection(*map(set, gaps.values())) if len(gaps) > 1 else set()
    if not places:
        return None
    doublings = [log2(ratio) for ratio in gaps]
    slopes: dict[int, list[float]] = defaultdict(list)
    for fold, seed in sorted(places):
        slopes[fold].append(linear_regression(doublings, [by_place[fold, seed] for by_place in gaps.values()]).slope)
    by_fold = [fmean(values) for values in slopes.values()]
    bounds = corrected_interval(by_fold, ratio=1 / (results.plan.folds - 1)) if len(by_fold) > 2 else None
    return Trend(fmean(by_fold), bounds, tuple(gaps), len(by_fold), len({seed for _, seed in places}))


def trend_sentences(results: Results) -> list[str]:
    """For the reader, one for each way to score."""
    sentences = []
    for where in (SAMPLED, WHOLE):
        line = trend(results, where)
        if line is None:
            continue
        size = f"{counted(line.folds, 'fold')} with all of them, {counted(line.seeds, 'seed')}"
        sure = "no interval" if line.interval is None else f"95 % interval over folds {interval(line.interval)}"
        sentences.append(
            f"On the {where}, each doubling of the negatives from 1:{line.ratios[0]:g} to 1:{line.ratios[-1]:g} changes the gap by "
            f"{points(line.slope)} points ({sure}; {size})."
        )
    return sentences


def _gaps(results: Results, ratio: float, where: str) -> dict[tuple[int, int], float]:
    """By fold and seed."""
    scores = sampled if where == SAMPLED else _whole
    pairs = results.shared(at_ratio(MTL_TAG, ratio), at_ratio(BASE, ratio))
    return {(one.fold, one.seed): scores(one).micro.f1 - scores(other).micro.f1 for one, other in pairs}


def _whole(cell: CellResult) -> Scores:
    return cell.test


def _table(results: Results, spreads: dict[str, dict[str, dict[float, Spread]]]) -> Table:
    titles = (BASE.title, MTL_TAG.title, "gap")
    columns = (Column(title="positive : negative", align="left"), *(Column(title=t, group=where) for where in spreads for t in titles))
    rows = []
    for ratio in RATIOS:
        cells = [f"1 : {ratio:g}"]
        for where, by_base in spreads.items():
            both = [by_base[base.name].get(ratio) for base in (BASE, MTL_TAG)]
            between = None if None in both else gap(results, ratio, where)
            cells += ["–" if spread is None else spread.in_percent() for spread in both]
            cells.append("–" if between is None else points(between))
        rows.append(tuple(cells))
    notes = (
        "Micro F1 in percent, mean of all cells ± standard deviation over folds; the gap in points, over cells of the same fold and seed.",
    )
    return Table(columns=columns, rows=tuple(rows), notes=notes)


EXPERIMENT = Experiment(
    name="figure3", summary="baseline and +MTL+Tag as negatives are added to the training part", systems=systems, report=report
)
