"""A device is tried before any work, and scores are computed where the model is."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import relsift.device
import relsift.extractor
from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.device import checked_device
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport, Scorer, score_batch
from relsift.models.multitask_cnn import MultiTaskCNNConfig
from toy import encoding, one_token

NO_DEVICES = [
    "foo", "gpu", "meta", "", ":", "cpu:1", "CPU", "cuda:-1", "cuda:99999999999999999999", "mkldnn", "hpu", "privateuseone", "a\nb",
]  # fmt: skip
NOT_HERE = [name for name, here in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if not here]


@pytest.mark.parametrize("name", [*NO_DEVICES, *NOT_HERE, "cuda:9", "xpu:9"])
def test_a_device_that_is_not_there_is_refused_in_one_line_that_names_the_option(name, recwarn):
    with pytest.raises(ConfigError, match=r"^--device: expected cpu, auto, or cuda") as caught:
        checked_device(name, "--device")
    assert "\n" not in str(caught.value) and repr(name) in str(caught.value)
    assert not recwarn.list


def test_the_cpu_is_a_device_and_auto_is_the_best_one(monkeypatch):
    assert checked_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert checked_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert relsift.device.torch_device("auto") == torch.device("cuda")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    known = encoding()
    model = build("multitask_cnn", MultiTaskCNNConfig.tiny().to_dict(), known)
    Bundle("multitask_cnn", Scorer(model.eval(), known, Candidates()), Decision()).save(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_is_loaded_onto_the_device_that_was_asked_for(folder, monkeypatch):
    assert {weight.device.type for weight in RelationExtractor.from_pretrained(folder).bundle.model.parameters()} == {"cpu"}
    monkeypatch.setattr(relsift.extractor, "checked_device", lambda name, option: torch.device(name))
    model = RelationExtractor.from_pretrained(folder, device="meta").bundle.model  # stands for a GPU; it has no values
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}


def test_a_missing_device_is_named_before_the_folder_is_read(tmp_path):
    with pytest.raises(ConfigError, match="device: expected cpu"):
        RelationExtractor.from_pretrained(tmp_path / "none", device="gpu")


class Places(nn.Module):
    """Notes on which devices its batches lie, and gives scores of zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, device="meta"))
        self.devices: set[str] = set()

    def forward(self, batch: Any) -> Any:
        def visit(value: Any) -> None:
            if isinstance(value, Tensor):
                self.devices.add(value.device.type)
            elif is_dataclass(value):
                for field in fields(value):
                    visit(getattr(value, field.name))

        visit(batch)
        return batch

    def scores(self, batch: Any) -> Tensor:
        return torch.zeros(len(batch.pairs), len(encoding().labels))  # back on the CPU: a meta tensor cannot be copied


def test_batches_are_moved_to_the_device_of_the_model_and_scores_come_back():
    known, model = encoding(), Places()
    sentence = one_token()
    scores = score_batch(Scorer(model, known, Candidates()), examples_of(sentence, Candidates().pairs(sentence), known), InferenceReport())  # type: ignore[arg-type]
    assert model.devices == {"meta"}
    assert scores.shape == (2, len(known.labels))
