"""How fast the systems of the experiment `encoders` train and predict, how many weights they have and how much memory they take.

    python benchmarks/encoder_speed.py ENCODER [--data conll04] [--systems bilstm_pcnn-frozen,packed_markers]

Each system runs in a process of its own, whose peak memory is taken: two epochs over every fourth training sentence on one thread (a frozen
transformer reads its text in the first epoch only), then prediction of the test part with these weights, from sentences to scores, on one
and two threads, in float32 and, where the processor has it, in bfloat16. Writes benchmarks/results/encoders/speed.json; systems that are
not asked for keep their figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from measure import machine
from official_page import RESULTS

from relsift.candidates import Candidates
from relsift.config import TRANSFORMER, load_config
from relsift.corpora.data import resolve
from relsift.experiments.encoders import SYSTEMS
from relsift.files import write_json
from relsift.inference import InferenceReport, Scorer, score
from relsift.precision import Precision, has_bfloat16
from relsift.readers.base import ReadReport
from relsift.schema import Sentence, sentences_of
from relsift.training.loop import train

FILE = RESULTS / "encoders" / "speed.json"
SHARE = 4  # one training sentence of so many
ROUNDS = 3  # of the prediction, after one that is not counted
NAMES = [
    "mtl_tag", "pcnn_tag", "bilstm_pcnn", "bilstm_pcnn-frozen", "bilstm_pcnn-tuned", "packed_markers", "typed_markers",
]  # fmt: skip


def measured(name: str, encoder: str, data: str) -> dict[str, Any]:
    """The figures of one system, in this process."""
    source = resolve(data)
    parts = {part: list(sentences_of(source.documents(part, ReadReport()))) for part in ("train", "dev", "test")}
    system = next(system for system in SYSTEMS if system.name == name)
    overrides = ["training.threads=1", "training.epochs=2", *system.overrides]
    if system.model in ("packed_markers", "typed_markers") or f"model.encoder={TRANSFORMER}" in system.overrides:
        overrides.append(f'encoding.encoder="{encoder}"')
    config = load_config(model=system.model, preset=system.preset, overrides=overrides, direction=source.direction)
    torch.set_num_threads(1)
    result = train(config, parts["train"][::SHARE], parts["dev"][::SHARE])
    epochs = [SHARE * epoch["seconds"] for epoch in result.state.history]
    training_memory = peak_memory()
    scorer: Scorer = result.bundle.scorer
    all_pairs = Candidates.fit(parts["train"], direction=scorer.candidates.direction)
    whole = Scorer(scorer.model, scorer.encoding, all_pairs)
    figures: dict[str, Any] = {
        "system": name, "title": system.title, "data": data, "seconds_of_epochs": [round(spent, 1) for spent in epochs],
        "parameters": sum(weight.numel() for weight in scorer.model.parameters()), "memory_training": training_memory,
    }  # fmt: skip
    precisions: list[Precision] = ["float32"]
    if has_bfloat16(torch.device("cpu")):
        precisions.append("bfloat16")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for precision in precisions:
            rates = prediction(Scorer(whole.model, whole.encoding, whole.candidates, precision=precision), parts["test"])
            figures[f"prediction_{threads}_{precision}"] = rates
    return figures


def prediction(scorer: Scorer, sentences: list[Sentence]) -> dict[str, float]:
    """Medians over rounds."""
    times, pairs = [], 0
    for _ in range(1 + ROUNDS):
        report = InferenceReport()
        before = time.perf_counter()
        score(scorer, sentences, report)
        times.append(time.perf_counter() - before)
        pairs = report.candidates.kept
    spent = statistics.median(times[1:])
    return {"sentences_a_second": round(len(sentences) / spent, 1), "pairs_a_second": round(pairs / spent, 1)}


def peak_memory() -> int:
    """Of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("--data", default="conll04")
    parser.add_argument("--systems", default=",".join(NAMES))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measured(args.one, args.encoder, args.data)))
        return
    rows = {row["system"]: row for row in json.loads(FILE.read_text(encoding="utf-8"))["figures"]} if FILE.exists() else {}
    for name in args.systems.split(","):
        command = [sys.executable, __file__, args.encoder, "--data", args.data, "--one", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows[name] = json.loads(done.stdout.splitlines()[-1])
        print(rows[name], flush=True)
        record = {"command": f"python benchmarks/encoder_speed.py {Path(args.encoder).name}", "machine": machine()}
        write_json(FILE, record | {"figures": list(rows.values())})


if __name__ == "__main__":
    main()
