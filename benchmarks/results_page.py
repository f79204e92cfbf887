"""Write docs/results.md, and the table in README.md, from the JSON files in benchmarks/results.

    python benchmarks/results_page.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import experiments_page
from grid import TITLES
from measure import write_between
from systems_page import overview as systems_overview
from systems_page import page, spread

RESULTS = Path(__file__).parent / "results" / "quality"
PAGE = Path(__file__).parent.parent / "docs" / "results.md"
README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- results -->", "<!-- end of results -->"
SYSTEMS = "<!-- systems -->", "<!-- end of systems -->"
FOLDS = "<!-- folds -->", "<!-- end of folds -->"
VARIANTS = {
    "baseline": "Baseline", "tag": "+Tag", "mtl": "+MTL", "mtl_tag": "+MTL+Tag", "released_mtl_tag": "+MTL+Tag, `released`",
}  # fmt: skip
PAPER_VARIANTS = ("baseline", "tag", "mtl", "mtl_tag")


def load() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """corpus -> variant -> results by seed."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(RESULTS.glob("*/*.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        found[result["corpus"]][result["variant"]].append(result)
    return found


def corpus_table(variants: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [
        "| variant | seeds | precision | recall | **micro F1** | macro F1 | weighted F1 | development micro F1 | epochs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key, name in VARIANTS.items():
        results = variants.get(key)
        if not results:
            continue
        cells = [
            name, ", ".join(str(r["seed"]) for r in results),
            spread([r["test"]["micro"]["precision"] for r in results]), spread([r["test"]["micro"]["recall"] for r in results]),
            f"**{spread([r['test']['micro']['f1'] for r in results])}**", spread([r["test"]["macro"]["f1"] for r in results]),
            spread([r["test"]["weighted"]["f1"] for r in results]), spread([r["development"]["micro"]["f1"] for r in results]),
            ", ".join(str(r["epochs"]) for r in results),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def error_table(variants: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = ["| variant | missed | spurious | wrong relation | errors a seed |", "|---|---|---|---|---|"]
    for key, name in VARIANTS.items():
        results = variants.get(key)
        if not results:
            continue
        shares = [r["test"]["errors"]["shares"] for r in results]
        total = mean(sum(r["test"]["errors"][k] for k in ("false_negative", "false_positive", "wrong_class")) for r in results)
        cells = [f"{100 * mean(s[k] for s in shares):.1f} %" for k in ("false_negative", "false_positive", "wrong_class")]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {total:.0f} |")
    return lines


def gains(results: dict[str, dict[str, list[dict[str, Any]]]]) -> list[str]:
    """Micro F1 of each variant minus the baseline's, seed by seed."""
    lines = ["| corpus | +Tag | +MTL | +MTL+Tag |", "|---|---|---|---|"]
    for corpus, title in TITLES.items():
        variants = results.get(corpus, {})
        base = {r["seed"]: r["test"]["micro"]["f1"] for r in variants.get("baseline", [])}
        row = []
        for key in ("tag", "mtl", "mtl_tag"):
            change = [100 * (r["test"]["micro"]["f1"] - base[r["seed"]]) for r in variants.get(key, []) if r["seed"] in base]
            row.append(f"{mean(change):+.1f} ({', '.join(f'{c:+.1f}' for c in change)})" if change else "")
        lines.append(f"| {title} | " + " | ".join(row) + " |")
    return lines


def overview(results: dict[str, dict[str, list[dict[str, Any]]]]) -> list[str]:
    """Test micro F1, a row a corpus, a column a variant."""
    lines = ["| test micro F1 | Baseline | +Tag | +MTL | +MTL+Tag |", "|---|---|---|---|---|"]
    for corpus, title in TITLES.items():
        variants = results.get(corpus, {})
        if not variants:
            continue
        direction = next(iter(variants.values()))[0]["test"]["setting"]["direction"]
        cells = [spread([r["test"]["micro"]["f1"] for r in variants[key]]) if variants.get(key) else "" for key in PAPER_VARIANTS]
        lines.append(f"| {title}, {direction} | " + " | ".join(cells) + " |")
    return lines


def section(corpus: str, variants: dict[str, list[dict[str, Any]]]) -> list[str]:
    first = next(iter(variants.values()))[0]
    setting, training = first["test"]["setting"], first["training_candidates"]
    lost = {key: count for key, count in training["lost"].items() if count}
    lines = [
        f"## {TITLES[corpus]}",
        "",
        f"Tested on `{first['tested_on']}`, {first['test']['sentences']} sentences. "
        + " · ".join(f"{key}={value}" for key, value in setting.items())
        + f". Training candidates: {training['kept']}, positive to negative {training['ratio']}"
        + (f"; annotated relations that no training candidate carries: {sum(lost.values())}" if lost else "")
        + ".",
        "",
        *corpus_table(variants),
        "",
        "Errors on the test part, mean over seeds:",
        "",
        *error_table(variants),
        "",
        "Commands:",
        "",
        "```",
    ]
    for key in VARIANTS:
        if variants.get(key):
            lines.append(variants[key][0]["command"])
    return [*lines, "```", ""]


def main() -> None:
    results = load()
    notes = (Path(__file__).parent / "results" / "reading.md").read_text(encoding="utf-8").strip()
    lines = [
        "# Results",
        "",
        "<!-- made by benchmarks/results_page.py; edit experiments.md, reading.md and systems.md in benchmarks/results for the words -->",
        "",
        *experiments_page.page(),
        "## On the official splits",
        "",
        notes,
        "",
        "## What tags and the second task are worth on the official splits",
        "",
        "Change of test micro F1 against the baseline, mean over seeds (each seed in brackets, in points):",
        "",
        *gains(results),
        "",
    ]
    for corpus in TITLES:
        if corpus in results:
            lines += section(corpus, results[corpus])
    lines += page()
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    write_between(MARKS, README, "\n".join(overview(results)))
    write_between(SYSTEMS, README, systems_overview())
    write_between(FOLDS, README, "\n".join(experiments_page.overview()))


if __name__ == "__main__":
    main()
