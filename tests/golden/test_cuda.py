"""The same numbers on a GPU as on the CPU. Skipped where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from relsift.kernels.pair_pool import PairIndex, pair_average, piecewise_max
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.training.loop import train
from toy import batch_of, encoding, long_sentence, one_token, randomise, run_config, sentences

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

KNOWN = encoding()
TINY = replace(MultiTaskCNNConfig.tiny(), windows=(1, 2, 3, 4, 7, 10), max_distance=4)


def close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found.cpu(), wanted.cpu(), atol=1e-4, rtol=1e-4)


CHANGES = ({}, {"tags": False}, {"pooling": "max_average"}, {"context": "between", "pooling": "max_average"})


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_scores_and_gradients_on_the_gpu_are_those_of_the_cpu(changes):
    batch = batch_of([long_sentence(23, 6, 1), one_token(), long_sentence(4, 3, 2), *sentences(4)], KNOWN)
    models = {}
    for device in ("cpu", "cuda"):
        model = MultiTaskCNN(replace(TINY, **changes), KNOWN)
        randomise(model, scale=0.3)
        models[device] = model.eval().to(device)
    outputs = {device: model(batch.to(device)) for device, model in models.items()}
    for found, wanted in zip(outputs["cuda"], outputs["cpu"]):
        if wanted is not None:
            close(found, wanted)
    for device, output in outputs.items():
        sum(models[device].loss(output, batch.to(device)).values()).backward()
    for found, wanted in zip(models["cuda"].parameters(), models["cpu"].parameters()):
        close(found.grad, wanted.grad)
    with torch.inference_mode():
        for _ in range(2):  # the second time from memory
            close(models["cuda"](batch.to("cuda")).scores, outputs["cpu"].scores)


def test_pieces_and_averages_on_the_gpu_are_those_of_the_cpu():
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, 70, generator=generator) for n in (60, 20, 20)]
    place = torch.randint(0, 20, (9, 30), generator=generator)
    pairs = [torch.randint(0, high, (200,), generator=generator) for high in (2, 9, 9)]
    index = PairIndex(torch.tensor([0, 30]), torch.tensor([30, 17]), place, *pairs)
    middle = torch.randint(0, 17, (200, 1), generator=generator)
    cuts = torch.cat([torch.zeros_like(middle), middle, middle, index.lengths[pairs[0]][:, None]], dim=1)
    there = PairIndex(*(getattr(index, name).cuda() for name in index.__dataclass_fields__))
    on_gpu = [part.cuda() for part in parts]
    close(piecewise_max(*on_gpu, there, cuts.cuda()), piecewise_max(*parts, index, cuts))
    close(pair_average(*on_gpu, there), pair_average(*parts, index))


def test_training_on_the_gpu_repeats_bit_for_bit():
    config = run_config(device="cuda", epochs=2)
    data = sentences(40), sentences(12, seed=1)
    one, other = (train(config, *data).bundle.model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
