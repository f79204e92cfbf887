"""What `relsift reproduce` needs to know of a table, a figure or a study, and the report that most of them share."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relsift.errors import ConfigError, DataError
from relsift.experiments.comparison import SystemComparison, compare_systems
from relsift.experiments.report import figures, tables
from relsift.experiments.report.setting import opening, setting
from relsift.experiments.result import QUICK_OVERRIDE, Plan, Results
from relsift.experiments.system import System
from relsift.report.blocks import Block, Figure, Paragraph, Report, Section

NO_COMPARISON = "No comparison: it takes cells of the same fold and seed on both sides, with counts of each test sentence."

Published = Mapping[str, tuple[float, float, float]]  # system name -> three figures in percent


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str  # as the command line calls it
    summary: str  # one line for its help
    systems: Callable[[Plan], tuple[System, ...]]  # what it trains under a plan
    report: Callable[[Results, str], Report]  # from what is computed so far, and the command that makes it


def full_report(
    results: Results, command: str, *, title: str, question: str, base: System | None, published: Published | None = None,
    more: Iterable[Section] = (), notes: Iterable[str] = (), drawn_systems: Sequence[System] = (),
) -> Report:  # fmt: skip
    """Scores, those of predicted entities, differences from `base`, decisions, precision against recall, relations, errors, cost, setting.

    published: the paper's P, R and F1 on ACE 2005. more: sections of the experiment's own, after the differences.
    drawn_systems: those in the plots of curves and relations, where all would be too many to tell apart; left out, or none of them
        computed, all.
    """
    computed = with_cells(results)
    named = {system.name for system in drawn_systems}
    chosen = tuple(system for system in results.systems if system.name in named)
    few = results.with_systems(chosen) if any(results.of(system) for system in chosen) else results
    few_computed = [system for system in few.systems if results.of(system)]
    sections = [
        Section("Scores", (tables.score_table(results, published=published), drawn(lambda: figures.f1_figure(results, command=command))))
    ]
    if (end_to_end := tables.end_to_end_table(results)) is not None:
        sections.append(Section("End to end", (end_to_end,)))
    if base is not None and len(computed) > 1 and results.of(base):
        comparisons = differences(results, base)
        table = tables.difference_table(results, base, comparisons) if comparisons else Paragraph(NO_COMPARISON, "note")
        sections.append(Section(f"Against {base.title}", (table,)))
    if (decisions := tables.decision_table(results)) is not None:
        sections.append(Section("Decisions", (decisions,)))
    sections += more
    sections += [
        Section("Precision against recall", (drawn(lambda: figures.precision_recall_figure(few, command=command)),)),
        Section("Relations", (tables.relation_table(results), drawn(lambda: figures.relation_figure(few, command=command)))),
        Section("Errors", (tables.error_table(results), *confusions(results, few_computed, command))),
        Section("Cost", (tables.cost_table(results),)),
        Section("Setting", tuple(setting(results, commands=(command,)))),
    ]
    top = (Paragraph(question), *opening(results), *(Paragraph(note, "note") for note in notes))
    return Report(title, tuple(sections), top)


def with_cells(results: Results) -> list[System]:
    """The systems that a report can speak of. Raises ConfigError if there are none."""
    computed = [system for system in results.systems if results.of(system)]
    if not computed:
        raise ConfigError("report: expected at least one finished cell of its systems, got none; compute some, or name another folder")
    return computed


def difference_table(results: Results, base: System) -> Block:
    return tables.difference_table(results, base, differences(results, base))


def differences(results: Results, base: System) -> dict[str, SystemComparison]:
    """Every system against `base`, where the two have cells to compare."""
    comparisons = {}
    for system in results.systems:
        if system.name != base.name and any(results.shared(system, base)):
            # Cells of one plan can only lack a seed that all shared folds have, or counts of sentences: an empty row, as without cells.
            with suppress(DataError):
                comparisons[system.name] = compare_systems(results.of(system), results.of(base))
    return comparisons


def confusions(results: Results, systems: Sequence[System], command: str) -> list[Block]:
    """Of the first and the last system: with all of them nobody would look at any."""
    chosen = list({system.name: system for system in (systems[0], systems[-1])}.values())
    return [drawn(lambda system=system: figures.confusion_figure(results, system, command=command)) for system in chosen]  # type: ignore[misc]


def drawn(make: Callable[[], Figure]) -> Block:
    """The figure, or a line that says what it needs: a report without plots is better than none."""
    try:
        return make()
    except ConfigError as error:
        return Paragraph(f"No plot: {error}", "note")


def command_of(experiment: Experiment, results: Results, folder: Path) -> str:
    """What computes the whole report again: the folds and seeds that there are, the overrides that were given to all systems."""
    plain = {system.name: system.overrides for system in experiment.systems(results.plan)}
    if not plain:
        return f"relsift reproduce {experiment.name} --from-results {shlex.quote(str(folder))}"
    further: dict[str, None] = {}
    for system in results.systems:
        if results.of(system):
            further |= dict.fromkeys(system.overrides[len(plain[system.name]) :])
    further.pop(QUICK_OVERRIDE if results.plan.quick else "", None)
    sets = "".join(f" --set {shlex.quote(text)}" for text in further)
    devices = {cell.device for system in results.systems for cell in results.of(system)}
    where = f" --device {shlex.quote(*devices)}" if len(devices) == 1 and devices != {"cpu"} else ""
    chosen = f"{results.plan.options()}{_chosen_cells(results)}{sets}{where}"
    return f"relsift reproduce {experiment.name} {chosen} --out {shlex.quote(str(folder))}"


def _chosen_cells(results: Results) -> str:
    """As options: the seeds of the cells, and their folds if not all have some."""
    places = [(cell.fold, cell.seed) for system in results.systems for cell in results.of(system)]
    folds, seeds = ({place[at] for place in places} for at in (0, 1))
    first_ones = seeds == set(range(1, len(seeds) + 1))
    options = f" --seeds {len(seeds)}" if first_ones else "".join(f" --only-seed {seed}" for seed in sorted(seeds))
    return options + ("".join(f" --only-fold {fold}" for fold in sorted(folds)) if len(folds) < results.plan.folds else "")
