"""What `relsift reproduce` needs to know of a table, a figure or a study, and the report that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from relsift.errors import ConfigError, DataError
from relsift.experiments.comparison import SystemComparison, compare_systems
from relsift.experiments.report import figures, tables
from relsift.experiments.report.setting import opening, setting
from relsift.experiments.result import Plan, Results
from relsift.experiments.system import System
from relsift.report.blocks import Block, Figure, Paragraph, Report, Section

Published = Mapping[str, tuple[float, float, float]]  # system name -> three figures in percent


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """name: as the command line calls it. summary: one line for its help. systems: what it trains under a plan.

    report: from what is computed so far, and the command that makes it.
    """

    name: str
    summary: str
    systems: Callable[[Plan], tuple[System, ...]]
    report: Callable[[Results, str], Report]


def full_report(
    results: Results, command: str, *, title: str, question: str, base: System | None, published: Published | None = None,
    more: Iterable[Section] = (), notes: Iterable[str] = (), drawn_systems: Sequence[System] = (),
) -> Report:  # fmt: skip
    """Scores, differences from `base`, precision against recall, relations, errors, cost, setting.

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
    if base is not None and len(computed) > 1 and results.of(base):
        sections.append(Section(f"Against {base.title}", (difference_table(results, base),)))
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
    found = {}
    for system in results.systems:
        if system.name != base.name and any(results.shared(system, base)):
            with suppress(DataError):  # cells of one plan can only lack a seed that all shared folds have: an empty row, as without cells
                found[system.name] = compare_systems(results.of(system), results.of(base))
    return found


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
