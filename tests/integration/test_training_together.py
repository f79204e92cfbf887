"""Two processes on CPUs train as one does, end together if one of them dies, and are resumed to the same bytes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import trainers_together
from trainers_together import SCENARIOS

from relsift.weights import load_tensors
from toy import same_tensors

SCRIPT = Path(trainers_together.__file__)


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Path:
    """A folder for each scenario."""
    folder = tmp_path_factory.mktemp("together")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPT.parents[1]), *sys.path])}
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *SCENARIOS], capture_output=True, text=True, env=environment, timeout=300, check=False
    )
    wanted = dict.fromkeys(SCENARIOS, "0 0") | {"killed": f"3 {-signal.SIGKILL}", "diverges": "3 3"}
    assert dict(line.split(": ") for line in done.stdout.splitlines()) == wanted, done.stderr
    return folder


def result_of(folder: Path) -> tuple[list[dict[str, Any]], float]:
    history, threshold = json.loads((folder / "result.json").read_text())
    return [{**record, "seconds": 0} for record in history], threshold


@pytest.mark.parametrize("kind", ["pair", "joint"])
def test_two_processes_have_the_losses_of_one_and_nearly_its_weights(kind, together):
    wanted_history, _ = result_of(together / f"alone-{kind}")
    history, _ = result_of(together / kind)
    names = [name for name in history[0] if name.startswith("loss_")]
    assert len(names) >= 2
    for record, wanted in zip(history, wanted_history, strict=True):
        for name in names:
            assert record[name] == pytest.approx(wanted[name], abs=1e-5)
    weights, alone = (load_tensors(together / name / "weights.safetensors") for name in (kind, f"alone-{kind}"))
    for name, weight in alone.items():
        torch.testing.assert_close(weights[name], weight, atol=1e-4, rtol=1e-4)


def test_the_first_process_ends_with_one_line_when_another_dies(together):
    message = (together / "killed" / "error-0").read_text()
    assert message.startswith("ProcessLostError: --processes: expected all processes to train on, got one that has ended")
    assert "\n" not in message


def test_killed_within_an_epoch_two_processes_are_resumed_to_the_same_bytes(together):
    assert re.fullmatch(r"epoch-1-batch-\d+\.safetensors", (together / "killed" / "saved").read_text())
    one, other = (load_tensors(together / name / "weights.safetensors") for name in ("whole", "resumed"))
    assert same_tensors(one, other)
    assert result_of(together / "whole") == result_of(together / "resumed")


def test_a_loss_that_diverges_in_any_process_is_told_by_all(together):
    for rank in range(2):
        assert "training.learning_rate: expected one that keeps the loss finite" in (together / "diverges" / f"error-{rank}").read_text()
