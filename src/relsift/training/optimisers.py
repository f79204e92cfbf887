"""Optimisers with the defaults of the sources, not of torch: the difference is worth points of F1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from relsift.config import TrainingConfig


def make_optimiser(config: TrainingConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """RMSprop as in Keras (decay .9, epsilon 1e-7: the authors of the core model use it); Adadelta as in Zeiler 2012 (rho .95, 1e-6).

    Weight decay spares biases and norms, which are the parameters of one dimension.
    """
    rate, decay = config.learning_rate, config.weight_decay
    all_of_them = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in all_of_them if p.ndim > 1]},
        {"params": [p for p in all_of_them if p.ndim <= 1], "weight_decay": 0.0},
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
    """The learning rate of epoch 1, 2, …, from its number alone: a resumed run needs no memory of the epochs before."""
    rate = config.learning_rate / epoch if config.schedule == "inverse_epoch" else config.learning_rate
    for group in optimiser.param_groups:
        group["lr"] = rate
