"""The memory that training needs for weights, against a count by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from relsift.config import TrainingConfig
from relsift.errors import ConfigError
from relsift.training import device

CPU = torch.device("cpu")
FROZEN, TRAINED = 4 * 1000, 4 * 300  # bytes of the two parts of the model below


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(100, 10)

    def pretrained_layers(self) -> list[list[nn.Parameter]]:
        return [list(self.table.parameters())]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.encoders = (self.encoder,)
        self.head = nn.Linear(30, 10, bias=False)


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({}, 4 * (FROZEN + TRAINED)),
        ({"ema": 0.9}, 5 * (FROZEN + TRAINED)),
        ({"average": True}, 5 * (FROZEN + TRAINED)),
        ({"freeze_encoder": True}, 2 * FROZEN + 4 * TRAINED),
        ({"freeze_embeddings": True, "ema": 0.9}, 3 * FROZEN + 5 * TRAINED),
    ],
)
def test_training_needs_the_copies_of_weights_that_it_keeps_and_fewer_of_frozen_ones(options, needed, monkeypatch):
    config = TrainingConfig.model_validate(options)
    make: Any = Model
    monkeypatch.setattr(device, "_memory", lambda _: needed)
    device.check_memory(config, make, CPU)
    monkeypatch.setattr(device, "_memory", lambda _: needed - 1)
    with pytest.raises(ConfigError, match="expected sizes whose training fits into"):
        device.check_memory(config, make, CPU)
