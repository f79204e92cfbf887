"""Optimisers with the defaults of the sources, not of torch: the difference is worth points of F1."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from relsift.config import TrainingConfig


def make_optimiser(config: TrainingConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """RMSprop as in Keras (decay .9, epsilon 1e-7: the authors of the core model use it); Adadelta as in Zeiler 2012 (rho .95, 1e-6)."""
    rate, decay = config.learning_rate, config.weight_decay
    parameters = list(parameters)
    match config.optimiser:
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=1e-7, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
        case "adadelta":
            return torch.optim.Adadelta(parameters, lr=rate, rho=0.95, eps=1e-6, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, weight_decay=decay)
