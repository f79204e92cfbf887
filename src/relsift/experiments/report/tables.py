"""Tables that every experiment's report shows. Percent with one decimal; ± is the standard deviation over folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from relsift.evaluation.scores import PRF
from relsift.experiments.comparison import SystemComparison
from relsift.experiments.report.setting import planned_cells, sizes
from relsift.experiments.report.summary import Summary, summaries
from relsift.experiments.result import DECISIONS, END_TO_END, CellResult, Results
from relsift.experiments.system import System
from relsift.report.blocks import Column, Table
from relsift.report.wording import interval, minus, p_value, percent, points, signed

PUBLISHED = "published, ACE 2005: not the same data"
MEASURES = {"precision": "P", "recall": "R", "f1": "F1"}
ERRORS = {"false_negative": "missed", "false_positive": "spurious", "wrong_class": "wrong relation"}
PLUS_MINUS = (
    "In percent: mean over all cells (one cell: one fold, one seed) ± standard deviation over folds, of each fold's mean over its seeds. "
    "The standard deviation over seeds, of each seed's mean over the folds, stands by itself."
)
OVER_SEEDS = "In percent: mean over seeds. Their standard deviation stands by itself."  # with the corpus's own split


def score_table(
    results: Results, *, seeds: Sequence[int] | None = None, published: Mapping[str, tuple[float, float, float]] | None = None
) -> Table:
    """A row a system: micro P, R and F1, weighted and macro F1, and how many cells they come from.

    Args:
        seeds: planned for every system; None takes all that any system has.
        published: system name -> the paper's P, R and F1 in percent, measured on ACE 2005.
    """
    columns = [
        Column(title="system", align="left"),
        *(Column(title=short, group="micro", strong=short == "F1") for short in MEASURES.values()),
        Column(title="F1", group="weighted"), Column(title="F1", group="macro"),
        Column(title="sd over seeds, micro F1"), Column(title="folds × seeds"), Column(title="cells"),
    ]  # fmt: skip
    if published is not None:
        columns += [Column(title=short, group=PUBLISHED) for short in MEASURES.values()]
    summary_of = {row.system.name: row for row in summaries(results)}
    rows = []
    for system in results.systems:
        row = summary_of.get(system.name)
        cells = [system.title, *(["–"] * 6 if row is None else _scores(row)), *_size(results, system, seeds)]
        if published is not None:
            cells += [f"{value:.1f}" for value in published[system.name]] if system.name in published else [""] * 3
        rows.append(tuple(cells))
    plus_minus = OVER_SEEDS if results.plan.split == "own" else PLUS_MINUS
    notes = [plus_minus, f'"Weighted" by gold relations is the average in the papers\' tables (Ye et al. 2019); {sizes(results)}.']
    return Table(columns=tuple(columns), rows=tuple(rows), notes=(*notes, *_system_notes(results, seeds)))


def _scores(row: Summary) -> list[str]:
    micro = [row.scores["micro"][measure].in_percent() for measure in MEASURES]
    others = [row.scores[average]["f1"].in_percent() for average in ("weighted", "macro")]
    return [*micro, *others, percent(row.f1.over_seeds)]


def _size(results: Results, system: System, seeds: Sequence[int] | None) -> tuple[str, str]:
    """`3 × 2`, and `6`, or `5 of 6 *` where cells are missing."""
    cells = results.of(system)
    folds, planned = len({cell.fold for cell in cells}), planned_cells(results, system, seeds)
    return f"{folds} × {len(results.seeds(system))}", str(planned) if len(cells) == planned else f"{len(cells)} of {planned} *"


def _system_notes(results: Results, seeds: Sequence[int] | None) -> list[str]:
    notes = []
    if any(len(results.of(system)) != planned_cells(results, system, seeds) for system in results.systems):
        notes.append("* Cells are missing: the means are over fewer cells than planned, and rows may differ in what they were tested on.")
    for system in results.systems:
        if system.select_on == "test":
            notes.append(f"{system.title}: epoch and threshold were chosen on the test part, which flatters the scores.")
        if any(cell.order_leak for cell in results.of(system)):
            notes.append(f"{system.title}: candidates were chosen by the gold annotation (order leak), which flatters the scores.")
        if system.tagger != "none":
            where = "development and test parts" if system.tagger == "test" else "training, development and test parts"
            notes.append(f"{system.title}: in the {where} the tags show a tagger's entities, not the annotated ones.")
    return notes


def difference_table(results: Results, base: System, comparisons: Mapping[str, SystemComparison]) -> Table:
    """A row a system, compared with `base`; with the corpus's own split, nothing over folds.

    Args: comparisons: system name -> that system against the base (first minus second).
    """
    units = " and ".join(sorted({f"{comparison.unit}s" for comparison in comparisons.values()})) or "units"
    level = " and ".join(sorted({f"{100 * comparison.confidence:g} %" for comparison in comparisons.values()}))
    whole, by_fold = f"all cells together, over {units}", "over folds"
    columns: tuple[Column, ...] = (
        Column(title=f"against {base.title}", align="left"), Column(title="micro F1, points", strong=True, group=whole),
        Column(title=f"{level} interval", group=whole), Column(title="p", group=whole), Column(title=units, group=whole),
        Column(title="micro F1, points", group=by_fold), Column(title=f"{level} interval", group=by_fold),
        Column(title="better in", group=by_fold), Column(title="p", group=by_fold), Column(title="smallest possible p", group=by_fold),
        Column(title="effect size d", group=by_fold), Column(title="folds × seeds", group=by_fold),
    )  # fmt: skip
    others = [system for system in results.systems if system.name != base.name]
    compared = [system for system in others if system.name in comparisons]
    no_cells = ["–"] * (len(columns) - 1)
    rows = [(s.title, *(_difference(comparisons[s.name]) if s in compared else no_cells)) for s in others]
    own_split = results.plan.split == "own"
    if own_split:
        columns = tuple(column for column in columns if column.group != by_fold)
        rows = [row[: len(columns)] for row in rows]
    unpaired = {system.title: comparisons[system.name].unpaired for system in compared}
    left_out = [f"{title}: {count} cells have no partner and are left out." for title, count in unpaired.items() if count]
    over_folds = (
        "Over folds: the mean of the folds' differences, each the mean over its seeds; interval by the corrected resampled t-test; p by "
        "every change of the differences' signs, which cannot be smaller than stated; d: mean difference over standard deviation. Folds "
        "share training data, so that their differences are not independent."
    )
    notes = (
        f"Positive: better than {base.title}. All cells together: interval by paired bootstrap, p by approximate randomisation, both over "
        f"{units} with all their seeds.",
        *([] if own_split else [over_folds]),
        "p values are not corrected for the number of comparisons.",
    )
    pairs = [pair for system in compared for pair in results.shared(system, base)]
    elsewhere = sum(_machine(one) != _machine(other) for one, other in pairs)
    if elsewhere:
        left_out.append(f"{elsewhere} of {len(pairs)} pairs of cells are from different machines, which can differ as two seeds do.")
    return Table(columns=columns, rows=tuple(rows), notes=(*notes, *left_out))


def _machines(results: Results) -> set[str]:
    return {_machine(cell) for system in results.systems for cell in results.of(system)}


def _machine(cell: CellResult) -> str:
    """What computed it: another processor, and a GPU, rounds otherwise."""
    return str(cell.machine.get("gpu", cell.machine.get("cpu")))


def _difference(comparison: SystemComparison) -> list[str]:
    won, _ = comparison.folds_won()
    return [
        points(comparison.difference), interval(comparison.interval), p_value(comparison.p_value), f"{comparison.units:,}",
        points(comparison.mean_difference), "–" if comparison.fold_interval is None else interval(comparison.fold_interval),
        f"{won} of {len(comparison.folds)} folds", p_value(comparison.fold_p_value), p_value(comparison.smallest_fold_p_value),
        "–" if comparison.effect_size is None else signed(comparison.effect_size, 2), f"{len(comparison.folds)} × {len(comparison.seeds)}",
    ]  # fmt: skip


def error_table(results: Results, *, published: Mapping[str, tuple[float, float, float]] | None = None) -> Table:
    """A row a system: shares of all errors. published: system name -> the paper's shares in percent, in the same order."""
    columns = [Column(title="system", align="left"), *(Column(title=name) for name in ERRORS.values())]
    columns += [Column(title="errors"), Column(title="of the spurious: reversed"), Column(title="errors a gold relation")]
    if published is not None:
        columns += [Column(title=name, group=PUBLISHED) for name in ERRORS.values()]
    rows = []
    for row in summaries(results):
        split, gold = row.pooled.errors, sum(count.support for count in row.pooled.per_type.values())
        shares = split.shares()
        cells = [row.system.title, *(percent(shares[name]) for name in ERRORS), str(split.total), str(split.reversed)]
        cells.append(f"{split.total / gold:.2f}" if gold else "–")
        if published is not None:
            cells += [f"{value:.1f}" for value in published[row.system.name]] if row.system.name in published else [""] * 3
        rows.append(tuple(cells))
    notes = (
        "Shares of all errors, in percent; counts are sums over all cells. Missed: a related pair left unrelated. Spurious: an unrelated "
        "pair called related, among them the right relation in the wrong direction. Wrong relation: a related pair with another relation.",
        *_left_out(results),
    )
    return Table(columns=tuple(columns), rows=tuple(rows), notes=notes)


def relation_table(results: Results, *, measures: Sequence[str] = ("f1",)) -> Table:
    """A row a relation, the most frequent first, over the pooled counts of each system. measures: of precision, recall, f1."""
    systems = summaries(results)
    kinds: Counter[str] = Counter()
    for row in systems:  # a system with fewer cells has fewer gold relations: the fullest one tells
        kinds |= Counter({kind: count.support for kind, count in row.pooled.per_type.items()})
    names = {kind for row in systems for kind in row.pooled.per_type}
    columns = [Column(title="relation", align="left"), Column(title="gold, all cells")]
    columns += [Column(title=MEASURES[measure], group=row.system.title) for row in systems for measure in measures]
    rows = []
    for kind in sorted(names, key=lambda kind: (-kinds[kind], kind)):
        prfs = [row.pooled.per_type[kind].prf if kind in row.pooled.per_type else PRF(0.0, 0.0, 0.0) for row in systems]
        rows.append((kind, str(kinds[kind]), *(percent(getattr(prf, measure)) for prf in prfs for measure in measures)))
    notes = ("Of the counts of all cells together, in percent; a gold relation counts once a seed.", *_left_out(results))
    return Table(columns=tuple(columns), rows=tuple(rows), notes=notes)


def cost_table(results: Results) -> Table:
    """A row a system: size, time, and where training stopped."""
    titles = ("parameters", "training seconds a cell", "epochs", "epoch kept", "threshold")
    columns = (Column(title="system", align="left"), *(Column(title=title) for title in titles))
    rows = []
    for row in summaries(results):
        cells = (f"{row.parameters.mean:,.0f}", f"{row.seconds.mean:.1f}", f"{row.epochs.mean:.1f}", f"{row.best_epoch.mean:.1f}")
        rows.append((row.system.title, *cells, minus(f"{row.threshold.mean:.3f}")))
    notes = ["Means over all cells. The threshold is in units of each system's scores.", *_left_out(results)]
    if len(_machines(results)) > 1:
        notes.append("The cells were trained on several machines (see the setting): times of different rows may not compare.")
    return Table(columns=columns, rows=tuple(rows), notes=tuple(notes))


def _left_out(results: Results) -> list[str]:
    missing = [system.title for system in results.systems if not results.of(system)]
    return [f"Not computed yet: {', '.join(missing)}."] if missing else []


def end_to_end_table(results: Results) -> Table | None:
    """A row a joint model: F1 of entities, and of relations by each convention of the field; None if no model finds entities."""
    systems = [system for system in results.systems if any(END_TO_END in cell.extra for cell in results.of(system))]
    if not systems:
        return None
    found = (("entities", "entities"), ("relations, strict", "relations, strict"), ("relations, boundaries", "relations, boundaries"))
    given = (("relations of gold entities", "relations of gold entities"),)
    columns = [
        Column(title="system", align="left"),
        *(Column(title=average, group=group) for group, _ in (*found, *given) for average in ("micro", "macro")),
        Column(title="cells"),
    ]
    rows = []
    for system in systems:
        cells = [cell.extra[END_TO_END] for cell in results.of(system) if END_TO_END in cell.extra]
        values = [[cell[key][average]["f1"] for cell in cells] for _, key in (*found, *given) for average in ("micro", "macro")]
        rows.append((system.title, *(_mean_and_spread(one) for one in values), str(len(cells))))
    notes = (
        "F1 in percent: mean ± standard deviation over all cells. Strict: span and type of both entities are right; boundaries: the spans.",
        "Relations of gold entities: the model relates the annotated ones, at the threshold that was chosen for those it finds.",
    )
    return Table(columns=tuple(columns), rows=tuple(rows), notes=notes)


RECALLS = (0.5, 0.7, 0.9)  # of those that cells record


def decision_table(results: Results) -> Table | None:
    """A row a system: what its scores are worth to somebody who decides by them; None if no cell recorded it."""
    systems = [system for system in results.systems if any(cell.extra.get(DECISIONS) for cell in results.of(system))]
    if not systems:
        return None
    errors = {"calibration_error": "measured", "error_by_chance": "by chance"}
    at_recall = {"false_positives": "of 100 unrelated pairs, called related", "precision": "precision"}
    rules = ("constraints", "per relation", "both")
    columns = [
        Column(title="system", align="left"),
        *(Column(title=title, group="calibration error") for title in errors.values()),
        *(Column(title=f"recall {100 * recall:.0f} %", group=group) for group in at_recall.values() for recall in RECALLS),
        *(Column(title=rule, group="micro F1 by other rules, points") for rule in rules),
        Column(title="cells"),
    ]
    rows = []
    for system in systems:
        cells = [facts for cell in results.of(system) if (facts := cell.extra.get(DECISIONS))]
        row = [_mean_and_spread([facts[name] for facts in cells if name in facts]) for name in errors]
        for name, unit in (("false_positives", 0.01), ("precision", 1.0)):
            for recall in RECALLS:
                reached = [unit * value for facts in cells if (value := _at_recall(facts, recall)[name]) is not None]
                row.append(_mean_and_spread(reached, len(cells)))
        for rule in rules:
            gains = [facts["rules"][rule] - facts["rules"]["threshold"] for facts in cells]
            row.append(points(float(np.mean(gains))) + ("" if len(gains) == 1 else f" ± {percent(float(np.std(gains, ddof=1)))}"))
        rows.append((system.title, *row, str(len(cells))))
    notes = (
        "Mean ± standard deviation over all cells, in percent; rules are tuned and probabilities fitted on development data. Calibration "
        "error: expected calibration error of the relations found; by chance: what would be seen if every probability were right. – : a "
        "recall that some cell does not reach at any threshold.",
        "Other rules: against one threshold alone. Constraints: a relation takes the types of entities that it has in training data. Per "
        "relation: each has a threshold, shrunk to the common one as cross-validation on development data says.",
    )
    return Table(columns=tuple(columns), rows=tuple(rows), notes=notes)


def _at_recall(facts: Mapping[str, Any], recall: float) -> dict[str, float | None]:
    return next(row for row in facts["co_occurrence"]["at_recall"] if row["recall"] == recall)


def _mean_and_spread(shares: Sequence[float], of: int | None = None) -> str:
    """Args: of: how many there should be; with fewer, a dash."""
    if not shares or len(shares) < (of or 1):
        return "–"
    mean = percent(float(np.mean(shares)))
    return mean if len(shares) == 1 else f"{mean} ± {percent(float(np.std(shares, ddof=1)))}"
