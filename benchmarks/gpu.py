"""The same on a GPU: pairs scored a second and training steps, by a convolution per pair, the plain torch form and the Triton kernel.

    python benchmarks/gpu.py [--quick]

All in float32 with TF32 off, as the outputs of the forms are compared with each other and with the CPU's. The pair convolution is timed
warm, over all batches of a case, until the device has finished; a step is forward, losses, backward and RMSprop, in the paper preset's
batches, where a GPU is mostly waiting for the next call. The literal form runs over a sample, with the best of three chunk sizes.

benchmarks/results/performance/gpu.json: "figures" has "device" and "rows", one a case: rates in pairs a second ("literal", "torch",
"triton"), seconds of a training step ("step" of each form), and the largest difference to the CPU's features, over the largest of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from cases import CORPORA, SHAPES, Case, corpus_case, options, sample, shape_case
from literal import LiteralForm, Way
from measure import print_table, save, seconds
from torch import Tensor

from relsift.config import load_config
from relsift.encoding.batch import Batch, cut
from relsift.kernels.switch import SWITCH
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.training.optimisers import make_optimiser

PAIRS = 163_840  # of an invented case: twenty full batches of prediction
WORK = 600_000  # pair tokens of the literal form's sample
WAYS = [Way("conv1d", chunk) for chunk in (256, 1024, 4096)]
STEP_BATCHES = 8
TOLERANCE = 1e-4  # of the largest output
CONFIG = load_config(preset="paper").training


def until_done(function: Callable[[], Any]) -> float:
    """Median seconds of a call, the device's work included."""

    def call() -> None:
        function()
        torch.cuda.synchronize()

    return seconds(call, budget=0.5, least=3)


def difference(ours: Tensor, wanted: Tensor) -> float:
    return float((ours.cpu() - wanted).abs().max() / wanted.abs().max())


def measure_case(case: Case) -> dict[str, Any]:
    wanted_model, model = case.model(), case.model().cuda()
    every = case.batches()
    on_gpu = [batch.to("cuda") for batch in every]
    pairs = sum(len(batch.pairs) for batch in every)
    row: dict[str, Any] = {**case.facts(), "differences": {}}
    with torch.inference_mode():
        wanted = wanted_model.pooled(every[0])
        part = [batch.to("cuda") for batch in case.batches(sample(case.examples, WORK))]
        few = sum(len(batch.pairs) for batch in part)
        forms = {str(way): LiteralForm(model, way) for way in WAYS}
        rates = {name: few / until_done(lambda form=form: [form.pooled(batch) for batch in part]) for name, form in forms.items()}
        row["literal_ways"], row["literal"] = rates, max(rates.values())
        row["differences"]["literal"] = difference(forms[max(rates, key=lambda name: rates[name])].pooled(on_gpu[0]), wanted)
        for kernel in ("torch", "triton"):
            os.environ[SWITCH] = kernel
            row["differences"][kernel] = difference(model.pooled(on_gpu[0]), wanted)
            row[kernel] = pairs / until_done(lambda: [model.pooled(batch) for batch in on_gpu])
    if max(row["differences"].values()) > TOLERANCE:
        raise SystemExit(f"{case.title}: differences {row['differences']}, more than {TOLERANCE}: nothing was measured")
    row["step"] = {}
    limits = {"max_pairs": CONFIG.batch_pairs, "max_tokens": CONFIG.batch_tokens, "seed": 1}
    cuts = list(cut([example.work for example in case.examples], **limits))[:STEP_BATCHES]
    some = [case.collate(numbers).to("cuda") for numbers in cuts]
    best = max(WAYS, key=lambda way: row["literal_ways"][str(way)])
    for name, way in (("literal", best), ("torch", None), ("triton", None)):
        os.environ[SWITCH] = "torch" if name == "torch" else "auto"
        row["step"][name] = time_steps(case, way, some)
    return row


def time_steps(case: Case, way: Way | None, some: Sequence[Batch]) -> float:
    model: MultiTaskCNN = case.model().cuda().train()
    form = model if way is None else LiteralForm(model, way)
    optimiser = make_optimiser(CONFIG, model.parameters())

    def steps() -> None:
        for batch in some:
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(model.loss(form(batch), batch).values())).sum().backward()
            optimiser.step()

    return until_done(steps) / len(some)


def main() -> None:
    quick = options(__doc__).quick
    if not torch.cuda.is_available():
        print("no CUDA device: nothing was measured, earlier figures stay")
        return
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    cases = [shape_case(*shape, PAIRS // 10 if quick else PAIRS) for shape in SHAPES]
    cases += [case for name in CORPORA if (case := corpus_case(name)) is not None]
    rows = []
    for case in cases:
        rows.append(row := measure_case(case))
        print(f"{case.title}: literal {row['literal']:,.0f}, torch {row['torch']:,.0f}, Triton {row['triton']:,.0f} pairs/s; "
              f"step {', '.join(f'{name} {1000 * value:.1f} ms' for name, value in row['step'].items())}", flush=True)  # fmt: skip
    head = ["case", "literal", "torch", "triton"]
    print_table(head, [[row["title"], *(f"{row[name]:,.0f}" for name in head[1:])] for row in rows])
    if not quick:
        device = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
        print(save("gpu", "python benchmarks/gpu.py", {"device": device, "rows": rows}))


if __name__ == "__main__":
    main()
