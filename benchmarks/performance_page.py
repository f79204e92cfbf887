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
from measure import RESULTS, table, write_between

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
NOTES = Path(__file__).parent / "results" / "performance.md"
README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- speed -->", "<!-- end of speed -->"

Rows = Sequence[Mapping[str, Any]]


def reached(value: float, aim: float | None, *, below: bool = False) -> str:
    if not aim:
        return ""
    return "yes" if (value <= aim if below else value >= aim) else "**no**"


def pair_rate(figures: Rows) -> list[str]:
    lines = []
    for row in figures:
        literal, ratio = row["literal"], row["ratio"]
        lines.append([
            row["title"], row["threads"], f"{row['pairs']:,}", f"{row['conv1d']['rate']:,.0f}", f"{row['fast']['convolution']:,.0f}",
            f"**{row['ratio_conv1d']:,.0f}**", f">= {row['aim']}", reached(row["ratio_conv1d"], row["aim"]),
            f"{literal['convolution']:,.0f}", f"{ratio['convolution']:,.0f}", f"{row['ratio_cold']['convolution']:,.0f}",
            f"{ratio['model']:,.0f}", f"{max(row['largest_difference'].values()):.0e}",
        ])  # fmt: skip
    head = [
        "case", "threads", "pairs", "literal `Conv1d`", "relsift", "ratio", "aim", "reached", "fastest literal form", "ratio to it",
        "cold", "whole model", "largest difference",
    ]  # fmt: skip
    measured = {row["name"].rpartition("_")[0] for row in figures}
    missing = [TITLES[name] for name in CORPORA if name not in measured]
    left_out = ["", f"Not prepared, left out: {', '.join(missing)}."] if missing else []
    return ["Pairs a second:", "", table(head, lines), *left_out]


def training_rate(figures: Rows) -> list[str]:
    lines = []
    for row in figures:
        for kind in ("step", "epoch"):
            if kind not in row:
                continue
            its = row[kind]
            lines.append([
                row["title"], kind, row["threads"], f"{its['literal']:.3f}", f"{its['fast']:.4f}", f"**{its['ratio']:.1f}**",
                f">= {row['aim']}" if row["aim"] else "", reached(its["ratio"], row["aim"]), f"{row['largest_gradient_difference']:.0e}",
            ])  # fmt: skip
    head = ["case", "of", "threads", "literal, seconds", "relsift, seconds", "ratio", "aim", "reached", "largest gradient difference"]
    corpus = [] if any("epoch" in row for row in figures) else ["", f"Not prepared, left out: {TITLES['conll04']}."]
    return [table(head, lines), *corpus]


def gpu(figures: Mapping[str, Any]) -> list[str]:
    lines = [
        [row["title"], f"{row['pairs']:,}", f"{row['literal']:,.0f}", f"{row['torch']:,.0f}", f"{row['triton']:,.0f}",
         f"**{row['triton'] / row['literal']:,.0f}**", *(f"{1000 * row['step'][form]:.1f}" for form in ("literal", "torch", "triton")),
         f"{max(row['differences'].values()):.0e}"]
        for row in figures["rows"]
    ]  # fmt: skip
    head = [
        "case", "pairs", "literal `Conv1d`", "plain torch", "Triton", "ratio", "step: literal, ms", "plain torch, ms", "Triton, ms",
        "largest difference to the CPU",
    ]  # fmt: skip
    return [f"Pairs a second of the pair convolution, and one training step. Device: {figures['device']}.", "", table(head, lines)]


def add_max(figures: Mapping[str, Rows]) -> list[str]:
    peaks = {row["threads"]: row["rate"] for row in figures["peak"]}
    lines = [
        [row["title"], row["threads"], f"{row['rate'] / 1e9:.1f}", f"{peaks[row['threads']] / 1e9:.1f}", f"**{row['share']:.0%}**",
         f">= {row['aim']:.0%}", reached(row["share"], row["aim"])]
        for row in figures["kernel"]
    ]  # fmt: skip
    head = ["case", "threads", "kernel, billion a second", "peak, billion a second", "share", "aim", "reached"]
    return [table(head, lines)]


def start(figures: Mapping[str, Any]) -> list[str]:
    aims, helps = figures["aims"], figures["help"]
    slowest = max(helps, key=lambda name: helps[name])
    judged = [("`relsift --help`", helps["relsift --help"], aims["help"])]
    judged += [(f"the slowest other, `{slowest}`", helps[slowest], aims["help"])]
    judged += [(f"first prediction, {name}", value, aims["predict"]) for name, value in figures["predict"].items()]
    lines = [[name, f"**{value:.2f}**", f"<= {aim}", reached(value, aim, below=True)] for name, value, aim in judged]
    lines.append(["of which: a process that only imports torch", f"{figures['torch']:.2f}", "", ""])
    for name, value in figures["predict_compiling"].items():
        lines.append([f"first prediction, {name}, kernels not compiled yet", f"{value:.2f}", "", ""])
    return [table(["process", "seconds", "aim", "reached"], lines)]


def end_to_end(figures: Rows) -> list[str]:
    stages = ("reading", "encoding", "model", "writing")
    lines = [
        [row["title"], row["threads"], f"{row['sentences']:,}", f"**{row['sentences_per_second']:,.0f}**",
         f"{row['pairs_per_second']:,.0f}", *(f"{row[stage]:.0%}" for stage in stages), f"{row['largest_stage_but_model']:.0%}",
         f"<= {row['aim']:.0%}", reached(row["largest_stage_but_model"], row["aim"], below=True)]
        for row in figures
    ]  # fmt: skip
    head = [
        "corpus", "threads", "sentences", "sentences a second", "pairs a second", *stages, "largest but the model", "aim", "reached",
    ]  # fmt: skip
    return [table(head, lines)]


def memory(figures: Mapping[str, Any]) -> list[str]:
    growth, aim = figures["growth"], figures["aim"]
    length = [[f"{row['sentences']:,}", f"{row['peak_mib']:,.0f}"] for row in figures["by_file_length"]]
    entities = [
        [row["entities"], f"{row['pairs_per_sentence']:,}", f"{row['sentences']:,}", f"{row['peak_mib']:,.0f}"]
        for row in figures["by_entities"]
    ]
    return [
        table(["sentences of the file", "peak, MiB"], length), "",
        f"From the shortest to the longest file: {growth:+.1%} (aim <= {aim:.0%}, reached: {reached(growth, aim, below=True)}).", "",
        table(["entities a sentence", "pairs a sentence", "sentences of the file", "peak, MiB"], entities),
    ]  # fmt: skip


SECTIONS: dict[str, tuple[str, Callable[[Any], list[str]]]] = {
    "pair_rate": ("Pairs scored a second", pair_rate),
    "training_rate": ("Training", training_rate),
    "add_max": ("How near the kernel is to the machine", add_max),
    "end_to_end": ("From file to file", end_to_end),
    "memory": ("Memory", memory),
    "start": ("Start", start),
    "gpu": ("On a GPU", gpu),
}


def section(name: str) -> list[str]:
    title, made = SECTIONS[name]
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        return [f"## {title}", "", f"Not measured (`python benchmarks/{name}.py`).", ""]
    result = json.loads(file.read_text(encoding="utf-8"))
    about = " · ".join(f"{key} {value}" for key, value in result["machine"].items())
    return [f"## {title}", "", *made(result["figures"]), "", f"`{result['command']}`, on: {about}", ""]


def overview() -> str:
    """Ratios at one thread for the README; empty if nothing was measured."""
    file = RESULTS / "pair_rate.json"
    if not file.is_file():
        return ""
    rows = [row for row in json.loads(file.read_text(encoding="utf-8"))["figures"] if row["threads"] == 1]
    lines = [
        [row["title"], f"{row['fast']['convolution']:,.0f}", f"{row['ratio_conv1d']:,.0f} ×", f"{row['ratio']['convolution']:,.0f} ×"]
        for row in rows
    ]
    head = ["pair convolution, one thread", "pairs a second", "per-pair `Conv1d`", "fastest per-pair form found"]
    return table(head, lines)


def main() -> None:
    lines = [
        "# Performance",
        "",
        "<!-- made by benchmarks/performance_page.py; edit benchmarks/results/performance.md for the words -->",
        "",
        NOTES.read_text(encoding="utf-8").strip(),
        "",
    ]
    for name in SECTIONS:
        lines += section(name)
    page = "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"
    if options(__doc__).quick:
        print(f"{PAGE}: {len(page)} characters, not written")
        return
    PAGE.write_text(page, encoding="utf-8")
    write_between(MARKS, README, overview())
    print(PAGE)


if __name__ == "__main__":
    main()
