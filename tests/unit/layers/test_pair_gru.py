"""What a training step of the pair GRU keeps is freed with it."""

from __future__ import annotations

import gc

import torch

from relsift.models.eatt_bigru import EAttBiGRU, EAttBiGRUConfig
from toy import batch_of, encoding, sentences


def living_tensors() -> int:
    gc.collect()
    return sum(type(each) is torch.Tensor for each in gc.get_objects())


def test_a_step_leaves_no_tensor_behind():
    known = encoding()
    model, batch = EAttBiGRU(EAttBiGRUConfig.tiny(), known), batch_of(sentences(6), known)

    def step() -> None:
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()

    step()
    before = living_tensors()
    for _ in range(5):
        step()
    assert living_tensors() == before
