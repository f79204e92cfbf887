"""How many sentences a second joint models read, in training and in prediction, and what they weigh.

    python benchmarks/joint_speed.py ENCODER [--data conll04] [--threads 1]

Every model has fresh weights: they find few entities, so pairs are those of the annotated entities, as many as a good model has. Prediction
is `read` and `find` of the text, and `relate` of those pairs; training is a step of the optimiser in the sizes of the preset. Rates are the
median of several rounds, the systems by turns. bfloat16 is measured where the processor has it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from relsift.config import RunConfig, load_config
from relsift.corpora.data import resolve
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.example import Example, examples_of
from relsift.environment import cpu_name
from relsift.inference import BATCH_PAIRS, Scorer, most_tokens
from relsift.precision import Precision, computed, has_bfloat16
from relsift.readers.base import ReadReport
from relsift.schema import Sentence, sentences_of
from relsift.training.loop import Prepared, prepare
from relsift.training.objective import objective

SYSTEMS = {
    "joint_birnn, tuned": ("joint_birnn", "tuned"),
    "joint_birnn, frozen": ("joint_birnn", "frozen"),
    "pipeline, words": ("pipeline", "paper"),
    "pipeline, frozen": ("pipeline", "frozen"),
    "spert, frozen": ("spert", "frozen"),
    "spert_mt, frozen": ("spert_mt", "frozen"),
    "spert, tuned": ("spert", "tuned"),
    "spert_mt, tuned": ("spert_mt", "tuned"),
}
ON_WORDS = ("joint_birnn, tuned", "pipeline, words")
STEPS = 20  # of the optimiser in a round


def prepared(name: str, preset: str, encoder: str, threads: int, training: list[Sentence], development: list[Sentence]) -> Prepared:
    on_words = f"{name}, {preset}" in ON_WORDS or (name, preset) == ("pipeline", "paper")
    overrides = [f"training.threads={threads}", *([] if on_words else [f'encoding.encoder="{encoder}"'])]
    return prepare(load_config(model=name, preset=preset, overrides=overrides), training, development)


def prediction(scorer: Scorer, examples: list[Example], precision: Precision) -> float:
    """Seconds for all sentences, from integers to scores."""
    model: Any = scorer.model.eval()
    batches = cut([e.work for e in examples], max_pairs=BATCH_PAIRS, max_tokens=most_tokens(scorer.encoding), without_pairs=True)
    started = time.perf_counter()
    with torch.inference_mode():
        for numbers in batches:
            batch = collate([examples[number] for number in numbers], scorer.encoding)
            computed(precision, batch.lengths.device, lambda batch=batch: _read_and_related(model, batch))  # type: ignore[misc]
    return time.perf_counter() - started


def _read_and_related(model: Any, batch: Batch) -> Any:
    states = model.read(batch)
    model.find(states, batch)
    return model.scores(model.relate(states, batch)) if len(batch.pairs) else None


def training(one: Prepared, precision: Precision) -> float:
    """Seconds a sentence of some steps of the optimiser."""
    config: RunConfig = one.config
    c = config.training.model_copy(update={"precision": precision})
    model, groups = one.scorer.model.train(), one.training_set.groups
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-5)
    works = one.training_set.works()
    cuts = cut(works, max_pairs=c.batch_pairs, max_tokens=c.batch_tokens, max_sentences=c.batch_sentences, seed=1, without_pairs=True)
    spent, sentences = 0.0, 0
    for _, numbers in zip(range(STEPS), cuts):
        batch = collate([example for number in numbers for example in groups[number]], one.training_set.encoding)
        started = time.perf_counter()
        optimiser.zero_grad()
        objective(model, batch, c).total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        spent, sentences = spent + time.perf_counter() - started, sentences + len(numbers)
    return spent / sentences


def measure(encoder: str, data: str, threads: int, rounds: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    source = resolve(data)
    parts = {part: list(sentences_of(source.documents(part, ReadReport()))) for part in ("train", "dev", "test")}
    precisions: list[Precision] = ["float32", *(["bfloat16"] if has_bfloat16(torch.device("cpu")) else [])]  # type: ignore[list-item]
    report: dict[str, Any] = {"encoder": Path(encoder).name, "data": data, "threads": threads, "cpu": cpu_name(), "rounds": rounds}
    ready = {title: prepared(*system, encoder, threads, parts["train"], parts["dev"]) for title, system in SYSTEMS.items()}
    times: dict[tuple[str, str, str], list[float]] = {}
    for turn in range(rounds + 1):
        for title, one in ready.items():
            candidates, encoding = one.scorer.candidates, one.scorer.encoding
            examples = [e for s in parts["test"] for e in examples_of(s, candidates.pairs(s), encoding, labelled=False)]
            for precision in precisions:
                rates = {"prediction": prediction(one.scorer, examples, precision) / len(examples), "training": training(one, precision)}
                for what, spent in rates.items():
                    if turn:  # the first one warms up
                        times.setdefault((title, what, precision), []).append(spent)
    for title, one in ready.items():
        medians = {f"{what}, {p}": statistics.median(spent) for (system, what, p), spent in times.items() if system == title}
        weights = sum(weight.numel() for weight in one.scorer.model.parameters())
        report[title] = {name: round(1 / spent, 1) for name, spent in medians.items()} | {"weights, million": round(weights / 1e6, 1)}
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("--data", default="conll04")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(json.dumps(measure(args.encoder, args.data, args.threads, args.rounds), indent=1))


if __name__ == "__main__":
    main()
