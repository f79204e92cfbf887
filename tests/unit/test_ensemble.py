"""Ensembles: the mean of the members' scores, in everything that takes a bundle, and nothing else than what was saved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from relsift.bundle import Bundle, build, model_checksum
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.errors import CheckpointError, ConfigError
from relsift.extractor import RelationExtractor
from relsift.files import check_output, write_json
from relsift.inference import Ensemble, InferenceReport, Scorer, predict, score
from toy import randomise, sentences

GROUP = sentences(30, seed=3)
KNOWN = Encoding.fit(GROUP)


def scorer(seed: int, name: str = "type_prior", known: Encoding = KNOWN, candidates: Candidates | None = None, **options: Any) -> Scorer:
    model = build(name, options, known)
    randomise(model, seed)
    return Scorer(model.eval(), known, candidates or Candidates())


def bundle(seed: int, name: str = "type_prior", **options: Any) -> Bundle:
    return Bundle(name, scorer(seed, name, **options), Decision(threshold=0.1 * seed), {"seed": seed})


@pytest.fixture
def three() -> Bundle:
    """Three members of two architectures; one reads other inputs than the others."""
    few = Encoding.fit(GROUP[:20], reads={"types"})
    assert few.labels == KNOWN.labels
    tiny = {"word_size": 4, "tag_size": 2, "distance_size": 2, "windows": [2], "filters": 3, "hidden": 4}
    members = [bundle(1), bundle(2, "multitask_cnn", **tiny), replace(bundle(3), scorer=scorer(3, known=few))]
    return Bundle.ensemble(members, Decision(threshold=0.25), {"data": "toy"})


def test_scores_are_the_mean_of_the_members_scores(three):
    by_member = [score(member.scorer, GROUP) for member in three.members]
    for number, scored in enumerate(score(three.scorer, GROUP)):
        parts = [member[number] for member in by_member]
        assert scored.pairs == parts[0].pairs
        assert scored.sentence == GROUP[number]
        assert scored.scores.dtype == np.float32
        for pair, row in enumerate(scored.scores.tolist()):
            wanted = [sum(values) / 3 for values in zip(*(part.scores[pair].tolist() for part in parts))]
            assert row == pytest.approx(wanted, abs=1e-5)


def test_an_ensemble_of_two_equal_models_scores_as_one():
    twice = Bundle.ensemble([bundle(1), bundle(1)], Decision(threshold=0.0))
    for one, both in zip(score(bundle(1).scorer, GROUP), score(twice.scorer, GROUP)):
        assert np.array_equal(one.scores, both.scores)


def test_pairs_and_sentences_are_counted_once_and_the_time_of_all_members_is_added(three):
    one, all_three = InferenceReport(), InferenceReport()
    score(three.members[0].scorer, GROUP, one)
    score(three.scorer, GROUP, all_three)
    assert all_three.sentences == one.sentences == len(GROUP)
    assert all_three.candidates == one.candidates
    assert all_three.seconds["model"] > 0


def test_saved_and_loaded_it_predicts_the_same(three, tmp_path):
    three.save(tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "decision.json", "member-1", "member-2", "member-3", "model.json",
    ]  # fmt: skip
    loaded = Bundle.load(tmp_path / "model")
    assert (loaded.name, loaded.decision, loaded.about) == ("ensemble", three.decision, {"data": "toy"})
    assert [member.about for member in loaded.members] == [{"seed": 1}, {"seed": 2}, {"seed": 3}]
    assert list(predict(loaded.scorer, loaded.decision, GROUP)) == list(predict(three.scorer, three.decision, GROUP))


def test_the_extractor_takes_it_and_a_member_alone_too(three, tmp_path):
    three.save(tmp_path / "model")
    extractor = RelationExtractor.from_pretrained(tmp_path / "model")
    assert extractor.labels == KNOWN.labels
    assert extractor.threshold == 0.25
    assert extractor.predict(GROUP) == list(predict(three.scorer, three.decision, GROUP))
    member = RelationExtractor.from_pretrained(tmp_path / "model" / "member-2")
    assert member.predict(GROUP) == list(predict(three.members[1].scorer, three.members[1].decision, GROUP))
    extractor.save_pretrained(tmp_path / "again")
    assert model_checksum(tmp_path / "again") == model_checksum(tmp_path / "model") == extractor.checksum


def test_an_ensemble_has_models_and_no_single_one(three):
    assert len(three.models) == 3
    with pytest.raises(ConfigError, match="expected a single model, got an ensemble of 3"):
        _ = three.model
    three.to(torch.device("cpu"))
    three.limit_cache(3.0)


# ---- what cannot be put together


def test_members_of_other_relations_are_refused():
    other = Encoding.fit([s for s in GROUP if all(r.type != "lives_in" for r in s.relations or ())])
    members = [bundle(1), replace(bundle(2), scorer=scorer(2, known=other))]
    message = "members with the same relation types, got based_in, works_for in member 2 and based_in, lives_in, works_for in member 1"
    with pytest.raises(ConfigError, match=message):
        Bundle.ensemble(members, Decision(threshold=0.0))


def test_members_of_other_candidates_are_refused():
    members = [bundle(1), replace(bundle(2), scorer=scorer(2, candidates=Candidates(max_distance=3)))]
    with pytest.raises(ConfigError, match="expected members that score the same pairs, got other candidates in member 2"):
        Bundle.ensemble(members, Decision(threshold=0.0))


def test_an_ensemble_of_nothing_and_of_ensembles_is_refused(three):
    with pytest.raises(ConfigError, match="expected one member or more, got 0"):
        Ensemble(())
    with pytest.raises(ConfigError, match="expected models as members, got an ensemble as member 2"):
        Bundle.ensemble([bundle(1), three], Decision(threshold=0.0))


# ---- broken folders


def rewritten(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        value = json.loads((folder / "model.json").read_text())
        del value["content_sha256"]
        change(value)
        write_json(folder / "model.json", value)

    return rewrite


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: shutil.rmtree(f / "member-2"), r"member-2: expected a model folder, got nothing"),
        (lambda f: (f / "member-2" / "model.safetensors").unlink(), r"member-2: expected .*model\.safetensors missing"),
        (lambda f: (f / "member-2" / "model.safetensors").write_bytes(b"x"), r"member-2/model\.safetensors: expected sha256"),
        (lambda f: (f / "member-2" / "model.json").write_text("{"), r"member-2/model\.json"),
        (lambda f: (f / "member-2" / "decision.json").unlink(), r"member-2: expected the member of checksum .*copy the whole folder again"),
        (lambda f: shutil.copytree(f / "member-1", f / "member-2", dirs_exist_ok=True), r"member-2: expected the member of checksum"),
        (lambda f: (f / "decision.json").unlink(), r"decision\.json: expected the decision"),
        (rewritten(lambda value: value.update(ensemble=[])), r"model\.json"),
        (rewritten(lambda value: value.update(ensemble="member-1")), r"model\.json"),
        (rewritten(lambda value: value.update(model="type_prior")), r"model\.json"),
        (rewritten(lambda value: value.update(format=3)), r"model\.json: expected format"),
        (rewritten(lambda value: value["ensemble"].append("0" * 64)), r"member-4: expected a model folder"),
    ],
)
def test_a_broken_ensemble_is_refused_with_the_place_that_is_broken(damage, message, three, tmp_path):
    three.save(tmp_path / "model")
    damage(tmp_path / "model")
    with pytest.raises(CheckpointError, match=message):
        Bundle.load(tmp_path / "model")


def test_a_folder_whose_members_differ_is_refused(three, tmp_path):
    three.save(tmp_path / "model")
    member = tmp_path / "model" / "member-2"
    replace(bundle(2), scorer=scorer(2, candidates=Candidates(max_distance=3))).save(member)
    rewritten(lambda value: value["ensemble"].__setitem__(1, model_checksum(member)))(tmp_path / "model")
    with pytest.raises(CheckpointError, match="model: ensemble: expected members that score the same pairs"):
        Bundle.load(tmp_path / "model")


def test_a_nested_ensemble_is_refused_before_its_members_are_read(three, tmp_path):
    three.save(tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "model" / "member-1", dirs_exist_ok=True, ignore=shutil.ignore_patterns("member-*"))
    with pytest.raises(CheckpointError, match="member-1: expected a model as a member, got an ensemble"):
        Bundle.load(tmp_path / "model")


def test_the_checksum_covers_the_members(three, tmp_path):
    three.save(tmp_path / "one")
    changed = Bundle.ensemble([*three.members[:2], bundle(9)], three.decision, three.about)
    changed.save(tmp_path / "other")
    assert model_checksum(tmp_path / "one") != model_checksum(tmp_path / "other")


def test_an_ensemble_is_replaced_as_a_whole_and_protected_as_a_model_is(three, tmp_path):
    three.save(tmp_path / "model")
    Bundle.ensemble(three.members[:2], three.decision).save(tmp_path / "model")
    assert not (tmp_path / "model" / "member-3").exists()
    bundle(1).save(tmp_path / "model")
    assert not (tmp_path / "model" / "member-1").exists()
    three.save(tmp_path / "model")
    with pytest.raises(ConfigError, match="a part of the model folder"):
        check_output(tmp_path / "model" / "out.jsonl", [])
