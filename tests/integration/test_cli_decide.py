"""relsift decide as a user calls it: a tiny model is trained, decided anew, and predicts with probabilities."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from calling import assert_one_clear_line, relsift

from relsift.bundle import Bundle
from relsift.cli.main import main
from relsift.decisions.decision import Decision
from relsift.extractor import RelationExtractor
from relsift.locks import locked

SMALL = ["--model", "multitask_cnn"] + [
    text
    for setting in ("model.word_size=20", "model.filters=8", "model.windows=[2,3]", "model.hidden=16", "training.epochs=1")
    for text in ("--set", setting)
]
DEV = ("--data", "gazette-en")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "gazette"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", "train", "--data", "gazette-en", "--out", str(folder), *SMALL])
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def stored(run: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((run / "model" / "decision.json").read_text())
    return value


def test_training_stores_constraints_calibration_and_what_the_decision_was_tuned_on(trained, capsys):
    decision = stored(trained)
    assert (decision["format"], decision["constraints"], decision["mode"]) == (2, True, "single")
    assert {tuple(triple)[-1] for triple in decision["triples"]} == set(Bundle.load(trained / "model").encoding.labels)
    tuned_on = decision["tuned_on"]
    assert tuned_on["data"] == "gazette-en, development part" and tuned_on["aim"] == "f1" and tuned_on["related"] > 0
    assert all(len(checksum) == 64 for checksum in tuned_on["checksums"].values())
    metrics = json.loads((trained / "metrics.json").read_text())["development"]
    hits = sum(row["true_positive"] for row in tuned_on["relations"].values())
    assert hits == sum(row["tp"] for row in metrics["per_type"].values())
    status, out, err = relsift(capsys, "decide", trained)
    assert status == 0, err
    assert "A pair has at most one relation" in out and "Tuned for f1 on gazette-en, development part" in out


def test_tuning_anew_as_training_did_gives_the_decision_of_training(run, capsys):
    before = stored(run)
    status, out, err = relsift(capsys, "decide", run, *DEV, "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["stored"] and result["old"]["scores"] == result["new"]["scores"]
    after = stored(run)
    assert after.pop("tuned_on")["relations"] == before.pop("tuned_on")["relations"]
    assert after == before


def test_a_new_decision_is_stored_and_used_by_prediction_and_evaluation(run, tmp_path, capsys):
    changes = ("--set", "mode=several", "--set", "calibration=platt", "--per-relation", "--aim", "f2")
    status, out, err = relsift(capsys, "decide", run, *DEV, *changes, "--dry-run")
    assert status == 0, err
    assert "nothing stored" in out and stored(run)["mode"] == "single"
    status, out, err = relsift(capsys, "decide", run, *DEV, *changes)
    assert status == 0, err
    assert "old decision on gazette-en/dev" in out and "new decision on gazette-en/dev" in out
    decision = stored(run)
    assert (decision["mode"], decision["calibration"]["method"], decision["tuned_on"]["aim"]) == ("several", "platt", "f2")
    assert list((run / "model").glob(".*")) == []  # no lock is left
    predicted = tmp_path / "out.jsonl"
    status, _, err = relsift(capsys, "predict", run, "gazette-en/test", "--out", predicted)
    assert status == 0, err
    relations = [relation for line in predicted.read_text().splitlines() for relation in json.loads(line)["relations"]]
    assert relations and all(0 <= relation["probability"] <= 1 for relation in relations)
    by_score = sorted(relations, key=lambda relation: (relation["score"], relation["probability"]))  # both are rounded
    assert all(one["probability"] <= other["probability"] for one, other in pairwise(by_score))
    status, _, err = relsift(capsys, "validate", predicted)
    assert status == 0, err
    status, out, err = relsift(capsys, "evaluate", run, "gazette-en", "--json", "--reliability", tmp_path / "plot.svg", "--co-occurrence")
    assert status == 0, err
    by_chance = json.loads(out)["co_occurrence"]
    assert by_chance["relations"] == 118 < by_chance["unrelated_pairs"]  # of the corpus's test part
    assert [row["recall"] for row in by_chance["at_recall"]] == [0.5, 0.6, 0.7, 0.8, 0.9]
    calibration = json.loads(out)["calibration"]
    assert calibration["relations"] == len(relations) and 0 <= calibration["expected_error"] <= 1
    assert "<svg" in (tmp_path / "plot.svg").read_text()
    [document] = RelationExtractor.from_pretrained(run)([json.loads(predicted.read_text().splitlines()[0])])
    assert all(relation.probability is not None for relation in document.relations)


def test_rules_can_be_set_without_data_and_calibration_goes_where_it_does_not_hold(run, capsys):
    status, _, err = relsift(capsys, "decide", run, "--set", "threshold=0.25")
    assert status == 0, err
    assert stored(run)["threshold"] == 0.25 and stored(run)["tuned_on"] is None and stored(run)["calibration"] is not None
    status, out, err = relsift(capsys, "decide", run, "--set", "mode=several", "--json")
    assert status == 0, err
    assert stored(run)["calibration"] is None
    assert "The common threshold is 0.250." in (run / "model" / "README.md").read_text(encoding="utf-8")  # written anew
    assert "relations get no probability any more" in err and len(json.loads(out)["warnings"]) == 2
    status, _, err = relsift(capsys, "evaluate", run, "gazette-en", "--json", "--reliability", run / "plot.svg")
    assert_one_clear_line(status, err, "--reliability: expected a model with probabilities")


def test_constraints_of_an_old_model_are_learnt_from_training_data(run, capsys):
    learnt = {tuple(triple) for triple in stored(run)["triples"]}
    (run / "model" / "decision.json").write_text('{"format": 1, "mode": "single", "threshold": 0.5}')
    assert Bundle.load(run / "model").decision == Decision(threshold=0.5)
    status, _, err = relsift(capsys, "decide", run, "--set", "constraints=true")
    assert_one_clear_line(status, err, "expected the triples of the training data", "--learn-from")
    status, _, err = relsift(capsys, "decide", run, "--learn-from", "gazette-en", "--set", "symmetric=detected")
    assert status == 0, err
    assert {tuple(triple) for triple in stored(run)["triples"]} == learnt
    assert (stored(run)["constraints"], stored(run)["threshold"], stored(run)["symmetric"]) == (True, 0.5, [])


def test_tuning_on_training_sentences_is_warned_of(run, capsys):
    status, _, err = relsift(capsys, "decide", run, "--data", "gazette-en/train", "--dry-run")
    assert status == 0, err
    assert "stand in the training data of the model too" in err


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--set", "threshold=high"), ("--set threshold", "'high'")),
        (("--set", "thresholds.leds=1"), ("expected relations of the model, got 'leds'",)),
        (("--set", "calibration=platt"), ("expected data to fit it on", "--data")),
        (("--aim", "f2"), ("--aim: expected --data DATA beside it",)),
        (("--per-relation",), ("--per-relation: expected --data DATA",)),
        (("--aim", "f99", *DEV), ("--aim: expected f1, f0.5, f2",)),
        (("--data", "nowhere"), ("nowhere",)),
    ],
)
def test_bad_options_are_one_clear_line_and_change_nothing(options, parts, run, capsys):
    before = stored(run)
    status, _, err = relsift(capsys, "decide", run, *options)
    assert_one_clear_line(status, err, *parts)
    assert stored(run) == before


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"thresholds": {"nonsense": 1.0}}, "decision.thresholds: expected relations of the model, got 'nonsense'"),
        ({"threshold": "0.5"}, "decision.threshold: expected a number that is finite"),
        ({"mode": "many"}, "decision.mode: expected single or several"),
        ({"calibration": {"method": "isotonic", "scores": [0, 1], "probabilities": [1, 0]}}, "that never fall"),
        ({"tuned_on": {"data": 5}}, "tuned_on"),
        ({"triples": ["abc"]}, "decision.triples"),
    ],
)
def test_a_decision_edited_into_nonsense_is_one_clear_line_that_names_the_file(change, part, run, capsys):
    file = run / "model" / "decision.json"
    file.write_text(json.dumps(stored(run) | change))
    for command in (("decide", run), ("predict", run, "gazette-en/test")):
        status, _, err = relsift(capsys, *command)
        assert_one_clear_line(status, err, f"{file}: ", part)


def test_a_decision_saved_by_an_editor_that_writes_a_byte_order_mark_is_read(run):
    file = run / "model" / "decision.json"
    file.write_text(json.dumps(stored(run) | {"threshold": 0.75}), encoding="utf-8-sig")
    assert Bundle.load(run / "model").decision.threshold == 0.75


def test_a_model_that_comes_with_relsift_is_shown_and_not_changed(capsys):
    status, out, err = relsift(capsys, "decide", "demo-en")
    assert status == 0, err
    assert "The common threshold is" in out
    status, _, err = relsift(capsys, "decide", "demo-en", "--set", "threshold=1")
    assert_one_clear_line(status, err, "demo-en: expected a model of your own to change")


def test_a_model_that_another_process_decides_is_left_alone(run, capsys):
    with locked(run / "model" / ".decision.lock", busy="", remove=True):
        status, _, err = relsift(capsys, "decide", run, "--set", "threshold=1")
    assert_one_clear_line(status, err, "expected a model that no other process changes")


def test_no_name_of_a_model_decides_it_while_its_run_is_held(run, capsys):
    with locked(run / "lock", busy=""):
        for name in (run, run / "model"):
            status, _, err = relsift(capsys, "decide", name, "--set", "threshold=1")
            assert_one_clear_line(status, err, f"{run / 'model'}: expected a model that no other process changes")
            assert "--out" not in err  # which only a training has


def test_a_rule_set_to_what_it_was_keeps_the_probabilities(run, capsys):
    status, _, err = relsift(capsys, "decide", run, "--set", "mode=single", "--set", "threshold=0.25", "--learn-from", "gazette-en")
    assert status == 0 and "warning" not in err
    assert stored(run)["calibration"] is not None and stored(run)["tuned_on"] is None


def test_data_without_candidate_pairs_are_named(run, tmp_path, capsys):
    sentence = {"id": "s", "tokens": ["Ada", "sings"], "entities": [{"start": 0, "end": 1, "type": "PER"}], "relations": []}
    (tmp_path / "lone.jsonl").write_text(json.dumps(sentence) + "\n")
    status, _, err = relsift(capsys, "decide", run, "--data", tmp_path / "lone.jsonl")
    assert_one_clear_line(status, err, "lone.jsonl: expected candidate pairs to tune on, got none; name data with two entities")


def test_a_member_of_an_ensemble_is_not_decided_alone_and_the_ensemble_is(run, tmp_path, capsys):
    member = Bundle.load(run / "model")
    Bundle.ensemble([member, member], member.decision).save(tmp_path / "both")
    status, _, err = relsift(capsys, "decide", tmp_path / "both" / "member-1", "--set", "threshold=1")
    assert_one_clear_line(status, err, "got a member of an ensemble")
    status, _, err = relsift(capsys, "decide", tmp_path / "both", *DEV, "--set", "threshold=1")
    assert status == 0, err
    assert Bundle.load(tmp_path / "both").decision.threshold == 1.0
