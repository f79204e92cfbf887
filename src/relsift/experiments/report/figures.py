"""Plots as blocks: each with a caption that says what it shows, in which setting, with which seeds, and on how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relsift.experiments.report import plots
from relsift.experiments.report.plots import Line
from relsift.experiments.report.setting import planned_seeds, sizes
from relsift.experiments.report.summary import summaries, summarise
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.blocks import Figure
from relsift.report.wording import percent


def f1_figure(results: Results, *, command: str) -> Figure:
    """command: what makes the report; so in all of these."""
    rows = summaries(results)
    shows = "Micro F1 on the test parts: mean of all cells, standard deviation over folds, and a ring for each fold (mean over its seeds)."
    alt = "Micro F1 in percent: " + ", ".join(f"{row.system.title} {row.f1.in_percent()}" for row in rows)
    return Figure(name="f1", svg=plots.f1_by_system(rows), caption=caption(results, shows), alt=alt, command=command)


def precision_recall_figure(results: Results, *, command: str) -> Figure:
    rows = summaries(results)
    areas = "; ".join(f"{row.system.title} {row.curve.average_precision.in_percent()}" for row in rows)
    shows = (
        "Precision and recall of the test parts as the threshold falls. Precision is interpolated: the best one at this recall or a higher "
        "one, 0 beyond the highest recall that a cell reaches; line: mean of all cells, band: standard deviation over folds. Mark: mean "
        f"precision and recall at the tuned thresholds. Area under the curve, in percent: {areas}."
    )
    alt = f"Precision-recall curves; area under the curve in percent: {areas}"
    return Figure(name="precision-recall", svg=plots.precision_recall(rows), caption=caption(results, shows), alt=alt, command=command)


def relation_figure(results: Results, *, command: str) -> Figure:
    rows = summaries(results)
    shows = "F1 of each relation over the counts of all cells together, the most frequent relation first."
    alt = f"F1 of each relation for {', '.join(row.system.title for row in rows)}; the numbers are in the table of relations"
    return Figure(name="relations", svg=plots.f1_by_relation(rows), caption=caption(results, shows), alt=alt, command=command)


def confusion_figure(results: Results, system: System, *, command: str) -> Figure:
    row = summarise(results, system)
    split = row.pooled.errors
    shows = (
        f"{system.title}: entity pairs by gold relation (row) and found relation (column), over all its cells, so that a pair counts once "
        "a seed. The colour is the share of the row. Pairs without a relation on either side are not counted."
    )
    alt = (
        f"Confusion matrix of {system.title}: {split.false_negative} pairs missed, {split.false_positive} spurious, "
        f"{split.wrong_class} with another relation"
    )
    text = caption(results.with_systems((system,)), shows)
    return Figure(name=f"confusion-{system.name}", svg=plots.confusion(row.pooled), caption=text, alt=alt, command=command)


def negatives_figure(results: Results, panels: Mapping[str, Sequence[Line]], *, command: str) -> Figure:
    """panels: title -> lines. results: of all systems whose cells the lines come from."""
    shows = "Micro F1 by negative candidate pairs per positive one; line: mean of all cells, band: standard deviation over folds."
    series = [
        f"{panel}, {line.title}: " + ", ".join(f"{percent(spread.mean)} at {ratio:g}" for ratio, spread in sorted(line.points.items()))
        for panel, lines in panels.items()
        for line in lines
    ]
    alt = f"Micro F1 in percent by negatives per positive. {'; '.join(series)}"
    return Figure(name="negatives", svg=plots.f1_by_negatives(panels), caption=caption(results, shows), alt=alt, command=command)


def caption(results: Results, shows: str) -> str:
    """What the figure shows, the setting, the seeds, and on how much."""
    seeds = ", ".join(map(str, planned_seeds(results, None)))
    missing = [system.title for system in results.systems if not results.of(system)]
    not_computed = f" Not computed yet: {', '.join(missing)}." if missing else ""
    return f"{shows}{not_computed} Setting: {results.plan.setting()} · seeds {seeds} · {sizes(results)}."
