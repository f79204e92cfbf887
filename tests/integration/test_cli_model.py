"""train, evaluate, errors, predict and demo as a user calls them, on the shipped corpus with a model that trains in seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift.cli.main import main
from relsift.corpora.data import resolve
from relsift.model_extras import is_written_by_relsift
from relsift.readers.base import ReadReport
from relsift.readers.native import read
from relsift.readers.semeval2010 import SAMPLES

SMALL = ["--model", "multitask_cnn"] + [
    text
    for setting in ("model.word_size=20", "model.filters=8", "model.windows=[2,3]", "model.hidden=16", "training.epochs=3")
    for text in ("--set", setting)
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "gazette"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", "train", "--data", "gazette-en", "--out", str(folder), *SMALL])
        try:
            main()
        except SystemExit as stop:
            assert not stop.code
    return folder


def write_lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path


def entity(start: int, kind: str = "PER") -> dict[str, object]:
    return {"start": start, "end": start + 1, "type": kind}


# ---- the run folder


def test_a_run_folder_holds_configuration_versions_checksums_history_scores_and_model(run):
    record = json.loads((run / "run.json").read_text())
    assert {"torch", "relsift", "python"} <= set(record["versions"])
    assert all(len(checksum) == 64 for checksum in record["checksums"].values())
    assert len((run / "history.jsonl").read_text().splitlines()) == 3
    assert "micro" in json.loads((run / "metrics.json").read_text())["development"]
    assert "filters: 8" in (run / "config.yaml").read_text()
    assert sorted(p.name for p in (run / "model").iterdir()) == ["README.md", "decision.json", "model.json", "model.safetensors"]
    assert is_written_by_relsift(run / "model" / "README.md")


def test_training_into_a_finished_run_is_refused_and_resuming_it_changes_nothing(run, capsys):
    before = (run / "model" / "model.safetensors").read_bytes()
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", run, *SMALL)
    assert_one_clear_line(status, err, "--resume")
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", run, "--resume", *SMALL)
    assert status == 0, err
    assert (run / "model" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("model.filters=0", "model sizes"),
        ("model.filtres=3", "filtres"),
        ("model.encoder=none", "encoder"),
        ("training.loss_weights.x=1", "training.loss_weights"),
        ("training.device=nonsense", "training.device"),
    ],
)
def test_after_a_refused_option_the_same_folder_can_be_trained_into(option, named, tmp_path, capsys):
    out = tmp_path / "run"
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", out, *SMALL, "--set", option)
    assert_one_clear_line(status, err, named)
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", out, *SMALL, "--set", "training.epochs=1")
    assert status == 0, err


def test_a_model_for_text_has_to_find_entities(tmp_path, capsys):
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", tmp_path / "run", "--from-text", "--model", "pcnn")
    assert_one_clear_line(status, err, "--from-text: expected a model that finds entities")
    assert not (tmp_path / "run").exists()


def test_resuming_with_other_options_is_refused(run, capsys):
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", run, "--resume", *SMALL, "--set", "training.seed=9")
    assert_one_clear_line(status, err, "config.yaml")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--set", "training.epoch=3"], "training.epoch"),
        (["--set", "model.filtres=3"], "filtres"),
        (["--set", "training.epochs"], "--set"),
        (["--preset", "papers"], "papers"),
        (["--model", "multitask_cn"], "multitask_cnn"),
    ],
)
def test_a_wrong_option_is_named_in_one_line(tmp_path, capsys, arguments, named):
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", tmp_path / "run", *arguments)
    assert_one_clear_line(status, err, named)


def test_training_data_without_a_development_part_asks_for_one(tmp_path, capsys):
    file = write_lines(tmp_path / "all.jsonl", {"id": "1", "tokens": ["a", "b"], "entities": [entity(0), entity(1)], "relations": []})
    status, _, err = relsift(capsys, "train", "--data", file, "--out", tmp_path / "run")
    assert_one_clear_line(status, err, "--dev")


# ---- evaluate and errors


def test_evaluate_prints_scores_with_their_setting_and_counts_every_gold_relation(run, capsys):
    status, out, err = relsift(capsys, "evaluate", run, "--data", "gazette-en", "--json")
    assert status == 0, err
    scores = json.loads(out)
    gold = sum(len(s.relations or ()) for d in resolve("gazette-en").documents("test", ReadReport()) for s in d.sentences)
    assert sum(row["support"] for row in scores["per_type"].values()) == gold
    assert scores["setting"]["entities"] == "gold"
    assert scores["data"] == "gazette-en/test"


def test_evaluate_adds_the_official_score_of_semeval_2010_when_asked(run, capsys, tmp_path):
    file = tmp_path / "semeval.txt"
    file.write_text(SAMPLES["semeval.txt"], encoding="utf-8")
    status, out, err = relsift(capsys, "evaluate", run, "--data", f"semeval2010:{file}", "--official", "--json")
    assert status == 0, err
    official = json.loads(out)["official"]
    assert official["sentences"] == 3
    assert sum(row["support"] for row in official["per_relation"].values()) == 2
    status, out, err = relsift(capsys, "evaluate", run, "--data", f"semeval2010:{file}", "--official")
    assert "Message-Topic" in out and "direction taken into account" in out
    status, _, err = relsift(capsys, "evaluate", run, "--data", "gazette-en", "--official")
    assert_one_clear_line(status, err, "semeval2010 score", "expected one")


def test_errors_lists_as_many_wrong_decisions_as_evaluate_counts(run, capsys, tmp_path):
    page = tmp_path / "page.html"
    _, out, _ = relsift(capsys, "evaluate", run, "--data", "gazette-en/dev", "--json")
    errors = json.loads(out)["errors"]
    status, out, err = relsift(capsys, "errors", run, "--data", "gazette-en/dev", "--limit", 0, "--html", page)
    assert status == 0, err
    listed = [line.split(":")[0].strip() for line in out.splitlines() if line.startswith("  ") and "→" in line]
    assert listed.count("missed") == errors["false_negative"]
    assert listed.count("spurious") == errors["false_positive"]
    assert listed.count("wrong type") == errors["wrong_class"]
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


# ---- predict


def test_predict_writes_every_sentence_in_order_and_reads_back(run, capsys, tmp_path):
    out = tmp_path / "predicted.jsonl"
    status, _, err = relsift(capsys, "predict", run, "gazette-en/test", "--out", out)
    assert status == 0, err
    wanted = [s for d in resolve("gazette-en").documents("test", ReadReport()) for s in d.sentences]
    predicted = [s for d in read(out, ReadReport()) for s in d.sentences]
    assert [(s.id, s.tokens, s.entities) for s in predicted] == [(s.id, s.tokens, s.entities) for s in wanted]
    assert all(relation.score is not None for s in predicted for relation in s.relations or ())
    assert "sentences/s" in err and f" {sum(len(s.relations or ()) for s in predicted)} relations found, " in err


def test_predict_handles_few_many_and_unknown_entities_and_long_sentences(run, capsys, tmp_path):
    draw = random.Random(1)
    words = ["the", "mayor", "of", "Skerrin", "met", "unheard-of", "crews"]
    person, firm = {"start": 0, "end": 8, "type": "PER"}, {"start": 15, "end": 18, "type": "ORG"}
    records = [
        {"id": "none", "tokens": ["Nobody", "came", "."], "entities": []},
        {"id": "one", "tokens": ["Ida", "came", "."], "entities": [entity(0)]},
        {"id": "word", "tokens": ["Ida"], "entities": [entity(0), entity(0, "ORG")]},
        {"id": "new types", "tokens": ["Ida", "sings", "."], "entities": [entity(0, "SINGER"), entity(1, "SONG")]},
        {"id": "long", "tokens": draw.choices(words, k=1000), "entities": [entity(0), entity(999, "ORG"), entity(500, "GPE")]},
        {"id": "many", "tokens": draw.choices(words, k=120), "entities": [entity(i, "PER" if i % 2 else "GPE") for i in range(100)]},
        {"id": "text", "text": "Ida Holm leads Zed.", "entities": [person, firm]},
    ]
    out = tmp_path / "predicted.jsonl"
    status, _, err = relsift(capsys, "predict", run, write_lines(tmp_path / "in.jsonl", *records), "--out", out, "--threshold", -1000)
    assert status == 0, err
    predicted = {s.id: s for d in read(out, ReadReport()) for s in d.sentences}
    assert list(predicted) == [r["id"] for r in records]
    assert [len(predicted[name].relations) for name in ("none", "one", "new types")] == [0, 0, 0]
    # every ordered PER-GPE pair is a candidate in one direction at least
    assert len(predicted["many"].relations) >= 50 * 50
    assert "SINGER (1)" in err and "SONG (1)" in err
    assert (predicted["text"].entities[0].start, predicted["text"].entities[0].end) == (0, 2)


def test_what_is_remembered_between_batches_changes_no_prediction(run, tmp_path, capsys):
    outputs = []
    for megabytes in (0, 0.05, 256):
        out = tmp_path / f"{megabytes}.jsonl"
        assert relsift(capsys, "predict", run, "gazette-en/test", "--out", out, "--cache-mb", megabytes)[0] == 0
        records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        outputs.append([(record["id"], r["head"], r["tail"], r["type"], r["score"]) for record in records for r in record["relations"]])
    assert outputs[0]
    for relations in outputs[1:]:
        assert [relation[:-1] for relation in relations] == [relation[:-1] for relation in outputs[0]]
        assert [relation[-1] for relation in relations] == pytest.approx([relation[-1] for relation in outputs[0]], abs=1e-4)


def test_predict_reads_standard_input(run, capsys, monkeypatch, tmp_path):
    line = json.dumps({"id": "s", "tokens": ["Ida", "leads", "Zed"], "entities": [entity(0), entity(2, "ORG")]})
    (tmp_path / "in.jsonl").write_text(line + "\n")
    monkeypatch.setattr("sys.stdin", (tmp_path / "in.jsonl").open())
    status, out, err = relsift(capsys, "predict", run, "-")
    assert status == 0, err
    assert json.loads(out)["id"] == "s"


def test_what_came_before_a_broken_line_is_written_whole(run, capsys, tmp_path):
    good = [{"id": f"s{i}", "tokens": ["Ida", "leads", "Zed"], "entities": [entity(0), entity(2, "ORG")]} for i in range(5)]
    file = write_lines(tmp_path / "in.jsonl", *good)
    file.write_text(file.read_text() + '{"id": "s5", "tokens": ["Ida"\n')
    out = tmp_path / "predicted.jsonl"
    status, _, err = relsift(capsys, "predict", run, file, "--out", out)
    assert_one_clear_line(status, err, "in.jsonl:6")
    assert [s.id for d in read(out, ReadReport()) for s in d.sentences] == ["s0", "s1", "s2", "s3", "s4"]


def test_predict_never_writes_over_its_own_input(run, capsys, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    file = write_lines(folder / "in.jsonl", {"id": "s", "tokens": ["Ida", "leads", "Zed"], "entities": [entity(0), entity(2, "ORG")]})
    before = file.read_bytes()
    for source, out in ((file, file), (f"native:{file}", file), (folder, folder / "predicted.jsonl")):
        status, _, err = relsift(capsys, "predict", run, source, "--out", out)
        assert_one_clear_line(status, err, "--out")
    assert file.read_bytes() == before
    assert [p.name for p in folder.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize("source", ["no-such-corpus", "nosuchformat:x.jsonl", "empty.jsonl"])
def test_an_input_that_cannot_be_read_leaves_an_earlier_result_as_it_was(run, capsys, tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    earlier = tmp_path / "predicted.jsonl"
    earlier.write_text("yesterday's result\n")
    status, _, err = relsift(capsys, "predict", run, source, "--out", earlier)
    assert_one_clear_line(status, err)
    assert earlier.read_text() == "yesterday's result\n"


def test_a_run_killed_before_its_first_files_were_whole_can_be_started_again(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")  # config.yaml is written last: without it nothing was claimed
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", run, *SMALL, "--set", "training.epochs=1")
    assert status == 0, err


@pytest.mark.parametrize("content", ["", "[1]", "null", "3"])
def test_a_broken_record_of_the_run_to_resume_is_named(content, tmp_path, capsys):
    options = ["train", "--data", "gazette-en", "--out", tmp_path / "run", *SMALL, "--set", "training.epochs=1"]
    assert relsift(capsys, *options)[0] == 0
    (tmp_path / "run/run.json").write_text(content)
    status, _, err = relsift(capsys, *options, "--resume")
    assert_one_clear_line(status, err, "run.json: expected", "start again in another --out")


def test_sentences_without_entities_have_no_relations_and_the_user_is_told_why(run, capsys, tmp_path):
    file = write_lines(tmp_path / "raw.jsonl", {"id": "1", "text": "Ida Holm leads Zed.", "entities": []})
    status, out, err = relsift(capsys, "predict", run, file)
    assert (status, len(out.splitlines())) == (0, 1)
    assert "1 sentence, none with entities: no relations" in err


# ---- broken model folders


def test_a_missing_an_incomplete_and_an_altered_model_folder_are_told_apart(run, capsys, tmp_path):
    status, _, err = relsift(capsys, "evaluate", tmp_path / "nowhere", "--data", "gazette-en")
    assert_one_clear_line(status, err, "nowhere")
    model = tmp_path / "model"
    model.mkdir()
    weights = bytearray((run / "model" / "model.safetensors").read_bytes())
    (model / "model.json").write_bytes((run / "model" / "model.json").read_bytes())
    status, _, err = relsift(capsys, "evaluate", model, "--data", "gazette-en")
    assert_one_clear_line(status, err, "model.safetensors missing")
    weights[-1] ^= 1
    (model / "model.safetensors").write_bytes(weights)
    status, _, err = relsift(capsys, "evaluate", model, "--data", "gazette-en")
    assert_one_clear_line(status, err, "model.safetensors", "sha256")


# ---- the whole path on a real corpus


def test_prepare_train_evaluate_and_predict_run_on_conll04(corpora, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "home"))
    status, _, err = relsift(capsys, "corpora", "prepare", "conll04", "--from", corpora / "conll04" / "raw")
    assert status == 0, err
    run = tmp_path / "run"
    status, _, err = relsift(capsys, "train", "--data", "conll04", "--out", run, *SMALL)
    assert status == 0, err
    status, out, err = relsift(capsys, "evaluate", run, "--data", "conll04", "--json")
    assert status == 0, err
    scores = json.loads(out)
    assert scores["sentences"] == 288
    assert sum(row["support"] for row in scores["per_type"].values()) == 422
    status, _, err = relsift(capsys, "predict", run, "conll04/test", "--out", tmp_path / "predicted.jsonl")
    assert status == 0, err
    assert len((tmp_path / "predicted.jsonl").read_text(encoding="utf-8").splitlines()) == 288


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_demo_leaves_model_scores_predictions_and_page(capsys, tmp_path, monkeypatch, lang):
    from relsift.demo import demo_config

    small = demo_config(lang).model_copy(update={"training": demo_config(lang).training.model_copy(update={"epochs": 1})})
    monkeypatch.setattr("relsift.demo.demo_config", lambda language: small)
    for _ in range(2):  # a second demo replaces the first
        status, out, err = relsift(capsys, "demo", "--lang", lang, "--out", tmp_path)
        assert status == 0, err
    assert "micro" in out and "macro" in out and "weighted" in out
    assert (tmp_path / "run" / "model" / "model.json").is_file()
    assert (tmp_path / "predictions.jsonl").is_file()
    page = (tmp_path / "predictions.html").read_text(encoding="utf-8")
    sentences = [s for d in resolve(f"gazette-{lang}").documents("test", ReadReport()) for s in d.sentences]
    assert [s.id for s in sentences if s.id not in page] == []


def test_demo_refuses_another_language_and_a_folder_that_is_not_its_own(capsys, tmp_path):
    status, _, err = relsift(capsys, "demo", "--lang", "fr", "--out", tmp_path)
    assert_one_clear_line(status, err, "fr")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("do not delete")
    status, _, err = relsift(capsys, "demo", "--out", tmp_path)
    assert_one_clear_line(status, err, "--out")
    assert (tmp_path / "run" / "thesis.txt").exists()


# ---- leaks, sizes and held-out shares


def test_a_share_of_the_training_documents_can_be_held_out_and_is_part_of_the_run(tmp_path, capsys):
    out = tmp_path / "run"
    options = ["train", "gazette-en/train", "--dev-fraction", "0.1", "--out", out, *SMALL, "--set", "training.epochs=1"]
    status, _, err = relsift(capsys, *options)
    assert status == 0, err
    assert "321 training and 31 development sentences" in err
    assert "warning: development: only 48 relations in 31 annotated sentences" in err
    assert json.loads((out / "run.json").read_text())["data_options"] == {"dev_fraction": 0.1}
    options[3] = "0.2"
    status, _, err = relsift(capsys, *options, "--resume")
    assert_one_clear_line(status, err, "run.json", "{'dev_fraction': 0.1}", "{'dev_fraction': 0.2}")


def test_a_model_scored_on_its_training_data_is_warned_of(run, capsys):
    status, out, err = relsift(capsys, "evaluate", run, "gazette-en/train", "--json")
    assert status == 0
    assert "warning: gazette-en/train (all of them): 352 sentences stand in the training data of the model too" in err
    assert len(json.loads(out)["warnings"]) == 1
    _, _, err = relsift(capsys, "evaluate", run, "gazette-en")
    assert "training data of the model" not in err


def test_evaluate_prints_an_interval_over_documents_that_holds_the_score(run, capsys):
    _, out, _ = relsift(capsys, "evaluate", run, "gazette-en", "--json")
    scores = json.loads(out)
    interval = scores["interval"]
    documents = len(list(resolve("gazette-en").documents("test")))
    assert (interval["unit"], interval["units"], interval["confidence"]) == ("document", documents, 0.95)
    for measure in ("precision", "recall", "f1"):
        low, high = interval[measure]
        assert low <= scores["micro"][measure] <= high and high - low < 0.5
    assert scores["lost_relations"] == {}
    _, out, _ = relsift(capsys, "evaluate", run, "gazette-en")
    assert f"95 % interval of the micro scores, by bootstrap over {documents} documents: precision" in out


def test_relation_types_that_the_model_never_saw_are_named_and_missed(run, capsys, tmp_path):
    lines = [
        {"id": kind, "tokens": ["a", "b"], "entities": [entity(0), entity(1)], "relations": [{"head": 0, "tail": 1, "type": kind}]}
        for kind in ("ORG-AFF", "marries", "feeds")
    ]
    file = write_lines(tmp_path / "a.jsonl", *lines)
    for command in ("evaluate", "errors"):
        status, out, err = relsift(capsys, command, run, file)
        assert status == 0
        assert f"warning: {file}: 2 of 3 relations are of types that the model's training data had not (marries, feeds)" in err
        assert "95 %" in out or "No interval of the scores: every sample of the 3 sentences has the same F1" in out or command == "errors"


def test_one_file_as_training_and_development_data_begins_no_run(tmp_path, capsys):
    status, _, err = relsift(capsys, "train", "gazette-en/train", "--dev", "gazette-en/train", "--out", tmp_path / "run")
    assert_one_clear_line(status, err, "--dev gazette-en/train: expected development data that is not trained on")
    assert not (tmp_path / "run").exists()


def losing(read, first, path, report, options):
    """Documents as `read` has them; with the document `first`, three relations are lost."""
    for document in read(path, report, **options):
        if document.id == first:
            for kind in ("works_for", "works_for", "never_seen"):
                report.lose_relation("relations across sentences", str(path), kind)
        yield document


def test_relations_that_the_reader_lost_lower_recall_alone(run, capsys, monkeypatch):
    """They count as missed in scores, errors, interval and setting."""
    from relsift.readers.gazette import READER

    _, before, _ = relsift(capsys, "evaluate", run, "gazette-en", "--json")
    read, first = READER.read, next(resolve("gazette-en").documents("test")).id
    with monkeypatch.context() as patch:
        patch.setitem(READER.__dict__, "read", lambda path, report, **options: losing(read, first, path, report, options))
        _, after, err = relsift(capsys, "evaluate", run, "gazette-en", "--json")
        _, listed, _ = relsift(capsys, "errors", run, "gazette-en", "--limit", 1)
    one, two = json.loads(before), json.loads(after)
    assert two["lost_relations"] == {"never_seen": 1, "works_for": 2}
    assert "3 relations across sentences" in err
    assert two["setting"]["lost in reading, counted as missed"] == "3 relations"
    assert two["per_type"]["never_seen"]["support"] == 1 and two["micro"]["precision"] == one["micro"]["precision"]
    right, gold = (sum(row[key] for row in one["per_type"].values()) for key in ("tp", "support"))
    assert two["micro"]["recall"] == pytest.approx(right / (gold + 3))
    assert two["interval"]["recall"][1] < one["interval"]["recall"][1]
    wrong = sum(one["errors"][kind] for kind in ("false_negative", "false_positive", "wrong_class"))
    assert f"errors: {wrong + 3} wrong decisions" in listed


def test_training_from_the_disk_writes_the_run_folder_of_training_in_memory(run, tmp_path, capsys):
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", tmp_path / "run", "--on-disk", *SMALL)
    assert status == 0, err
    for name in ("model/model.safetensors", "model/decision.json", "metrics.json", "config.yaml", "training_sentences.sha256"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name
    files, wanted = ({file.relative_to(folder) for file in folder.rglob("*")} for folder in (tmp_path / "run", run))
    assert files <= wanted  # the sentences' file has no name; other tests write into `run`


# ---- several seeds, ensembles, teachers


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "three"
    command = ["relsift", "train", "--data", "gazette-en", "--out", str(folder), "--seeds", "3", "--ensemble", *SMALL]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", command)
        try:
            main()
        except SystemExit as stop:
            assert not stop.code
    return folder


def test_several_seeds_print_mean_and_spread_and_resume_without_training_again(three, capsys):
    before = (three / "model" / "model.json").read_bytes()
    status, out, err = relsift(capsys, "train", "--data", "gazette-en", "--out", three, "--seeds", 3, "--ensemble", "--resume", *SMALL)
    assert status == 0, err
    for words in ("seed 1", "seed 3", "mean", "standard deviation", "ensemble of 3", "ensemble written to"):
        assert words in out
    assert "epoch  1/3" not in err
    assert (three / "model" / "model.json").read_bytes() == before
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", three, "--seeds", 3, *SMALL)
    assert_one_clear_line(status, err, "use --resume or another --out")
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", three, "--resume", *SMALL)
    assert_one_clear_line(status, err, "expected a single run to resume, got runs of several seeds")


def test_evaluate_errors_compare_and_predict_take_an_ensemble(three, run, tmp_path, capsys):
    scores = {}
    for place in (three, three / "model", *(three / f"seed-{seed}" for seed in (1, 2, 3))):
        status, out, err = relsift(capsys, "evaluate", place, "gazette-en", "--json")
        assert status == 0, err
        scores[place.name] = json.loads(out)
    assert scores["three"] == scores["model"]
    metrics = json.loads((three / "metrics.json").read_text())
    assert metrics["ensemble"]["micro"]["f1"] > 0
    status, out, err = relsift(capsys, "errors", three, "gazette-en")
    assert status == 0, err
    status, out, err = relsift(capsys, "compare", three, run, "--data", "gazette-en")
    assert status == 0, err
    status, _, err = relsift(capsys, "predict", three, "gazette-en", "--out", tmp_path / "out.jsonl", "--cache-mb", 3)
    assert status == 0, err
    by_ensemble = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    found = sum(len(sentence["relations"]) for sentence in by_ensemble)
    assert found > 0


def test_the_members_of_an_ensemble_are_trained_on_sentences_that_evaluate_knows_again(three, capsys):
    status, out, err = relsift(capsys, "evaluate", three, "gazette-en/train", "--json")
    assert status == 0, err
    assert any("the training data of the model" in warning for warning in json.loads(out)["warnings"])


def test_an_ensemble_teaches_a_single_model(three, tmp_path, capsys):
    options = ["--set", f"training.teacher={three}", "--set", "training.r_drop=0.2", "--set", "training.ema=0.9"]
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", tmp_path / "student", *SMALL, *options)
    assert status == 0, err
    assert "distillation" in err
    assert "r_drop" in err
    status, _, err = relsift(capsys, "evaluate", tmp_path / "student", "gazette-en")
    assert status == 0, err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0"], "--seeds: expected a number of trainings >= 1, got 0"),
        (["--ensemble"], "--ensemble: expected several models, such as --seeds 3 beside it, got None"),
        (["--seeds", "1", "--ensemble"], "--ensemble: expected several models"),
        (["--on-disk", "--dev-fraction", "0.1"], "--dev-fraction: expected none beside --on-disk"),
        (["--on-disk", "--set", "candidates.window=2"], "candidates.window: expected 1 beside --on-disk, got 2"),
        (["--set", "training.teacher=nowhere"], "training.teacher: nowhere: expected a model folder, got nothing"),
        (["--set", "training.ema=1.0"], "training.ema"),
        (["--set", "training.freeze_encoder=true"], "training.freeze_encoder: expected a model with a pre-trained encoder"),
    ],
)
def test_options_that_make_no_sense_are_refused_and_leave_nothing(options, message, tmp_path, capsys):
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", tmp_path / "run", *SMALL, *options)
    assert_one_clear_line(status, err, message)
    assert not (tmp_path / "run").exists()
