"""What packed markers save: one pass a sentence against one pass a pair, in training and prediction.

    python benchmarks/marker_speed.py ENCODER [--data conll04] [--threads 1]

Both models have the same transformer and fresh weights of their own; speed does not depend on what they learned. Prediction is
`relsift.inference.score`, from sentences to scores; training is a step of the optimiser over the same sentences. Also at 25 entities a
sentence, on sentences made for it. Rates are the median of several rounds, the two models by turns.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from relsift.bundle import build
from relsift.candidates import Candidates
from relsift.corpora.data import resolve
from relsift.encoding.batch import collate, cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.encoding.tokenizers import subwords_of
from relsift.environment import cpu_name
from relsift.inference import Scorer, score
from relsift.readers.base import ReadReport
from relsift.registry import find
from relsift.schema import Entity, Sentence, sentences_of
from relsift.training.transformer_weights import load_pretrained

MODELS = ("typed_markers", "packed_markers")


def crowded(sentences: list[Sentence], entities: int, count: int) -> list[Sentence]:
    """Sentences of 60 tokens with so many entities, made of the words of others; only their size matters."""
    draw = random.Random(1)
    words = [token for sentence in sentences for token in sentence.tokens]
    kinds = sorted({entity.type for sentence in sentences for entity in sentence.entities})
    result = []
    for number in range(count):
        starts = sorted(draw.sample(range(0, 60, 2), entities))
        spans = tuple(Entity(start, start + draw.randint(1, 2), draw.choice(kinds)) for start in starts)
        result.append(Sentence(f"crowded-{number}", tuple(draw.choice(words) for _ in range(62)), spans, ()))
    return result


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(encoder: str, data: str, threads: int, rounds: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    source = resolve(data)
    training, test = (list(sentences_of(source.documents(part, ReadReport()))) for part in ("train", "test"))
    candidates = Candidates.fit(training, direction=source.direction or "directed")
    known = Encoding.fit(training, reads={"subwords", "tags", "types", "spans"}, subwords=subwords_of(encoder))
    scorers = {}
    for name in MODELS:
        torch.manual_seed(1)
        model = build(name, find("model", name).PRESETS["paper"].model, known)
        load_pretrained(model, encoder, known.subwords)
        scorers[name] = Scorer(model, known, candidates)
    cases = {"test": (test, candidates), "25 entities": (crowded(training, 25, 1), Candidates(direction="directed"))}
    report: dict[str, Any] = {"encoder": Path(encoder).name, "data": data, "threads": threads, "cpu": cpu_name(), "rounds": rounds}
    for case, (sentences, rule) in cases.items():
        pairs = sum(len(rule.pairs(sentence)) for sentence in sentences)
        times: dict[str, list[float]] = {name: [] for name in MODELS}
        for turn in range(rounds + 1):
            for name in MODELS:
                scorer = Scorer(scorers[name].model, known, rule)
                spent = seconds(lambda scorer=scorer, sentences=sentences: score(scorer, sentences))
                if turn:  # the first one warms up
                    times[name].append(spent)
        report[f"prediction, {case}"] = rates(times, pairs, len(sentences))
    steps: dict[str, list[float]] = {name: [] for name in MODELS}
    examples = [e for sentence in training for e in examples_of(sentence, candidates.pairs(sentence), known)]
    batches = list(cut([e.work for e in examples], max_pairs=32, max_tokens=4096, seed=1))[: 2 * rounds]
    for name in MODELS:
        model = scorers[name].model.train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
        for numbers in batches:
            batch = collate([examples[number] for number in numbers], known)
            started = time.perf_counter()
            optimiser.zero_grad()
            torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
            optimiser.step()
            steps[name].append((time.perf_counter() - started) / len(batch.pairs))
    report["training, seconds a pair"] = {name: statistics.median(spent) for name, spent in steps.items()} | {
        "ratio": statistics.median(steps[MODELS[0]]) / statistics.median(steps[MODELS[1]])
    }
    return report


def rates(times: dict[str, list[float]], pairs: int, sentences: int) -> dict[str, Any]:
    medians = {name: statistics.median(spent) for name, spent in times.items()}
    return {
        name: {"pairs a second": round(pairs / spent), "sentences a second": round(sentences / spent, 1)} for name, spent in medians.items()
    } | {"pairs": pairs, "ratio": round(medians[MODELS[0]] / medians[MODELS[1]], 2)}


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
