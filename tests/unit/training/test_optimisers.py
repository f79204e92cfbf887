"""The optimisers' numbers are those of the sources, not torch's defaults."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from relsift.config import TrainingConfig
from relsift.training.optimisers import make_optimiser, rate_factor, set_rates


def weight_and_optimiser(name: str = "rmsprop", **options: float) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    return weight, make_optimiser(TrainingConfig.model_validate({"optimiser": name, **options}), [weight])


def test_rmsprop_is_the_default_with_keras_decay_and_epsilon():
    _, optimiser = weight_and_optimiser()
    assert TrainingConfig().optimiser == "rmsprop"
    assert isinstance(optimiser, torch.optim.RMSprop)
    wanted = {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7, "momentum": 0, "centered": False, "weight_decay": 0.0}
    assert {key: optimiser.defaults[key] for key in wanted} == wanted


def test_two_steps_of_rmsprop_match_the_formula():
    # mean square: .1 g^2, then .9 of it + .1 g^2; step: rate * g / (sqrt(mean square) + 1e-7)
    weight, optimiser = weight_and_optimiser(learning_rate=0.5)
    value, square = 1.0, 0.0
    for gradient in (3.0, -1.0):
        weight.grad = torch.tensor([gradient, 0.0])
        optimiser.step()
        square = 0.9 * square + 0.1 * gradient**2
        value -= 0.5 * gradient / (square**0.5 + 1e-7)
    assert weight.tolist() == pytest.approx([value, -2.0], rel=1e-6)


def test_adadelta_is_zeilers():
    _, optimiser = weight_and_optimiser("adadelta", learning_rate=1.0)
    assert isinstance(optimiser, torch.optim.Adadelta)
    assert (optimiser.defaults["rho"], optimiser.defaults["eps"], optimiser.defaults["lr"]) == (0.95, 1e-6, 1.0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD), ("rmsprop", torch.optim.RMSprop)],
)
def test_rate_and_decay_reach_every_optimiser(name, kind):
    _, optimiser = weight_and_optimiser(name, learning_rate=0.25, weight_decay=0.125)
    assert type(optimiser) is kind
    assert (optimiser.defaults["lr"], optimiser.defaults["weight_decay"]) == (0.25, 0.125)


@pytest.mark.parametrize("name", ["adam", "adamw", "adadelta", "sgd", "rmsprop"])
def test_weight_decay_spares_biases_and_norms(name):
    # No gradient but the decay's own: what has one dimension stays, what has two moves towards 0.
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimiser = make_optimiser(
        TrainingConfig.model_validate({"optimiser": name, "weight_decay": 0.5, "learning_rate": 0.1}), model.parameters()
    )
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    for key, value in model.named_parameters():
        assert torch.equal(value, before[key]) is (key != "0.weight")
    step = model[0].weight - before["0.weight"]
    assert torch.equal(step.sign(), -before["0.weight"].sign())  # towards 0


def test_decay_of_half_the_papers_beta_is_the_gradient_of_its_penalty():
    # dos Santos et al. add beta |w|^2, of gradient 2 beta w: with rate .5 and beta .1, w = 3 goes to 3 - .5 * 2 * .1 * 3 = 2.7
    weight = nn.Parameter(torch.tensor([[3.0]]))
    optimiser = make_optimiser(TrainingConfig(optimiser="sgd", learning_rate=0.5, weight_decay=0.2), [weight])
    weight.grad = torch.zeros_like(weight)
    optimiser.step()
    assert weight.item() == pytest.approx(2.7)


@pytest.mark.parametrize(("schedule", "rates"), [("constant", [0.6, 0.6, 0.6]), ("inverse_epoch", [0.6, 0.3, 0.2])])
def test_the_rate_follows_from_the_number_of_the_epoch_alone(schedule, rates):
    weight = nn.Parameter(torch.zeros(2, 2))
    config = TrainingConfig(optimiser="sgd", learning_rate=0.6, schedule=schedule)
    optimiser = make_optimiser(config, [weight, nn.Parameter(torch.zeros(2))])
    for epoch in (3, 1, 2):  # in any order
        set_rates(optimiser, rate_factor(config, epoch, 0.25, 0.5))
        assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([rates[epoch - 1]] * 2)


def linear(epochs: int, batches: int, **options: float) -> list[float]:
    """The factors of all steps."""
    config = TrainingConfig(schedule="linear", epochs=epochs, **options)
    return [rate_factor(config, epoch, done / batches, (done + 1) / batches) for epoch in range(1, epochs + 1) for done in range(batches)]


def test_the_linear_schedule_rises_over_the_warmup_and_reaches_zero_after_the_last_step():
    # 2 epochs of 4 batches are 8 steps, 2 of them warm-up: 1/2, 2/2; then the 6 others fall by 1/6 each, the last to 1/6 of the rate.
    assert linear(2, 4, warmup=0.25) == pytest.approx([1 / 2, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert linear(1, 4, warmup=0.0) == pytest.approx([1, 3 / 4, 2 / 4, 1 / 4])


def test_a_tenth_of_the_steps_is_warmup_by_default():
    factors = linear(5, 8)
    assert factors[:4] == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1])
    assert factors[4] == 1
    assert factors[5] == pytest.approx(35 / 36)


def test_a_training_of_one_step_has_a_rate():
    assert linear(1, 1) == [1.0]


def test_pretrained_layers_have_their_own_rates_each_a_share_of_the_layer_above():
    # three layers at .1: the top one .1, below it .1 * .5, the embeddings .1 * .25; new weights .4; biases of each without decay
    def layer() -> nn.Linear:
        return nn.Linear(2, 2)

    new, layers = layer(), [layer(), layer(), layer()]
    config = TrainingConfig(optimiser="adamw", learning_rate=0.4, encoder_learning_rate=0.1, layer_decay=0.5, weight_decay=0.3)
    everything = nn.ModuleList([*layers, new])
    optimiser = make_optimiser(config, everything.parameters(), [list(part.parameters()) for part in layers])
    rates = {id(weight): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for weight in group["params"]}
    for part, rate in ((layers[0], 0.025), (layers[1], 0.05), (layers[2], 0.1), (new, 0.4)):
        assert rates[id(part.weight)] == (pytest.approx(rate), 0.3)
        assert rates[id(part.bias)] == (pytest.approx(rate), 0.0)
    set_rates(optimiser, 0.5)
    assert {round(group["lr"], 6) for group in optimiser.param_groups} == {0.0125, 0.025, 0.05, 0.2}


def test_frozen_layers_are_in_no_group():
    new, frozen = nn.Linear(2, 2), nn.Linear(2, 2)
    optimiser = make_optimiser(TrainingConfig(), new.parameters(), [list(frozen.parameters())])
    assert {id(weight) for group in optimiser.param_groups for weight in group["params"]} == {id(new.weight), id(new.bias)}


def test_without_pretrained_layers_there_are_the_two_groups_that_saved_states_have():
    weights = list(nn.Linear(2, 2).parameters())
    optimiser = make_optimiser(TrainingConfig(), weights)
    assert [len(group["params"]) for group in optimiser.param_groups] == [1, 1]


@pytest.mark.parametrize("name", ["adam", "adamw", "adadelta", "sgd", "rmsprop"])
def test_every_step_changes_the_version_of_the_weights(name):
    # Prediction caches what it computes of the weights, and asks for their version. Fused steps do not change it by themselves.
    weights = list(nn.Linear(2, 2).parameters())
    optimiser = make_optimiser(TrainingConfig.model_validate({"optimiser": name}), weights)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    before = [weight._version for weight in weights]
    optimiser.step()
    assert all(weight._version > version for weight, version in zip(weights, before, strict=True))
