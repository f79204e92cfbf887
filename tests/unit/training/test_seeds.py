"""Several seeds: runs of their own, each as if trained alone, and an ensemble of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest

from relsift.bundle import Bundle, model_folder
from relsift.config import RunConfig
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.inference import score
from relsift.training import seeds as module
from relsift.training import teacher
from relsift.training.data import trained_on
from relsift.training.predicting import score_bundle
from relsift.training.run import train_run
from relsift.training.run_folder import RunData
from relsift.training.seeds import SeedRuns, Watchers, train_seeds
from relsift.training.sentence_file import SentenceFile
from toy import run_config, same_tensors, sentences

DATA = RunData("toy", sentences(24, seed=1), sentences(12, seed=2), {"toy": "0" * 64})


def config_of(**training: Any) -> RunConfig:
    return run_config(epochs=2, **training)


def weights(folder: Path) -> dict[str, Any]:
    return dict(Bundle.load(folder / "model").model.state_dict())


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SeedRuns]:
    out = tmp_path_factory.mktemp("seeds") / "out"
    return out, train_seeds(config_of(), DATA, out, 2, ensemble=True)


def test_each_seed_has_a_run_as_if_it_were_trained_alone(two, tmp_path):
    out, result = two
    for seed in (1, 2):
        train_run(config_of(seed=seed), DATA, tmp_path / str(seed))
        assert same_tensors(weights(out / f"seed-{seed}"), weights(tmp_path / str(seed)))
        assert Bundle.load(out / f"seed-{seed}" / "model").decision == Bundle.load(tmp_path / str(seed) / "model").decision
    assert [run.seed for run in result.runs] == [1, 2]


def test_seeds_on_sentences_in_a_file_train_the_same_models(two, tmp_path):
    out, _ = two
    train_seeds(config_of(), replace(DATA, training=SentenceFile.of(DATA.training, tmp_path)), tmp_path / "out", 2, ensemble=True)
    files = [file.relative_to(out) for file in out.rglob("*.safetensors")]
    assert len(files) == 6  # a model and a state of each seed, and two members of the ensemble
    for file in files:
        assert (tmp_path / "out" / file).read_bytes() == (out / file).read_bytes(), file


def test_mean_and_spread_are_those_of_the_seeds(two):
    out, result = two
    f1s = [run.scores.micro.f1 for run in result.runs]
    assert result.mean_and_spread() == (pytest.approx(fmean(f1s)), pytest.approx(stdev(f1s)))
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["micro F1"] == {"mean": pytest.approx(fmean(f1s)), "standard deviation": pytest.approx(stdev(f1s))}
    assert set(metrics["development"]) == {"1", "2"}
    assert metrics["ensemble"]["micro"]["f1"] == result.scores.micro.f1


def test_the_ensemble_scores_with_the_mean_and_its_threshold_is_tuned_on_development_data(two):
    out, result = two
    loaded = Bundle.load(model_folder(out))
    members = [score(Bundle.load(out / f"seed-{seed}" / "model").scorer, DATA.development) for seed in (1, 2)]
    for number, scored in enumerate(score(loaded.scorer, DATA.development)):
        assert np.allclose(scored.scores, (members[0][number].scores + members[1][number].scores) / 2, atol=1e-6)
    scores, _ = score_bundle(loaded, DATA.development)
    assert scores.micro == result.scores.micro
    lower, higher = (score_bundle(_with_threshold(loaded, loaded.decision.threshold + shift), DATA.development)[0] for shift in (-0.3, 0.3))
    assert max(lower.micro.f1, higher.micro.f1) <= scores.micro.f1
    assert loaded.about["seeds"] == [1, 2]
    assert loaded.about["development"]["f1"] == scores.micro.f1


def _with_threshold(bundle: Bundle, threshold: float) -> Bundle:
    return Bundle.ensemble(bundle.members, type(bundle.decision)(threshold=threshold))


def test_the_folder_around_knows_what_was_trained_on(two):
    out, _ = two
    assert trained_on(out) == trained_on(out / "seed-1") == trained_on(out / "model") != frozenset()
    assert json.loads((out / "run.json").read_text())["seeds"] == [1, 2]


def test_a_fixed_threshold_is_that_of_the_ensemble(tmp_path):
    result = train_seeds(config_of(threshold=0.75), DATA, tmp_path / "out", 2, ensemble=True)
    assert result.ensemble is not None
    assert result.ensemble.decision.threshold == 0.75


def test_seeds_start_from_the_configured_one_and_one_alone_has_no_spread(tmp_path):
    result = train_seeds(config_of(seed=7), DATA, tmp_path / "out", 1)
    assert (tmp_path / "out" / "seed-7" / "model").is_dir()
    assert not (tmp_path / "out" / "model").exists()
    assert (result.ensemble, result.scores) == (None, None)
    assert result.mean_and_spread() == (result.runs[0].scores.micro.f1, None)


# ---- resume


def test_interrupted_runs_are_gone_on_with_and_finished_ones_are_not_trained_again(two, tmp_path):
    out = tmp_path / "out"
    seen: list[int] = []

    def stop(record: dict[str, Any]) -> None:
        seen.append(record["epoch"])
        if len(seen) == 3:  # in the first epoch of the second seed
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_seeds(config_of(), DATA, out, 2, ensemble=True, watchers=Watchers(on_epoch=stop))
    assert not (out / "model").exists()
    with pytest.raises(CheckpointError, match="use --resume or another --out"):
        train_seeds(config_of(), DATA, out, 2)
    epochs: list[tuple[int, int]] = []
    seed: list[int] = []
    watchers = Watchers(seed.append, lambda record: epochs.append((seed[-1], record["epoch"])))
    train_seeds(config_of(), DATA, out, 2, ensemble=True, resume=True, watchers=watchers)
    assert seed == [1, 2]
    assert epochs == [(2, 2)]
    whole = Bundle.load(two[0] / "model")
    resumed = Bundle.load(out / "model")
    assert resumed.decision == whole.decision
    assert all(same_tensors(dict(a.state_dict()), dict(b.state_dict())) for a, b in zip(whole.models, resumed.models, strict=True))


def test_more_seeds_can_be_added_later(tmp_path):
    train_seeds(config_of(), DATA, tmp_path / "out", 2)
    result = train_seeds(config_of(), DATA, tmp_path / "out", 3, ensemble=True, resume=True)
    assert [run.seed for run in result.runs] == [1, 2, 3]
    assert len(Bundle.load(tmp_path / "out" / "model").members) == 3
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seeds"] == [1, 2, 3]


def test_a_single_run_and_runs_of_several_seeds_are_not_taken_for_one_another(two, tmp_path):
    out, _ = two
    with pytest.raises(CheckpointError, match="expected a single run to resume, got runs of several seeds; use the same --seeds"):
        train_run(config_of(), DATA, out, resume=True)
    train_run(config_of(), DATA, tmp_path / "single")
    with pytest.raises(CheckpointError, match="expected runs of several seeds to resume, got a single run"):
        train_seeds(config_of(), DATA, tmp_path / "single", 2, resume=True)
    with pytest.raises(CheckpointError, match="configuration of the run to resume"):
        train_seeds(config_of(learning_rate=0.5), DATA, out, 2, resume=True)


def test_a_run_that_lies_where_a_seed_belongs_is_not_touched(tmp_path):
    train_run(config_of(), DATA, tmp_path / "out" / "seed-1")
    with pytest.raises(CheckpointError, match="got one that holds 'seed-1'; use another --out"):
        train_seeds(config_of(), DATA, tmp_path / "out", 2)


# ---- bad input


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_numbers_of_seeds_that_make_no_sense_are_refused(count, tmp_path):
    with pytest.raises(ConfigError, match="--seeds: expected a number of trainings, 1 to 1000"):
        train_seeds(config_of(), DATA, tmp_path / "out", count)
    assert not (tmp_path / "out").exists()


def test_an_ensemble_of_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--ensemble: expected at least two models, such as --seeds 3, got 1"):
        train_seeds(config_of(), DATA, tmp_path / "out", 1, ensemble=True)


def test_what_cannot_be_trained_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="development data"):
        train_seeds(config_of(), RunData("toy", DATA.training, [], {}), tmp_path / "out", 2)
    assert not (tmp_path / "out").exists()


def test_after_a_training_that_diverged_the_folder_can_be_begun_again_with_other_options(tmp_path):
    with pytest.raises(ConfigError, match="learning_rate"):
        train_seeds(config_of(optimiser="sgd", learning_rate=1e30), DATA, tmp_path / "out", 2)
    assert len(train_seeds(config_of(), DATA, tmp_path / "out", 2).runs) == 2


def test_a_broken_member_is_named(two, tmp_path, monkeypatch):
    def break_one(config: RunConfig, data: RunData, folder: Path, seed: int, watchers: Watchers) -> Any:
        run = original(config, data, folder, seed, watchers)
        if seed == 2:
            (folder / "seed-2" / "model" / "model.safetensors").write_bytes(b"x")
        return run

    original = module._train_seed
    monkeypatch.setattr(module, "_train_seed", break_one)
    with pytest.raises(CheckpointError, match=r"seed-2/model/model\.safetensors: expected sha256"):
        train_seeds(config_of(), DATA, tmp_path / "out", 2, ensemble=True)
    assert not (tmp_path / "out" / "model").exists()


def test_a_teacher_scores_the_training_data_once_for_all_seeds(two, tmp_path, monkeypatch):
    taught = tmp_path / "taught"
    config = config_of(teacher=str(two[0] / "seed-1"), teacher_weight=0.5)
    for seed in (1, 2):
        train_run(config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})}), DATA, taught / str(seed))
    calls: list[int] = []

    def count(*args: Any, **options: Any) -> Any:
        calls.append(1)
        return score(*args, **options)

    monkeypatch.setattr(teacher, "score", count)
    train_seeds(config, DATA, tmp_path / "out", 2)
    assert len(calls) == 1
    for seed in (1, 2):
        assert same_tensors(weights(tmp_path / "out" / f"seed-{seed}"), weights(taught / str(seed)))
