"""The parts of docs/results on the paper's four variants and the corpora's own splits, from the cells in benchmarks/results/official."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from results_plots import Parts, over_seeds_dot, plot

from relsift.experiments.grid import load_results
from relsift.experiments.report.summary import Spread
from relsift.experiments.result import CellResult, Results
from relsift.experiments.system import BASE, MTL, MTL_TAG, TAG, VARIANTS, System
from relsift.report.wording import percent, points, with_deviation

RESULTS = Path(__file__).parent / "results"
FOLDER = RESULTS / "official"
TITLES = {
    "conll04": "CoNLL04 (English news)", "scienceie": "ScienceIE (English science)", "ddi2013": "DDI-2013 (English pharmacology)",
    "scicn": "SciCN (Chinese science abstracts, characters as tokens)", "scierc": "SciERC (English abstracts of computer science)",
    "ade": "ADE (English case reports)",
}  # fmt: skip
SYSTEMS = (*VARIANTS, replace(MTL_TAG, name="mtl_tag_released", title="+MTL+Tag, `released`", preset="released"))
ERRORS = ("false_negative", "false_positive", "wrong_class")


def parts() -> Parts:
    """(page, mark) -> lines."""
    grids = load(FOLDER, SYSTEMS)
    lines = [line for corpus, results in grids.items() for line in (*section(TITLES[corpus], results), "")]
    return {
        ("official_splits", "plot"): official_plot(grids),
        ("official_splits", "gains"): [gains(grids)],
        ("official_splits", "corpora"): lines,
    }


def official_plot(grids: Mapping[str, Results]) -> Sequence[str]:
    """A row a corpus, a mark a variant."""
    names = {corpus: TITLES[corpus].partition(" (")[0] for corpus in grids}
    marks = {one.title: {names[corpus]: over_seeds_dot(results, one) for corpus, results in grids.items()} for one in VARIANTS}
    return plot("official-splits", marks, "test micro F1, %")


def overview() -> str:
    """At a glance: test micro F1, a row a corpus, a column a variant."""
    rows = []
    for corpus, results in load(FOLDER, SYSTEMS).items():
        cells = (over_seeds(results, system, lambda cell: cell.test.micro.f1) for system in VARIANTS)
        rows.append([f"{TITLES[corpus]}, {results.plan.direction}", *cells])
    return table(["test micro F1", *(system.title for system in VARIANTS)], rows)


def load(folder: Path, systems: tuple[System, ...]) -> dict[str, Results]:
    """Corpus -> its grid, in the order of the page."""
    return {corpus: load_results(folder / corpus, systems) for corpus in TITLES if (folder / corpus).is_dir()}


def over_seeds(results: Results, system: System, value: Callable[[CellResult], float]) -> str:
    """Mean and standard deviation over seeds, in percent; empty without cells."""
    if not (cells := results.of(system)):
        return ""
    spread = Spread.of(cells, value)
    return with_deviation(spread.mean, spread.over_seeds)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Cells are Markdown themselves, with links and code, which `relsift.report.markdown` would escape."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def setting(results: Results) -> str:
    """What all systems of a grid were tested on, and how."""
    cell = next(results.of(system)[0] for system in results.systems if results.of(system))
    facts = " · ".join(f"{key}={value}" for key, value in cell.test.setting.items())
    where = f"`{results.plan.data}/test`" if results.plan.folds == 1 else f"`{results.plan.data}`, fold {cell.fold} of {results.plan.folds}"
    return f"Tested on {where}, {cell.test.sentences} sentences. {facts}."


def section(title: str, results: Results) -> Iterator[str]:
    computed = [system for system in results.systems if results.of(system)]
    training = results.of(computed[0])[0].training_candidates
    lost = sum(training["lost"].values())
    yield f"## {title}"
    yield ""
    yield f"{setting(results)} Training candidates: {training['kept']}, positive to negative {training['ratio']}" + (
        f"; annotated relations that no training candidate carries: {lost}." if lost else "."
    )
    yield ""
    yield score_table(results, computed)
    yield ""
    yield "Errors on the test part, mean over seeds:"
    yield ""
    yield error_table(results, computed)
    yield ""
    yield "Commands:"
    yield ""
    yield "```"
    yield from (train_command(results.of(system)[0]) for system in computed)
    yield "```"


def train_command(cell: CellResult) -> str:
    """What trains a cell again. Cells of 0.1 name no model where it was the default of their time."""
    named = f"relsift train --model {cell.system.model} "
    return cell.command if "--model " in cell.command else cell.command.replace("relsift train ", named, 1)


def score_table(results: Results, systems: list[System]) -> str:
    rows = []
    for system in systems:
        values: tuple[Callable[[CellResult], float], ...] = (
            lambda cell: cell.test.micro.precision, lambda cell: cell.test.micro.recall, lambda cell: cell.test.micro.f1,
            lambda cell: cell.test.macro.f1, lambda cell: cell.test.weighted.f1, lambda cell: cell.development.micro.f1,
        )  # fmt: skip
        precision, recall, f1, *others = (over_seeds(results, system, value) for value in values)
        epochs = ", ".join(str(cell.epochs) for cell in results.of(system))
        rows.append([system.title, ", ".join(map(str, results.seeds(system))), precision, recall, f"**{f1}**", *others, epochs])
    head = ["variant", "seeds", "precision", "recall", "**micro F1**", "macro F1", "weighted F1", "development micro F1", "epochs"]
    return table(head, rows)


def error_table(results: Results, systems: list[System]) -> str:
    rows = []
    for system in systems:
        errors = [cell.test.errors for cell in results.of(system)]
        shares = (f"{percent(fmean(split.shares()[kind] for split in errors))} %" for kind in ERRORS)
        rows.append([system.title, *shares, f"{fmean(split.total for split in errors):.0f}"])
    return table(["variant", "missed", "spurious", "wrong relation", "errors a seed"], rows)


def gains(grids: dict[str, Results]) -> str:
    """Micro F1 of each variant minus the baseline's, seed by seed."""
    rows = []
    for corpus, results in grids.items():
        row = [TITLES[corpus]]
        for system in (TAG, MTL, MTL_TAG):
            changes = [one.test.micro.f1 - base.test.micro.f1 for one, base in results.shared(system, BASE)]
            row.append(f"{points(fmean(changes))} ({', '.join(map(points, changes))})" if changes else "")
        rows.append(row)
    return table(["corpus", *(system.title for system in (TAG, MTL, MTL_TAG))], rows)
