"""Write docs/performance.md from the JSON files in benchmarks/results/performance; words from benchmarks/results/performance.md.

    python benchmarks/performance_page.py [--quick]

A benchmark that was not run is said to be not measured. `--quick` makes the page and does not write it. The table of ratios in README.md is
made from the same figures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cases import CORPORA, TITLES, options
from measure import RESULTS, write_between

from relsift.report import markdown
from relsift.report.blocks import Block, Commands, Paragraph, Section, Table

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
NOTES = Path(__file__).parent / "results" / "performance.md"
README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- speed -->", "<!-- end of speed -->"

Rows = Sequence[Mapping[str, Any]]


def reached(value: float, aim: float | None, *, below: bool = False) -> str:
    if not aim:
        return ""
    return "yes" if (value <= aim if below else value >= aim) else "no"


def not_prepared(names: Sequence[str]) -> list[Block]:
    return [Paragraph(f"Not prepared, left out: {', '.join(TITLES[name] for name in names)}.", "note")] if names else []


def pair_rate(figures: Rows) -> list[Block]:
    rows = []
    for row in figures:
        literal, ratio = row["literal"], row["ratio"]
        rows.append((
            row["title"], row["threads"], f"{row['pairs']:,}", f"{row['conv1d']['rate']:,.0f}", f"{row['fast']['convolution']:,.0f}",
            f"{row['ratio_conv1d']:,.0f}", f">= {row['aim']}", reached(row["ratio_conv1d"], row["aim"]),
            f"{literal['convolution']:,.0f}", f"{ratio['convolution']:,.0f}", f"{row['ratio_cold']['convolution']:,.0f}",
            f"{ratio['model']:,.0f}", f"{max(row['largest_difference'].values()):.0e}",
        ))  # fmt: skip
    head = (
        "case", "threads", "pairs", "literal Conv1d", "relsift", "ratio", "aim", "reached", "fastest literal form", "ratio to it",
        "cold", "whole model", "largest difference",
    )  # fmt: skip
    measured = {row["name"].rpartition("_")[0] for row in figures}
    missing = [name for name in CORPORA if name not in measured]
    return [Paragraph("Pairs a second:"), Table.of(head, rows, strong=("ratio",)), *not_prepared(missing)]


def training_rate(figures: Rows) -> list[Block]:
    rows = []
    for row in figures:
        for kind in ("step", "epoch"):
            if kind not in row:
                continue
            seconds = row[kind]
            rows.append((
                row["title"], kind, row["threads"], f"{seconds['literal']:.3f}", f"{seconds['fast']:.4f}", f"{seconds['ratio']:.1f}",
                f">= {row['aim']}" if row["aim"] else "", reached(seconds["ratio"], row["aim"]),
                f"{row['largest_gradient_difference']:.0e}",
            ))  # fmt: skip
    head = ("case", "of", "threads", "literal, seconds", "relsift, seconds", "ratio", "aim", "reached", "largest gradient difference")
    missing = [] if any("epoch" in row for row in figures) else ["conll04"]
    return [Table.of(head, rows, strong=("ratio",)), *not_prepared(missing)]


def gpu(figures: Mapping[str, Any]) -> list[Block]:
    rows = [
        (row["title"], f"{row['pairs']:,}", f"{row['literal']:,.0f}", f"{row['torch']:,.0f}", f"{row['triton']:,.0f}",
         f"{row['triton'] / row['literal']:,.0f}", *(f"{1000 * row['step'][form]:.1f}" for form in ("literal", "torch", "triton")),
         f"{max(row['differences'].values()):.0e}")
        for row in figures["rows"]
    ]  # fmt: skip
    head = (
        "case", "pairs", "literal Conv1d", "plain torch", "Triton", "ratio", "step: literal, ms", "plain torch, ms", "Triton, ms",
        "largest difference to the CPU",
    )  # fmt: skip
    words = f"Pairs a second of the pair convolution, and one training step. Device: {figures['device']}."
    return [Paragraph(words), Table.of(head, rows, strong=("ratio",))]


def add_max(figures: Mapping[str, Rows]) -> list[Block]:
    peaks = {row["threads"]: row["rate"] for row in figures["peak"]}
    rows = [
        (row["title"], row["threads"], f"{row['rate'] / 1e9:.1f}", f"{peaks[row['threads']] / 1e9:.1f}", f"{row['share']:.0%}",
         f">= {row['aim']:.0%}", reached(row["share"], row["aim"]))
        for row in figures["kernel"]
    ]  # fmt: skip
    head = ("case", "threads", "kernel, billion a second", "peak, billion a second", "share", "aim", "reached")
    return [Table.of(head, rows, strong=("share",))]


def start(figures: Mapping[str, Any]) -> list[Block]:
    aims, helps = figures["aims"], figures["help"]
    slowest = max(helps, key=lambda name: helps[name])
    judged = [("relsift --help", helps["relsift --help"], aims["help"]), (f"the slowest other, {slowest}", helps[slowest], aims["help"])]
    judged += [(f"first prediction, {name}", value, aims["predict"]) for name, value in figures["predict"].items()]
    rows = [(name, f"{value:.2f}", f"<= {aim}", reached(value, aim, below=True)) for name, value, aim in judged]
    rows.append(("of which: a process that only imports torch", f"{figures['torch']:.2f}", "", ""))
    for name, value in figures["predict_compiling"].items():
        rows.append((f"first prediction, {name}, kernels not compiled yet", f"{value:.2f}", "", ""))
    return [Table.of(("process", "seconds", "aim", "reached"), rows)]


def stages(figures: Mapping[str, Any]) -> list[Block]:
    """One line a case: the ratio of each stage, new to old, with its interval."""
    rows: Rows = figures["rows"]
    names = list(dict.fromkeys(row["stage"] for row in rows))
    cases: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        cases.setdefault(row["case"], {})[row["stage"]] = row
    lines = [
        (case, *(f"{of[name]['ratio']:.2f} ({of[name]['low']:.2f} to {of[name]['high']:.2f})" if name in of else "" for name in names))
        for case, of in cases.items()
    ]
    words = f"CPU time, new to old, with 95 % intervals of {figures['pairs']} pairs of runs in turns. Old: commit {figures['base']}."
    return [Paragraph(words), Table.of(("case", *names), lines, strong=("total",) if "total" in names else ())]


def growth(figures: Rows) -> list[Block]:
    rows = [
        (row["what"], row["work"], ", ".join(map(str, row["sizes"])), ", ".join(f"{one:.2f}" for one in row["seconds"]),
         f"{row['exponent']:.2f}")
        for row in figures
    ]  # fmt: skip
    return [Table.of(("what grows", "work", "sizes", "CPU seconds", "exponent"), rows, strong=("exponent",))]


def end_to_end(figures: Rows) -> list[Block]:
    stages = ("reading", "encoding", "model", "writing")
    rows = [
        (row["title"], row["threads"], f"{row['sentences']:,}", f"{row['sentences_per_second']:,.0f}",
         f"{row['pairs_per_second']:,.0f}", *(f"{row[stage]:.0%}" for stage in stages), f"{row['largest_stage_but_model']:.0%}",
         f"<= {row['aim']:.0%}", reached(row["largest_stage_but_model"], row["aim"], below=True))
        for row in figures
    ]  # fmt: skip
    head = ("corpus", "threads", "sentences", "sentences a second", "pairs a second", *stages, "largest but the model", "aim", "reached")
    return [Table.of(head, rows, strong=("sentences a second",))]


def memory(figures: Mapping[str, Any]) -> list[Block]:
    growth, aim = figures["growth"], figures["aim"]
    lengths = [(f"{row['sentences']:,}", f"{row['peak_mib']:,.0f}") for row in figures["by_file_length"]]
    entities = [
        (row["entities"], f"{row['pairs_per_sentence']:,}", f"{row['sentences']:,}", f"{row['peak_mib']:,.0f}")
        for row in figures["by_entities"]
    ]
    judged = f"(aim <= {aim:.0%}, reached: {reached(growth, aim, below=True)})"
    return [
        Table.of(("sentences of the file", "peak, MiB"), lengths),
        Paragraph(f"From the shortest to the longest file: {growth:+.1%} {judged}."),
        Table.of(("entities a sentence", "pairs a sentence", "sentences of the file", "peak, MiB"), entities),
    ]


SECTIONS: dict[str, tuple[str, Callable[[Any], list[Block]]]] = {
    "pair_rate": ("Pairs scored a second", pair_rate),
    "training_rate": ("Training", training_rate),
    "add_max": ("How near the kernel is to the machine", add_max),
    "end_to_end": ("From file to file", end_to_end),
    "stages": ("Stages of prediction, before and after", stages),
    "stages_training": ("Stages of training, before and after", stages),
    "starts": ("Start, before and after", stages),
    "growth": ("How the cost grows", growth),
    "memory": ("Memory", memory),
    "start": ("Start", start),
    "gpu": ("On a GPU", gpu),
}


def section(name: str) -> Section:
    title, blocks_of = SECTIONS[name]
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        return Section(title, (Paragraph("Not measured. To measure it:"), Commands((f"python benchmarks/{name}.py",))))
    result = json.loads(file.read_text(encoding="utf-8"))
    machine = " · ".join(f"{key} {value}" for key, value in result["machine"].items())
    return Section(title, (*blocks_of(result["figures"]), Commands((result["command"],)), Paragraph(f"On: {machine}", "note")))


def overview() -> str:
    """Ratios at one thread for the README; empty if nothing was measured."""
    file = RESULTS / "pair_rate.json"
    if not file.is_file():
        return ""
    figures = [row for row in json.loads(file.read_text(encoding="utf-8"))["figures"] if row["threads"] == 1]
    rows = [
        (row["title"], f"{row['fast']['convolution']:,.0f}", f"{row['ratio_conv1d']:,.0f} ×", f"{row['ratio']['convolution']:,.0f} ×")
        for row in figures
    ]
    return markdown.table(
        Table.of(("pair convolution, one thread", "pairs a second", "per-pair Conv1d", "fastest per-pair form found"), rows)
    )


def main() -> None:
    parts = [
        "# Performance",
        "<!-- made by benchmarks/performance_page.py; edit benchmarks/results/performance.md for the words -->",
        NOTES.read_text(encoding="utf-8").strip(),
        *(markdown.section(section(name), PAGE.stem) for name in SECTIONS),
    ]
    page = "\n\n".join(parts) + "\n"
    if options(__doc__).quick:
        print(f"{PAGE}: {len(page)} characters, not written")
        return
    PAGE.write_text(page, encoding="utf-8")
    write_between(MARKS, README, overview())
    print(PAGE)


if __name__ == "__main__":
    main()
