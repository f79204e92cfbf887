"""The part of docs/results.md that compares all systems, from benchmarks/results/systems (see systems.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from grid import RESULTS, TITLES, unpack
from measure import table
from systems import CORPORA, MODELS, TAGS

from relsift.evaluation.significance import Comparison, compare_runs

SEEDS = 3  # of a complete row
FOLDER = RESULTS / "systems"
Results = Mapping[str, Sequence[Mapping[str, Any]]]  # variant -> cells by seed


def load(corpus: str) -> Results:
    found: dict[str, list[Any]] = {}
    for model in MODELS:
        for kind in TAGS:
            files = sorted(FOLDER.glob(f"{corpus}/{model}_{kind}-*.json"))
            if files:
                found[f"{model}_{kind}"] = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return found


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over seeds, in percent."""
    return f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f}" if len(values) > 1 else f"{100 * values[0]:.1f}"


def gain(results: Results, model: str) -> Comparison | None:
    """With tags against without, over the seeds that both have; a sentence changes sides in all seeds or in none."""
    sides = [{r["seed"]: r for r in results.get(f"{model}_{kind}", ())} for kind in ("tags", "plain")]
    seeds = sorted(sides[0].keys() & sides[1].keys())
    if not seeds:
        return None
    runs = [[unpack(side[seed]["test_counts"]) for seed in seeds] for side in sides]
    return compare_runs(*runs, swap_runs_together=True)


def speeds() -> dict[tuple[str, str], Mapping[str, Any]]:
    file = FOLDER / "speed.json"
    if not file.is_file():
        return {}
    return {(row["corpus"], row["variant"]): row for row in json.loads(file.read_text(encoding="utf-8"))["figures"]}


def corpus_section(corpus: str) -> list[str]:
    results, fast = load(corpus), speeds()
    if not results:
        return []
    rows = []
    for model in MODELS:
        cells = [results.get(f"{model}_{kind}", []) for kind in TAGS]
        if not any(cells):
            continue
        row = [f"`{model}`", *(spread([r["test"]["micro"]["f1"] for r in its]) if its else "" for its in cells)]
        row.append(spread([r["development"]["micro"]["f1"] for r in cells[1]]) if cells[1] else "")
        found = gain(results, model)
        if found is None:
            row += ["", "", ""]
        else:
            low, high = found.interval
            row += [f"**{100 * found.difference:+.1f}**", f"{100 * low:+.1f} to {100 * high:+.1f}", f"{found.p_value:.4f}"]
        row.append(", ".join(str(r["seed"]) for r in cells[1] or cells[0]))
        its = fast.get((corpus, f"{model}_tags"))
        row += ["", "", ""] if its is None else [
            f"{its['seconds_per_epoch']:.1f}", f"{its['pairs_per_second']:,.0f}", f"{its['parameters'] / 1e6:.2f} M"
        ]  # fmt: skip
        rows.append(row)
    head = [
        "system", "test micro F1, no tags", "with tags", "development, with tags", "gain", "95 % interval", "p", "seeds",
        "s an epoch", "pairs/s", "parameters",
    ]  # fmt: skip
    first = next(iter(results.values()))[0]
    setting = " · ".join(f"{key}={value}" for key, value in first["test"]["setting"].items())
    used = [r["machine"] for its in results.values() for r in its]
    machines = sorted({f"{its['cpu']}, torch {its['torch']}, {its['device']}" for its in used})
    return [
        f"### {TITLES[corpus]}", "", f"Tested on `{first['tested_on']}`, {first['test']['sentences']} sentences. {setting}.", "",
        table(head, rows), "", "Computed on: " + "; ".join(machines) + ".", "",
    ]  # fmt: skip


def overview() -> str:
    """Mean test micro F1 without and with tags; * where the difference is beyond chance (p < .05); the seeds where they are not three."""
    found = {corpus: load(corpus) for corpus in CORPORA}
    rows = []
    for model in MODELS:
        row = [f"[`{model}`](docs/models/{model}.md)"]
        for corpus in CORPORA:
            cells = [found[corpus].get(f"{model}_{kind}", []) for kind in TAGS]
            means = [f"{100 * mean(r['test']['micro']['f1'] for r in its):.1f}" if its else "–" for its in cells]
            tested = gain(found[corpus], model)
            seeds = min(map(len, cells))
            few = "" if seeds == SEEDS else f" ({seeds} seed{'s' if seeds != 1 else ''})"
            row.append(" → ".join(means) + (" *" if tested is not None and tested.p_value < 0.05 else "") + few)
        rows.append(row)
    return table(["test micro F1, no tags → with tags", *(TITLES[corpus].partition(" (")[0] for corpus in CORPORA)], rows)


def semeval() -> list[str]:
    files = sorted((RESULTS / "semeval").glob("*.json"))
    if not files:
        return []
    rows, cells = [], [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for vectors in dict.fromkeys(cell["vectors"] for cell in cells):
        its = [cell for cell in cells if cell["vectors"] == vectors]
        scores = [spread([cell[part]["macro"]["f1"] for cell in its]) for part in ("development", "test")]
        rows.append([vectors or "random", *scores, ", ".join(str(cell["seed"]) for cell in its), its[0]["published"]])
    words = (RESULTS / "semeval.md").read_text(encoding="utf-8").strip()
    head = ["word vectors", "development", "test", "seeds", "published, word2vec-400"]
    return ["### SemEval-2010 task 8, `cr_cnn`", "", words, "", table(head, rows), "", "`python benchmarks/semeval.py`", ""]


def commands() -> list[str]:
    lines = {}
    for corpus in CORPORA:
        for its in load(corpus).values():
            lines.setdefault(its[0]["model"], its[0]["command"])
    return ["One command a system (the other cells differ in corpus, direction, tags and seed):", "", "```", *lines.values(), "```", ""]


def page() -> list[str]:
    sections = [line for corpus in CORPORA for line in corpus_section(corpus)]
    if not sections:
        return []
    words = (RESULTS / "systems.md").read_text(encoding="utf-8").strip()
    return ["## Every system, with and without tags", "", words, "", *sections, *commands(), *semeval()]
