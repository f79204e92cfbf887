"""A run folder: begun only by a start that works, held by one process, with scores that are those of the model in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import relsift.training.run
from relsift.bundle import METRICS_FILE, RUN_FILE, Bundle
from relsift.config import RunConfig
from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError
from relsift.schema import Sentence
from relsift.training.device import enough_memory
from relsift.training.predicting import score_bundle
from relsift.training.run import RunData, train_run
from relsift.training.run_folder import begin, check_place
from toy import run_config, sentences

ROOT = Path(__file__).parents[3]
TRAINING, DEVELOPMENT = sentences(24), sentences(12, seed=5)


def data_of(training: list[Sentence] = TRAINING, development: list[Sentence] = DEVELOPMENT) -> RunData:
    return RunData("toy", training, development, {"toy": "0"})


def without_relations(group: list[Sentence]) -> list[Sentence]:
    return [sentence.with_relations(()) for sentence in group]


def with_model(config: RunConfig, **options: Any) -> RunConfig:
    return RunConfig.model_validate(config.model_dump() | {"model": config.model.model_dump() | options})


# ---- a failed start


@pytest.mark.parametrize(
    ("config", "data", "named"),
    [
        (lambda: with_model(run_config(), windos=3), data_of(), "model.windos"),
        (lambda: with_model(run_config(), filters=10**6, word_size=10**6), data_of(), "of memory of cpu"),
        (lambda: run_config(device="nonsense"), data_of(), "training.device"),
        (lambda: run_config(threads=100_000), data_of(), "training.threads: expected at most"),
        (lambda: run_config(loss_weights={"x": 1}), data_of(), "training.loss_weights"),
        (run_config, data_of(training=[]), "training data"),
        (run_config, data_of(training=without_relations(TRAINING)), "training data"),
        (run_config, data_of(development=without_relations(DEVELOPMENT)), "development data"),
        (lambda: with_model(run_config(), name="sptree"), data_of([replace(s, syntax=None) for s in TRAINING]), "dependency trees"),
    ],
)  # fmt: skip
def test_a_start_that_fails_leaves_the_folder_free_for_one_that_works(
    config: Callable[[], RunConfig], data: RunData, named: str, tmp_path: Path
):
    with pytest.raises(RelsiftError) as caught:
        train_run(config(), data, tmp_path / "run")
    assert named in str(caught.value)
    train_run(run_config(epochs=1), data_of(), tmp_path / "run")
    assert (tmp_path / "run" / "model" / "model.json").is_file()


def test_a_start_that_fails_by_options_or_data_makes_no_folder(tmp_path):
    for config in (with_model(run_config(), windos=3), run_config(device="gpu")):
        with pytest.raises(ConfigError):
            train_run(config, data_of(), tmp_path / "run")
    with pytest.raises(DataError):
        train_run(run_config(), data_of(development=without_relations(DEVELOPMENT)), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_folders_place_is_refused_by_name(tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(DataError, match=r"run: expected a place for a run folder, got File exists"):
        train_run(run_config(), data_of(), tmp_path / "run")


# ---- memory


NO_MEMORY = (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you"), RuntimeError("CUDA out of memory. Tried"))


@pytest.mark.parametrize("error", NO_MEMORY)
def test_batches_beyond_memory_are_one_line_that_says_what_to_lower(error):
    with pytest.raises(ConfigError, match=r"^training\.batch_pairs: expected batches that fit into memory"), enough_memory():
        raise error
    with pytest.raises(RuntimeError, match="another"), enough_memory():
        raise RuntimeError("another")


# ---- one process


HOLDER = """
import sys, time
sys.path[:0] = ["src", "tests"]
from pathlib import Path
from relsift.training.run import RunData, train_run
from toy import run_config, sentences
def wait(record):
    print("epoch", flush=True)
    time.sleep(600)
train_run(run_config(), RunData("toy", sentences(24), sentences(12, seed=5), {"toy": "0"}), Path(sys.argv[1]), on_epoch=wait)
"""


def test_a_second_training_in_the_same_folder_is_refused_and_a_killed_one_can_be_resumed(tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "epoch\n"
        try:
            with pytest.raises(CheckpointError, match="expected a run folder that no other process trains in"):
                train_run(run_config(), data_of(), folder, resume=True)
        finally:
            holder.kill()
    train_run(run_config(), data_of(), folder, resume=True)
    train_run(run_config(), data_of(), tmp_path / "other")
    weights = [(run / "model" / "model.safetensors").read_bytes() for run in (folder, tmp_path / "other")]
    assert weights[0] == weights[1]


def test_two_starts_in_one_new_folder_cannot_both_begin(tmp_path, monkeypatch):
    """The second one finds the folder free, prepares, and comes to claim it when the first one has finished."""
    prepare = relsift.training.run.prepare

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(relsift.training.run, "prepare", prepare)
        train_run(run_config(epochs=1), data_of(), tmp_path / "run")
        return prepare(*arguments, **options)

    monkeypatch.setattr(relsift.training.run, "prepare", meanwhile)
    with pytest.raises(CheckpointError, match="got one that holds a run"):
        train_run(run_config(epochs=1), data_of(), tmp_path / "run")


# ---- scores


@pytest.mark.parametrize("average", [False, True])
def test_development_scores_are_those_of_the_saved_model_without_another_pass(average, tmp_path, monkeypatch):
    monkeypatch.setattr(relsift.training.run, "score_bundle", None)  # would be the other pass
    _, scores = train_run(run_config(average=average), data_of(), tmp_path / "run")
    bundle = Bundle.load(tmp_path / "run" / "model")
    again, report = score_bundle(bundle, DEVELOPMENT)
    assert scores.to_json() == again.to_json()
    saved = json.loads((tmp_path / "run" / METRICS_FILE).read_text(encoding="utf-8"))
    assert saved == {"development": again.to_json(), "unseen entity types": report.unseen_types}


def test_sentences_without_annotation_still_count_among_the_candidates_of_the_setting(tmp_path):
    development = [*DEVELOPMENT, replace(DEVELOPMENT[0], id="bare", relations=None)]
    _, scores = train_run(run_config(epochs=1), data_of(development=development), tmp_path / "run")
    again, _ = score_bundle(Bundle.load(tmp_path / "run" / "model"), development)
    assert scores.to_json() == again.to_json()


# ---- run.json


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "expected a JSON object, got []"),
        ("null", "expected a JSON object, got None"),
        ('[["data", 1]]', "expected a JSON object"),
        ('{"data": 1, "checksums": {}, "seed": 1}', "data: expected a valid string"),
        ('{"data": "toy", "checksums": [], "seed": 1}', "checksums"),
        ('{"data": "toy", "checksums": {}, "seed": "1"}', "seed"),
        ('{"data": "toy", "data": "toy", "checksums": {}, "seed": 1}', "the key 'data' twice"),
        ("[" * 5000, "expected JSON"),
        ('{"seed": ' + "9" * 5000 + "}", "expected JSON"),
    ],
    ids=range(9),
)
def test_a_broken_record_of_a_run_is_refused_by_name_and_place(content, words, tmp_path):
    train_run(run_config(epochs=1), data_of(), tmp_path / "run")
    (tmp_path / "run" / RUN_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=RUN_FILE) as caught:
        train_run(run_config(epochs=1), data_of(), tmp_path / "run", resume=True)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_run_of_other_options_is_not_resumed_and_what_differs_is_named(tmp_path):
    begin(run_config(epochs=1), data_of(), tmp_path)
    check_place(run_config(epochs=1), data_of(), tmp_path, resume=True)
    message = r"config\.yaml: expected .* to resume, with training\.epochs=1, got training\.epochs=2; use the same options"
    with pytest.raises(CheckpointError, match=message):
        check_place(run_config(epochs=2), data_of(), tmp_path, resume=True)


def test_a_report_counts_the_pairs_of_one_pass_only(tmp_path):
    result, scores = train_run(run_config(epochs=3), data_of(), tmp_path / "run")
    assert result.development is not None
    _, report = score_bundle(result.bundle, DEVELOPMENT)
    assert result.development.report.candidates == report.candidates
    assert str(report.candidates.kept) in scores.setting["candidates"]
