"""cr_cnn on SemEval-2010 task 8, by the task's official score: macro F1 over nine relations, direction counted, Other left out.

    python benchmarks/semeval.py [--seeds 1,2,3] [--vectors FILE]

The training file's last 891 sentences were taken over from an earlier task (its README says so) and differ from the test part: 31 % Other
instead of 16 %. Development data for the choice of epoch and threshold are therefore the 800 sentences before them; all others are trained
on, those of the earlier task too. That split and that score are no plan of `relsift cv`, so this script has its own file of cells,
benchmarks/results/semeval.json; the test part is scored once a cell, and a finished cell is never computed again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measure import machine

from relsift.config import load_config
from relsift.corpora.data import resolve
from relsift.evaluation.semeval2010 import official_scores
from relsift.files import write_json
from relsift.readers.base import ReadReport
from relsift.schema import sentences_of
from relsift.training.predicting import predict_all
from relsift.training.run import train_run
from relsift.training.run_folder import RunData

FILE = Path(__file__).parent / "results" / "semeval.json"
CORPUS = "semeval2010"
HELD_OUT = range(6310, 7110)  # by the number that the task gave the sentence
PUBLISHED = 84.1  # dos Santos et al. 2015, word2vec of 400 dimensions trained on Wikipedia


def split() -> tuple[RunData, list[Any]]:
    source = resolve(CORPUS)
    parts = {part: list(sentences_of(source.documents(part, ReadReport()))) for part in ("train", "dev", "test")}
    every = [*parts["train"], *parts["dev"]]
    development = [sentence for sentence in every if int(sentence.id) in HELD_OUT]
    training = [sentence for sentence in every if int(sentence.id) not in HELD_OUT]
    return RunData(CORPUS, training, development, {CORPUS: source.sha256()}), parts["test"]


def compute(seed: int, vectors: Path | None) -> dict[str, Any]:
    data, test = split()
    overrides = [f"training.seed={seed}", "training.threads=1", "model.tags=false", "candidates.type_filter=false"]
    if vectors is not None:
        overrides += [f"encoding.vectors={vectors}", "model.word_size=50", "encoding.lowercase=true", "encoding.vectors_scale=0.1"]
    config = load_config(model="cr_cnn", preset="matched", overrides=overrides)
    with TemporaryDirectory() as folder:
        result, _ = train_run(config, data, Path(folder) / "run")
    scores = {
        name: official_scores(part, predict_all(result.bundle, part)[0]).to_json()
        for name, part in (("development", data.development), ("test", test))
    }
    record = config.model_dump()
    if vectors is not None:
        record["encoding"]["vectors"] = vectors.name
    return {
        "seed": seed, "vectors": None if vectors is None else vectors.name, "config": record, "machine": machine(),
        "epochs": result.state.epoch, "best_epoch": result.state.best_epoch, "threshold": result.bundle.decision.threshold,
        "published": PUBLISHED, **scores,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--vectors", type=Path, help="word vectors of 50 dimensions, such as GloVe 6B; random ones if left out")
    options = parser.parse_args()
    for seed in (int(number) for number in options.seeds.split(",")):
        name = None if options.vectors is None else options.vectors.name
        cells = json.loads(FILE.read_text(encoding="utf-8"))["cells"] if FILE.exists() else []
        if any((cell["vectors"], cell["seed"]) == (name, seed) for cell in cells):
            continue
        cell = compute(seed, options.vectors)
        cells = sorted([*cells, cell], key=lambda cell: (cell["vectors"] or "", cell["seed"]))
        write_json(FILE, {"command": "python benchmarks/semeval.py", "cells": cells})
        development, test = (100 * cell[part]["macro"]["f1"] for part in ("development", "test"))
        print(f"seed {seed}: official macro F1 {development:.1f} on development data, {test:.1f} on the test part", flush=True)


if __name__ == "__main__":
    main()
