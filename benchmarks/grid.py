"""A grid of trainings, one JSON file a cell: what the quality benchmarks share. A finished cell is never computed again."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measure import machine

from relsift.config import load_config
from relsift.evaluation.significance import Counts, sentence_counts
from relsift.files import write_json
from relsift.training.data import scoring_data, training_data
from relsift.training.run import evaluate_predicted, predict_all, train_run

RESULTS = Path(__file__).parent / "results"
DIRECTIONS = {"conll04": "directed", "scienceie": "undirected", "ddi2013": "undirected", "scicn": "undirected"}
TITLES = {
    "conll04": "CoNLL04 (English news)", "scienceie": "ScienceIE (English science)", "ddi2013": "DDI-2013 (English pharmacology)",
    "scicn": "SciCN (Chinese science abstracts, characters as tokens)",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    grid: str  # folder under benchmarks/results
    corpus: str
    variant: str  # how the results page calls it
    model: str
    preset: str
    overrides: tuple[str, ...]
    seed: int

    @property
    def file(self) -> Path:
        return RESULTS / self.grid / self.corpus / f"{self.variant}-{self.seed}.json"

    @property
    def settings(self) -> list[str]:
        return [f"candidates.direction={DIRECTIONS[self.corpus]}", *self.overrides, f"training.seed={self.seed}"]

    @property
    def command(self) -> str:
        named = "" if self.model == "multitask_cnn" else f" --model {self.model}"
        sets = " ".join(f"--set {text}" for text in self.settings)
        return f"relsift train --data {self.corpus}{named} --preset {self.preset} {sets}"


def compute(cell: Cell, threads: int, device: str = "cpu") -> dict[str, Any]:
    """Train, select on development data, score the test part once."""
    loaded = training_data(cell.corpus)
    where = [f"training.threads={threads}", f"training.device={device}"]
    config = load_config(model=cell.model, preset=cell.preset, overrides=[*cell.settings, *where])
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        result, development = train_run(config, loaded.run, Path(folder) / "run")
    seconds = time.perf_counter() - started
    sentences, name, _ = scoring_data(cell.corpus)
    predicted, report = predict_all(result.bundle, sentences)
    test = evaluate_predicted(result.bundle, sentences, predicted, report)
    history = result.state.history or []
    return {
        "command": cell.command,
        "corpus": cell.corpus, "variant": cell.variant, "model": cell.model, "seed": cell.seed, "config": config.model_dump(),
        "machine": machine() | {"device": device, "threads": threads},
        "checksums": dict(loaded.run.checksums), "tested_on": name,
        "training_candidates": {"kept": result.candidates.kept, "ratio": result.candidates.ratio(), "lost": dict(result.candidates.lost)},
        "epochs": result.state.epoch, "best_epoch": result.state.best_epoch, "threshold": result.bundle.decision.threshold,
        "seconds": round(seconds, 1), "seconds_per_epoch": round(sum(r["seconds"] for r in history) / len(history), 2),
        "parameters": sum(p.numel() for p in result.bundle.model.parameters()),
        "development": development.to_json(), "test": test.to_json(),
        "test_counts": pack(sentence_counts(sentences, predicted, direction=result.bundle.candidates.direction)),
    }  # fmt: skip


def pack(counts: Counts) -> str:
    """True positives, found and gold relations of each sentence in one line: as JSON numbers they would fill thousands."""
    return " ".join(",".join(map(str, row)) for row in counts.tolist())


def unpack(text: str) -> Counts:
    return np.array([[int(number) for number in row.split(",")] for row in text.split(" ")], np.int64)


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--share", default="1/1", help="i/n: every n-th cell, from the i-th")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--check", action="store_true", help="compute finished cells again and compare")
    return parser


def run(todo: Sequence[Cell], options: argparse.Namespace) -> None:
    """Compute what is missing of this process's share; with `--check`, compute again what is there, and compare."""
    part, parts = (int(number) for number in options.share.split("/"))
    changed = 0
    for number, cell in enumerate(todo):
        if number % parts != part - 1 or cell.file.exists() != options.check:
            continue
        result = compute(cell, options.threads, options.device)
        name = f"{cell.corpus:10s} {cell.variant:22s} seed {cell.seed}"
        if options.check:
            before = json.loads(cell.file.read_text(encoding="utf-8"))
            differing = [key for key in ("epochs", "best_epoch", "threshold", "development", "test") if result[key] != before[key]]
            changed += bool(differing)
            verdict = f"differs in {', '.join(differing)}" if differing else "the same"
            print(f"{name}: {verdict}", flush=True)
            continue
        cell.file.parent.mkdir(parents=True, exist_ok=True)
        write_json(cell.file, result)
        print(
            f"{name}: development {100 * result['development']['micro']['f1']:.1f}, test {100 * result['test']['micro']['f1']:.1f} "
            f"micro F1, {result['epochs']} epochs, {result['seconds']:.0f} s",
            flush=True,
        )
    if changed:
        raise SystemExit(f"{changed} cells differ")
