"""The part of docs/results.md on the cross-validated experiments, from the cells in benchmarks/results/experiments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from relsift.experiments import ablations, figure3, imitation
from relsift.experiments.experiment import differences
from relsift.experiments.grid import load_results
from relsift.experiments.report.summary import summarise
from relsift.experiments.report.wording import p_value, points, with_deviation
from relsift.experiments.result import Results
from relsift.experiments.system import BASE, VARIANTS, System
from relsift.registry import EXPERIMENTS

RESULTS = Path(__file__).parent / "results" / "experiments"
WORDS = Path(__file__).parent / "results" / "experiments.md"


def page() -> list[str]:
    lines = ["## Cross-validated: the paper's claims, and what the tags are worth", "", WORDS.read_text(encoding="utf-8").strip(), ""]
    for title, rows in (
        ("Tags and the second task", variants()),
        ("What the tags must show", views()),
        ("More negatives", ratios()),
        ("Habits of evaluation", habits()),
        ("The full reports", reports()),
    ):
        table = list(rows)
        if table:
            lines += [f"### {title}", "", *table, ""]
    return lines


def folders() -> Iterator[tuple[str, Path]]:
    yield from ((file.parent.name, file.parent) for file in sorted(RESULTS.glob("*/plan.json")))


def with_systems(systems: Sequence[System], least: int) -> Iterator[tuple[str, Results]]:
    """Folders that have cells of at least so many of the systems."""
    for name, folder in folders():
        results = load_results(folder, systems)
        if sum(bool(results.of(system)) for system in results.systems) >= least:
            yield name, results


def variants() -> Iterator[str]:
    found = list(with_systems(VARIANTS, 2))
    if not found:
        return
    yield (
        "Micro F1, mean over folds and seeds ± standard deviation over folds; then the difference from the baseline in points, "
        "its 95 % interval and p over documents, and in how many folds it is better:"
    )
    yield ""
    yield "| data | folds × seeds | Baseline | +Tag | +MTL | +MTL+Tag |"
    yield "|---|---|---|---|---|---|"
    for name, results in found:
        gains = differences(results, BASE)
        base = summarise(results, BASE)
        cells = [name, f"{len(base.folds)} × {len(base.seeds)}", with_deviation(base.f1)]
        for system in results.systems[1:]:
            if system.name not in gains:
                cells.append("–")
                continue
            gain = gains[system.name]
            low, high = gain.interval
            won = f"{gain.folds_won()[0]} of {len(gain.folds)}"
            cells.append(
                f"{with_deviation(summarise(results, system).f1)}: **{points(gain.difference)}** ({points(low)} to {points(high)}), "
                f"p {p_value(gain.p_value)}, {won}"
            )
        yield "| " + " | ".join(cells) + " |"


def views() -> Iterator[str]:
    systems = ablations.SYSTEMS
    found = list(with_systems(systems, 6))
    if not found:
        return
    yield (
        "Micro F1 ± standard deviation over folds, and the difference from the baseline; * p < .05 over documents, not corrected for "
        "the number of rows:"
    )
    yield ""
    yield "| what the tags show | " + " | ".join(name for name, _ in found) + " |"
    yield "|---|" + "---|" * len(found)
    gains = {name: differences(results, BASE) for name, results in found}
    for system in systems:
        cells = [system.title]
        for name, results in found:
            if not results.of(system):
                cells.append("–")
                continue
            said = with_deviation(summarise(results, system).f1)
            if system.name in gains[name]:
                gain = gains[name][system.name]
                said += f" ({points(gain.difference)}{' *' if gain.p_value < 0.05 else ''})"
            if (folds := len({cell.fold for cell in results.of(system)})) < results.plan.folds:
                said += ", one fold only" if folds == 1 else f", {folds} of {results.plan.folds} folds"
            cells.append(said)
        yield "| " + " | ".join(cells) + " |"
    for name, _ in found:
        if (plot := RESULTS / name / "plots" / "ablations-f1.svg").exists():
            yield ""
            yield f"![{name}: micro F1 of every row, with its spread over folds](../{plot.relative_to(RESULTS.parents[2])})"


def ratios() -> Iterator[str]:
    for name, folder in folders():
        plan = load_results(folder).plan
        results = load_results(folder, figure3.systems(plan))
        if not any(results.of(system) for system in results.systems):
            continue
        yield f"**{name}**, micro F1 of the baseline → +MTL+Tag (gap in points):"
        yield ""
        yield f"| positive : negative in training | {figure3.SAMPLED} | {figure3.WHOLE} |"
        yield "|---|---|---|"
        for ratio in figure3.RATIOS:
            cells = [f"1 : {ratio:g}"]
            for where in (figure3.SAMPLED, figure3.WHOLE):
                base, full = (figure3.by_ratio(results, system, where).get(ratio) for system in (BASE, figure3.MTL_TAG))
                gap = figure3.gap(results, ratio, where)
                if base is None or full is None or gap is None:
                    cells.append("–")
                else:
                    cells.append(f"{with_deviation(base)} → {with_deviation(full)} ({points(gap)})")
            yield "| " + " | ".join(cells) + " |"
        yield ""
        yield " ".join(figure3.trend_sentences(results))
        yield ""


def habits() -> Iterator[str]:
    for name, folder in folders():
        plan = load_results(folder).plan
        results = load_results(folder, imitation.systems(plan))
        gains = differences(results, imitation.HONEST)
        if not gains:
            continue
        yield f"**{name}**, +MTL+Tag and what each habit adds:"
        yield ""
        yield "| habit | micro F1 | weighted F1 | difference in micro F1, points | p |"
        yield "|---|---|---|---|---|"
        for system in results.systems:
            if not results.of(system):
                continue
            row = summarise(results, system)
            gain = gains.get(system.name)
            said = ("", "") if gain is None else (points(gain.difference), p_value(gain.p_value))
            title = "none" if system.name == imitation.HONEST.name else system.title
            yield f"| {title} | {with_deviation(row.f1)} | {with_deviation(row.scores['weighted']['f1'])} | {said[0]} | {said[1]} |"
        yield ""


def reports() -> Iterator[str]:
    yield "With their plots. As one HTML page each: `relsift reproduce NAME --from-results benchmarks/results/experiments/DATA`."
    yield ""
    for name, folder in folders():
        found = [(it, folder / f"{it}.md") for it in EXPERIMENTS]
        links = [f"[{it}](../{file.relative_to(RESULTS.parents[2])})" for it, file in found if file.exists()]
        yield f"- {name}: {', '.join(links)}"
