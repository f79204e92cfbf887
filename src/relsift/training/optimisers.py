"""Optimisers with the defaults of the models' sources. With those of torch, F1 differs by points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from relsift.config import TrainingConfig


def make_optimiser(config: TrainingConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """RMSprop as in Keras (decay 0.9, epsilon 1e-7), which Ye et al. 2019 use; Adadelta as in Zeiler 2012 (rho 0.95, epsilon 1e-6).

    Weight decay is not applied to biases and norms, which are the parameters of one dimension.
    """
    rate, decay = config.learning_rate, config.weight_decay
    weights = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in weights if p.ndim > 1]},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    match config.optimiser:
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=0.9, eps=1e-7, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, weight_decay=decay)
        case "adadelta":
            return torch.optim.Adadelta(groups, lr=rate, rho=0.95, eps=1e-6, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, weight_decay=decay)


def set_rate(optimiser: torch.optim.Optimizer, config: TrainingConfig, epoch: int) -> None:
    """Set the learning rate of an epoch, counted from 1. It depends on the epoch's number alone, so resuming needs no state for it."""
    rate = config.learning_rate / epoch if config.schedule == "inverse_epoch" else config.learning_rate
    for group in optimiser.param_groups:
        group["lr"] = rate
