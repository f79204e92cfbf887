"""The saved state of a run: whole, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from relsift.errors import CheckpointError
from relsift.json_text import SEAL
from relsift.training.average import StepMean
from relsift.training.state import STATE, TrainingState, load_state, save_state
from relsift.weights import load_tensors


def parts(size: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, size), nn.BatchNorm1d(size))
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 2)).square().sum().backward()
    optimiser.step()
    return model, optimiser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model, optimiser = parts()
    best = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    save_state(tmp_path / "state", TrainingState(3, 2, 0.25, 1.5, [{"epoch": 1, "dev_f1": 0.1}]), model, best, optimiser)
    return tmp_path / "state"


def state(folder: Path) -> dict[str, Any]:
    value = json.loads((folder / STATE).read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return {key: part for key, part in value.items() if key != SEAL}


def test_everything_comes_back(folder):
    model, optimiser = parts()
    wanted = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    slots = optimiser.state_dict()["state"]
    fresh = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    other = torch.optim.Adam(fresh.parameters())
    loaded = load_state(folder, fresh, other)
    assert loaded is not None
    loaded_state, best = loaded
    assert loaded_state == TrainingState(3, 2, 0.25, 1.5, [{"epoch": 1, "dev_f1": 0.1}])
    assert all(torch.equal(fresh.state_dict()[name], wanted[name]) for name in wanted)
    assert all(torch.equal(best[name], wanted[name] + 1) for name in wanted)
    loaded_slots = other.state_dict()["state"]
    assert list(loaded_slots) == list(slots)
    assert all(torch.equal(loaded_slots[i][key], slots[i][key]) for i in slots for key in slots[i])


def test_no_state_is_none(tmp_path):
    assert load_state(tmp_path, *parts()) is None
    assert load_state(tmp_path / "absent", *parts()) is None


def test_only_the_last_epochs_tensors_are_kept(folder):
    model, optimiser = parts()
    save_state(folder, TrainingState(4, history=[]), model, {}, optimiser)
    assert sorted(file.name for file in folder.iterdir()) == ["epoch-4.safetensors", STATE]


def test_half_a_later_file_does_not_disturb_the_earlier_state(folder):
    (folder / "epoch-4.safetensors").write_bytes(b"half")
    loaded = load_state(folder, *parts())
    assert loaded is not None
    assert loaded[0].epoch == 3


def test_tensors_that_a_kill_has_left_beside_the_last_state_are_deleted(folder):
    for name in ("epoch-2.safetensors", "epoch-4.safetensors"):  # of the epoch before; half of the next one
        (folder / name).write_bytes(b"left")
    assert load_state(folder, *parts()) is not None
    assert sorted(file.name for file in folder.iterdir()) == ["epoch-3.safetensors", STATE]


def test_missing_tensors_are_refused_with_the_files_name(folder):
    (folder / "epoch-3.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"epoch-3\.safetensors"):
        load_state(folder, *parts())


def test_altered_tensors_are_refused_with_the_files_name(folder):
    file = folder / "epoch-3.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"epoch-3\.safetensors.*altered"):
        load_state(folder, *parts())


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"tensors": "epoch-3.safetensors"}'])
def test_a_broken_state_file_is_refused(folder, content):
    (folder / STATE).write_text(content)
    with pytest.raises(CheckpointError, match="state"):
        load_state(folder, *parts())


def test_a_state_of_another_version_is_refused(folder):
    value = state(folder)
    value["progress"]["mood"] = "good"
    (folder / STATE).write_text(json.dumps(value))
    with pytest.raises(CheckpointError, match="mood"):
        load_state(folder, *parts())


@pytest.mark.parametrize(
    ("name", "value"),
    [("epoch", "3"), ("epoch", True), ("epoch", 1), ("best_epoch", -1), ("best_f1", None), ("best_threshold", "0.5"), ("history", None)],
)
def test_progress_that_no_training_has_written_is_refused(folder, name, value):
    saved = state(folder)
    saved["progress"][name] = value
    (folder / STATE).write_text(json.dumps(saved))
    with pytest.raises(CheckpointError, match="progress: expected epochs, scores and a history, got"):
        load_state(folder, *parts())


@pytest.mark.parametrize("change", [{"batches": 0}, {"batches": "1"}, {"totals": []}, {"totals": {"loss": "1"}}, {"seconds": None}])
def test_a_place_within_an_epoch_that_no_training_has_written_is_refused(folder, change):
    saved = state(folder)
    saved["progress"]["within"] = {"batches": 1, "totals": {"loss": 0.5}, "seconds": 1.0} | change
    (folder / STATE).write_text(json.dumps(saved))
    with pytest.raises(CheckpointError, match="within: expected batches, totals and seconds, got"):
        load_state(folder, *parts())


def test_the_state_of_a_model_of_another_size_is_refused(folder):
    with pytest.raises(CheckpointError, match="does not fit"):
        load_state(folder, *parts(size=5))


def test_a_state_with_the_older_name_of_the_last_layer_is_gone_on_with(tmp_path):
    class Model(nn.Module):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.add_module(name, nn.Linear(2, 1))

    torch.manual_seed(0)
    old = Model("head")
    best = {name: tensor + 1 for name, tensor in old.state_dict().items()}
    save_state(tmp_path, TrainingState(1), old, best, torch.optim.Adam(old.parameters()))
    now = Model("classifier")
    loaded = load_state(tmp_path, now, torch.optim.Adam(now.parameters()))
    assert loaded is not None
    for name in ("weight", "bias"):
        assert torch.equal(now.state_dict()[f"classifier.{name}"], old.state_dict()[f"head.{name}"])
        assert torch.equal(loaded[1][f"classifier.{name}"], best[f"head.{name}"])


def test_frozen_weights_are_written_once_and_come_back_everywhere(tmp_path):
    model, optimiser = parts()
    frozen = next(iter(model.parameters())).requires_grad_(False)
    mean = StepMean(model, 0.9)
    save_state(tmp_path, TrainingState(1, 1), model, model.state_dict(), optimiser, mean)
    names = list(load_tensors(tmp_path / "epoch-1.safetensors"))
    assert [name for name in names if name.endswith("0.weight")] == ["model.0.weight"]
    fresh = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    next(iter(fresh.parameters())).requires_grad_(False)
    other = StepMean(fresh, 0.9)
    loaded = load_state(tmp_path, fresh, torch.optim.Adam(fresh.parameters()), other)
    assert loaded is not None
    for tensors in (fresh.state_dict(), loaded[1], other.tensors):
        assert torch.equal(tensors["0.weight"], frozen)
        assert tensors.keys() == model.state_dict().keys()
