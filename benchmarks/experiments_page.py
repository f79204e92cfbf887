"""The parts of docs/results on the cross-validated experiments, from the cells in benchmarks/results/experiments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from experiment_plots import (
    ON_TAGGERS,
    Grids,
    error_shares,
    errors_plot,
    gain_plot,
    habits_plot,
    loss_plot,
    predicted_plot,
    view_plots,
    views_plot,
)
from results_plots import Parts, written

from relsift.config import RunConfig
from relsift.experiments import ablations, evaluation_habits, figure3, table4
from relsift.experiments.comparison import SystemComparison, beyond_chance, holds_zero
from relsift.experiments.experiment import differences
from relsift.experiments.grid import load_results
from relsift.experiments.report.summary import summarise
from relsift.experiments.result import CellResult, Results
from relsift.experiments.system import BASE, EATT, EATT_TAG, MTL, MTL_TAG, PCNN, PCNN_TAG, SPTREE, TAG, VARIANTS, WALK, System
from relsift.registry import EXPERIMENTS, find
from relsift.report.wording import counted, interval, p_value, percent, points

RESULTS = Path(__file__).parent / "results" / "experiments"
NAMES = {  # in the order of the tables; a folder without a name comes after them
    "conll04": "CoNLL04 (English news)", "scienceie": "ScienceIE (English science)", "ddi2013": "DDI-2013 (English pharmacology)",
    "scicn": "SciCN (Chinese science)", "chinese_literature": "Chinese Literature, a sample",
}  # fmt: skip
OTHERS = (BASE, SPTREE, WALK, PCNN, PCNN_TAG, EATT, EATT_TAG)


def parts() -> Parts:
    """(page, mark) -> lines."""
    four, views_, both = (list(with_systems(systems, least)) for systems, least in (
        (VARIANTS, 2), (ablations.SYSTEMS, 6), ((*VARIANTS, *ablations.SYSTEMS), 8),
    ))  # fmt: skip
    loss, other = (list(with_systems(systems, least)) for systems, least in ((table4.SYSTEMS, 3), (OTHERS, 2)))
    by_corpus = [(NAMES[name].partition(" (")[0], results) for name, results in four if name in NAMES]
    honest, sampled = list(with_habits()), list(with_ratios())
    return {
        ("tags", "plot"): gain_plot(
            "tags", by_corpus, {"over documents": (TAG, BASE, "interval"), "over folds": (TAG, BASE, "fold_interval")}
        ),
        ("tags", "variants"): [*variants(four)],
        ("second_task", "plot"): gain_plot(
            "second-task", by_corpus, {"without tags": (MTL, BASE, "interval"), "on top of tags": (MTL_TAG, TAG, "interval")}
        ),
        ("second_task", "on tags"): [*direct(both, ("+MTL+Tag − +Tag",))],
        ("second_task", "fixed"): [*fixed(four)],
        ("what_tags_show", "plot"): views_plot(views_),
        ("what_tags_show", "views"): [*system_table("what the tags show", ablations.SYSTEMS, BASE, views_)],
        ("what_tags_show", "direct"): [*direct(both, tuple(COMPARED)[1:])],
        ("what_tags_show", "plots"): [*view_plots(views_)],
        ("predicted_tags", "plot"): predicted_plot(views_),
        ("predicted_tags", "table"): [*system_table("tags", ON_TAGGERS, BASE, [grid for grid in views_ if grid[0] == "conll04"])],
        ("loss", "plot"): loss_plot(loss),
        ("loss", "table"): [*system_table("loss", table4.SYSTEMS, table4.RANKING, loss)],
        ("imbalance", "plots"): [*ratio_plots(sampled)],
        ("imbalance", "ratios"): [*ratios(sampled)],
        ("habits", "plot"): habits_plot(honest),
        ("habits", "table"): [*habits(honest)],
        ("errors", "plot"): errors_plot(by_corpus),
        ("errors", "table"): [*errors(four)],
        ("systems", "folds"): [*others(other)],
        ("method", "reports"): [*reports()],
    }


def overview() -> Iterator[str]:
    """At a glance: what each part of the tags, and the second task, add to the baseline."""
    columns = {"tag": "+Tag, all entities", "tag_pair": "the pair's tags only", "tag_others": "all others' only", "mtl": "+MTL"}
    yield f"| points over the baseline | related : unrelated | {' | '.join(columns.values())} | folds × seeds |"
    yield "|---|---|" + "---|" * len(columns) + "---|"
    for name, results in with_systems((*ablations.SYSTEMS, MTL), 6):
        seeds = set.intersection(*(set(results.seeds(key)) for key in ("base", *columns)))  # those that all columns have
        alike = replace(results, cells={key: [cell for cell in cells if cell.seed in seeds] for key, cells in results.cells.items()})
        gains = differences(alike, BASE)
        row = [f"{points(gains[key].difference)}{mark(gains[key])}" if key in gains else "–" for key in columns]
        tested = {cell.fold: cell.test_candidates for cell in alike.of(BASE)}
        kept, positive = (sum(facts[key] for facts in tested.values()) for key in ("kept", "positive"))
        size = f"{len(tested)} × {len(seeds)}"
        yield f"| {NAMES.get(name, name)} | 1 : {(kept - positive) / positive:.1f} | {' | '.join(row)} | {size} |"


def folders() -> Iterator[tuple[str, Path]]:
    grids = sorted(file.parent for file in RESULTS.glob("*/plan.json"))
    first = [folder for name in NAMES for folder in grids if folder.name == name]
    yield from ((folder.name, folder) for folder in [*first, *(folder for folder in grids if folder.name not in NAMES)])


def with_systems(systems: Sequence[System], least: int) -> Iterator[tuple[str, Results]]:
    """Folders that have cells of at least so many of the systems."""
    for name, folder in folders():
        results = load_results(folder, systems)
        if sum(bool(results.of(system)) for system in results.systems) >= least:
            yield name, results


def variants(grids: Grids) -> Iterator[str]:
    yield "| data | folds × seeds | Baseline | +Tag | +MTL | +MTL+Tag |"
    yield "|---|---|---|---|---|---|"
    for name, results in grids:
        gains = differences(results, BASE)
        base = summarise(results, BASE)
        cells = [name, f"{len(base.folds)} × {len(base.seeds)}", base.f1.in_percent()]
        for system in results.systems[1:]:
            if system.name not in gains:
                cells.append("–")
                continue
            cells.append(f"{summarise(results, system).f1.in_percent()}: {difference(gains[system.name])}")
        yield "| " + " | ".join(cells) + " |"


def fixed(grids: Grids) -> Iterator[str]:
    yield "| data | Baseline | of its relations not found, invented | +Tag | +MTL | +MTL+Tag |"
    yield "|---|---|---|---|---|---|"
    for name, results in grids:
        means = [fmean(cell.curve.f1(_paper_threshold(cell)) for cell in results.of(system)) for system in VARIANTS]
        at_threshold = [(*cell.curve.at(_paper_threshold(cell)), cell.curve.gold) for cell in results.of(BASE)]
        missed, invented = (sum(counts) for counts in zip(*((gold - right, taken - right) for taken, right, gold in at_threshold)))
        row = [f"{percent(mean)} ({points(mean - means[0])})" for mean in means[1:]]
        yield f"| {name} | {percent(means[0])} | {missed:,.0f}, {invented:,.0f} | {' | '.join(row)} |"


def _paper_threshold(cell: CellResult) -> float:
    options = RunConfig.model_validate(cell.config).model.options
    return float(find("model", cell.system.model).Config(**options).threshold)


COMPARED = {  # title -> the names of two systems
    "+MTL+Tag − +Tag": ("mtl_tag", "tag"), "all tags − the pair's": ("tag", "tag_pair"),
    "the pair's − all others'": ("tag_pair", "tag_others"), "all others' − no types": ("tag_others", "tag_untyped"),
}  # fmt: skip


def direct(grids: Grids, titles: Sequence[str]) -> Iterator[str]:
    """Two rows whose difference is asked for, compared with each other: one row's significance beside another's says nothing of it."""
    yield f"| data | {' | '.join(titles)} |"
    yield "|---|" + "---|" * len(titles)
    for name, results in grids:
        by_name = {system.name: system for system in results.systems}
        cells = [difference(differences(results, by_name[base])[system]) for system, base in (COMPARED[title] for title in titles)]
        yield f"| {name} | {' | '.join(cells)} |"


def errors(grids: Grids) -> Iterator[str]:
    yield "| data | system | missed | invented | wrong relation | wrong relations, all cells |"
    yield "|---|---|---|---|---|---|"
    for name, results in grids:
        for system in (BASE, MTL_TAG):
            shares = " | ".join(f"{share:.1f} %" for share in error_shares(results, system))
            yield f"| {name} | {system.title} | {shares} | {sum(cell.test.errors.wrong_class for cell in results.of(system)):,} |"


def others(grids: Grids) -> Iterator[str]:
    yield from system_table("system", OTHERS, BASE, grids)
    for name, results in grids:
        for plain, tagged in ((PCNN, PCNN_TAG), (EATT, EATT_TAG)):
            gain = differences(results, plain).get(tagged.name)
            if gain is not None:
                yield ""
                yield f"{name}, {tagged.title} against {plain.title}: {difference(gain)}."


def system_table(title: str, systems: Sequence[System], base: System, grids: Grids) -> Iterator[str]:
    """A row a system, a column a folder; what rests on fewer folds than others, or on fewer seeds than the base, says so."""
    folds = {name: max(len({cell.fold for cell in results.of(system)}) for system in systems) for name, results in grids}
    yield f"| {title} | " + " | ".join(f"{name}{', one fold' if folds[name] == 1 else ''}" for name, _ in grids) + " |"
    yield "|---|" + "---|" * len(grids)
    gains = {name: differences(results, base) for name, results in grids}
    for system in systems:
        cells = [system.title]
        for name, results in grids:
            if not results.of(system):
                cells.append("–")
                continue
            text = summarise(results, system).f1.in_percent()
            if system.name in gains[name]:
                gain = gains[name][system.name]
                text += f" ({points(gain.difference)}{mark(gain)})"
            if (count := len({cell.fold for cell in results.of(system)})) < folds[name]:
                text += ", one fold only" if count == 1 else f", {count} of {folds[name]} folds"
            if len(results.seeds(system)) < len(results.seeds(base)):
                text += " ¹" if len(results.seeds(system)) == 1 else f", {len(results.seeds(system))} seeds"
            cells.append(text)
        yield "| " + " | ".join(cells) + " |"


def difference(gain: SystemComparison) -> str:
    """The difference in points, its interval and p over documents, its interval over folds, and the folds it won."""
    over_folds = "" if gain.fold_interval is None else f", over folds {interval(gain.fold_interval)}"
    won = f"{gain.folds_won()[0]} of {len(gain.folds)}"
    return f"**{points(gain.difference)}**{mark(gain)} ({interval(gain.interval)}{over_folds}), p {p_value(gain.p_value)}, {won}"


def mark(gain: SystemComparison) -> str:
    """` *` where `relsift compare` calls one better, by documents and by folds; ` °` where documents alone say so."""
    if not beyond_chance(gain):
        return ""
    sure = gain.fold_interval is not None and not holds_zero(gain.fold_interval)
    return " *" if sure else " °"


def with_ratios() -> Iterator[tuple[str, Results]]:
    """Folders that have cells of figure 3."""
    for name, folder in folders():
        results = load_results(folder, figure3.systems(load_results(folder).plan))
        if any(results.of(system) for system in results.systems):
            yield name, results


def ratio_plots(grids: Grids) -> Iterator[str]:
    for name, results in grids:
        yield written(f"{name}-figure3-negatives", figure3.plot(results, "").svg, f"{name}: F1 by negatives a positive")
        yield ""


def ratios(grids: Grids) -> Iterator[str]:
    for name, results in grids:
        cells = [cell for system in results.systems for cell in results.of(system)]
        size = f"{counted(len({cell.fold for cell in cells}), 'fold')}, {counted(len({cell.seed for cell in cells}), 'seed')}"
        yield f"**{name}** ({size}), micro F1 of the baseline → +MTL+Tag (gap in points):"
        yield ""
        yield f"| positive : negative in training | {figure3.SAMPLED} | {figure3.WHOLE} |"
        yield "|---|---|---|"
        for ratio in figure3.RATIOS:
            row = [f"1 : {ratio:g}"]
            for where in (figure3.SAMPLED, figure3.WHOLE):
                base, full = (figure3.by_ratio(results, system, where).get(ratio) for system in (BASE, MTL_TAG))
                gap = figure3.gap(results, ratio, where)
                if base is None or full is None or gap is None:
                    row.append("–")
                else:
                    row.append(f"{base.in_percent()} → {full.in_percent()} ({points(gap)})")
            yield "| " + " | ".join(row) + " |"
        yield ""
        yield " ".join(figure3.trend_sentences(results))
        yield ""


def with_habits() -> Iterator[tuple[str, Results]]:
    """Folders that have cells of a habit of evaluation, and of the model without."""
    for name, folder in folders():
        results = load_results(folder, evaluation_habits.systems(load_results(folder).plan))
        if differences(results, evaluation_habits.HONEST):
            yield name, results


def habits(grids: Grids) -> Iterator[str]:
    for name, results in grids:
        gains = differences(results, evaluation_habits.HONEST)
        yield f"**{name}**, +MTL+Tag and what each habit adds:"
        yield ""
        yield "| habit | micro F1 | weighted F1 | difference in micro F1, points | p |"
        yield "|---|---|---|---|---|"
        for system in results.systems:
            if not results.of(system):
                continue
            row = summarise(results, system)
            gain = gains.get(system.name)
            beside = ("", "") if gain is None else (points(gain.difference), p_value(gain.p_value))
            title = "none" if system.name == evaluation_habits.HONEST.name else system.title
            yield f"| {title} | {row.f1.in_percent()} | {row.scores['weighted']['f1'].in_percent()} | {beside[0]} | {beside[1]} |"
        yield ""


def reports() -> Iterator[str]:
    yield (
        "All cells are in the repository, one small file a grid. A report of them, with scores of every relation, errors, curves, costs, "
        "and the commands that compute it again, needs no data and no training:"
    )
    yield ""
    yield "```"
    yield "relsift reproduce NAME --from-results benchmarks/results/experiments/DATA --out FOLDER"
    yield "```"
    yield ""
    names = ", ".join(f"`{name}`" for name, _ in folders())
    yield f"NAME: {', '.join(f'`{name}`' for name in EXPERIMENTS)}. DATA: {names}. Rows without cells stay empty."
