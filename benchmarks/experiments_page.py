"""The part of docs/results.md on the cross-validated experiments, from the cells in benchmarks/results/experiments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from relsift.config import RunConfig
from relsift.experiments import ablations, evaluation_habits, figure3, table4
from relsift.experiments.comparison import SystemComparison, beyond_chance, holds_zero
from relsift.experiments.experiment import differences
from relsift.experiments.grid import load_results
from relsift.experiments.report import figures
from relsift.experiments.report.summary import summarise
from relsift.experiments.result import CellResult, Results
from relsift.experiments.system import BASE, EATT, EATT_TAG, MTL, MTL_TAG, PCNN, PCNN_TAG, SPTREE, VARIANTS, WALK, System
from relsift.registry import EXPERIMENTS, find
from relsift.report.blocks import Figure
from relsift.report.wording import counted, interval, p_value, percent, points

RESULTS = Path(__file__).parent / "results" / "experiments"
NAMES = {  # in the order of the tables; a folder without a name comes after them
    "conll04": "CoNLL04 (English news)", "scienceie": "ScienceIE (English science)", "ddi2013": "DDI-2013 (English pharmacology)",
    "scicn": "SciCN (Chinese science)", "chinese_literature": "Chinese Literature, a sample",
}  # fmt: skip
OTHERS = (BASE, SPTREE, WALK, PCNN, PCNN_TAG, EATT, EATT_TAG)
PLOTS = Path(__file__).parent / "results" / "plots"
WORDS = Path(__file__).parent / "results" / "experiments.md"
Grids = Sequence[tuple[str, Results]]  # folders by name, with their cells of some systems


def page() -> list[str]:
    lines = ["## Cross-validated: the paper's claims, and what the tags are worth", "", WORDS.read_text(encoding="utf-8").strip(), ""]
    for title, systems, least, rows in (
        ("Tags and the second task", VARIANTS, 2, variants),
        ("At the paper's thresholds", VARIANTS, 4, fixed),
        ("What the tags must show", ablations.SYSTEMS, 6, views),
        ("Compared directly", (*VARIANTS, *ablations.SYSTEMS), 8, direct),
        ("Other systems", OTHERS, 2, others),
        ("Which loss", table4.SYSTEMS, 3, losses),
    ):
        grids = list(with_systems(systems, least))
        if grids:
            lines += [f"### {title}", "", *rows(grids), ""]
    for title, lines_of in (("More negatives", ratios), ("Habits of evaluation", habits), ("The full reports", reports)):
        if table := list(lines_of()):
            lines += [f"### {title}", "", *table, ""]
    return lines


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
    yield (
        "Micro F1, mean over folds and seeds ± standard deviation over folds; then the difference from the baseline in points, of the "
        "counts of all cells (it need not be that of the means), its 95 % interval over documents and over folds, p over documents, and "
        "in how many folds it is better. * Beyond chance over documents and over folds; ° over documents alone: with other training parts "
        "it may differ. Documents of CoNLL04 are single sentences:"
    )
    yield ""
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
    yield (
        "The same cells at the paper's fixed thresholds (0 English, 1 Chinese) in place of tuned ones, read off their precision-recall "
        "curves; mean micro F1 and the difference from the baseline in points. A wrong relation is not found and invented:"
    )
    yield ""
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


def direct(grids: Grids) -> Iterator[str]:
    """Two rows whose difference is asked for, compared with each other: one row's significance beside another's says nothing of it."""
    rows = {
        "+MTL+Tag − +Tag": ("mtl_tag", "tag"), "all tags − the pair's": ("tag", "tag_pair"),
        "the pair's − all others'": ("tag_pair", "tag_others"), "all others' − no types": ("tag_others", "tag_untyped"),
    }  # fmt: skip
    yield "Rows of these tables against each other, over the seeds that both have; numbers and marks as above:"
    yield ""
    yield f"| data | {' | '.join(rows)} |"
    yield "|---|" + "---|" * len(rows)
    for name, results in grids:
        by_name = {system.name: system for system in results.systems}
        cells = [difference(differences(results, by_name[base])[system]) for system, base in rows.values()]
        yield f"| {name} | {' | '.join(cells)} |"


def views(grids: Grids) -> Iterator[str]:
    yield (
        "Micro F1 ± standard deviation over folds, and the difference from the baseline over the folds and seeds that both have; * and ° "
        "as above, not corrected for the number of rows; ¹ one seed, compared with the same one of the baseline:"
    )
    yield ""
    yield from system_table("what the tags show", ablations.SYSTEMS, BASE, grids)
    for name, results in grids:
        yield ""
        figure = figures.f1_figure(results, command="")
        yield plot(f"{name}-ablations-f1", figure, f"{name}: micro F1 of every row, with its spread over folds")


def others(grids: Grids) -> Iterator[str]:
    yield (
        "None but the rows *+Tag* sees BIO tags; the walk-based model sees the types of all entities, as its authors have it. Micro F1 ± "
        "standard deviation over folds, and the difference from the baseline of table 1; marks as above:"
    )
    yield ""
    yield from system_table("system", OTHERS, BASE, grids)
    for name, results in grids:
        for plain, tagged in ((PCNN, PCNN_TAG), (EATT, EATT_TAG)):
            gain = differences(results, plain).get(tagged.name)
            if gain is not None:
                yield ""
                yield f"{name}, {tagged.title} against {plain.title}: {difference(gain)}."


def losses(grids: Grids) -> Iterator[str]:
    yield "All with tags; micro F1 ± standard deviation over folds, and the difference from the first row; marks as above:"
    yield ""
    yield from system_table("loss", table4.SYSTEMS, table4.RANKING, grids)


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


def ratios() -> Iterator[str]:
    for name, folder in folders():
        plan = load_results(folder).plan
        results = load_results(folder, figure3.systems(plan))
        if not any(results.of(system) for system in results.systems):
            continue
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
        yield plot(f"{name}-figure3-negatives", figure3.plot(results, ""), f"{name}: F1 by negatives a positive")
        yield ""


def habits() -> Iterator[str]:
    for name, folder in folders():
        plan = load_results(folder).plan
        results = load_results(folder, evaluation_habits.systems(plan))
        gains = differences(results, evaluation_habits.HONEST)
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
            beside = ("", "") if gain is None else (points(gain.difference), p_value(gain.p_value))
            title = "none" if system.name == evaluation_habits.HONEST.name else system.title
            yield f"| {title} | {row.f1.in_percent()} | {row.scores['weighted']['f1'].in_percent()} | {beside[0]} | {beside[1]} |"
        yield ""


def plot(name: str, figure: Figure, words: str) -> str:
    """Write a plot for the page; returns its line."""
    file = PLOTS / f"{name}.svg"
    file.parent.mkdir(exist_ok=True)
    file.write_text(figure.svg, encoding="utf-8", newline="\n")
    return f"![{words}](../{file.relative_to(RESULTS.parents[2])})"


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
