"""Pairs scored a second: the model as relsift computes it, against a convolution per pair (benchmarks/literal.py), same weights.

    python benchmarks/pair_rate.py [--quick]

Two comparisons: the *pair convolution* alone, from embeddings to pooled features; and the *whole model* to its scores. Two forms of the
other side: `Conv1d`, on which the aims are judged, and the fastest literal form found. The fast form runs over all pairs of a case in the
batches of inference, made before the clock starts; *warm* is a repeated pass, *cold* the first pass of a fresh model (its caches empty, its
kernels compiled). The literal forms run over a sample of the same sentences. Outputs of both sides are compared on that sample; a
difference above TOLERANCE ends the run.

benchmarks/results/performance/pair_rate.json: "figures" is a list of one row a case and number of threads, rates in pairs a second.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch
from cases import CORPORA, SHAPES, Case, corpus_case, options, sample, shape_case, thread_counts
from literal import WAYS, LiteralForm, Way
from measure import print_table, save, seconds
from torch import Tensor

from relsift.encoding.batch import Batch
from relsift.models.multitask_cnn import MultiTaskCNN

AIM, AIM_LARGEST = 100, 500  # times the literal form's pairs a second: everywhere, and at the largest shape
TOLERANCE = 1e-5  # of the largest output
PAIRS = 40_960  # of an invented case: twenty full batches
WORK = 75_000  # pair tokens of the literal form's sample: one to two seconds on a slow core
FRESH = 3  # models whose first pass is timed


def measure_case(case: Case, threads: int, *, quick: bool) -> dict[str, Any]:
    model = case.model()
    some = case.batches(sample(case.examples, WORK // 10 if quick else WORK))
    pairs = sum(len(batch.pairs) for batch in some)
    ways = tune(model, case.batches(sample(case.examples, WORK // (30 if quick else 3))))
    way = max(ways, key=lambda way: ways[way])
    plain = LiteralForm(model, max((way for way in ways if way.layout == "conv1d"), key=lambda way: ways[way]))
    literal = LiteralForm(model, way)
    differences = compare(model, literal, some)
    budget, least = (0.0, 1) if quick else (1.0, 3)
    literal_rates = {
        "convolution": pairs / seconds(lambda: [literal.pooled(batch) for batch in some], budget=budget, least=least),
        "model": pairs / seconds(lambda: [literal(batch) for batch in some], budget=budget, least=least),
    }
    conv1d = pairs / seconds(lambda: [plain.pooled(batch) for batch in some], budget=budget, least=least)
    fast_rates, cold_rates = fast(case, model, budget=budget, least=least)
    return {
        **case.facts(), "threads": threads, "aim": AIM_LARGEST if case.name == "shape_60_25" else AIM,
        "conv1d": {"way": str(plain.way), "rate": conv1d}, "ratio_conv1d": fast_rates["convolution"] / conv1d,
        "literal": {"way": str(way), "pairs": pairs, **literal_rates, "ways": {str(way): rate for way, rate in ways.items()}},
        "fast": fast_rates, "fast_cold": cold_rates,
        "ratio": {key: fast_rates[key] / rate for key, rate in literal_rates.items()},
        "ratio_cold": {key: cold_rates[key] / rate for key, rate in literal_rates.items()},
        "largest_difference": differences,
    }  # fmt: skip


def tune(model: MultiTaskCNN, some: Sequence[Batch]) -> dict[Way, float]:
    """Pairs a second of the pair convolution, each way of the literal form."""
    pairs = sum(len(batch.pairs) for batch in some)
    rates = {}
    for way in WAYS:
        literal = LiteralForm(model, way)
        rates[way] = pairs / seconds(lambda literal=literal: [literal.pooled(batch) for batch in some], budget=0, least=2)
    return rates


def fast(case: Case, model: MultiTaskCNN, *, budget: float, least: int) -> tuple[dict[str, float], dict[str, float]]:
    """Pairs a second of the fast form, warm and cold."""
    every = case.batches()
    pairs = sum(len(batch.pairs) for batch in every)
    forms = {"convolution": lambda model, batch: model.pooled(batch), "model": lambda model, batch: model(batch)}
    warm, cold = {}, {}
    for name, form in forms.items():
        warm[name] = pairs / seconds(lambda form=form: [form(model, batch) for batch in every], budget=budget, least=least)
        times = []
        for _ in range(FRESH):
            fresh = case.model()
            before = time.perf_counter()
            for batch in every:
                form(fresh, batch)
            times.append(time.perf_counter() - before)
        cold[name] = pairs / statistics.median(times)
    return warm, cold


def compare(model: MultiTaskCNN, literal: LiteralForm, some: Sequence[Batch]) -> dict[str, float]:
    """Largest difference between the two forms, over the largest output."""
    largest = {"convolution": 0.0, "model": 0.0}
    for batch in some:
        largest["convolution"] = max(largest["convolution"], difference(model.pooled(batch), literal.pooled(batch)))
        ours, wanted = model(batch), literal(batch)
        largest["model"] = max(largest["model"], difference(ours.scores, wanted.scores))
    if max(largest.values()) > TOLERANCE:
        raise SystemExit(f"the two forms differ by {largest}, more than {TOLERANCE}: nothing was measured")
    return largest


def difference(ours: Tensor, wanted: Tensor) -> float:
    return float((ours - wanted).abs().max() / wanted.abs().max())


def main() -> None:
    quick = options(__doc__).quick
    cases = [shape_case(*shape, PAIRS // 10 if quick else PAIRS) for shape in SHAPES]
    cases += [case for name in CORPORA if (case := corpus_case(name)) is not None]
    rows: list[dict[str, Any]] = []
    for threads in thread_counts():
        for case in cases:
            with torch.inference_mode():
                rows.append(measure_case(case, threads, quick=quick))
            row = rows[-1]
            print(
                f"{case.title}, {threads} thread(s): literal {row['literal']['convolution']:,.0f} ({row['literal']['way']}), "
                f"fast {row['fast']['convolution']:,.0f}, cold {row['fast_cold']['convolution']:,.0f} pairs/s; "
                f"ratio {row['ratio_conv1d']:.0f} to Conv1d, {row['ratio']['convolution']:.0f}, whole model {row['ratio']['model']:.0f}",
                flush=True,
            )
    head = ["case", "threads", "ratio to Conv1d", "aim", "to the fastest literal form", "cold", "whole model"]
    lines = [[row["title"], row["threads"], *(f"{number:.0f}" for number in figures(row))] for row in rows]
    print_table(head, lines)
    if not quick:
        print(save("pair_rate", "python benchmarks/pair_rate.py", rows))


def figures(row: dict[str, Any]) -> list[float]:
    return [row["ratio_conv1d"], row["aim"], row["ratio"]["convolution"], row["ratio_cold"]["convolution"], row["ratio"]["model"]]


if __name__ == "__main__":
    main()
