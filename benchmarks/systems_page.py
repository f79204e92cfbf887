"""The parts of docs/results that compare all systems, from benchmarks/results/systems and semeval.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any

from official_page import RESULTS, TITLES, load, over_seeds, setting, table, train_command
from results_plots import Dot, Parts, dots, over_seeds_dot, plot, written

from relsift.experiments.result import Results
from relsift.experiments.tag_gain import PAIRS, SYSTEMS, gain
from relsift.report.wording import interval, percent, points, with_deviation

SEEDS = 3  # of a complete row
FOLDER = RESULTS / "systems"


def parts() -> Parts:
    """(page, mark) -> lines."""
    grids = load(FOLDER, SYSTEMS)
    lines = []
    for corpus, results in grids.items():
        lines += [f"### {TITLES[corpus]}", "", setting(results), "", corpus_table(corpus, results), "", machines(results), ""]
    return {
        ("systems", "plot"): [system_plot(grids)],
        ("systems", "corpora"): [*lines, *commands(grids)],
        ("semeval", "plot"): plot("semeval", {"published": published(), "here": semeval_scores()}, "official macro F1 on the test part, %"),
        ("semeval", "table"): semeval(),
    }


def system_plot(grids: Mapping[str, Results]) -> str:
    """A panel a corpus, a row a system: test micro F1 without and with tags, over seeds."""
    panels: dict[str, dict[str, dict[str, Dot]]] = {}
    for corpus, results in grids.items():
        panel = panels.setdefault(TITLES[corpus].partition(" (")[0], {"no tags": {}, "with tags": {}})
        for pair in PAIRS:
            for title, system in zip(panel, pair):
                if results.of(system):
                    panel[title][system.model] = over_seeds_dot(results, system)
    words = f"test micro F1 of {len(PAIRS)} systems without and with tags on {', '.join(panels)}; the numbers stand in tables below"
    return written("systems", dots(panels, "test micro F1, %"), words)


def overview() -> str:
    """At a glance: mean test micro F1 without and with tags; * where the difference is beyond chance (p < .05); seeds if not three."""
    grids = load(FOLDER, SYSTEMS)
    rows = []
    for plain, tagged in PAIRS:
        row = [f"[`{plain.model}`](models/{plain.model}.md)"]
        for results in grids.values():
            cells = [results.of(system) for system in (plain, tagged)]
            means = [percent(fmean(cell.test.micro.f1 for cell in group)) if group else "–" for group in cells]
            tested, seeds = gain(results, plain, tagged), min(map(len, cells))
            few = "" if seeds == SEEDS else f" ({seeds} seed{'s' if seeds != 1 else ''})"
            row.append(" → ".join(means) + (" *" if tested is not None and tested.p_value < 0.05 else "") + few)
        rows.append(row)
    return table(["test micro F1, no tags → with tags", *(TITLES[corpus].partition(" (")[0] for corpus in grids)], rows)


def corpus_table(corpus: str, results: Results) -> str:
    rows, speed = [], speeds()
    for plain, tagged in PAIRS:
        if not (cells := results.of(tagged) or results.of(plain)):
            continue
        row = [f"`{plain.model}`", *(over_seeds(results, system, lambda cell: cell.test.micro.f1) for system in (plain, tagged))]
        row.append(over_seeds(results, tagged, lambda cell: cell.development.micro.f1))
        tested = gain(results, plain, tagged)
        row += ["", "", ""] if tested is None else [f"**{points(tested.difference)}**", interval(tested.interval), f"{tested.p_value:.4f}"]
        row.append(", ".join(str(cell.seed) for cell in cells))
        fast = speed.get((corpus, plain.model))
        row += ["", "", ""] if fast is None else [
            f"{fast['seconds_per_epoch']:.1f}", f"{fast['pairs_per_second']:,.0f}", f"{fast['parameters'] / 1e6:.2f} M"
        ]  # fmt: skip
        rows.append(row)
    head = [
        "system", "test micro F1, no tags", "with tags", "development, with tags", "gain", "95 % interval", "p", "seeds",
        "s an epoch", "pairs/s", "parameters",
    ]  # fmt: skip
    return table(head, rows)


def speeds() -> dict[tuple[str, str], Mapping[str, Any]]:
    """By corpus and model, with tags."""
    figures = json.loads((FOLDER / "speed.json").read_text(encoding="utf-8"))["figures"]
    return {(row["corpus"], row["variant"].removesuffix("_tags")): row for row in figures}


def machines(results: Results) -> str:
    cells = [cell for system in results.systems for cell in results.of(system)]
    return "Computed on: " + "; ".join(sorted({f"{c.machine['cpu']}, torch {c.machine['torch']}, {c.device}" for c in cells})) + "."


def commands(grids: Mapping[str, Results]) -> list[str]:
    lines: dict[str, str] = {}
    for results in grids.values():
        for system in SYSTEMS:
            if results.of(system):
                lines.setdefault(system.model, train_command(results.of(system)[0]))
    return ["One command a system (the other cells differ in corpus, direction, tags and seed):", "", "```", *lines.values(), "```", ""]


def semeval_cells() -> dict[str, list[dict[str, Any]]]:
    """Word vectors -> cells. An official score of its own, over a split of its own: no grid of experiments."""
    cells = json.loads((RESULTS / "semeval.json").read_text(encoding="utf-8"))["cells"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        groups.setdefault(cell["vectors"] or "random", []).append(cell)
    return groups


def semeval_scores() -> dict[str, Dot]:
    values = {name: [100 * cell["test"]["macro"]["f1"] for cell in group] for name, group in semeval_cells().items()}
    return {name: Dot.around(fmean(f1), stdev(f1) if len(f1) > 1 else None) for name, f1 in values.items()}


def published() -> dict[str, Dot]:
    return {"word2vec-400": Dot(float(next(iter(semeval_cells().values()))[0]["published"]))}


def semeval() -> list[str]:
    rows = []
    for vectors, group in semeval_cells().items():
        f1 = [[cell[part]["macro"]["f1"] for cell in group] for part in ("development", "test")]
        scores = [with_deviation(fmean(values), stdev(values) if len(values) > 1 else None) for values in f1]
        rows.append([vectors, *scores, ", ".join(str(cell["seed"]) for cell in group), group[0]["published"]])
    return [table(["word vectors", "development", "test", "seeds", "published, word2vec-400"], rows)]
