"""The running mean over epochs: what is scored and kept, bit for bit the same after a resume, and out of training's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from relsift.config import RunConfig
from relsift.errors import CheckpointError
from relsift.training import loop
from relsift.training.average import EpochMean
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
    patch.setattr(loop._Selection, "select", lambda _: (0.0, next(f1)))


def test_the_mean_is_the_mean():
    model, mean = nn.Linear(1, 1, bias=False), EpochMean()
    for epoch, value in enumerate((1.0, 2.0, 6.0), start=1):
        nn.init.constant_(model.weight, value)
        mean.add(model, epoch)
    assert mean.tensors["weight"].item() == pytest.approx(3.0)  # (1 + 2 + 6) / 3
    assert model.weight.item() == 6.0


def test_statistics_of_norms_are_averaged_and_counts_are_the_latest():
    norm, mean = nn.BatchNorm1d(1, momentum=None), EpochMean()
    for epoch, value in enumerate((0.0, 4.0), start=1):
        norm(torch.full((2, 1), value))
        mean.add(norm, epoch)
    assert norm.running_mean is not None
    assert norm.running_mean.item() == 2.0  # of both batches
    assert mean.tensors["running_mean"].item() == 1.0  # of 0 and 2
    assert mean.tensors["num_batches_tracked"].item() == 2


def test_a_model_wears_the_mean_and_takes_it_off_even_after_an_error():
    model, mean = nn.Linear(2, 2), EpochMean()
    mean.add(model, 1)
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
    original = loop.score

    def spy(scorer: Any, *args: Any) -> Any:
        scored.append({name: tensor.clone() for name, tensor in scorer.model.state_dict().items()})
        return original(scorer, *args)

    monkeypatch.setattr(loop, "score", spy)
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
    with pytest.raises(CheckpointError, match=r"no mean over epochs; training\.average was off"):
        run(config_of(2), state_folder=tmp_path / "state", resume=True)
