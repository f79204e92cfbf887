"""A model that is trained to be used on text: what finds its entities is stored with it."""

from __future__ import annotations

import json

import pytest
from calling import assert_one_clear_line, relsift

from relsift.bundle import Bundle, model_folder
from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.extractor import RelationExtractor
from relsift.schema import Entity, Relation, Sentence
from relsift.training.run import with_tokens_of_text
from relsift.training.run_folder import RunData

SMALL = ("--set", "model.filters=8", "--set", "model.hidden=8", "--set", "training.epochs=1", "--set", "training.threads=1")
NAMES = [{"label": "PERSON", "pattern": "Ida Holm"}, {"label": "PLACE", "pattern": "Vell"}, {"label": "DATE", "pattern": "Monday"}]
TEXT = "Ida Holm lives in Vell since Monday."


@pytest.fixture
def names(tmp_path):
    (tmp_path / "names.jsonl").write_text("".join(f"{json.dumps(name)}\n" for name in NAMES))
    (tmp_path / "types.json").write_text('{"PERSON": "PER", "PLACE": "GPE", "DATE": null}')
    return tmp_path


def train(capsys, out, *options):
    return relsift(capsys, "train", "--data", "gazette-en", "--model", "multitask_cnn", "--out", out, *SMALL, *options)


def test_the_annotators_of_a_trained_model_find_entities_in_text_wherever_the_folder_lies(names, capsys):
    source = ("--entities-from", f"patterns:{names / 'names.jsonl'}", "--types", names / "types.json")
    status, _, err = train(capsys, names / "run", "--from-text", *source)
    assert status == 0, err
    (names / "names.jsonl").unlink()
    (names / "run").rename(names / "moved")
    (names / "in.txt").write_text(TEXT)
    status, out, err = relsift(capsys, "predict", names / "moved", names / "in.txt", "--threshold=-1000")
    assert status == 0, err
    line = json.loads(out)
    found = [(" ".join(line["tokens"][e["start"] : e["end"]]), e["type"]) for e in line["entities"]]
    assert found == [("Ida Holm", "PER"), ("Vell", "GPE")]
    document = RelationExtractor.from_pretrained(names / "moved")(TEXT)
    assert [entity.text for entity in document.entities] == ["Ida Holm", "Vell"]


def test_an_ensemble_keeps_the_annotators_of_its_members(names, capsys):
    source = ("--entities-from", f"patterns:{names / 'names.jsonl'}", "--types", names / "types.json")
    status, _, err = train(capsys, names / "run", *source, "--seeds", "2", "--ensemble")
    assert status == 0, err
    stored = Bundle.load(model_folder(names / "run")).entity_source
    assert stored is not None and dict(stored.types) == {"PERSON": "PER", "PLACE": "GPE", "DATE": None}
    assert [entity.type for entity in RelationExtractor.from_pretrained(names / "run")(TEXT).entities] == ["PER", "GPE"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--entities-from", "patterns:nowhere.jsonl"), "nowhere.jsonl"),
        (("--entities-from", "nonsense:x"), "nonsense"),
        (("--types", "types.json"), "--types: expected --entities-from beside it"),
        (("--set", "text.types={A: B}"), "--types (text.types): expected none without --entities-from"),
        (
            ("--entities-from", "patterns:names.jsonl", "--model", "pipeline"),
            "--entities-from (text.entities_from): expected nothing for pipeline",
        ),
    ],
)
def test_annotators_without_use_are_refused_before_training(options, named, names, capsys, monkeypatch):
    monkeypatch.chdir(names)
    status, _, err = relsift(capsys, "train", "--data", "gazette-en", "--out", "run", "--set", "training.epochs=1", *options)
    assert_one_clear_line(status, err, named)
    assert not (names / "run").exists()


def test_relations_between_the_entities_of_annotators_are_scored_end_to_end(names, capsys):
    status, _, err = train(capsys, names / "run", "--set", "training.epochs=2")
    assert status == 0, err
    lines = (
        {
            "text": f"{name} lives in Vell.",
            "entities": [{"start": 0, "end": len(name), "type": "PER"}, {"start": len(name) + 10, "end": len(name) + 14, "type": "GPE"}],
            "relations": [{"head": 0, "tail": 1, "type": "PHYS"}],
        }
        for name in ("Ida Holm", "Rolf Berg")
    )
    (names / "gold.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    source = ("--entities-from", f"patterns:{names / 'names.jsonl'}", "--types", names / "types.json")
    status, out, err = relsift(capsys, "evaluate", names / "run", "--data", names / "gold.jsonl", "--json", *source)
    assert status == 0, err
    scores = json.loads(out)
    assert scores["setting"]["entities"] == "predicted"
    assert (scores["entities"]["micro"]["precision"], scores["entities"]["micro"]["recall"]) == (1.0, 0.75)  # Rolf Berg is in no list
    assert sum(counts["fn"] + counts["tp"] for counts in scores["per_type"].values()) == 2
    status, _, err = relsift(capsys, "evaluate", names / "run", "--data", names / "gold.jsonl", "--entities", "predicted")
    assert_one_clear_line(status, err, "--entities-from")


def test_a_type_table_that_fits_no_type_of_the_training_data_is_refused(names, capsys):
    (names / "types.json").write_text('{"PERSON": "Peop", "PLACE": "Loc"}')
    source = ("--entities-from", f"patterns:{names / 'names.jsonl'}", "--types", names / "types.json")
    status, _, err = train(capsys, names / "run", *source)
    assert_one_clear_line(status, err, "--types (text.types): expected types of the training data")


def test_tokens_that_raw_text_does_not_get_are_counted_and_can_be_replaced(names, capsys):
    tokens = ["Ida", "Holm", "lives", "in", "U.S.", "Vell-am-See", "."]
    record = {
        "tokens": tokens, "relations": [{"head": 0, "tail": 1, "type": "PHYS"}],
        "entities": [{"start": 0, "end": 2, "type": "PER"}, {"start": 4, "end": 6, "type": "GPE"}],
    }  # fmt: skip
    data = names / "data.jsonl"
    data.write_text("".join(f"{json.dumps(record | {'id': f's{number}'})}\n" for number in range(8)), encoding="utf-8")
    options = ("--entities-from", f"patterns:{names / 'names.jsonl'}", "--model", "type_prior", "--dev-fraction", "0.25")
    status, _, err = relsift(capsys, "train", "--data", data, "--out", names / "a", *options)
    assert status == 0, err
    # "U.S." and "Vell-am-See" are none of our tokens: 2 of 7, in each of the 6 sentences to train on.
    assert "note: tokens: 28.6 % of the 42 tokens of the training data are cut otherwise in raw text, and 0.0 % of the 24 ends" in err
    assert "--set text.tokens=text" in err
    status, _, err = relsift(capsys, "train", "--data", data, "--out", names / "b", *options, "--set", "text.tokens=text")
    assert status == 0, err
    assert "note: tokens:" not in err
    status, _, err = relsift(capsys, "train", "--data", data, "--out", names / "c", *options, "--set", "text.tokens=ours")
    assert_one_clear_line(status, err, "text.tokens")


def test_a_training_with_text_tokens_sees_them():
    sentence = Sentence("s", ("Ada", "left", "U.S."), (Entity(0, 1, "PER"), Entity(2, 3, "LOC")), (Relation(0, 1, "left"),))
    data = RunData("d", [sentence], [sentence], {})
    config = load_config(model="type_prior", overrides=["text.tokens=text"])
    assert with_tokens_of_text(load_config(model="type_prior"), data) is data
    cut = with_tokens_of_text(config, data)
    assert {s.tokens for s in (*cut.training, *cut.development)} == {("Ada", "left", "U", ".", "S", ".")}
    with pytest.raises(ConfigError, match=r"text\.tokens: expected corpus, for sptree, which reads trees"):
        with_tokens_of_text(load_config(model="sptree", overrides=["text.tokens=text"]), data)
