"""The same numbers on a GPU as on the CPU, in plain torch and by the Triton kernels. Skipped where there is no GPU."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from pooling import random_parts, run, triple_loop
from relsift.config import ModelSection
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool import pair_average, pair_max, piecewise_max
from relsift.kernels.switch import SWITCH
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.registry import find, table
from relsift.training.loop import train
from toy import batch_of, encoding, long_sentence, one_token, randomise, run_config, sentences

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

KNOWN = encoding()
TINY = replace(MultiTaskCNNConfig.tiny(), windows=(1, 2, 3, 4, 7, 10), max_distance=4)


@pytest.fixture(params=["torch", "triton"])
def kernel(request, monkeypatch) -> str:
    """The pooling kernel on the GPU; on the CPU it is the one that `auto` takes."""
    monkeypatch.setenv(SWITCH, request.param)
    return request.param


def close(value: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(value.cpu(), wanted.cpu(), atol=1e-4, rtol=1e-4)


CHANGES = ({}, {"tags": False}, {"pooling": "max_average"}, {"context": "between", "pooling": "max_average"})


def on_gpu(index: PairIndex) -> PairIndex:
    return PairIndex(*(getattr(index, field.name).cuda() for field in fields(index)))


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_scores_and_gradients_on_the_gpu_are_those_of_the_cpu(changes, kernel, monkeypatch):
    batch = batch_of([long_sentence(23, 6, 1), one_token(), long_sentence(4, 3, 2), *sentences(4)], KNOWN)
    models, outputs = {}, {}
    for device in ("cpu", "cuda"):
        monkeypatch.setenv(SWITCH, kernel if device == "cuda" else "auto")
        model = MultiTaskCNN(replace(TINY, **changes), KNOWN)
        randomise(model, scale=0.3)
        models[device] = model.eval().to(device)
        outputs[device] = model(batch.to(device))
        sum(model.loss(outputs[device], batch.to(device)).values()).backward()
    for part, wanted in zip(outputs["cuda"], outputs["cpu"]):
        if wanted is not None:
            close(part, wanted)
    for weight, wanted in zip(models["cuda"].parameters(), models["cpu"].parameters()):
        close(weight.grad, wanted.grad)
    with torch.inference_mode():
        for _ in range(2):  # the second time from memory
            close(models["cuda"](batch.to("cuda")).scores, outputs["cpu"].scores)


@pytest.mark.parametrize("seed", range(40))
def test_the_maximum_and_its_gradients_equal_a_triple_loop_bit_for_bit(seed, kernel):
    parts, index = random_parts(random.Random(seed), seed % 4)
    gradient = torch.randint(-8, 9, (len(index.pair_sentence), parts[0].shape[1])).float()
    pooled, back = triple_loop(parts, index, gradient)
    values, gradients = run(pair_max, [part.cuda() for part in parts], on_gpu(index), gradient.cuda())
    assert torch.equal(values.cpu(), pooled)
    assert all(torch.equal(a.cpu(), b) for a, b in zip(gradients, back, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_pieces_and_averages_and_their_gradients_are_those_of_the_cpu(seed, kernel, monkeypatch):
    draw = random.Random(seed)
    parts, index = random_parts(draw, 1000)
    lengths = index.lengths[index.pair_sentence].tolist()
    cuts = torch.tensor([sorted(draw.randint(0, n) for _ in range(4)) for n in lengths], dtype=torch.int64).view(-1, 4)
    for form, gradient in (
        (lambda *rest: piecewise_max(*rest, cuts.to(rest[0].device)), torch.rand(len(cuts), 3, parts[0].shape[1])),
        (pair_average, torch.rand(len(cuts), parts[0].shape[1])),
    ):
        monkeypatch.setenv(SWITCH, kernel)
        values, gradients = run(form, [part.cuda() for part in parts], on_gpu(index), gradient.cuda())
        monkeypatch.setenv(SWITCH, "torch")
        wanted, back = run(form, parts, index, gradient)
        close(values, wanted)
        for a, b in zip(gradients, back, strict=True):
            close(a, b)


def test_not_a_number_shows_in_the_pairs_of_its_sentence_only(kernel):
    index = on_gpu(PairIndex(*(torch.tensor(x) for x in ([0, 3], [3, 1], [[0, 0, 0]], [0, 1], [0, 0], [0, 0]))))
    parts = [torch.tensor([[5.0], [float("nan")], [7.0], [1.0]]).cuda(), torch.zeros(1, 1).cuda(), torch.zeros(1, 1).cuda()]
    for form in (pair_max, pair_average):
        assert form(*parts, index).isnan().flatten().tolist() == [True, False]


def test_training_on_the_gpu_repeats_bit_for_bit(kernel):
    config = run_config(device="cuda", epochs=2)
    data = sentences(40), sentences(12, seed=1)
    one, other = (train(config, *data).bundle.model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", sorted(table("model")))
def test_every_model_gives_the_cpus_scores_and_gradients(name):
    batch = batch_of([long_sentence(23, 6, 1), one_token(), long_sentence(4, 3, 2), *sentences(4)], KNOWN)
    results = {}
    for device in ("cpu", "cuda"):
        architecture = find("model", name)
        model = architecture(architecture.Config.tiny(), KNOWN)
        randomise(model, scale=0.3)
        model.eval().to(device)
        torch.backends.cudnn.enabled = False  # its recurrent networks refuse a backward pass in evaluation mode
        try:
            output = model(batch.to(device))
            torch.stack(list(model.loss(output, batch.to(device)).values())).sum().backward()
        finally:
            torch.backends.cudnn.enabled = True
        results[device] = [model.scores(output), *(weight.grad for weight in model.parameters())]
    for one, other in zip(results["cuda"], results["cpu"], strict=True):
        close(one, other)


@pytest.mark.parametrize("name", sorted(table("model")))
def test_every_model_trains_on_the_gpu_and_repeats_bit_for_bit(name):
    architecture = find("model", name)
    section = {"name": name, "preset": None, **architecture.Config.tiny().to_dict()}
    config = run_config(device="cuda", epochs=2).model_copy(update={"model": ModelSection.model_validate(section)})
    one, other = (train(config, sentences(40), sentences(12, seed=1)).bundle.model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
