"""Write the tables and plots of docs/losses.md and docs/decisions.md from the grids in benchmarks/results/losses.

    python benchmarks/losses_page.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from measure import write_between
from official_page import RESULTS, table

from relsift.evaluation.significance import corrected_interval
from relsift.experiments import losses
from relsift.experiments.comparison import SystemComparison, compare_systems
from relsift.experiments.encoders import PACKED
from relsift.experiments.grid import load_results
from relsift.experiments.report.figures import precision_recall_figure
from relsift.experiments.result import DECISIONS, Results
from relsift.experiments.system import MTL_TAG, PCNN_TAG, System
from relsift.report.wording import percent, points

DOCS = Path(__file__).parent.parent / "docs"
TITLES = {  # folder -> head of its column
    "conll04": "CoNLL04", "conll04-unfiltered": "CoNLL04, all pairs, folds", "scienceie": "ScienceIE",
    "scienceie-folds": "ScienceIE, folds", "scienceie-packed": "ScienceIE, MiniLM", "ddi2013": "DDI-2013",
    "ddi2013-seeds": "DDI-2013, 3 seeds", "scicn": "SciCN",
    "chinese_literature": "Chinese Literature, folds",
}  # fmt: skip
BASES = {"`multitask_cnn`": MTL_TAG, "`pcnn`": PCNN_TAG, "`packed_markers`": PACKED}
RULES = {"constraints": "constraints", "per relation": "a threshold a relation", "both": "both rules"}  # as cells name them -> on the page
OWN = {MTL_TAG.name: "`ranking`, its own", PCNN_TAG.name: "`cross_entropy`, its own", PACKED.name: "`atloss`, its own"}


def main() -> None:
    grids = {name: load_results(RESULTS / "losses" / name, losses.SYSTEMS) for name in TITLES if (RESULTS / "losses" / name).is_dir()}
    lines = []
    for model, base in BASES.items():
        if any(results.of(base) for results in grids.values()):
            lines += [f"**{model}**", "", scores(grids, base), ""]
    lines += [*plots(grids)]
    write_between(("<!-- losses -->", "<!-- end of losses -->"), DOCS / "losses.md", "\n" + "\n".join(lines))
    with_facts = {name: results for name, results in grids.items() if any(facts(results, system) for system in results.systems)}
    of_rules = f"\n{rules(with_facts)}\n\n{over_folds(with_facts)}\n"
    write_between(("<!-- rules -->", "<!-- end of rules -->"), DOCS / "decisions.md", of_rules)
    write_between(("<!-- trust -->", "<!-- end of trust -->"), DOCS / "losses.md", f"\n{trust(with_facts)}\n")


def scores(grids: dict[str, Results], base: System) -> str:
    """A row a variant of the model: test micro F1, in brackets the difference from its own loss."""
    shown = [name for name, results in grids.items() if results.of(base)]
    variants = [base, *(one for one in losses.SYSTEMS if one.model == base.model and one.name != base.name)]
    rows = []
    for system in variants:
        cells = [_score(grids[name], system, base) for name in shown]
        if any(cells):
            rows.append([_title(system, base), *(cell or "–" for cell in cells)])
    return table(["loss", *(TITLES[name] for name in shown)], rows)


def _title(system: System, base: System) -> str:
    if system.name == base.name:
        return OWN[base.name]
    loss = system.name.removeprefix(f"{base.name}-")
    return f"`{loss}`" if loss in losses.TITLES else system.title.removeprefix(f"{base.title}, ")


def _score(results: Results, system: System, base: System) -> str:
    if not (cells := results.of(system)):
        return ""
    f1 = percent(fmean(cell.test.micro.f1 for cell in cells))
    if system.name == base.name:
        return f1
    tested = compare_systems(cells, results.of(base))
    return f"{f1} ({points(tested.mean_difference)}{'*' if beyond_chance(tested) else ''})"


def beyond_chance(tested: SystemComparison) -> bool:
    """The interval over documents or sentences, and where there are folds that over folds, leaves out 0."""
    intervals = [tested.interval, *([] if tested.fold_interval is None else [tested.fold_interval])]
    return all(low > 0 for low, _ in intervals) or all(high < 0 for _, high in intervals)


def plots(grids: dict[str, Results]) -> list[str]:
    lines = []
    for name, results in grids.items():
        if not results.of(MTL_TAG):
            continue
        drawn = [system for system in losses.drawn_systems(results) if results.of(system)]
        figure = precision_recall_figure(results.with_systems(tuple(drawn)), command="")
        file = RESULTS / "plots" / f"losses-{name}.svg"
        file.write_text(figure.svg, encoding="utf-8", newline="\n")
        lines += [f"![{TITLES[name]}: {figure.alt}](../benchmarks/results/plots/{file.name})", "", f"*{TITLES[name]}.*", ""]
    return lines


def facts(results: Results, system: System) -> list[dict]:
    return [found for cell in results.of(system) if (found := cell.extra.get(DECISIONS))]


def rules(grids: dict[str, Results]) -> str:
    """A row a grid: what other rules than one threshold change, over all its systems and cells."""
    rows = []
    for name, results in grids.items():
        every = [found["rules"] for system in results.systems for found in facts(results, system)]
        row = [TITLES[name], len(every)]
        for rule in RULES:
            gains = [found[rule] - found["threshold"] for found in every]
            row += [f"{points(fmean(gains))} ± {percent(stdev(gains))}", f"{sum(g > 1e-9 for g in gains)}, {sum(g < -1e-9 for g in gains)}"]
        rows.append(row)
    head = ["corpus", "trainings"]
    for title in RULES.values():
        head += [f"{title}, points of F1", "trainings better, worse"]
    return table(head, rows)


def over_folds(grids: dict[str, Results]) -> str:
    """A row a grid of folds and a rule: the gain of each fold is the mean over its systems, which share their data."""
    rows = []
    for name, results in grids.items():
        if (folds := results.plan.folds) < 2 or results.plan.split == "own":
            continue
        for rule in RULES:
            gains: dict[int, list[float]] = {}
            for system in results.systems:
                for cell in results.of(system):
                    if found := cell.extra.get(DECISIONS):
                        gains.setdefault(cell.fold, []).append(found["rules"][rule] - found["rules"]["threshold"])
            means = [fmean(values) for values in gains.values()]
            low, high = corrected_interval(means, ratio=1 / (folds - 1))
            rows.append([
                TITLES[name], RULES[rule], small_points(fmean(means)), f"{small_points(min(means))} to {small_points(max(means))}",
                f"{small_points(low)} to {small_points(high)}", f"{sum(mean > 0 for mean in means)} of {len(means)}",
            ])  # fmt: skip
    head = ["corpus", "rule", "points of F1, mean over folds", "worst and best fold", "95 % interval over folds", "folds that gain"]
    return table(head, rows)


def small_points(share: float) -> str:
    """Two digits, since the means over a dozen systems differ by less than a tenth of a point."""
    digits = f"{100 * share:+.2f}".replace("-", "−")
    return "0.00" if float(f"{share:.4f}") == 0 else digits


def trust(grids: dict[str, Results]) -> str:
    """A row a grid and a system: those that are drawn, and the second model."""
    rows = []
    for name, results in grids.items():
        drawn = {one.name: one for one in (*losses.drawn_systems(results), PCNN_TAG, PACKED)}
        for system in drawn.values():
            if found := facts(results, system):
                rows.append([
                    TITLES[name], system.title, _mean(found, "calibration_error"), _mean(found, "error_by_chance"),
                    *(_at(found, 0.7, key) for key in ("false_positives", "precision")),
                ])  # fmt: skip
    false = "of 100 unrelated pairs, called related at recall 70 %"
    return table(["corpus", "system", "calibration error, %", "by chance alone, %", false, "precision there, %"], rows)


def _mean(found: Sequence[dict], key: str) -> str:
    values = [one[key] for one in found if key in one]
    return percent(fmean(values)) if values else "–"


def _at(found: Sequence[dict], recall: float, key: str) -> str:
    values = [row[key] for one in found for row in one["co_occurrence"]["at_recall"] if row["recall"] == recall]
    return "–" if None in values else f"{fmean(values) * (1 if key == 'false_positives' else 100):.1f}"


if __name__ == "__main__":
    main()
