"""A real cluster of Ray on this machine: workers and drivers that are killed, models that cannot be loaded, datasets, cells of a grid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from calling import assert_one_clear_line, relsift

import toy
from partitioned_work import (
    BROKEN,
    KILLED,
    WorkerThatAlwaysDies,
    WorkerToKill,
    documents,
    predict_here,
    records,
    save_model,
    settings_for,
    write,
)
from relsift.errors import RelsiftError
from relsift.integrations import ray_cluster
from relsift.integrations.ray import Extract
from relsift.streaming.partitioned import Failed, PartitionedResult, predict_partitions

pytest.importorskip("ray", exc_type=ImportError)
SENTENCES = 120
MEGABYTES = 0.004
SECONDS = 300  # to give up after; only a fault takes so long
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two processors. Other processes find it by $RAY_ADDRESS."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))  # for the workers
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("RELSIFT_KERNEL", "torch")
        patch.delenv("RAY_ADDRESS", raising=False)
        with ray_cluster.cluster(None, 2) as ray:
            patch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)
            yield ray


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A model, an input with a bad record, and what one process makes of it."""
    folder = tmp_path_factory.mktemp("ray")
    save_model(folder / "model")
    write(folder / "in.jsonl", documents(toy.sentences(SENTENCES), [1, 3, 8] * 10), (30, BROKEN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELSIFT_KERNEL", "torch")
        predict_here(folder / "model", folder / "in.jsonl", folder / "plain", megabytes=1)
    return folder


def assert_same(place: Path, out: Path) -> None:
    """Every line once and in order, scores to rounding; the same bad record."""
    for one, other in zip(records(out), records(place / "plain"), strict=True):
        scores = [[relation.pop("score") for relation in record["relations"]] for record in (one, other)]
        assert one == other
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    counts = [json.loads((folder / "summary.json").read_text(encoding="utf-8")) for folder in (out, place / "plain")]
    for name in ("sentences", "pairs", "dropped_pairs", "relations", "num_faults", "dropped", "examples"):
        assert counts[0][name] == counts[1][name], name


def test_a_worker_killed_on_the_way_changes_nothing(cluster, place, tmp_path):
    settings, result = settings_for(place / "model", place / "in.jsonl", tmp_path), PartitionedResult()
    workers = ray_cluster.RayWorkers(cluster, partial(WorkerToKill, settings), 2, failed=Failed)
    predict_partitions(settings, tmp_path, workers, megabytes=MEGABYTES, result=result)
    workers.stop()
    assert (tmp_path / KILLED).exists()
    assert workers.restarts == 1
    assert result.computed > 5
    assert_same(place, tmp_path)


def test_a_partition_that_kills_every_worker_fails_alone(cluster, place, tmp_path):
    settings, result = settings_for(place / "model", place / "in.jsonl", tmp_path), PartitionedResult()
    workers = ray_cluster.RayWorkers(cluster, partial(WorkerThatAlwaysDies, settings), 1, failed=Failed)
    with pytest.raises(RelsiftError, match=r"1 that failed: part-000001 .*: its worker died"):
        predict_partitions(settings, tmp_path, workers, megabytes=0.03, result=result)
    workers.stop()
    names = sorted(file.name for file in (tmp_path / "documents").glob("part-*.parquet"))
    assert "part-000001.parquet" not in names
    assert len(names) == result.computed > 0


def test_a_driver_killed_and_resumed_computes_only_what_is_missing(cluster, place, tmp_path):
    out = tmp_path / "out"
    arguments = ["predict", place / "model", place / "in.jsonl", "--out", out, "--ray", "--workers", 1, "--partition-mb", MEGABYTES]
    command = [sys.executable, "-m", "relsift", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver:
        deadline = time.monotonic() + SECONDS
        while not any(out.glob("documents/part-*.parquet")) and time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.002)
        os.kill(driver.pid, signal.SIGKILL)
    finished = {file: file.stat().st_mtime_ns for file in out.glob("documents/part-*.parquet")}
    assert finished
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert f"{SENTENCES} sentences" in done.stderr
    assert {file: file.stat().st_mtime_ns for file in finished} == finished
    assert_same(place, out)


def test_a_model_that_no_worker_can_load_is_one_line(cluster, place, tmp_path, capsys):
    settings = settings_for(tmp_path / "nothing", place / "in.jsonl", tmp_path / "out")
    workers = ray_cluster.RayWorkers(cluster, partial(WorkerToKill, settings), 1, failed=Failed)
    with pytest.raises(RelsiftError, match=r"nothing: expected a model folder, got nothing"):
        predict_partitions(settings, tmp_path / "out", workers, result=PartitionedResult())
    workers.stop()
    assert not (tmp_path / "out").exists()


def test_extract_gives_a_dataset_its_relations_and_the_bad_row_its_reason(cluster, place):
    rows = cluster.data.read_text(str(place / "in.jsonl"))
    found = rows.map_batches(Extract, fn_constructor_args=(str(place / "model"),), fn_constructor_kwargs={"lines": "text"},
                             batch_size=16, concurrency=1).take_all()  # fmt: skip
    assert len(found) == SENTENCES + 1
    (bad,) = [row for row in found if row["error"] is not None]
    assert bad["text"] == BROKEN.rstrip("\n")
    wanted = {record["id"]: len(record["relations"]) for record in records(place / "plain")}
    assert {json.loads(row["json"])["id"]: len(row["relations"]) for row in found if row is not bad} == wanted


def test_cells_computed_on_the_cluster_are_those_of_this_process(cluster, tmp_path, capsys):
    source = tmp_path / "data.jsonl"
    write(source, documents(toy.sentences(48), [2] * 24))
    options = ("cv", f"native:{source}", "--folds", 2, "--seeds", 1, "--set", "training.epochs=2", "--set", "model.filters=4")
    assert relsift(capsys, *options, "--out", tmp_path / "here")[0] == 0
    status, _, errors = relsift(capsys, *options, "--out", tmp_path / "there", "--jobs", 2, "--ray")
    assert status == 0, errors
    assert "2/2" in errors
    cells = [sorted((tmp_path / where / "cells").rglob("*.json")) for where in ("here", "there")]
    assert [file.name for file in cells[0]] == [file.name for file in cells[1]]
    for one, other in zip(*cells):
        assert without_times(json.loads(one.read_text(encoding="utf-8"))) == without_times(json.loads(other.read_text(encoding="utf-8")))


def test_trials_trained_on_the_cluster_are_one_study(cluster, tmp_path, capsys):
    pytest.importorskip("optuna")
    write(tmp_path / "data.jsonl", documents(toy.sentences(48), [2] * 24))
    (tmp_path / "space.yaml").write_text("training.learning_rate: {low: 0.001, high: 0.01, log: true}\n", encoding="utf-8")
    status, out, errors = relsift(
        capsys, "tune", tmp_path / "data.jsonl", "--model", "type_prior", "--space", tmp_path / "space.yaml", "--trials", 3, "--jobs", 2,
        "--ray", "--out", tmp_path / "out", "--dev-fraction", 0.25, "--set", "training.epochs=2", "--json",
    )  # fmt: skip
    assert status == 0, errors
    study = json.loads(out)
    assert [(trial["number"], trial["state"]) for trial in study["trials"]] == [(number, "complete") for number in range(3)]
    rates = [trial["values"]["training.learning_rate"] for trial in study["trials"]]
    assert len(set(rates)) == 3  # side by side, and yet not the same
    assert (tmp_path / "out" / "config.yaml").exists()


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(one) for name, one in value.items() if "seconds" not in name and name != "machine"}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def test_options_without_ray_and_clusters_that_are_not_there_are_one_line(place, tmp_path, capsys):
    status, _, errors = relsift(capsys, "predict", place / "model", place / "in.jsonl", "--out", tmp_path / "x", "--workers", 2)
    assert_one_clear_line(status, errors, "--workers: expected --ray beside it")
    status, _, errors = relsift(
        capsys, "predict", place / "model", place / "in.jsonl", "--out", tmp_path / "x", "--ray", "--ray-address", "localhost:9"
    )
    assert_one_clear_line(status, errors, "--ray-address: expected a Ray cluster at localhost:9, got")
    assert not (tmp_path / "x").exists()
