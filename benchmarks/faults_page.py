"""Write the table of docs/faults.md from benchmarks/results/faults.json, which `make faults` makes.

    python benchmarks/faults_page.py

A finding counts as left, unless somebody has looked at it and given it a `verdict` in the file: `mended: …` with what was wrong, or
`false alarm: …` with what the suite took for a fault.
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
    trials, refused = Counter[str](), Counter[str]()
    found: dict[str, Counter[str]] = {name: Counter() for name in ("mended", "false alarm", "left")}
    for run in runs:
        for kind, counts in run["kinds"].items():
            trials[kind] += counts["trials"]
            refused[kind] += counts["refused"]
        for fault in run["faults"]:
            found[fault.get("verdict", "left").partition(":")[0]][fault["kind"]] += 1
    rows = [(kind, count, refused[kind] or "–", *(found[name][kind] for name in found)) for kind, count in trials.most_common()]
    rows.append(("all", trials.total(), refused.total(), *(found[name].total() for name in found)))
    return Table.of(("what was broken", "trials", "ended with one line", "findings mended", "false alarms", "findings left"), rows)


def text(runs: list[dict[str, Any]]) -> str:
    """The table, and the cost of the slowest and the largest command."""
    seconds, memory = (max(run[f"worst_{key}"] for run in runs) for key in ("cpu_seconds", "memory_mb"))
    worst = f"The slowest command took {seconds:.1f} s of processor time; the largest took {memory} MB beyond what its imports take."
    left = sum(run["parts_left_out"] for run in runs)
    late = f" {counted(left, 'parts of the runs')}, of one command or one format each, did not end in time." if left else ""
    commands = [f"- `{run['command']}` ({run['minutes']:.1f} min, {run['machine']['date']})" for run in runs]
    return "\n\n".join([markdown.block(table(runs), PAGE.stem), worst + late, "\n".join(commands)])


def main() -> None:
    write_between(MARKS, PAGE, text(json.loads(FIGURES.read_text(encoding="utf-8"))["runs"]))


if __name__ == "__main__":
    main()
