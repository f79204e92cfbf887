"""A study: trials are counted over interruptions, what fails is reported, and the best configuration is the one that was trained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relsift.config import RunConfig, load_config
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.training import tuning
from relsift.training.run_folder import RunData
from relsift.training.search_space import Choice, Range
from relsift.training.tuning import TrialResult, best_of, tune
from toy import sentences

pytest.importorskip("optuna")

DATA = RunData("toy", sentences(4), sentences(4, seed=1), {"toy": "0"})
SPACE = {
    "training.learning_rate": Range(low=1e-4, high=1e-2, log=True), "model.filters": Range(low=32, high=128),
    "model.tags": Choice((True, False)),
}  # fmt: skip


def configure(more: Sequence[str]) -> RunConfig:
    return load_config(model="multitask_cnn", overrides=["training.epochs=5", *more])


class Trainings:
    """In place of trainings: F1 is 1 − |filters − 100| / 100 after the last epoch, and a tenth of it after the first."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.configs: list[RunConfig] = []
        self.stop: dict[int, BaseException] = {}  # number of the training, from 0 -> what it ends with
        patch.setattr(tuning, "prepare", lambda config, *_: config)
        patch.setattr(tuning, "fit", self.fit)

    def fit(self, config: RunConfig, on_epoch: Any) -> Any:
        self.configs.append(config)
        f1 = 1 - abs(config.model.options["filters"] - 100) / 100
        for epoch in range(1, config.training.epochs + 1):
            if epoch == 2 and (error := self.stop.get(len(self.configs) - 1)) is not None:
                raise error
            on_epoch({"epoch": epoch, "dev_f1": f1 * epoch / config.training.epochs})
        return SimpleNamespace(state=SimpleNamespace(best_f1=f1))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    return Trainings(monkeypatch)


def test_the_first_trial_has_the_values_to_start_from_and_the_best_one_is_written(trainings: Trainings, tmp_path: Path):
    told: list[tuple[TrialResult, int]] = []
    results = tune(configure, DATA, tmp_path / "out", SPACE, trials=6, on_trial=lambda *trial: told.append(trial))
    assert told == list(zip(results, range(1, 7))) and [result.number for result in results] == list(range(6))
    assert results[0].values == {"training.learning_rate": 0.001, "model.filters": 64, "model.tags": True}
    assert results[0].f1 == pytest.approx(0.64) and results[0].epochs == 5
    best = best_of(results)
    assert best.f1 == max(result.f1 or 0 for result in results if result.state == "complete")
    again = tune(configure, DATA, tmp_path / "again", SPACE, trials=6)
    assert [one.values for one in again] == [one.values for one in results] and len({str(one.values) for one in again}) == 6
    written = load_config(model="auto", file=tmp_path / "out/config.yaml")
    assert written == trainings.configs[best.number]


def test_an_interrupted_trial_is_trained_again_with_its_values_and_counts_once(trainings: Trainings, tmp_path: Path):
    trainings.stop = {2: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        tune(configure, DATA, tmp_path, SPACE, trials=4)
    assert (tmp_path / "config.yaml").exists()
    counts: list[int] = []
    results = tune(configure, DATA, tmp_path, SPACE, trials=4, on_trial=lambda _, count: counts.append(count))
    assert counts == [3, 4] and len(results) == 4 and len(trainings.configs) == 5
    assert trainings.configs[3] == trainings.configs[2]
    assert tune(configure, DATA, tmp_path, SPACE, trials=4) == results and len(trainings.configs) == 5
    assert len(tune(configure, DATA, tmp_path, SPACE, trials=5)) == 5


def test_an_interrupted_study_has_the_trials_of_one_that_was_not(trainings: Trainings, tmp_path: Path):
    """Values and numbers, also of trials after the first ten, whose values depend on earlier results."""

    def trials(folder: Path) -> list[tuple[int, Any, float | None]]:
        return [(result.number, dict(result.values), result.f1) for result in tune(configure, DATA, folder, SPACE, trials=13)]

    whole = trials(tmp_path / "whole")
    begun = len(trainings.configs)
    trainings.stop = {begun + 3: KeyboardInterrupt(), begun + 12: KeyboardInterrupt()}
    for _ in trainings.stop:
        with pytest.raises(KeyboardInterrupt):
            trials(tmp_path / "interrupted")
    assert trials(tmp_path / "interrupted") == whole


def test_trials_that_cannot_be_trained_are_counted_with_their_reason(trainings: Trainings, tmp_path: Path):
    trainings.stop = {1: ConfigError("training.learning_rate: expected a lower one")}
    results = tune(configure, DATA, tmp_path, SPACE, trials=3)
    assert [result.state for result in results] == ["complete", "failed", "complete"]
    assert (results[1].f1, results[1].error) == (None, "training.learning_rate: expected a lower one")


def test_if_no_trial_can_be_trained_the_first_reason_is_told(trainings: Trainings, tmp_path: Path):
    trainings.stop = {number: DataError(f"reason {number}") for number in range(3)}
    with pytest.raises(ConfigError, match="expected a trial that can be trained, got none of 3; the first one: reason 0"):
        tune(configure, DATA, tmp_path, SPACE, trials=3)


def test_trials_that_are_worse_than_most_are_stopped_early_and_are_never_the_best(trainings: Trainings, tmp_path: Path):
    results = tune(configure, DATA, tmp_path, SPACE, trials=15)
    pruned = [result for result in results if result.state == "pruned"]
    assert pruned and all(2 < result.epochs < 5 for result in pruned)
    assert best_of(results).state == "complete"
    pruned_is_higher = [TrialResult(0, "pruned", 0.9, 3, 1.0, {}), TrialResult(1, "complete", 0.5, 5, 1.0, {})]
    assert best_of(pruned_is_higher).number == 1


def test_after_the_time_no_trial_begins_but_one_is_trained_in_any_case(trainings: Trainings, tmp_path: Path):
    assert len(tune(configure, DATA, tmp_path, SPACE, trials=50, timeout=1e-6)) == 1
    with pytest.raises(ConfigError, match="--timeout: expected seconds, more than 0"):
        tune(configure, DATA, tmp_path, SPACE, trials=2, timeout=0)


def test_a_folder_of_another_study_is_refused_with_what_differs(trainings: Trainings, tmp_path: Path):
    tune(configure, DATA, tmp_path, SPACE, trials=1)
    with pytest.raises(CheckpointError, match="expected a study with space="):
        tune(configure, DATA, tmp_path, SPACE | {"model.filters": Range(low=1, high=9)}, trials=1)
    overrides = ["training.epochs=6", "training.seed=9", "training.patience=2", "training.accumulate=3", "training.threads=1"]
    with pytest.raises(CheckpointError, match=r"with [^=]*=[^=]*=[^=]*=[^=]*=[^=]* and 1 more, got one with .*; use the same options, or"):
        tune(lambda more: configure([*overrides, *more]), DATA, tmp_path, SPACE, trials=1)
    with pytest.raises(CheckpointError, match=r"training\.epochs=6, got one with training\.epochs=5"):
        tune(lambda more: configure(["training.epochs=6", *more]), DATA, tmp_path, SPACE, trials=1)


def test_a_file_that_is_no_study_is_refused(trainings: Trainings, tmp_path: Path):
    tune(configure, DATA, tmp_path, SPACE, trials=1)
    (tmp_path / "study.db").write_bytes(b"no database" * 1000)
    with pytest.raises(CheckpointError, match=r"study\.db: expected a study of optuna"):
        tune(configure, DATA, tmp_path, SPACE, trials=2)


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'relsift\[tune\]'"):
        tune(configure, DATA, tmp_path / "out", SPACE, trials=1)
    assert not (tmp_path / "out").exists()
