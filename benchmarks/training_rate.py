"""Training: one optimiser step, and one epoch on CoNLL04, against the same model with a convolution per pair (benchmarks/literal.py).

    python benchmarks/training_rate.py [--quick]

A step is forward, losses, backward and optimiser, dropout on, batches cut by the paper preset's limits and made before the clock starts;
an epoch also makes its batches. Both forms start from the same weights; the gradients of one batch are compared first, with the same
dropout. A difference above TOLERANCE ends the run. The literal form's epoch is a sample of its batches, scaled by pair tokens.

benchmarks/results/performance/training_rate.json: "figures" is a list of one row a case and number of threads; "step" and "epoch" hold
seconds of both forms and their ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from cases import SHAPES, Case, corpus_case, options, pair_tokens, sample, shape_case, thread_counts
from literal import WAYS, LiteralForm, Way
from measure import print_table, save, seconds
from torch import Tensor

from relsift.config import load_config
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.example import Example
from relsift.layers.relation_classifier import PairScores
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.training.optimisers import make_optimiser

AIM_CORPUS, AIM_LARGEST = 8, 30  # times the literal form's steps a second: on CoNLL04, and at the largest shape
TOLERANCE = 0.02  # of a gradient's norm; where two tokens all but tie for a maximum, rounding decides which of them gets the gradient:
# among themselves the ways of the literal form differ by as much. Without a tie it is less than 1e-6.
PAIRS = 4096  # of an invented case; its words are the vocabulary
STEP_BATCHES = 4  # that a step is averaged over
EPOCH_WORK = 40_000  # pair tokens of the literal form's epoch: some seconds on a slow core
CONFIG = load_config(preset="paper").training

Form = Callable[[Batch], PairScores]


class Training:
    """One model on its way, in one of the two forms."""

    def __init__(self, case: Case, way: Way | None) -> None:
        self.case = case
        self.model = case.model().train()
        self.form: Form = self.model if way is None else LiteralForm(self.model, way)
        self.optimiser = make_optimiser(CONFIG, self.model.parameters())

    def step(self, batch: Batch) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        total(self.model, self.form(batch), batch).backward()
        self.optimiser.step()

    def epoch(self, examples: Sequence[Example]) -> None:
        for numbers in cut_for_training(examples):
            self.step(collate([examples[number] for number in numbers], self.case.encoding))


def measure_case(case: Case, threads: int, *, aim: int | None, epoch: bool, quick: bool) -> dict[str, Any]:
    cuts = cut_for_training(case.examples)
    some = [case.collate(numbers) for numbers in cuts[: 1 if quick else STEP_BATCHES]]
    ways = {way: seconds(partial(Training(case, way).step, some[0]), budget=0, least=1 if quick else 2) for way in WAYS}
    way = min(ways, key=lambda way: ways[way])
    gradients = compare(case, way, some[0])
    budget, least = (0.0, 1) if quick else (1.0, 3)
    step = timing(
        *(seconds(lambda run=run: [run.step(batch) for batch in some], budget=budget, least=least) / len(some)
          for run in (Training(case, way), Training(case, None)))
    )  # fmt: skip
    row = {
        **case.facts(), "threads": threads, "aim": aim, "pairs_a_step": sum(len(batch.pairs) for batch in some) / len(some),
        "literal_way": str(way), "step": step, "largest_gradient_difference": gradients,
    }  # fmt: skip
    if epoch:
        row["epoch"] = measure_epoch(case, way, quick=quick)
    return row


def measure_epoch(case: Case, way: Way, *, quick: bool) -> dict[str, Any]:
    literal, fast = Training(case, way), Training(case, None)
    part = sample(case.examples, EPOCH_WORK // 8 if quick else EPOCH_WORK)
    literal.step(collate(part[:1], case.encoding))
    before = time.perf_counter()
    literal.epoch(part)
    scaled = (time.perf_counter() - before) * pair_tokens(case.examples) / pair_tokens(part)
    one = seconds(lambda: fast.epoch(case.examples), budget=0, least=1 if quick else 3)
    return {**timing(scaled, one), "literal_share": pair_tokens(part) / pair_tokens(case.examples)}


def compare(case: Case, way: Way, batch: Batch) -> float:
    """Largest difference of a parameter's gradient between the two forms, as norms; raises if it is too large."""
    ours, wanted = (gradients(Training(case, form), batch) for form in (None, way))
    differences = {name: float((ours[name] - gradient).norm() / gradient.norm()) for name, gradient in wanted.items()}
    worst = max(differences, key=lambda name: differences[name])
    if differences[worst] > TOLERANCE:
        raise SystemExit(f"{case.title}: the gradients of {worst} differ by {differences[worst]}, more than {TOLERANCE}")
    return differences[worst]


def gradients(run: Training, batch: Batch) -> dict[str, Tensor]:
    torch.manual_seed(1)  # the same dropout on both sides
    total(run.model, run.form(batch), batch).backward()
    return {name: weight.grad for name, weight in run.model.named_parameters() if weight.grad is not None}


def total(model: MultiTaskCNN, output: PairScores, batch: Batch) -> Tensor:
    return torch.stack(list(model.loss(output, batch).values())).sum()


def cut_for_training(examples: Sequence[Example]) -> list[list[int]]:
    return list(cut([example.work for example in examples], max_pairs=CONFIG.batch_pairs, max_tokens=CONFIG.batch_tokens, seed=1))


def timing(literal: float, fast: float) -> dict[str, float]:
    return {"literal": literal, "fast": fast, "ratio": literal / fast}


def main() -> None:
    quick = options(__doc__).quick
    cases: list[tuple[Case, int | None, bool]] = []
    for shape in SHAPES:
        cases.append((shape_case(*shape, PAIRS), AIM_LARGEST if shape == SHAPES[-1] else None, False))
    corpus = corpus_case("conll04", "train")
    if corpus is not None:
        cases.append((corpus, AIM_CORPUS, True))
    rows = []
    for threads in thread_counts():
        for case, aim, epoch in cases:
            rows.append(row := measure_case(case, threads, aim=aim, epoch=epoch, quick=quick))
            for kind in ("step", "epoch"):
                if kind in row:
                    times = row[kind]
                    print(f"{case.title}, {threads} thread(s), {kind}: literal {times['literal']:.3f} s ({row['literal_way']}), "
                          f"fast {times['fast']:.4f} s, ratio {times['ratio']:.1f}", flush=True)  # fmt: skip
    head = ["case", "threads", "ratio, step", "ratio, epoch", "aim"]
    print_table(head, [
        [r["title"], r["threads"], f"{r['step']['ratio']:.1f}", f"{r['epoch']['ratio']:.1f}" if "epoch" in r else "", r["aim"] or ""]
        for r in rows
    ])  # fmt: skip
    if not quick:
        print(save("training_rate", "python benchmarks/training_rate.py", rows))


if __name__ == "__main__":
    main()
