"""curve, suggest and tune as a user calls them, on invented sentences with a model that trains in an instant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift.writers.native import record_of
from toy import sentences

MODEL = ("--model", "type_prior", "--dev-fraction", "0.25", "--set", "training.epochs=3")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "data.jsonl"
    lines = [json.dumps(record_of(replace(s, doc_id=f"d{n // 2}"), doc_id=f"d{n // 2}")) for n, s in enumerate(sentences(60))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_curve_answers_and_keeps_its_trainings(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("curve", "--data", data, *MODEL, "--sizes", "0.25,0.5,1", "--seeds", 2, "--out", tmp_path / "out")
    status, out, err = relsift(capsys, *arguments)
    assert status == 0, err
    assert "3 sizes x 2 seeds = 6 trainings, 0 ready" in err and "6/6  seed-2-share-1" in err
    assert "twice the annotations" in out and "development F1" in out and f"report written to {tmp_path / 'out/curve.html'}" in out
    status, out, err = relsift(capsys, *arguments, "--json")
    value = json.loads(out)
    assert status == 0 and "6 ready" in err and "6/6" not in err
    assert [row["share"] for row in value["sizes"]] == [0.25, 0.5, 1] and set(value["sizes"][0]["by_seed"]) == {"1", "2"}
    assert value["sizes"][0]["test"] is None and "twice the annotations" in value["answer"].lower()


def test_a_study_goes_on_and_its_configuration_trains(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("optuna")
    space = "training:\n  learning_rate: {low: 0.01, high: 0.1, log: true}\nmodel.interaction: [true, false]\n"
    (tmp_path / "space.yaml").write_text(space)
    arguments = ("tune", "--data", data, *MODEL, "--space", tmp_path / "space.yaml", "--out", tmp_path / "out", "--trials")
    status, out, err = relsift(capsys, *arguments, 1)
    assert status == 0, err
    assert "1 complete, 0 pruned, 0 failed" in out and "--set training.learning_rate=0.05\n--set model.interaction=true\n" in out
    status, out, err = relsift(capsys, *arguments, 2, "--json")
    value = json.loads(out)
    assert status == 0 and "2/2  trial 1  complete" in err and [trial["number"] for trial in value["trials"]] == [0, 1]
    training = ("train", "--data", data, "--dev-fraction", "0.25", "--config", tmp_path / "out/config.yaml", "--out", tmp_path / "run")
    status, out, err = relsift(capsys, *training)
    assert status == 0, err
    metrics = json.loads((tmp_path / "run/metrics.json").read_text(encoding="utf-8"))
    assert metrics["development"]["micro"]["f1"] == pytest.approx(value["best"]["f1"])


def test_suggested_sentences_have_no_relations_or_those_that_the_model_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out_file = tmp_path / "next.jsonl"
    status, _, err = relsift(capsys, "suggest", "demo-en", "gazette-en/dev", "--count", 3, "--out", out_file)
    assert_one_clear_line(status, err, "expected sentences to suggest, got none", "annotated already (--include-annotated")
    assert not out_file.exists()
    both = ("suggest", "demo-en", "gazette-en/dev", "--count", 3, "--include-annotated", "--entities", "gold")
    status, out, err = relsift(capsys, *both, "--out", out_file)
    assert status == 0, err
    records = [json.loads(line) for line in out_file.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 3 and all("relations" not in record and len(record["entities"]) > 1 for record in records)
    assert "suggested by uncertainty, worth 1.00 to" in out
    status, out, err = relsift(capsys, *both, "--out", out_file, "--json")
    told = json.loads(out)
    assert status == 0, err
    assert {one["sentence"] for one in told["sentences"]} == {record["id"] for record in records} and told["counts"]["read"] > 3
    worths = [one["worth"] for one in told["sentences"]]
    assert worths == sorted(worths, reverse=True) and told["by"] == "uncertainty"
    assert relsift(capsys, *both, "--out", tmp_path / "new/page.txt", "--to", "native", "--with-predictions", "--by", "positives")[0] == 0
    records = [json.loads(line) for line in (tmp_path / "new/page.txt").read_text(encoding="utf-8").splitlines()]
    assert sum(len(record["relations"]) for record in records) > 3


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("curve", "gazette-en", "--out", "out", "--sizes", "1"), ("--sizes", "two or more different shares", "got '1'")),
        (("curve", "gazette-en", "--out", "out", "--seeds", "0"), ("--seeds", "1 to 1000", "got 0")),
        (("tune", "gazette-en", "--out", "out", "--trials", "0"), ("--trials", "got 0")),
        (("tune", "gazette-en", "--out", "out", "--space", "absent.yaml"), ("absent.yaml", "readable configuration file")),
        (("suggest", "demo-en", "gazette-en", "--count", "5", "--out", "x.jsonl", "--by", "doubt"), ("--by", "uncertainty", "'doubt'")),
        (("suggest", "demo-en", "gazette-en", "--count", "0", "--out", "x.jsonl"), ("--count", "got 0")),
        (("suggest", "demo-en", "gazette-en", "--count", "5", "--out", "x.jsonl", "--to", "nativ"), ("nativ", "did you mean native")),
    ],
)
def test_wrong_options_are_one_line(
    arguments: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    if arguments[0] == "tune":
        pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    status, _, err = relsift(capsys, *arguments)
    assert_one_clear_line(status, err, *parts)
    assert not list(tmp_path.iterdir())
