"""Running means of the weights: what is scored and kept, bit for bit the same after a resume, and out of training's way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from relsift.config import RunConfig, TrainingConfig
from relsift.errors import CheckpointError, ConfigError
from relsift.training import epoch, loop, selection
from relsift.training.average import EpochMean, StepMean, make_mean, snapshot
from relsift.training.loop import TrainingResult, train
from toy import run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(24, seed=1), sentences(12, seed=2)


def run(config: RunConfig, **options: Any) -> TrainingResult:
    return train(config, TRAINING, DEVELOPMENT, **options)


def config_of(epochs: int, model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    values = run_config(epochs=epochs, average=True, **training).model_dump()
    return RunConfig.model_validate(values | {"model": values["model"] | (model or {})})


def weights_after_each_epoch(patch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    seen: list[dict[str, Tensor]] = []
    original = loop.run_epoch

    def spy(model: Any, *args: Any) -> Any:
        losses = original(model, *args)
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return losses

    patch.setattr(loop, "run_epoch", spy)
    return seen


def last_epoch_is_best(patch: pytest.MonkeyPatch) -> None:
    f1 = iter(number / 10 for number in range(1, 10))
    patch.setattr(loop.Selection, "select", lambda _: (0.0, next(f1)))


def test_the_mean_is_the_mean():
    model, mean = nn.Linear(1, 1, bias=False), EpochMean()
    for value in (1.0, 2.0, 6.0):
        nn.init.constant_(model.weight, value)
        mean.after_epoch(model)
    assert mean.tensors["weight"].item() == pytest.approx(3.0)  # (1 + 2 + 6) / 3
    assert model.weight.item() == 6.0


def test_statistics_of_norms_are_averaged_and_counts_are_the_latest():
    norm, mean = nn.BatchNorm1d(1, momentum=None), EpochMean()
    for value in (0.0, 4.0):
        norm(torch.full((2, 1), value))
        mean.after_epoch(norm)
    assert norm.running_mean is not None
    assert norm.running_mean.item() == 2.0  # of both batches
    assert mean.tensors["running_mean"].item() == 1.0  # of 0 and 2
    assert mean.tensors["num_batches_tracked"].item() == 2


def test_a_model_wears_the_mean_and_takes_it_off_even_after_an_error():
    model, mean = nn.Linear(2, 2), EpochMean()
    mean.after_epoch(model)
    nn.init.zeros_(model.weight)
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), mean.applied_to(model):
        assert same_tensors(dict(model.state_dict()), mean.tensors)
        raise KeyboardInterrupt
    assert same_tensors(dict(model.state_dict()), own)


@pytest.mark.parametrize("options", [{}, {"normalise": True, "shared_distances": True}])
def test_the_model_that_is_kept_is_the_mean_of_the_epochs_up_to_the_best(options, monkeypatch):
    seen = weights_after_each_epoch(monkeypatch)
    last_epoch_is_best(monkeypatch)
    kept = run(config_of(3, options)).bundle.model.state_dict()
    assert len(seen) == 3
    for name, tensor in kept.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, torch.stack([epoch[name] for epoch in seen]).mean(dim=0))
        else:
            assert torch.equal(tensor, seen[-1][name])


def test_development_scores_are_those_of_the_model_that_is_kept(monkeypatch):
    scored: list[dict[str, Tensor]] = []
    original = selection.score

    def spy(scorer: Any, *args: Any) -> Any:
        scored.append({name: tensor.clone() for name, tensor in scorer.model.state_dict().items()})
        return original(scorer, *args)

    monkeypatch.setattr(selection, "score", spy)
    result = run(config_of(4))
    assert same_tensors(scored[result.state.best_epoch - 1], dict(result.bundle.model.state_dict()))


def test_averaging_does_not_touch_training_itself(monkeypatch):
    with monkeypatch.context() as patch:
        averaged = weights_after_each_epoch(patch)
        run(config_of(3))
    with monkeypatch.context() as patch:
        plain = weights_after_each_epoch(patch)
        run(run_config(epochs=3))
    assert all(same_tensors(one, other) for one, other in zip(averaged, plain, strict=True))


@pytest.mark.parametrize("options", [{}, {"normalise": True, "shared_distances": True}])
def test_a_resumed_run_ends_bit_for_bit_like_an_uninterrupted_one(options, tmp_path: Path):
    whole = run(config_of(4, options))
    for epochs in (1, 3, 4):
        resumed = run(config_of(epochs, options), state_folder=tmp_path / "state", resume=True)
    assert same_tensors(dict(whole.bundle.model.state_dict()), dict(resumed.bundle.model.state_dict()))
    assert whole.bundle.decision.threshold == resumed.bundle.decision.threshold
    assert [record["dev_f1"] for record in whole.state.history] == [record["dev_f1"] for record in resumed.state.history]


def test_a_state_without_a_mean_is_refused(tmp_path):
    run(run_config(epochs=1), state_folder=tmp_path / "state")
    with pytest.raises(CheckpointError, match=r"no mean of the weights; training\.average and training\.ema were off"):
        run(config_of(2), state_folder=tmp_path / "state", resume=True)


# ---- the exponential mean over steps


def test_the_exponential_mean_is_that_of_a_literal_loop():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 5.0)
    mean = StepMean(model, 0.25)
    wanted, values = 5.0, (1.0, 2.0, 6.0, -1.0)
    # decays: 1/10, 2/11, 3/12 and from there on .25; so .1 * 5 + .9 * 1 = 1.4 after the first step
    for step, value in enumerate(values):
        nn.init.constant_(model.weight, value)
        mean.after_step(model)
        decay = min(0.25, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * value
        assert mean.tensors["weight"].item() == pytest.approx(wanted)
    assert mean.count == 4
    assert model.weight.item() == -1.0


def test_the_exponential_mean_leaves_out_frozen_weights_and_keeps_the_latest_counts():
    norm = nn.BatchNorm1d(1)
    norm.bias.requires_grad_(False)
    mean = StepMean(norm, 0.5)
    norm(torch.full((2, 1), 4.0))  # the running mean goes from 0 to .4
    mean.after_step(norm)
    assert mean.tensors["running_mean"].item() == pytest.approx(0.9 * 0.4)  # the first decay is .1
    assert mean.tensors["num_batches_tracked"].item() == 1
    assert mean.tensors["bias"].item() == 0.0


@pytest.mark.parametrize("options", [{}, {"normalise": True, "shared_distances": True}])
def test_the_exponential_mean_of_all_steps_is_kept_and_does_not_touch_training(options, monkeypatch):
    def config(**training: Any) -> RunConfig:
        values = run_config(epochs=2, **training).model_dump()
        return RunConfig.model_validate(values | {"model": values["model"] | options})

    last_epoch_is_best(monkeypatch)
    states: list[dict[str, Tensor]] = []
    original = epoch._update

    def spy(model: Any, *args: Any) -> None:
        original(model, *args)
        states.append(snapshot(model))

    def start(c: TrainingConfig, model: Any) -> Any:
        states.append(snapshot(model))
        return make_mean(c, model)

    monkeypatch.setattr(epoch, "_update", spy)
    monkeypatch.setattr(loop, "make_mean", start)
    kept = run(config(ema=0.5)).bundle.model.state_dict()
    wanted = dict(states[0])
    for step, state in enumerate(states[1:]):
        decay = min(0.5, (1 + step) / (10 + step))
        for name, value in state.items():
            wanted[name] = decay * wanted[name] + (1 - decay) * value if value.is_floating_point() else value
    assert len(states) > 5
    for name, tensor in kept.items():
        torch.testing.assert_close(tensor, wanted[name])
    last = states[-1]
    last_epoch_is_best(monkeypatch)
    assert same_tensors(dict(run(config()).bundle.model.state_dict()), last)


@pytest.mark.parametrize("options", [{}, {"normalise": True, "shared_distances": True}])
def test_a_run_with_an_exponential_mean_resumes_bit_for_bit(options, tmp_path):
    def config(epochs: int) -> RunConfig:
        values = run_config(epochs=epochs, ema=0.9).model_dump()
        return RunConfig.model_validate(values | {"model": values["model"] | options})

    whole = run(config(4))
    for epochs in (1, 3, 4):
        resumed = run(config(epochs), state_folder=tmp_path / "state", resume=True)
    assert same_tensors(dict(whole.bundle.model.state_dict()), dict(resumed.bundle.model.state_dict()))
    assert [record["dev_f1"] for record in whole.state.history] == [record["dev_f1"] for record in resumed.state.history]


def test_two_means_at_once_are_refused():
    message = r"training\.ema: expected none beside training\.average.*got 0\.9; set training\.average=false"
    with pytest.raises(ConfigError, match=message):
        run(config_of(1, ema=0.9))


def test_a_state_with_a_broken_number_of_steps_is_refused(tmp_path):
    run(run_config(epochs=1, ema=0.9), state_folder=tmp_path / "state")
    state = json.loads((tmp_path / "state" / "state.json").read_text())
    state["numbers"]["mean.count"] = -1
    del state["content_sha256"]
    (tmp_path / "state" / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match=r"mean\.count: expected a whole number"):
        run(run_config(epochs=2, ema=0.9), state_folder=tmp_path / "state", resume=True)
