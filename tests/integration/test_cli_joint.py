"""evaluate, errors and compare of a model that finds entities, with one of a few weights that knows its words by heart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift import registry
from relsift.config import load_config
from relsift.schema import Entity, Relation, Sentence
from relsift.training.loop import train
from relsift.writers.native import record_of

TRAINING = [
    Sentence("a", ("Ada", "joined", "Acme", "."), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("b", ("Acme", "moved", "to", "Oslo"), (Entity(0, 1, "ORG"), Entity(3, 4, "LOC")), (Relation(0, 1, "based_in"),)),
    Sentence("c", ("Bo", "settled", "in", "Riga"), (Entity(0, 1, "PER"), Entity(3, 4, "LOC")), (Relation(0, 1, "lives_in"),)),
]
# The model finds Ada, Bo, Acme, Oslo (as LOC) and Riga: not the new name, and nothing right about Oslo.
TEST = [
    Sentence("known", ("Ada", "joined", "Acme", "."), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("type", ("Bo", "joined", "Oslo", "."), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("span", ("Bo", "joined", "Newco", "."), (Entity(0, 1, "PER"), Entity(2, 3, "FIRM")), (Relation(0, 1, "works_for"),)),
    Sentence("place", ("Bo", "settled", "in", "Riga"), (Entity(0, 1, "PER"), Entity(3, 4, "LOC")), (Relation(0, 1, "lives_in"),)),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The model folders `joint` and `pairs` (of a model that relates given entities), and the file `data`."""
    folder = tmp_path_factory.mktemp("joint")
    paths = {name: folder / name for name in ("joint", "pairs")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.MODELS, "toy_joint", "toy_joint:ToyJoint")
        registry.table.cache_clear()
        by_heart = ["training.epochs=40", "training.patience=40", "training.threshold=paper"]
        for name, model, overrides in (("joint", "toy_joint", by_heart), ("pairs", "type_prior", [])):
            config = load_config(model=model, overrides=overrides)
            train(config, TRAINING, TRAINING).bundle.save(paths[name])
        paths["data"] = folder / "test.jsonl"
        paths["data"].write_text("".join(json.dumps(record_of(s)) + "\n" for s in TEST), encoding="utf-8")
        yield paths
    registry.table.cache_clear()


def test_evaluate_scores_entities_and_relations_end_to_end(folders, capsys):
    status, out, err = relsift(capsys, "evaluate", folders["joint"], folders["data"], "--json")
    assert status == 0, err
    scores = json.loads(out)
    entities = scores["entities"]
    assert (scores["setting"]["entities"], scores["setting"]["match"], entities["setting"]["match"]) == ("predicted", "strict", "strict")
    # Seven are found, six of them right, of eight.
    assert entities["micro"]["precision"] == pytest.approx(6 / 7) and entities["micro"]["recall"] == 0.75
    assert entities["errors"] == {"wrong_type": 1, "wrong_span": 0, "wrong_both": 0, "missed": 1, "spurious": 0}
    assert scores["micro"]["recall"] == 0.5
    assert scores["causes"]["missed"] == {"span": 1, "type": 1, "pair": 0, "relation": 0, "reading": 0}
    assert scores["interval"]["units"] == entities["interval"]["units"] == 4
    assert any("1 of 8 entities are of types that the model's training data had not (FIRM)" in line for line in scores["warnings"])


def test_boundaries_forgive_a_wrong_type(folders, capsys):
    status, out, err = relsift(capsys, "evaluate", folders["joint"], folders["data"], "--match", "boundaries", "--json")
    assert status == 0, err
    scores = json.loads(out)
    assert (scores["entities"]["micro"]["precision"], scores["entities"]["micro"]["recall"]) == (1.0, 0.875)
    assert scores["causes"]["missed"]["type"] == 0 and scores["setting"]["match"] == "boundaries"


def test_evaluate_shows_tables_intervals_and_settings_of_both(folders, capsys):
    status, out, err = relsift(capsys, "evaluate", folders["joint"], folders["data"])
    assert status == 0, err
    for part in ("entities, match=strict", "right span, wrong type", "works_for", "the first step that failed", "span of an entity"):
        assert part in out
    assert "entities=predicted · match=strict" in out and "the entities' micro scores" in out


def test_a_joint_model_relates_given_entities_where_asked(folders, capsys):
    status, out, err = relsift(capsys, "evaluate", folders["joint"], folders["data"], "--entities", "gold", "--json")
    assert status == 0, err
    scores = json.loads(out)
    assert scores["setting"]["entities"] == "gold" and not {"entities", "causes"} & scores.keys()
    assert scores["per_type"]["works_for"]["tp"] >= 2  # Oslo counts as an ORG here


def test_errors_names_each_wrong_relation_with_its_cause_and_each_wrong_entity(folders, capsys, tmp_path):
    page = tmp_path / "page.html"
    status, out, err = relsift(capsys, "errors", folders["joint"], folders["data"], "--html", page)
    assert status == 0, err
    assert "missed: works_for(Bo [PER] → Newco [FIRM]); span: an entity's span differs" in out
    assert "missed: works_for(Bo [PER] → Oslo [ORG]); type: an entity's type differs" in out
    assert "wrong entity type: Oslo [LOC] instead of Oslo [ORG]" in out and "missed entity: Newco [FIRM]" in out
    assert "known:" not in out
    text = page.read_text(encoding="utf-8")
    assert "8 entities in gold, 7 predicted" in text and 'data-type="○ FIRM"' in text and 'data-type="+ LOC"' in text


@pytest.mark.parametrize("command", ["evaluate", "errors"])
@pytest.mark.parametrize(
    ("model", "arguments", "named"),
    [
        ("pairs", ["--entities", "predicted"], ("expected gold", "got predicted")),
        ("pairs", ["--match", "boundaries"], ("--match", "expected strict with gold entities")),
        ("joint", ["--entities", "gold", "--match", "boundaries"], ("--match", "take --entities predicted")),
        ("joint", ["--entities", "silver"], ("--entities", "gold or predicted", "silver")),
        ("joint", ["--match", "partial"], ("--match", "strict or boundaries", "partial")),
    ],
)
def test_settings_that_do_not_fit_are_refused(folders, capsys, command, model, arguments, named):
    status, _, err = relsift(capsys, command, folders[model], folders["data"], *arguments)
    assert_one_clear_line(status, err, *named)


def test_the_official_score_needs_gold_entities(folders, capsys):
    status, _, err = relsift(capsys, "evaluate", folders["joint"], folders["data"], "--official")
    assert_one_clear_line(status, err, "--official", "add --entities gold")


def test_compare_counts_end_to_end_and_refuses_to_mix(folders, capsys):
    data = ["--data", folders["data"], "--samples", 100]
    status, out, err = relsift(capsys, "compare", folders["joint"], folders["joint"], *data, "--match", "boundaries", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert "entities=predicted · match=boundaries" in result["setting"] and result["first"] == result["second"] > 0
    status, _, err = relsift(capsys, "compare", folders["joint"], folders["pairs"], *data)
    assert_one_clear_line(status, err, "--entities: expected gold", "add --entities gold")
    status, out, err = relsift(capsys, "compare", folders["joint"], folders["pairs"], *data, "--entities", "gold")
    assert status == 0, err
    assert "entities=gold" in out


def test_prediction_of_found_entities_is_resumed_after_any_line(folders, capsys, tmp_path):
    texts = tmp_path / "in.jsonl"
    texts.write_text("".join(json.dumps({"id": s.id, "tokens": list(s.tokens)}) + "\n" for s in TEST), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    command = ("predict", folders["joint"], texts, "--out", out, "--resume")
    status, _, err = relsift(capsys, *command)
    assert status == 0, err
    whole = out.read_bytes()
    assert b'"score"' in whole
    status, _, err = relsift(capsys, *command)
    assert status == 0 and "already complete" in err
    lines = whole.splitlines(keepends=True)
    (tmp_path / ".out.jsonl.complete.json").rename(tmp_path / "out.jsonl.resume.json")
    out.write_bytes(b"".join(lines[:2]) + lines[2][:40])  # as if killed in the third line
    status, _, err = relsift(capsys, *command)
    assert status == 0, err
    assert out.read_bytes() == whole


def test_a_resumed_prediction_of_found_entities_refuses_another_sentence(folders, capsys, tmp_path):
    texts, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts.write_text('{"id": "x", "tokens": ["Ada", "joined", "Acme"]}\n', encoding="utf-8")
    assert relsift(capsys, "predict", folders["joint"], texts, "--out", out, "--resume")[0] == 0
    texts.write_text('{"id": "x", "tokens": ["Bo", "joined", "Acme"]}\n', encoding="utf-8")
    status, _, err = relsift(capsys, "predict", folders["joint"], texts, "--out", out, "--resume")
    assert_one_clear_line(status, err)
    assert "the input has changed" in err


@pytest.mark.parametrize(
    ("model", "options", "named"),
    [
        ("type_prior", ("--entities", "predicted"), "finds no entities itself"),
        ("type_prior", ("--match", "boundaries"), "leave it out"),
        ("toy_joint", ("--entities", "gold", "--match", "boundaries"), "--entities predicted"),
    ],
)
def test_cv_refuses_a_convention_without_effect_before_it_begins(folders, capsys, tmp_path, model, options, named):
    out = tmp_path / "grid"
    status, _, err = relsift(capsys, "cv", "--data", folders["data"], "--model", model, "--out", out, *options)
    assert_one_clear_line(status, err)
    assert named in err and not out.exists()


def test_no_advice_is_given_that_the_model_cannot_follow(folders, capsys):
    status, _, err = relsift(capsys, "evaluate", folders["pairs"], folders["data"], "--match", "boundaries")
    assert_one_clear_line(status, err)
    assert "leave it out" in err and "predicted" not in err


def test_a_missing_transformer_is_said_before_the_data_is_read(capsys, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no JSON\n", encoding="utf-8")
    status, _, err = relsift(capsys, "train", "--data", f"native:{broken}", "--model", "spert", "--out", tmp_path / "run")
    assert_one_clear_line(status, err)
    assert "encoding.encoder" in err and "--encoder" in err
