"""Write the table of docs/faults.md from benchmarks/results/faults.json, which `make faults` makes.

    python benchmarks/faults_page.py
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from measure import write_between

from relsift.omissions import counted
from relsift.report import markdown
from relsift.report.blocks import Table

FIGURES = Path(__file__).parent / "results" / "faults.json"
PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
MARKS = ("<!-- figures: benchmarks/faults_page.py -->", "<!-- end of figures -->")


def table(runs: list[dict[str, Any]]) -> Table:
    """One row a kind of trial, over all runs."""
    trials, refused, faults = Counter[str](), Counter[str](), Counter[str]()
    for run in runs:
        for kind, counts in run["kinds"].items():
            trials[kind] += counts["trials"]
            refused[kind] += counts["refused"]
        faults.update(fault["kind"] for fault in run["faults"])
    rows = [(kind, count, refused[kind] or "–", faults[kind]) for kind, count in trials.most_common()]
    rows.append(("all", trials.total(), refused.total(), faults.total()))
    return Table.of(("what was broken", "trials", "ended with one line", "faults left"), rows)


def text(runs: list[dict[str, Any]]) -> str:
    """The table, and the cost of the slowest and the largest command."""
    seconds, memory = (max(run[f"worst_{key}"] for run in runs) for key in ("cpu_seconds", "memory_mb"))
    worst = f"The slowest command took {seconds:.1f} s of processor time; the largest took {memory} MB beyond what its imports take."
    left = sum(run["parts_left_out"] for run in runs)
    late = f" {counted(left, 'parts of the suite')} did not begin in the time that was given." if left else ""
    commands = [f"- `{run['command']}` ({run['minutes']:.0f} minutes on a busy machine, {run['machine']['date']})" for run in runs]
    return "\n\n".join([markdown.block(table(runs), PAGE.stem), worst + late, "\n".join(commands)])


def main() -> None:
    write_between(MARKS, PAGE, text(json.loads(FIGURES.read_text(encoding="utf-8"))["runs"]))


if __name__ == "__main__":
    main()
