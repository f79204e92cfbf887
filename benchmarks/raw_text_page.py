"""Write the tables of docs/raw_text.md from the JSON files in benchmarks/results/raw_text.

    python benchmarks/raw_text_page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from measure import write_between
from raw_text import RESULTS, STEPS
from results_plots import Dot, dots, written

from relsift.report import markdown
from relsift.report.blocks import Table

PAGE = Path(__file__).parent.parent / "docs" / "raw_text.md"
SPEED = "speed-"  # begins the names of the files of raw_text_speed.py
STAGES = ("sentences", "tokens", "other reading", "entities", "encoding", "model", "writing")

Results = Sequence[Mapping[str, Any]]


def results(*, speed: bool) -> list[dict[str, Any]]:
    files = sorted(file for file in RESULTS.glob("*.json") if file.stem.startswith(SPEED) == speed)
    return [json.loads(file.read_text(encoding="utf-8")) | {"name": file.stem} for file in files]


def f1(result: Mapping[str, Any], step: str, kind: str = "relations") -> float:
    return float(result["figures"]["steps"][step][kind]["f1"])


def loss_table(found: Results) -> Table:
    """F1 of relations with all given, what each step loses, and what is left; then F1 of entities."""
    rows = []
    for result in found:
        losses = [f"{f1(result, step) - f1(result, before):+.1f}" for before, step in pairwise(STEPS)]
        rows.append((
            result["data"], result["model"], result["entities_from"], result["splitter"].partition("==")[0],
            f"{f1(result, STEPS[0]):.1f}", *losses,
            f"{f1(result, STEPS[-1]):.1f}", *(f"{f1(result, step, 'entities'):.1f}" for step in STEPS[1:]),
        ))  # fmt: skip
    head = (
        "data", "model", "entities by", "splitter", "all given", "entities", "tokens", "sentences", "raw text",
        "entity F1, found", "with our tokens", "with our sentences",
    )  # fmt: skip
    return Table.of(head, rows, strong=("raw text",))


def loss_plot(found: Results) -> str:
    """A row a trained model and splitter, the best from raw text first: F1 with all given, with found entities, and from raw text."""
    shown = {"all given": STEPS[0], "found entities": STEPS[1], "raw text": STEPS[-1]}
    best_first = sorted(found, key=lambda result: -f1(result, STEPS[-1]))
    series = {title: {result["name"]: Dot(f1(result, step)) for result in best_first} for title, step in shown.items()}
    best = best_first[0]
    words = f"F1 of relations of {len(found)} models, from raw text at best {f1(best, STEPS[-1]):.1f} ({best['name']})"
    return written("raw-text", dots({"": series}, "F1 of relations, %"), words, root="..")


def setting_lines(found: Results) -> list[str]:
    settings = sorted({result["figures"]["setting"] for result in found})
    commands = [f"- {result['name']}: `{result['command']}`" for result in found]
    setting = f"Setting: {'; '.join(settings)}; test parts; one seed each, so differences below two points mean little."
    return [setting, "", *commands]


def edge_table(found: Results) -> Table:
    """What the splitter makes impossible, once a corpus and splitter."""
    rows = {}
    for result in found:
        figures = result["figures"]
        (inside, edges), (apart, relations) = figures["entity_edges_inside_a_token"], figures["relations_over_a_sentence_end"]
        rows[result["data"], result["splitter"].partition("==")[0]] = (
            f"{inside} of {edges}", f"{apart} of {relations}", f"{figures['sentences']['found']} for {figures['sentences']['annotated']}"
        )  # fmt: skip
    head = ("data", "splitter", "ends of entities inside a token", "relations over a sentence end", "sentences found for annotated ones")
    return Table.of(head, [(*key, *row) for key, row in rows.items()])


def speed_table(found: Results) -> Table:
    rows = []
    for result in found:
        measured = result["speed"]
        rows.append((
            result["model"], ", ".join(result["entities_from"]) or "the model", f"{measured['documents_per_cpu_second']:,.0f}",
            f"{1000 * measured['mb_per_cpu_second']:,.0f}", *(f"{100 * measured['shares'][stage]:.0f} %" for stage in STAGES),
            f"{result['first_answer']['cpu_seconds']:.1f}", f"{result['first_answer']['wall_seconds']:.1f}",
        ))  # fmt: skip
    head = (
        "model", "entities by", "documents/s", "kB/s", *STAGES, "first answer, CPU s", "wall s",
    )  # fmt: skip
    return Table.of(head, rows, strong=("kB/s",))


def memory_lines(found: Results) -> list[str]:
    machine = found[0]["machine"] if found else {}
    loads = sorted(result["machine"]["load"] for result in found)
    lines = [
        f"Measured on {machine['cpu']}, {machine['cpus']} processors, while {loads[0]:.0f} to {loads[-1]:.0f} processes wanted them: wall "
        "times are those of a busy machine, several times those of a quiet one.",
        "",
    ] if found else []  # fmt: skip
    for result in found:
        if (memory := result["memory"]) is None:
            continue
        whole = "to its end" if memory["whole"] else f"up to {memory['read_mb']:.0f} MB of text, where it was stopped after its time"
        peaks = ", ".join(f"{size:.0f} MiB at {share}" for share, size in memory["peak_mib_up_to"].items())
        lines.append(
            f"A file of {memory['file_mb']:.0f} MB with {memory['documents']:,} documents ({result['model']}) was read {whole}. Peak "
            f"memory up to each share of what was read: {peaks}."
        )
    return lines


def main() -> None:
    losses, speeds = results(speed=False), results(speed=True)
    parts = {
        "plot": [loss_plot(losses)],
        "losses": [markdown.table(loss_table(losses)), "", markdown.table(edge_table(losses)), "", *setting_lines(losses)],
        "speed": [markdown.table(speed_table(speeds)), "", *memory_lines(speeds)],
    }
    for name, lines in parts.items():
        write_between((f"<!-- {name} -->", f"<!-- end of {name} -->"), PAGE, "\n".join(["", *lines, ""]))


if __name__ == "__main__":
    main()
