"""What was measured, on how much, and how to do it again: the blocks around the tables of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from relsift.experiments.result import CellResult, Results, cell_command
from relsift.experiments.system import System
from relsift.registry import find, table
from relsift.report.blocks import Block, Column, Commands, Paragraph, Table
from relsift.report.wording import counted


def opening(results: Results, *, seeds: Sequence[int] | None = None) -> list[Block]:
    """What a reader must know before the first number: a trial is no result, and which cells are missing."""
    blocks: list[Block] = []
    if results.plan.quick:
        blocks.append(Paragraph("QUICK: a trial of the machinery, not a result. Do not cite these numbers.", "warning"))
    done = sum(len(results.of(system)) for system in results.systems)
    planned = sum(planned_cells(results, system, seeds) for system in results.systems)
    if done < planned:
        cut = "the corpus's own split" if results.plan.split == "own" else f"{results.plan.folds} folds"
        design = f"every system on {cut} with {counted(len(planned_seeds(results, seeds)), 'seed')}"
        blocks.append(Paragraph(f"{done} of {planned} cells ({design}) are computed: a row with fewer rests on fewer tests.", "warning"))
    return blocks


def setting(results: Results, *, commands: Sequence[str] = (), seeds: Sequence[int] | None = None) -> list[Block]:
    """Data, candidates, machine and time; then what computes everything again: the commands given, and one cell's as an example."""
    cells = [cell for system in results.systems for cell in results.of(system)]
    planned = sum(planned_cells(results, system, seeds) for system in results.systems)
    done = f"{len(cells)} of {planned} cells computed" if len(cells) < planned else f"all {planned} cells computed"
    rows = [
        ("setting", results.plan.setting()),
        ("checksum of the data", f"sha256 {results.plan.checksum}"),
        *(("about the data", note) for note in corpus_notes(results.plan.data)),
        ("seeds", ", ".join(map(str, planned_seeds(results, seeds)))),
        ("size", f"{done}; {sizes(results)}"),
        *_candidate_rows(cells),
        *(("machine", line) for line in dict.fromkeys(", ".join(f"{k} {v}" for k, v in cell.machine.items()) for cell in cells)),
        ("training time", f"{sum(cell.seconds for cell in cells):,.0f} seconds in all"),
        *(("note", f"{note} (in {count} cells)") for note, count in Counter(note for cell in cells for note in cell.notes).items()),
    ]
    columns = (Column(title="what", align="left"), Column(title="value", align="left", wrap=True))
    blocks: list[Block] = [Table(columns=columns, rows=tuple(rows))]
    if commands:
        blocks += [Paragraph("How to compute it again:"), Commands(tuple(commands))]
    if cells:
        blocks += [Paragraph("One cell of each system by itself, in a folder OUT of its own:"), Commands(tuple(_first_commands(results)))]
    return blocks


def corpus_notes(data: str) -> tuple[str, ...]:
    """What to know about a named corpus, such as the agreement of its annotators."""
    name = data.partition("/")[0]
    return find("corpus", name).notes if name in table("corpus") else ()


def _first_commands(results: Results) -> list[str]:
    """Not as the cells have them: those of an older version say less."""
    first = [cells[0] for system in results.systems if (cells := results.of(system))]
    return [cell_command(cell.system, results.plan, cell.fold, cell.seed, cell.device) for cell in first]


def _candidate_rows(cells: Sequence[CellResult]) -> list[tuple[str, str]]:
    """Rules that differ between systems show as several rows."""
    rows = []
    for name, facts in (("training", [c.training_candidates for c in cells]), ("test", [c.test_candidates for c in cells])):
        if not facts:
            continue
        kept, positive = (sum(one[key] for one in facts) for key in ("kept", "positive"))
        value = f"{kept:,} candidate pairs in all cells"
        value += f", positive to negative 1:{(kept - positive) / positive:.1f}" if positive else ", none of them positive"
        for key, verb in (("dropped", "pairs left out"), ("lost", "gold relations that no candidate carries")):
            counts: Counter[str] = Counter()
            for one in facts:
                counts.update(one[key])
            value += "".join(f"; {verb}: {count:,} ({reason})" for reason, count in counts.items() if count)
        rows.append((f"{name} candidates", value))
    return rows


def sizes(results: Results) -> str:
    """`3 folds, 12 cells, 1,441 test sentences, 2,048 gold relations`; a sentence counts once, however many cells tested on it."""
    first: dict[int, CellResult] = {}
    cells = [cell for system in results.systems for cell in results.of(system)]
    for cell in cells:
        first.setdefault(cell.fold, cell)
    sentences = sum(cell.test.sentences for cell in first.values())
    gold = sum(count.support for cell in first.values() for count in cell.test.per_type.values())
    numbers = {"fold": len(first), "cell": len(cells), "test sentence": sentences, "gold relation": gold}
    return ", ".join(counted(number, noun) for noun, number in numbers.items())


def planned_cells(results: Results, system: System, seeds: Sequence[int] | None) -> int:
    return results.plan.folds * len({*planned_seeds(results, seeds), *results.seeds(system)})


def planned_seeds(results: Results, seeds: Sequence[int] | None) -> list[int]:
    """Those given, else all that any system has."""
    return sorted({seed for system in results.systems for seed in results.seeds(system)} if seeds is None else set(seeds))
