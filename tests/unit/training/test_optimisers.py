"""The optimisers' numbers are those of the sources, not torch's defaults."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from relsift.config import TrainingConfig
from relsift.training.optimisers import make_optimiser


def optimiser(name: str = "rmsprop", **options: float) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    return weight, make_optimiser(TrainingConfig.model_validate({"optimiser": name, **options}), [weight])


def test_rmsprop_is_the_default_with_keras_decay_and_epsilon():
    _, made = optimiser()
    assert TrainingConfig().optimiser == "rmsprop"
    assert isinstance(made, torch.optim.RMSprop)
    wanted = {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7, "momentum": 0, "centered": False, "weight_decay": 0.0}
    assert {key: made.defaults[key] for key in wanted} == wanted


def test_two_steps_of_rmsprop_match_the_formula():
    # mean square: .1 g^2, then .9 of it + .1 g^2; step: rate * g / (sqrt(mean square) + 1e-7)
    weight, made = optimiser(learning_rate=0.5)
    value, square = 1.0, 0.0
    for gradient in (3.0, -1.0):
        weight.grad = torch.tensor([gradient, 0.0])
        made.step()
        square = 0.9 * square + 0.1 * gradient**2
        value -= 0.5 * gradient / (square**0.5 + 1e-7)
    assert weight.tolist() == pytest.approx([value, -2.0], rel=1e-6)


def test_adadelta_is_zeilers():
    _, made = optimiser("adadelta", learning_rate=1.0)
    assert isinstance(made, torch.optim.Adadelta)
    assert (made.defaults["rho"], made.defaults["eps"], made.defaults["lr"]) == (0.95, 1e-6, 1.0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD), ("rmsprop", torch.optim.RMSprop)],
)
def test_rate_and_decay_reach_every_optimiser(name, kind):
    _, made = optimiser(name, learning_rate=0.25, weight_decay=0.125)
    assert type(made) is kind
    assert (made.defaults["lr"], made.defaults["weight_decay"]) == (0.25, 0.125)
