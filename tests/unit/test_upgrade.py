"""What a model folder of format 1 says, in the words of format 2. Whole folders are loaded in the integration tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError
from relsift.format1 import renamed, upgraded

OLD: dict[str, Any] = {
    "format": 1,
    "model": "multitask_cnn",
    "options": {"filters": 4},
    "encoding": {"words": ["Ada"], "entity_types": ["ORG", "PER"], "labels": ["runs"], "lowercase": True},
    "candidates": {"direction": "directed", "type_pairs": None, "max_distance": None},
    "threshold": 0.75,
    "weights_sha256": "0",
    "about": {"data": "toy"},
}
FOLDERS = sorted(Path(__file__).parents[1].glob("data/format1/*/model.json"))


def old(model: str, **encoding: Any) -> dict[str, Any]:
    return OLD | {"model": model, "encoding": OLD["encoding"] | encoding}


def test_the_threshold_becomes_a_decision_and_the_last_layer_gets_its_new_name():
    description, decision, annotators, weights = upgraded(OLD, {"embed.words.weight": 1, "head.rank.weight": 2})
    assert decision == Decision(threshold=0.75)
    assert annotators == {}
    assert weights == {"embed.words.weight": 1, "classifier.rank.weight": 2}
    for name in ("model", "options", "candidates", "about"):
        assert description[name] == OLD[name]


@pytest.mark.parametrize("threshold", ["high", "0.5", True, None, float("nan"), 10**400])
def test_a_threshold_that_is_no_number_is_refused(threshold: Any):
    with pytest.raises(ConfigError, match=r"decision\.threshold: expected a number that is finite, got"):
        upgraded(OLD | {"threshold": threshold}, {})


def test_only_the_last_layer_is_renamed():
    names = ("head.weight", "head.rank.bias", "head_distance.weight", "convolved.head_distance.weight", "trunk.head.weight", "headless")
    assert list(renamed(dict.fromkeys(names))) == [
        "classifier.weight", "classifier.rank.bias", "head_distance.weight", "convolved.head_distance.weight", "trunk.head.weight",
        "headless",
    ]  # fmt: skip


def test_weights_that_have_their_new_names_already_stay_as_they_are():
    weights = {"classifier.rank.weight": 1, "tail_distance.weight": 2}
    assert renamed(weights) == weights


def test_the_flat_encoding_is_parted_by_what_the_model_reads():
    assert upgraded(OLD, {})[0]["encoding"] == {
        "reads": ["spans", "tags", "words"],
        "unit": "sentence",
        "labels": ["runs"],
        "entity_types": ["ORG", "PER"],
        "words": {"words": ["Ada"], "lowercase": True},
        "tags": {"view": "entities", "counts": (), "seed": 0, "lowercase": True},
    }
    prior = upgraded(old("type_prior"), {})[0]["encoding"]
    assert prior == {"reads": ["types"], "unit": "sentence", "labels": ["runs"], "entity_types": ["ORG", "PER"]}


@pytest.mark.parametrize(("view", "unit"), [("untyped", "sentence"), ("word", "sentence"), ("pair", "pair"), ("others", "pair")])
def test_views_of_the_tags_keep_their_draws_and_those_by_pair_their_readings(view: str, unit: str):
    encoding = upgraded(old("pcnn", tags=view, tag_counts=[3, 1, 1, 0, 0], tag_seed=7), {})[0]["encoding"]
    assert encoding["tags"] == {"view": view, "counts": [3, 1, 1, 0, 0], "seed": 7, "lowercase": True}
    assert encoding["unit"] == unit
    assert upgraded(old("type_prior", tags=view), {})[0]["encoding"]["unit"] == "sentence"  # a model without tags never had copies


def test_trees_and_their_parser_are_parted():
    description, _, annotators, _ = upgraded(old("sptree", dependencies=["object"], pos=["N"], parser="spacy:en==1.0"), {})
    assert description["encoding"]["trees"] == {"dependencies": ["object"], "pos": ["N"]}
    assert annotators == {"trees": "spacy:en==1.0"}


@pytest.mark.parametrize("file", FOLDERS, ids=lambda file: file.parent.name)
def test_encodings_that_version_0_1_wrote_are_read(file: Path):
    value = json.loads(file.read_text(encoding="utf-8"))
    encoding = Encoding.from_json(upgraded(value, {})[0]["encoding"])
    assert (encoding.labels, encoding.types.names) == (tuple(value["encoding"]["labels"]), tuple(value["encoding"]["entity_types"]))
    assert encoding.words is None or encoding.words.words == tuple(value["encoding"]["words"])


def test_folders_of_every_kind_are_looked_at():
    assert len(FOLDERS) >= 8


@pytest.mark.parametrize("key", ["encoding", "model", "threshold"])
def test_a_description_without_one_of_its_parts_is_refused(key: str):
    with pytest.raises(KeyError, match=key):
        upgraded({name: value for name, value in OLD.items() if name != key}, {})


@pytest.mark.parametrize(
    "changes", [{"encoding": None}, {"encoding": []}, {"encoding": {"labels": []}}]
)
def test_a_description_with_a_broken_part_is_refused(changes: dict[str, Any]):
    with pytest.raises((KeyError, TypeError, ValueError)):
        upgraded(OLD | changes, {})


def test_an_unknown_model_is_refused():
    with pytest.raises(ConfigError, match="multitask_cnm"):
        upgraded(OLD | {"model": "multitask_cnm"}, {})
