"""What a model knows of its training data: the inputs it reads and no others, the columns of its scores, and its form as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from relsift.encoding.encoding import WITHOUT_SUBWORDS, Encoding
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.schema import Entity, Relation, Sentence, Syntax

# Entity types in order: ORG, PER.
TRAINING = (
    Sentence("1", ("The", "the", "Ada"), (Entity(2, 3, "PER"), Entity(0, 2, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("2", ("the", "ada", "ADA"), (), ()),
)
TREE = Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "N"))
PARSED = Sentence("p", ("Ada", "runs", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "runs"),), syntax=TREE)


def through_json(encoding: Encoding) -> Encoding:
    return Encoding.from_json(json.loads(json.dumps(encoding.to_json())))


def test_every_input_is_fitted_on_the_training_sentences():
    encoding = Encoding.fit(iter([*TRAINING, PARSED]), lowercase=True, min_count=2)
    assert encoding.labels == ("runs", "works_for")
    assert encoding.types.names == ("ORG", "PER")
    assert encoding.words is not None and (encoding.words.words, encoding.words.lowercase) == (("ada", "the"), True)
    assert encoding.tags is not None and encoding.tags.types == encoding.types
    assert encoding.trees is not None and encoding.trees.pos == ("N", "V")
    assert (encoding.reads, encoding.unit) == (WITHOUT_SUBWORDS, "sentence")


def test_inputs_that_a_model_does_not_read_are_not_fitted():
    encoding = Encoding.fit([PARSED], reads={"types"})
    assert (encoding.words, encoding.tags, encoding.trees, encoding.reads) == (None, None, None, {"types"})
    assert encoding.types.names == ("ORG", "PER")


def test_training_data_without_relations_is_refused():
    with pytest.raises(DataError, match="expected sentences with relations, got none"):
        Encoding.fit([Sentence("1", ("a",), (Entity(0, 1, "PER"),))])


def test_relation_types_are_columns_and_those_never_seen_are_refused():
    encoding = Encoding.fit([*TRAINING, PARSED])
    assert (encoding.column("runs"), encoding.column("works_for")) == (0, 1)
    with pytest.raises(DataError, match="expected one of runs, works_for, got 'owns'"):
        encoding.column("owns")


@pytest.mark.parametrize("view", ["pair", "others"])
def test_tags_by_pair_make_readings_by_pair_for_models_that_read_tags(view):
    assert Encoding.fit(TRAINING, tags=view).unit == "pair"
    assert Encoding.fit(TRAINING, tags=view, reads={"words", "types"}).unit == "sentence"
    assert Encoding.fit(TRAINING, tags=view, reads={"words"}, unit="head").unit == "head"
    with pytest.raises(ConfigError, match=rf"encoding\.tags: expected a view of all pairs, .* once a head, got '{view}'"):
        Encoding.fit(TRAINING, tags=view, unit="head")


def test_tags_are_counted_in_the_training_data_before_they_are_drawn():
    # The The/ORG, Ada/PER; three tokens of no entity
    tags = Encoding.fit(iter(TRAINING), tags="random", tags_seed=5).tags
    assert tags is not None
    assert (tags.view, tags.counts, tags.seed) == ("random", (3, 1, 1, 1, 0), 5)
    plain = Encoding.fit(TRAINING)
    assert plain.tags is not None
    assert Encoding.fit(TRAINING, tags="pair", tags_seed=5) == replace(plain, tags=replace(plain.tags, view="pair"), unit="pair")


def test_types_and_counts_of_tags_include_the_tagged_entities_of_training():
    tagged = replace(TRAINING[0], tagged=(Entity(0, 3, "VEH"),))
    encoding = Encoding.fit([tagged, TRAINING[1]], tags="random")
    assert encoding.types.names == ("ORG", "PER", "VEH")
    assert encoding.tags is not None
    assert encoding.tags.counts == (3, 0, 0, 0, 0, 1, 2)


# ---- JSON


@pytest.mark.parametrize("reads", [WITHOUT_SUBWORDS, {"words", "tags", "spans"}, {"types"}, {"words", "trees"}], ids=sorted)
@pytest.mark.parametrize("unit", ["sentence", "pair", "head"])
def test_json_gives_the_encoding_back(reads, unit):
    encoding = Encoding.fit([*TRAINING, PARSED], reads=reads, unit=unit, lowercase=True)
    assert through_json(encoding) == encoding
    assert set(encoding.to_json()) == {"reads", "unit", "labels", "entity_types"} | (reads & {"words", "characters", "tags", "trees"})


@pytest.mark.parametrize("view", ["untyped", "pair", "others", "random", "word", "constant"])
def test_what_tags_show_goes_through_json(view):
    encoding = Encoding.fit(TRAINING, tags=view, tags_seed=3)
    assert through_json(encoding) == encoding
    value = json.loads(json.dumps(encoding.to_json()))
    del value["tags"]["counts"]
    with pytest.raises(CheckpointError, match="counts"):
        Encoding.from_json(value)


BROKEN = [
    ({}, "expected reads, unit, labels, entity_types and the inputs that are read"),
    ([], "expected reads, unit, labels, entity_types and the inputs that are read"),
    (Encoding.fit(TRAINING).to_json() | {"words": 1}, "expected reads, unit, labels, entity_types"),
    (Encoding.fit(TRAINING).to_json() | {"labels": None}, "labels: expected different texts, got None"),
    (
        Encoding.fit(TRAINING).to_json() | {"reads": ["words", "smells"]},
        r"expected known inputs and a known unit, got \['smells', 'words'\]",
    ),
    (Encoding.fit(TRAINING).to_json() | {"unit": "corpus"}, "expected known inputs and a known unit, .* and 'corpus'"),
    (
        Encoding.fit(TRAINING).to_json() | {"reads": []},
        r"expected the parts \[\], as reads says, got \['characters', 'tags', 'trees', 'words'\]",
    ),
    (
        Encoding.fit(TRAINING).to_json() | {"trees": None},
        r"expected the parts \['characters', 'tags', 'trees', 'words'\], .* got \['characters', 'tags', 'words'\]",
    ),
]


@pytest.mark.parametrize(("value", "message"), BROKEN)
def test_broken_json_is_refused(value, message):
    with pytest.raises(CheckpointError, match=rf"model\.json: encoding: .*{message}"):
        Encoding.from_json(value)


@pytest.mark.parametrize("names", [["a", "a"], ["a", None], ["a", []], "ab", {"a": 1}])
@pytest.mark.parametrize("key", ["labels", "entity_types", "words"])
def test_names_that_are_no_different_texts_are_refused(key, names):
    value = Encoding.fit(TRAINING).to_json()
    value |= {"words": value["words"] | {"words": names}} if key == "words" else {key: names}
    with pytest.raises(CheckpointError, match=rf"model\.json: encoding: {key}: expected different texts, got"):
        Encoding.from_json(value)


@pytest.mark.parametrize("part", ["words", "tags"])
def test_a_lower_case_that_is_neither_on_nor_off_is_refused(part):
    value = Encoding.fit(TRAINING).to_json()
    with pytest.raises(CheckpointError, match="encoding: lowercase: expected true or false, got 'no'"):
        Encoding.from_json(value | {part: value[part] | {"lowercase": "no"}})


def test_inputs_that_no_sentence_has_are_refused():
    with pytest.raises(ConfigError, match=r"model\.READS: expected some of .*, got smells, words"):
        Encoding.fit(TRAINING, reads={"words", "smells"})  # type: ignore[arg-type]


def test_tags_that_a_file_cannot_mean_are_refused():
    value = Encoding.fit(TRAINING, tags="random").to_json()
    with pytest.raises(CheckpointError, match=r"tags: expected one of entities, untyped, .*, got 'colours'"):
        Encoding.from_json(value | {"tags": value["tags"] | {"view": "colours"}})
    for wrong in ({"counts": (3, 1, 1, 1, -1)}, {"counts": "abcde"}, {"seed": "7"}, {"seed": True}):
        with pytest.raises(CheckpointError, match="tags: expected whole numbers >= 0 as counts and seed"):
            Encoding.from_json(value | {"tags": value["tags"] | wrong})
    for counts in ((), (0, 0, 0, 0, 0), (1, 2)):
        with pytest.raises(CheckpointError, match="tags: expected 5 counts to draw tags from"):
            Encoding.from_json(value | {"tags": value["tags"] | {"counts": counts}})
