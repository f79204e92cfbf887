"""How fast every system of docs/results trains and predicts, tags on: seconds an epoch and pairs a second.

    python benchmarks/system_speed.py [--corpora conll04] [--models pcnn,walk]

Trains one epoch of each on the corpus's own training part and scores its test part, one thread; run it on an otherwise idle machine. Writes
benchmarks/results/systems/speed.json; corpora and models that are not asked for keep their figures.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import Any

import torch
from measure import machine
from official_page import load
from systems_page import FOLDER

from relsift.experiments.cell import THREADS, Cell, configured, folds_of
from relsift.experiments.result import Plan
from relsift.experiments.system import System
from relsift.experiments.tag_gain import PAIRS
from relsift.files import write_json
from relsift.inference import InferenceReport, score
from relsift.training.loop import train

FILE = FOLDER / "speed.json"
TAGGED = tuple(tagged for _, tagged in PAIRS)
RUNS = 3  # of the prediction, after one that is not counted


def speed(system: System, plan: Plan) -> dict[str, Any]:
    torch.set_num_threads(THREADS)
    training, development, test = folds_of(plan)[0].sentences()
    result = train(configured(Cell(system.with_overrides("training.epochs=1"), 1, 1), plan), training, development)
    rates = []
    for _ in range(1 + RUNS):
        report = InferenceReport()
        before = time.perf_counter()
        score(result.bundle.scorer, test, report)
        rates.append(report.candidates.kept / (time.perf_counter() - before))
    return {
        "corpus": plan.data, "variant": f"{system.model}_tags", "seconds_per_epoch": result.state.history[0]["seconds"],
        "pairs_per_second": median(rates[1:]), "parameters": sum(weight.numel() for weight in result.bundle.model.parameters()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    grids = load(FOLDER, TAGGED)
    parser.add_argument("--corpora", default=",".join(grids))
    parser.add_argument("--models", default=",".join(system.model for system in TAGGED))
    options = parser.parse_args()
    record = json.loads(FILE.read_text(encoding="utf-8"))
    rows = {(row["corpus"], row["variant"]): row for row in record["figures"]}
    for corpus in options.corpora.split(","):
        for system in grids[corpus].systems:  # with the settings of its cells
            if system.model not in options.models.split(","):
                continue
            row = speed(system, grids[corpus].plan)
            rows[row["corpus"], row["variant"]] = row
            name = f"{corpus:10s} {system.model:16s}"
            print(f"{name} {row['seconds_per_epoch']:7.1f} s an epoch, {row['pairs_per_second']:9,.0f} pairs/s", flush=True)
    write_json(FILE, {"command": "python benchmarks/system_speed.py", "machine": machine(), "figures": list(rows.values())})


if __name__ == "__main__":
    main()
