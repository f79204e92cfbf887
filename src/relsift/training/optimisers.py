"""Optimisers with the defaults of the models' sources (with those of torch, F1 differs by points), and the learning rate of each step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from relsift.config import TrainingConfig

BASE_RATE = "initial_lr"  # of a group of weights: its rate where the schedule's factor is 1; torch's own schedules use this name


def make_optimiser(
    config: TrainingConfig, parameters: Iterable[nn.Parameter], layers: Sequence[Sequence[nn.Parameter]] = ()
) -> torch.optim.Optimizer:
    """RMSprop as in Keras (decay 0.9, epsilon 1e-7), which Ye et al. 2019 use; Adadelta as in Zeiler 2012 (rho 0.95, epsilon 1e-6).

    Weight decay is not applied to biases and norms, which are the parameters of one dimension.

    Args: layers: pre-trained weights, the lowest layer first; those not among `parameters` are left out.
    """
    rate, decay = config.learning_rate, config.weight_decay
    groups = _groups(config, list(parameters), layers)
    match config.optimiser:
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=0.9, eps=1e-7, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, weight_decay=decay)
        case "adamw":
            adamw = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)  # one pass over the weights
            adamw.register_step_post_hook(_tell_caches)
            return adamw
        case "adadelta":
            return torch.optim.Adadelta(groups, lr=rate, rho=0.95, eps=1e-6, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, weight_decay=decay)


def _tell_caches(optimiser: torch.optim.Optimizer, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Raise the version of every weight: fused steps do not, and what prediction has cached of the weights would count as valid."""
    for group in optimiser.param_groups:
        for weight in group["params"]:
            torch.autograd.graph.increment_version(weight)


def _groups(config: TrainingConfig, weights: list[nn.Parameter], layers: Sequence[Sequence[nn.Parameter]]) -> list[dict[str, Any]]:
    """Weights that share rate and decay: those that start at random first, then layer by layer. The order is that of the saved state."""
    encoder_rate = config.learning_rate if config.encoder_learning_rate is None else config.encoder_learning_rate
    below_top = range(len(layers) - 1, -1, -1)
    rates = {id(weight): encoder_rate * config.layer_decay**depth for depth, layer in zip(below_top, layers) for weight in layer}
    groups: list[dict[str, Any]] = []
    for rate in dict.fromkeys([config.learning_rate, *rates.values()]):
        own = [weight for weight in weights if rates.get(id(weight), config.learning_rate) == rate]
        options = {"lr": rate, BASE_RATE: rate}
        groups += [
            {"params": [weight for weight in own if weight.ndim > 1], **options},
            {"params": [weight for weight in own if weight.ndim <= 1], **options, "weight_decay": 0.0},
        ]
    return groups


def rate_factor(config: TrainingConfig, epoch: int, before: float, after: float) -> float:
    """By what the schedule multiplies all rates in one step.

    *inverse_epoch* divides by the number of the epoch. *linear* rises from 0 over the share `warmup` of the training and then falls to 0,
    which it reaches after the last step of the last epoch, so that no step is without effect. Progress is counted in epochs, since their
    numbers of batches differ by a few; so the factor depends on nothing but the place of the step, and resuming needs no state for it.

    Args: epoch: counted from 1. before, after: share of the epoch's batches that are done before the step, and after it.
    """
    if config.schedule == "inverse_epoch":
        return 1 / epoch
    if config.schedule == "linear":
        rise = (epoch - 1 + after) / config.epochs / config.warmup if config.warmup else 1.0
        fall = (1 - (epoch - 1 + before) / config.epochs) / (1 - config.warmup)
        return min(1.0, rise, fall)
    return 1.0


def set_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set the learning rate of every group of weights."""
    for group in optimiser.param_groups:
        group["lr"] = group[BASE_RATE] * factor
