"""The plots of docs/results on the cross-validated experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from results_plots import Dot, plot, written

from relsift.experiments import table4
from relsift.experiments.ablations import CONTROLS, PREDICTED, VIEWS
from relsift.experiments.evaluation_habits import BOTH, HONEST
from relsift.experiments.experiment import differences
from relsift.experiments.report import figures
from relsift.experiments.report.summary import Spread, summarise
from relsift.experiments.result import Results
from relsift.experiments.system import BASE, TAG, System

Grids = Sequence[tuple[str, Results]]  # folders by name, with their cells of some systems
ERRORS = {"missed": "false_negative", "invented": "false_positive", "wrong relation": "wrong_class"}
ON_TAGGERS = (BASE, TAG, *PREDICTED)
SHOWN = (TAG, *VIEWS, *CONTROLS)


def gain_plot(name: str, grids: Grids, series: Mapping[str, tuple[System, System, str]]) -> Sequence[str]:
    """Differences in points, a row a corpus. Args: series: title -> system, what it is compared with, which interval."""
    marks: dict[str, dict[str, Dot]] = {title: {} for title in series}
    for corpus, results in grids:
        for title, (system, base, which) in series.items():
            gain = differences(results, base).get(system.name)
            if gain is not None and (ends := getattr(gain, which)) is not None:
                marks[title][corpus] = Dot(100 * gain.difference, *(100 * end for end in ends))
    return plot(name, marks, "points of micro F1 gained", zero=True)


def views_plot(grids: Grids) -> Sequence[str]:
    marks: dict[str, dict[str, Dot]] = {}
    for corpus, results in grids:
        gains = differences(results, BASE)
        rows = [system for system in SHOWN if system.name in gains]
        marks[corpus] = {system.title: Dot(100 * gains[system.name].difference) for system in rows}
    return plot("what-tags-show", marks, "points of micro F1 over no tags", zero=True)


def view_plots(grids: Grids) -> Iterator[str]:
    for name, results in grids:
        figure = figures.f1_figure(results, command="")
        yield written(f"{name}-ablations-f1", figure.svg, f"{name}: micro F1 of every row, with its spread over folds")
        yield ""


def predicted_plot(grids: Grids) -> Sequence[str]:
    results = dict(grids)["conll04"]
    rows = {system.title: summarise(results, system).f1 for system in ON_TAGGERS}
    return plot("predicted-tags", {"": _with_folds(rows)}, "micro F1 on CoNLL04, %")


def loss_plot(grids: Grids) -> Sequence[str]:
    marks = {}
    for name, results in grids:
        marks[name] = _with_folds({system.title: summarise(results, system).f1 for system in table4.SYSTEMS if results.of(system)})
    return plot("losses", marks, "micro F1, %")


def habits_plot(grids: Grids) -> Sequence[str]:
    marks = {}
    for name, results in grids:
        titles = {HONEST.name: "none", BOTH.name: "both"}
        rows = {titles.get(one.name, one.title): summarise(results, one).f1 for one in results.systems if results.of(one)}
        marks[name if len(grids) > 1 else ""] = _with_folds(rows)
    return plot("habits", marks, "micro F1, %")


def errors_plot(grids: Grids) -> Sequence[str]:
    shares = [(corpus, error_shares(results, BASE)) for corpus, results in grids]
    series = {title: {corpus: Dot(row[n]) for corpus, row in shares} for n, title in enumerate(ERRORS)}
    return plot("errors", series, "share of the baseline's errors, %")


def error_shares(results: Results, system: System) -> list[float]:
    """Missed, invented and wrong relations in percent of all errors, over all cells together."""
    counts = [sum(getattr(cell.test.errors, kind) for cell in results.of(system)) for kind in ERRORS.values()]
    return [100 * count / sum(counts) for count in counts]


def _with_folds(rows: Mapping[str, Spread]) -> dict[str, Dot]:
    return {title: Dot.around(100 * f1.mean, None if f1.over_folds is None else 100 * f1.over_folds) for title, f1 in rows.items()}
