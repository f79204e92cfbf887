"""Training killed at any moment, also while it writes its state, is resumed and ends bit for bit where it would have ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import trainer_to_kill
from trainer_to_kill import EPOCHS, KILL_EPOCH, MOMENTS, WITHIN

from relsift.training.loop import TrainingResult
from toy import same_tensors

SCRIPT = Path(trainer_to_kill.__file__)


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPT.parents[1]), *sys.path])}
    return subprocess.Popen([sys.executable, SCRIPT, *arguments], stdout=subprocess.PIPE, text=True, env=environment)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> TrainingResult:
    torch.set_num_threads(1)
    return trainer_to_kill.train(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """One state folder for every moment."""
    folder = tmp_path_factory.mktemp("killed")
    output, _ = start(folder, *MOMENTS).communicate(timeout=120)
    assert output.splitlines() == [f"{moment}: {-signal.SIGKILL}" for moment in MOMENTS]
    return folder


def assert_resumes_to(uninterrupted: TrainingResult, folder: Path) -> list[int]:
    """Resume here and compare with the run that was never killed; returns the epochs that were still to be trained."""
    trained: list[int] = []
    resumed = trainer_to_kill.train(folder, on_epoch=lambda record: trained.append(record["epoch"]))
    assert same_tensors(resumed.bundle.model.state_dict(), uninterrupted.bundle.model.state_dict())
    assert resumed.bundle.decision.threshold == uninterrupted.bundle.decision.threshold
    for one, other in zip(resumed.state.history, uninterrupted.state.history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    return trained


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_known_moment_it_resumes_to_the_same_weights(moment, killed, uninterrupted, tmp_path):
    shutil.copytree(killed / moment, tmp_path / "state")
    if moment == WITHIN:
        assert [file.name for file in (tmp_path / "state").glob("*.safetensors")] == [f"epoch-{KILL_EPOCH - 1}-batch-1.safetensors"]
    done = KILL_EPOCH if moment == "state saved, old tensors not yet deleted" else KILL_EPOCH - 1
    assert assert_resumes_to(uninterrupted, tmp_path / "state") == list(range(done + 1, EPOCHS + 1))
    assert [file.name for file in (tmp_path / "state").glob("*.safetensors")] == [f"epoch-{EPOCHS}.safetensors"]


def test_killed_from_outside_again_and_again_it_resumes_to_the_same_weights(uninterrupted, tmp_path):
    for delay in (0.001, 0.017):  # seconds after the first epoch it reports
        process = start(tmp_path / "state")
        assert process.stdout is not None
        assert int(process.stdout.readline()) < EPOCHS
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    assert assert_resumes_to(uninterrupted, tmp_path / "state")
