"""Models on the hub, against a hub on the loopback interface."""

from __future__ import annotations

import logging

import pytest

from hub_server import COMMIT, running_hub
from relsift import RelationExtractor
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.errors import CheckpointError, ConfigError
from relsift.exporting.export import export
from relsift.inference import Scorer
from relsift.models.pcnn import PCNN
from toy import encoding, four_sentences, randomise

pytest.importorskip("huggingface_hub")
TOKEN = "hf_secretsecretsecret"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        yield hub


@pytest.fixture
def extractor(tmp_path) -> RelationExtractor:
    model = PCNN(PCNN.Config.tiny(), encoding())
    randomise(model, 1, 0.3)
    bundle = Bundle("pcnn", Scorer(model.eval(), encoding(), Candidates()), Decision(threshold=-5.0), {"data": "toy"})
    export(bundle, "numpy", tmp_path / "model")
    return RelationExtractor.from_pretrained(tmp_path / "model")


def test_a_model_that_was_published_is_fetched_and_finds_the_same(hub, extractor, tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "model" / "notes.txt").write_text("no part of a model", encoding="utf-8")
    assert extractor.push_to_hub("owner/model", token=TOKEN).endswith(COMMIT)
    assert sorted(hub.files) == ["README.md", "decision.json", "model.json", "model.safetensors"]
    assert hub.files["README.md"].startswith(b"---\nlicense: unknown\n")
    assert ("/api/repos/create", f"Bearer {TOKEN}") in hub.asked
    sentence = four_sentences()[0]
    for revision, name in ((None, "hub:owner/model"), ("main", "hub:owner/model"), (None, f"hub:owner/model@{COMMIT}")):
        fetched = RelationExtractor.from_pretrained(name, revision=revision)
        assert fetched.predict([sentence]) == extractor.predict([sentence])
    out, err = capsys.readouterr()
    assert TOKEN not in caplog.text + out + err


def test_only_the_parts_of_a_model_are_fetched(hub, extractor, tmp_path):
    extractor.push_to_hub("owner/model")
    hub.files |= {"modeling.py": b"raise SystemExit", "pytorch_model.bin": b"pickle"}
    RelationExtractor.from_pretrained("hub:owner/model")
    assert not list((tmp_path / "cache").rglob("modeling.py")) and not list((tmp_path / "cache").rglob("*.bin"))


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("hub:owner/other", None, "expected a model of the hub, got none of this name"),
        ("hub:owner/model@nowhere", None, "hub:owner/model@nowhere: expected a model of the hub, got no such revision"),
        ("hub:owner/model@main", "other", "expected one revision, got another one too"),
        ("hub:owner/model@", None, "expected a branch, a tag or a commit behind @"),
        ("hub:../../etc", None, "expected a name such as owner/name"),
        ("runs/mine", "main", "revision: expected none for runs/mine, which is not of the hub"),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(hub, name, revision, message):
    with pytest.raises((CheckpointError, ConfigError), match=message):
        RelationExtractor.from_pretrained(name, revision=revision)


def test_a_hub_that_cannot_be_reached_is_one_line_without_the_token(extractor, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with running_hub() as hub:
        address = hub.address
    monkeypatch.setenv("HF_ENDPOINT", address)  # where nobody listens any more
    with pytest.raises(CheckpointError, match="hub:owner/model: expected a model of the hub, got"):
        RelationExtractor.from_pretrained("hub:owner/model")
    with pytest.raises(CheckpointError, match="expected a hub that takes the model, got") as error:
        extractor.push_to_hub("owner/model", token=TOKEN)
    assert TOKEN not in str(error.value) and "\n" not in str(error.value)


def test_a_refusal_that_quotes_the_token_does_not_show_it(hub, extractor):
    with pytest.raises(CheckpointError) as error:
        extractor.push_to_hub("owner/refused", token=TOKEN)
    assert TOKEN not in str(error.value)
