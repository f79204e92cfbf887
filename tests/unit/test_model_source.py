"""Models in zip archives."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from relsift import RelationExtractor
from relsift.errors import CheckpointError, ConfigError
from relsift.model_source import is_own, model_place
from relsift.shipped import located
from relsift.training.deciding import folder_to_decide

MODEL = located(Path("demo-en"))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "home"))


def zipped(place: Path, prefix: str = "", **more: str) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for file in MODEL.iterdir():
            archive.write(file, prefix + file.name)
        for name, text in more.items():
            archive.writestr(name, text)
    return place


@pytest.mark.parametrize("prefix", ["", "demo/", "run/model/"])
def test_a_model_is_read_from_an_archive_of_its_folder_or_run(prefix, tmp_path):
    archive = zipped(tmp_path / "model.zip", prefix)
    place = model_place(archive)
    assert RelationExtractor.from_pretrained(archive).labels == RelationExtractor.from_pretrained("demo-en").labels
    assert model_place(archive) == place  # unpacked once
    assert not is_own(archive) and is_own(tmp_path) and not is_own(Path("demo-en"))
    with pytest.raises(ConfigError, match="expected a model of your own to change, got an archive"):
        folder_to_decide(archive, changes=True)


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "C:/evil.txt"])
def test_an_archive_that_leads_out_of_its_folder_is_refused_and_writes_nothing(name, tmp_path):
    with pytest.raises(CheckpointError, match="expected a name below the archive's own folder"):
        RelationExtractor.from_pretrained(zipped(tmp_path / "model.zip", **{name: "evil"}))
    assert not list(tmp_path.rglob("evil.txt")) and not list((tmp_path / "home" / "models").iterdir())


def test_half_an_archive_is_one_line(tmp_path):
    archive = zipped(tmp_path / "model.zip")
    archive.write_bytes(archive.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"model\.zip: expected a whole zip archive"):
        RelationExtractor.from_pretrained(archive)


def test_an_archive_of_something_else_says_what_is_missing(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(CheckpointError, match="expected a run with a finished model, or a model folder"):
        RelationExtractor.from_pretrained(tmp_path / "other.zip")
