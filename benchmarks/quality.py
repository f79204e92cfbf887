"""Scores of the core model on open corpora: the grid corpus x variant x seed behind docs/results.md.

    python benchmarks/quality.py [--corpora conll04,scienceie] [--variants baseline,tag] [--seeds 1,2,3] [--share 1/2]

Gold entities, candidates by the type filter of the training part, epoch and threshold chosen on the development part, the test part scored
once. Every cell is one JSON file in benchmarks/results/quality; a finished cell is never computed again, so an interrupted grid goes on.
The corpora must have been prepared (`relsift corpora prepare NAME`). `--share 1/2` does every second cell, for two processes side by side.
`--check` computes finished cells again, writes nothing, and says whether epochs, threshold and scores are still those of the file.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from relsift.config import load_config
from relsift.models.bundle import write_json
from relsift.training.data import scoring_data, training_data
from relsift.training.run import score_bundle, train_run

RESULTS = Path(__file__).parent / "results" / "quality"
CORPORA = {  # the preset of its language, and the direction it is scored in
    "conll04": ("paper", "directed"),
    "scienceie": ("paper", "undirected"),
    "ddi2013": ("paper", "undirected"),
    "scicn": ("paper_zh", "undirected"),
}
PAPER = {
    "baseline": ["model.tags=false", "model.identification=false"],
    "tag": ["model.identification=false"],
    "mtl": ["model.tags=false"],
    "mtl_tag": [],
}


@dataclass(frozen=True)
class Cell:
    corpus: str
    variant: str
    preset: str
    overrides: tuple[str, ...]
    seed: int

    @property
    def file(self) -> Path:
        return RESULTS / self.corpus / f"{self.variant}-{self.seed}.json"


def cells(corpora: list[str], variants: list[str], seeds: list[int]) -> list[Cell]:
    """Seed by seed, so that an unfinished grid is even."""
    return [
        Cell(corpus, variant, preset, tuple(overrides), seed)
        for seed in seeds
        for corpus in corpora
        for variant, preset, overrides in [
            *((name, CORPORA[corpus][0], its) for name, its in PAPER.items()),
            ("released_mtl_tag", "released", []),
        ]
        if variant in variants and not (variant == "released_mtl_tag" and corpus not in ("conll04", "scienceie"))
    ]


def compute(cell: Cell, threads: int) -> dict[str, Any]:
    """Train, select on development data, score the test part once."""
    loaded = training_data(cell.corpus)
    settings = [f"candidates.direction={CORPORA[cell.corpus][1]}", *cell.overrides, f"training.seed={cell.seed}"]
    config = load_config(preset=cell.preset, overrides=[*settings, f"training.threads={threads}"])
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        result, development = train_run(config, loaded.run, Path(folder) / "run")
    seconds = time.perf_counter() - started
    sentences, name, _ = scoring_data(cell.corpus)
    test, _ = score_bundle(result.bundle, sentences)
    history = result.progress.history or []
    return {
        "command": f"relsift train --data {cell.corpus} --preset {cell.preset} " + " ".join(f"--set {text}" for text in settings),
        "corpus": cell.corpus, "variant": cell.variant, "seed": cell.seed, "config": config.model_dump(),
        "checksums": dict(loaded.run.checksums), "tested_on": name,
        "training_candidates": {"kept": result.candidates.kept, "ratio": result.candidates.ratio(), "lost": dict(result.candidates.lost)},
        "epochs": result.progress.epoch, "best_epoch": result.progress.best_epoch, "threshold": result.bundle.threshold,
        "seconds": round(seconds, 1), "seconds_per_epoch": round(sum(r["seconds"] for r in history) / len(history), 2),
        "parameters": sum(p.numel() for p in result.bundle.model.parameters()),
        "development": development.to_json(), "test": test.to_json(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", default=",".join(CORPORA))
    parser.add_argument("--variants", default=",".join([*PAPER, "released_mtl_tag"]))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--share", default="1/1", help="i/n: every n-th cell, from the i-th")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="compute finished cells again and compare")
    options = parser.parse_args()
    part, parts = (int(number) for number in options.share.split("/"))
    todo = cells(options.corpora.split(","), options.variants.split(","), [int(seed) for seed in options.seeds.split(",")])
    changed = 0
    for number, cell in enumerate(todo):
        if number % parts != part - 1 or cell.file.exists() != options.check:
            continue
        result = compute(cell, options.threads)
        if options.check:
            before = json.loads(cell.file.read_text(encoding="utf-8"))
            differing = [key for key in ("epochs", "best_epoch", "threshold", "development", "test") if result[key] != before[key]]
            changed += bool(differing)
            verdict = f"differs in {', '.join(differing)}" if differing else "the same"
            print(f"{cell.corpus:10s} {cell.variant:16s} seed {cell.seed}: {verdict}", flush=True)
            continue
        cell.file.parent.mkdir(parents=True, exist_ok=True)
        write_json(cell.file, result)
        print(
            f"{cell.corpus:10s} {cell.variant:16s} seed {cell.seed}: development {100 * result['development']['micro']['f1']:.1f}, "
            f"test {100 * result['test']['micro']['f1']:.1f} micro F1, {result['epochs']} epochs, {result['seconds']:.0f} s",
            flush=True,
        )
    if changed:
        raise SystemExit(f"{changed} cells differ")


if __name__ == "__main__":
    main()
