"""Relations across sentences from the command line: training, scoring and the rest, on invented documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift.cli.main import main
from relsift.experiments.result import CellResult
from relsift.readers import native
from relsift.readers.base import ReadReport
from relsift.schema import RelationOfConcepts
from toy_across import documents, lines_of

MODEL = ("--model", "type_prior", "--set", "training.epochs=3")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each two documents: two relations one sentence apart, one relation two sentences apart."""
    folder = tmp_path_factory.mktemp("across")
    for part, count in (("train", 16), ("dev", 6), ("test", 8)):
        (folder / f"{part}.jsonl").write_text(lines_of(documents(count, seed=len(part))), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "two"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", "train", "--data", str(data), *MODEL, "--set", "candidates.window=2", "--out", str(out)])
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return out


def test_stats_say_how_many_sentences_apart_relations_are(data: Path, capsys: pytest.CaptureFixture[str]):
    status, out, _ = relsift(capsys, "stats", data / "test.jsonl")
    assert status == 0
    rows = {" ".join(line.split()[:-1]): line.split()[-1] for line in out.splitlines() if "apart" in line}
    assert rows == {"1 apart (candidates.window=2)": "8", "2 apart (candidates.window=3)": "4"}


def test_a_warning_of_lost_relations_names_the_window_that_keeps_them(data: Path, capsys: pytest.CaptureFixture[str]):
    for command in ("stats", "validate"):
        status, out, err = relsift(capsys, command, data)
        assert status == 0
        assert "candidates.window=2 or more reads sentences together" in out + err


def test_relations_farther_apart_than_the_window_are_missed_and_the_others_counted_once(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
):
    status, out, err = relsift(capsys, "evaluate", run, "--data", data, "--json")
    value = json.loads(out)
    assert status == 0 and "4 relations across sentences" in err and "1 relation across" not in err
    assert value["lost_relations"] == {"lives_in": 4} and value["setting"]["window"] == "2 sentences"
    counts = {name: row["tp"] + row["fn"] for name, row in value["per_type"].items()}
    assert counts == {"works_for": 4, "based_in": 4, "lives_in": 4}
    assert value["setting"]["candidates"].startswith("16 kept")  # PER-ORG and ORG-LOC of 8 documents; PER-LOC is two apart


def test_without_a_window_there_is_nothing_to_learn_from(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    status, _, err = relsift(capsys, "train", "--data", data, *MODEL, "--out", tmp_path / "run")
    assert_one_clear_line(status, err, "training data: expected")
    assert "33 relations across sentences" in err  # of training and development part


def test_errors_decide_and_compare_read_passages_too(run: Path, data: Path, capsys: pytest.CaptureFixture[str]):
    status, out, err = relsift(capsys, "errors", run, "--data", data)
    assert status == 0, err
    assert "window=2 sentences" in out
    status, out, err = relsift(capsys, "decide", run, "--data", data, "--dry-run")
    assert status == 0, err
    assert "window=2 sentences" in out
    status, out, err = relsift(capsys, "compare", run, run / "model", "--data", data)
    assert status == 0, err
    status, _, err = relsift(capsys, "compare", run, "demo-en", "--data", data)
    assert_one_clear_line(status, err, "demo-en: expected a model of the window of", "2, got 1")


def test_a_curve_samples_documents_and_trains_on_their_passages(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--set", "candidates.window=2", "--sizes", "0.5,1", "--seeds", 1, "--test", "--out", tmp_path / "out", "--json")
    status, out, err = relsift(capsys, "curve", "--data", data, *MODEL, *arguments)
    assert status == 0, err
    assert [row["relations"] for row in json.loads(out)["sizes"]][-1] == 16


def test_seeds_and_their_ensemble_have_the_window(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--set", "candidates.window=3", "--seeds", 2, "--ensemble", "--out", tmp_path / "out")
    status, out, err = relsift(capsys, "train", "--data", data, *MODEL, *arguments)
    assert status == 0, err
    assert "window=3 sentences" in out
    description = json.loads((tmp_path / "out/seed-1/model/model.json").read_text(encoding="utf-8"))
    assert description["candidates"]["window"] == 3
    status, out, err = relsift(capsys, "evaluate", tmp_path / "out", "--data", data, "--json")
    assert json.loads(out)["lost_relations"] == {} and "across sentences" not in err
    # The sentences of training are known again, although passages were trained on.
    status, out, err = relsift(capsys, "evaluate", tmp_path / "out/seed-1", "--data", data / "train.jsonl")
    assert "48 sentences stand in the training data" in err


def test_models_that_find_entities_refuse_a_window(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--model", "joint_birnn", "--set", "candidates.window=2", "--out", tmp_path / "out")
    status, _, err = relsift(capsys, "train", "--data", data, *arguments)
    assert_one_clear_line(status, err, "candidates.window: expected 1 for joint_birnn")


def test_suggest_refuses_a_model_with_a_window_before_it_reads(run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    status, _, err = relsift(capsys, "suggest", run, data / "test.jsonl", "--count", "3", "--out", tmp_path / "out.jsonl")
    assert_one_clear_line(status, err, f"suggest {run}: expected a model that reads single sentences", "a window of 2 sentences")


def test_folds_are_trained_and_scored_in_passages(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ("--folds", 2, "--seeds", 1, "--development", 0.5, "--set", "candidates.window=2", "--out", tmp_path / "out")
    status, _, err = relsift(capsys, "cv", "--data", data / "train.jsonl", *MODEL, *arguments)
    assert status == 0, err
    cells = [CellResult.load(file) for file in sorted((tmp_path / "out/cells").rglob("*.json"))]
    assert sum(sum(cell.test.lost_relations.values()) for cell in cells) == 8  # two sentences apart
    assert {cell.test.setting["window"] for cell in cells} == {"2 sentences"}
    assert sum(cell.counts.sum(axis=0)[2] for cell in cells if cell.counts is not None) == 24  # gold relations, those lost too


def test_predictions_hold_relations_across_sentences_and_score_as_the_model_does(
    run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status, _, err = relsift(capsys, "predict", run, data / "test.jsonl", "--out", tmp_path / "found.jsonl")
    assert status == 0, err
    found = [relation for document in native.read(tmp_path / "found.jsonl", ReadReport()) for relation in document.across]
    assert found and {relation.distance for relation in found} == {1}
    assert all(relation.score is not None for relation in found)
    _, out, _ = relsift(capsys, "evaluate", run, "--data", data, "--json")
    counts = json.loads(out)["per_type"].values()
    assert len(found) == sum(row["tp"] + row["fp"] for row in counts)
    status, _, err = relsift(capsys, "predict", run, data / "test.jsonl", "--format", "csv", "--out", tmp_path / "found.csv")
    assert status == 0, err
    assert len((tmp_path / "found.csv").read_text(encoding="utf-8").splitlines()) == len(found) + 1
    status, _, err = relsift(capsys, "predict", run, data / "test.jsonl", "--format", "html", "--out", tmp_path / "found.html")
    assert f"{len(found)} relations across sentences" in err


@pytest.fixture(scope="module")
def concept_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents of `data` whose relations hold between concepts, each with one mention."""
    folder = tmp_path_factory.mktemp("concepts")
    for part, count in (("train", 16), ("dev", 6), ("test", 8)):
        related = []
        for document in documents(count, seed=len(part)):
            sentences = tuple(
                replace(one, entities=tuple(replace(entity, concepts=(entity.type,)) for entity in one.entities))
                for one in document.sentences
            )
            bare = replace(document, sentences=sentences, across=())
            facts = (
                RelationOfConcepts(
                    bare.sentences[one.head[0]].entities[one.head[1]].type, bare.sentences[one.tail[0]].entities[one.tail[1]].type, one.type
                )
                for one in document.across
            )
            related.append(replace(bare, concept_relations=tuple(facts)))
        (folder / f"{part}.jsonl").write_text(lines_of(related), encoding="utf-8")
    return folder


def test_relations_of_concepts_are_scored_with_those_that_no_passage_shows(
    concept_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status, out, _ = relsift(capsys, "stats", concept_data / "test.jsonl")
    rows = {" ".join(line.split()[:-1]): line.split()[-1] for line in out.splitlines() if line.strip()}
    assert (rows["relations of concepts"], rows["1 apart (candidates.window=2)"], rows["2 apart (candidates.window=3)"]) == ("12", "8", "4")
    run = tmp_path / "run"
    status, _, err = relsift(capsys, "train", "--data", concept_data, *MODEL, "--set", "candidates.window=2", "--out", run)
    assert status == 0, err
    scores = {}
    for level in ("mentions", "concepts"):
        status, out, err = relsift(capsys, "evaluate", run, "--data", concept_data, "--relations", level, "--json")
        assert status == 0, err
        scores[level] = json.loads(out)
    # 4 of the 8 documents have 2 relations one sentence apart, the other 4 one relation two sentences apart, which the window misses
    assert sum(row["support"] for row in scores["concepts"]["per_type"].values()) == 12
    assert scores["concepts"]["setting"]["no pair of mentions in 2 sentences in a row, counted as missed"] == "4 of 12 relations"
    assert scores["concepts"]["setting"]["relations"] == "concepts"
    assert scores["concepts"]["interval"]["unit"] == "document"
    assert scores["mentions"]["per_type"] == scores["concepts"]["per_type"]  # each concept has one mention
    status, out, _ = relsift(capsys, "evaluate", run, "--data", concept_data, "--relations", "concepts")
    assert status == 0
    assert "relations of concepts" in out and "counted as missed=4 of 12 relations" in out
    # 8 relations of mentions in passages, 12 of concepts, which are what is scored
    warnings = {level: [line for line in scores[level]["warnings"] if "only" in line] for level in scores}
    assert "only 8 relations in 24 annotated sentences" in warnings["mentions"][0]
    assert len(warnings["concepts"]) == 1 and "only 12 relations in 8 annotated documents" in warnings["concepts"][0]
    for options in (("--relations", "clusters"), ("--relations", "concepts", "--official"), ("--relations", "concepts", "--co-occurrence")):
        status, _, err = relsift(capsys, "evaluate", run, "--data", concept_data, *options)
        assert_one_clear_line(status, err, "--relations")


def test_data_without_concepts_has_no_scores_of_concepts(run: Path, data: Path, capsys: pytest.CaptureFixture[str]):
    status, _, err = relsift(capsys, "evaluate", run, "--data", data, "--relations", "concepts")
    assert_one_clear_line(status, err, "expected entities with concepts", "got none")
