"""The models that come with relsift: they load by name everywhere, are small, and score what their cards say."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift import shipped
from relsift.bundle import MODEL_FILE
from relsift.errors import CheckpointError
from relsift.extractor import RelationExtractor
from relsift.shipped import located, shipped_models
from relsift.training.data import scoring_data
from relsift.training.predicting import predict_all
from relsift.training.scoring import scored_data

FOLDER = Path(shipped.__file__).parent
MOST_BYTES = 3_000_000
each = pytest.mark.parametrize("name", ["demo-en", "demo-zh"])


@cache
def extractor(name: str) -> RelationExtractor:
    return RelationExtractor.from_pretrained(name)


def about(name: str) -> dict[str, object]:
    value = json.loads((FOLDER / name / MODEL_FILE).read_text(encoding="utf-8"))["about"]
    assert isinstance(value, dict)
    return value


def test_both_models_are_there():
    assert shipped_models() == ("demo-en", "demo-zh")


@each
def test_a_model_that_ships_is_small(name):
    assert 0 < sum(file.stat().st_size for file in (FOLDER / name).rglob("*") if file.is_file()) < MOST_BYTES


@pytest.mark.parametrize(
    ("name", "text", "stated"),
    [
        ("demo-en", "Ida Holm and her sister own the ferry.", ("Ida Holm", "PER-SOC", "sister")),
        ("demo-zh", "来自洛汀镇的工程师正在三号码头检查渡轮。", ("工程师", "GEN-AFF", "洛汀镇")),
    ],
)
def test_a_model_that_ships_finds_the_relation_of_an_easy_sentence(name, text, stated):
    assert stated in {(found.head.text, found.type, found.tail.text) for found in extractor(name)(text).relations}


@each
def test_the_stored_scores_and_those_of_the_card_are_those_of_a_fresh_evaluation(name):
    data = scoring_data(f"gazette-{name.removeprefix('demo-')}")
    bundle = extractor(name).bundle
    predicted, report = predict_all(bundle, data.sentences)
    fresh = scored_data(bundle, data, predicted, report, entities="predicted")
    stored = about(name)["scores"]["test"]
    card = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    for what, part in (("entities", fresh.entities.micro), ("relations", fresh.relations.micro)):
        kinds = ("precision", "recall", "f1")
        # Sums of floating-point numbers differ between machines: a score near the threshold may fall on its other side.
        assert {kind: 100 * getattr(part, kind) for kind in kinds} == pytest.approx(stored[what], abs=1.0)
        assert f"| test | {what} | " + " | ".join(str(stored[what][kind]) for kind in kinds) + " |" in card


def test_a_shipped_model_is_used_by_name_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text("Ida Holm is the mayor of Skerrin.\n", encoding="utf-8")
    status, out, err = relsift(capsys, "predict", "demo-en", "page.txt")
    assert status == 0, err
    assert json.loads(out)["tokens"][:2] == ["Ida", "Holm"]
    status, _, err = relsift(capsys, "annotate", "page.txt", "--with", "model:demo-en", "--out", "entities.jsonl")
    assert status == 0, err
    assert json.loads(Path("entities.jsonl").read_text(encoding="utf-8"))["entities"]


def test_a_name_that_no_shipped_model_has_is_told_which_ones_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text("Ida Holm lives in Vell.\n", encoding="utf-8")
    status, _, err = relsift(capsys, "predict", "demo-fr", "page.txt")
    assert_one_clear_line(status, err, "demo-fr", "demo-en, demo-zh")


def test_a_folder_with_the_name_of_a_shipped_model_is_not_guessed_about(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FOLDER / "demo-en", "demo-en")
    with pytest.raises(CheckpointError, match=re.escape(f"{tmp_path / 'demo-en'}; write the whole path")):
        RelationExtractor.from_pretrained("demo-en")
    assert RelationExtractor.from_pretrained(tmp_path / "demo-en").checksum == extractor("demo-en").checksum


def test_other_paths_stay_as_they_are():
    assert located(Path("runs/demo-en")) == Path("runs/demo-en")
    assert located(Path("demo-en/model")) == Path("demo-en/model")
