"""How CPU time grows with the data: sentences, tokens a sentence, entities a sentence, relation types, seeds.

    python benchmarks/growth.py [--quick]

One thing grows, all others stay: 28 tokens, 4 entities, 5 relation types. *predict* is from a file to a file, with a model of the paper's
size and random weights; *train* is the preparation and one epoch with the paper's batches. What is measured is CPU time of the process,
which other work on the machine disturbs less than the time on the wall: the least of RUNS. The exponent is the slope of the logarithms, by
least squares: 1 means that twice as much takes twice as long.

benchmarks/results/performance/growth.json: "figures" is a list of records: what grows, work (predict or train), sizes, seconds (CPU, one
for each size), exponent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from cases import options
from measure import invented, print_table, save
from memory import write_model, write_sentences

from relsift.config import load_config
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport
from relsift.schema import Relation, Sentence
from relsift.streaming.predict import predict_file
from relsift.training.loop import train

TOKENS, ENTITIES, RELATIONS = 28, 4, 5
PREDICTED, TRAINED = 500, 150  # sentences, where they do not grow
RUNS = 3
GROWING = {  # what grows -> (sizes in prediction, sizes in training)
    "sentences": ((500, 1000, 2000, 4000), (100, 200, 400, 800)),
    "tokens a sentence": ((14, 28, 56, 112, 224), (14, 28, 56, 112)),
    "entities a sentence": ((4, 8, 16, 32), (4, 8, 16)),
    "entities of one sentence of 400 tokens": ((50, 100, 200, 400), ()),
    "relation types": ((5, 20, 80, 320), (5, 20, 80, 320)),
    "seeds": ((), (1, 2, 4)),
}


def sentences_of(what: str, size: int, count: int) -> list[Sentence]:
    if what == "entities of one sentence of 400 tokens":
        return invented(400, size, 1)
    tokens, entities = {"tokens a sentence": (size, ENTITIES), "entities a sentence": (TOKENS, size)}.get(what, (TOKENS, ENTITIES))
    types = size if what == "relation types" else RELATIONS
    made = invented(tokens, entities, max(size if what == "sentences" else count, types))
    return [replace(sentence, relations=(Relation(0, 1, f"r{number % types}"),)) for number, sentence in enumerate(made)]


def least(function: Callable[[], Any], runs: int) -> float:
    """CPU seconds of a call, the least of so many, after one that is not counted."""
    function()
    times = []
    for _ in range(runs):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def predicting(what: str, size: int, place: Path) -> Callable[[], Any]:
    sentences = sentences_of(what, size, PREDICTED)
    write_model(place / "model", invented(TOKENS, ENTITIES, 500) if what != "relation types" else sentences)
    write_sentences(place / "in.jsonl", sentences, len(sentences))
    extractor = RelationExtractor.from_pretrained(place / "model")

    def once() -> None:
        extractor.bundle.limit_cache(0)  # nothing is remembered of the last call
        extractor.bundle.limit_cache(256)
        predict_file(extractor, str(place / "in.jsonl"), place / "out.jsonl", report=InferenceReport())

    return once


def training(what: str, size: int) -> Callable[[], Any]:
    sentences = sentences_of(what, size, TRAINED)
    config = load_config(model="multitask_cnn", preset="paper", overrides=["training.epochs=1", "training.threads=1"])

    def once() -> None:
        for seed in range(size if what == "seeds" else 1):
            seeded = config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
            train(seeded, sentences, sentences[:50], plain=True)

    return once


def measured(*, quick: bool) -> Iterator[dict[str, Any]]:
    runs = 1 if quick else RUNS
    with TemporaryDirectory() as place:
        for what, (predicted, trained) in GROWING.items():
            for work, sizes in (("predict", predicted), ("train", trained)):
                chosen = sizes[:2] if quick else sizes
                if not chosen:
                    continue
                seconds = []
                for size in chosen:
                    once = predicting(what, size, Path(place)) if work == "predict" else training(what, size)
                    seconds.append(round(least(once, runs), 4))
                row = {"what": what, "work": work, "sizes": list(chosen), "seconds": seconds, "exponent": exponent(chosen, seconds)}
                print(row, flush=True)
                yield row


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of log seconds over log size.

    >>> exponent([1, 2, 4], [3.0, 12.0, 48.0])
    2.0
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return round(float(slope), 2)


def main() -> None:
    quick = options(__doc__).quick
    torch.set_num_threads(1)
    rows = list(measured(quick=quick))
    print_table(
        ("what grows", "work", "sizes", "CPU seconds", "exponent"),
        [(r["what"], r["work"], r["sizes"], r["seconds"], r["exponent"]) for r in rows],
    )
    if not quick:
        print(save("growth", "python benchmarks/growth.py", rows))


if __name__ == "__main__":
    main()
