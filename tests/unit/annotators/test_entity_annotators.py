"""Several entity annotators together: precedence, the type table, exact characters; and what a model folder keeps of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift import registry
from relsift.annotators import entities
from relsift.annotators.alignment import Mention, widened
from relsift.annotators.base import Addition, Annotator, find_annotator
from relsift.annotators.entities import EntityAnnotators, EntitySource, entity_annotator
from relsift.annotators.stored import load_annotators
from relsift.bundle import Bundle, build, model_checksum
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.errors import CheckpointError, ConfigError
from relsift.inference import Scorer, find_entities
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, Sentence
from strategies import documents
from toy import encoding, randomise, sentences

TOKENS = ("a", "b", "c", "d", "e")


class Fixed(Annotator):
    """Gives every sentence the same entities."""

    ADDS: ClassVar[Addition] = "entities"

    def __init__(self, *entities: Entity) -> None:
        self.entities = entities

    @property
    def spec(self) -> str:
        return "fixed:1"

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        return [replace(sentence, entities=self.entities) for sentence in sentences]


def joined(*annotators: Annotator, **types: str | None) -> list[tuple[int, int, str]]:
    (sentence,) = EntityAnnotators(annotators, types).annotate([Sentence("s", TOKENS)])
    return [(entity.start, entity.end, entity.type) for entity in sentence.entities]


def names(folder: Path, **labels: str) -> Path:
    """A file of phrases: phrase=label."""
    file = folder / "names.jsonl"
    lines = (json.dumps({"label": label, "pattern": phrase}) for phrase, label in labels.items())
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


# ---- several annotators


def test_an_earlier_annotator_wins_where_entities_share_a_token():
    first, second = Fixed(Entity(1, 3, "A")), Fixed(Entity(2, 4, "B"), Entity(3, 5, "B"), Entity(0, 1, "B"))
    assert joined(first, second) == [(0, 1, "B"), (1, 3, "A"), (3, 5, "B")]
    assert joined(second, first) == [(0, 1, "B"), (2, 4, "B"), (3, 5, "B")]  # those of one annotator may overlap


def test_types_are_renamed_left_out_or_stay():
    found = Fixed(Entity(0, 1, "PERSON"), Entity(1, 2, "DATE"), Entity(2, 3, "X"))
    assert joined(found, PERSON="PER", DATE=None) == [(0, 1, "PER"), (2, 3, "X")]


def test_what_is_left_out_takes_no_place_and_is_counted():
    combined = EntityAnnotators([Fixed(Entity(0, 2, "DATE")), Fixed(Entity(1, 2, "B")), Fixed(Entity(1, 2, "C"))], {"DATE": None})
    (sentence,) = combined.annotate([Sentence("s", TOKENS)])
    assert sentence.entities == (Entity(1, 2, "B"),)
    assert combined.report.lines() == [
        "1 entity of types that the type table leaves out (first: sentence 's': 'a b')",
        "1 entity that overlaps one of an earlier annotator (first: sentence 's': 'b')",
    ]


def test_two_annotators_that_agree_lose_nothing():
    combined = EntityAnnotators([Fixed(Entity(0, 2, "A", score=1.5)), Fixed(Entity(0, 2, "X"))], {"X": "A"})
    (sentence,) = combined.annotate([Sentence("s", TOKENS)])
    assert (sentence.entities, combined.report.lines()) == ((Entity(0, 2, "A", score=1.5),), [])


def test_two_types_that_become_one_are_one_entity():
    assert joined(Fixed(Entity(0, 1, "GPE"), Entity(0, 1, "LOC")), GPE="Loc", LOC="Loc") == [(0, 1, "Loc")]


def test_sentences_with_entities_stay_as_they_are():
    given = Sentence("given", TOKENS, (Entity(4, 5, "OWN"),))
    annotated = EntityAnnotators([Fixed(Entity(0, 1, "A"))], {}).annotate([given, Sentence("bare", TOKENS), given])
    assert [sentence.entities for sentence in annotated] == [given.entities, (Entity(0, 1, "A"),), given.entities]


@given(documents())
def test_all_else_of_a_sentence_stays_and_characters_are_those_of_the_tokens(document):
    for sentence in document.sentences:
        bare = replace(sentence, entities=(), relations=None)
        (annotated,) = EntityAnnotators([Fixed(Entity(0, len(bare.tokens), "A"))], {}).annotate([bare])
        assert replace(annotated, entities=()) == bare
        (entity,) = annotated.entities
        if document.text is None:
            assert entity.chars is None
        else:
            start, end = entity.chars
            assert document.text[start:end] == annotated.text_of(entity) == annotated.text


@pytest.mark.parametrize("returned", [lambda given: given[:-1], lambda given: given[::-1], lambda given: [Sentence("x", ("y",))] * 2])
def test_an_annotator_that_returns_other_sentences_is_named(returned, monkeypatch):
    monkeypatch.setattr(Fixed, "annotate", lambda self, sentences: returned(sentences))
    group = [Sentence("s", TOKENS), Sentence("t", TOKENS)]
    with pytest.raises(ConfigError, match=r"annotator 'fixed:1': expected the 2 sentences it was given, in order, got \d other ones"):
        EntityAnnotators([Fixed()], {}).annotate(group)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=8), st.lists(st.sampled_from(["a", "é́", "😀", "京", "ש"]), min_size=1, max_size=6))
def test_mentions_are_widened_to_whole_tokens_without_overlaps(edges, tokens):
    text = " ".join(tokens)
    offsets, place = [], 0
    for token in tokens:
        offsets.append((place, place + len(token)))
        place += len(token) + 1
    sentence = Document("d", (Sentence("s", tuple(tokens), offsets=tuple(offsets)),), text).sentences[0]
    edges = sorted({min(edge, len(text)) for edge in edges})
    mentions = [Mention(start, end, "X") for start, end in pairwise(edges)]
    report = ReadReport()
    found = widened(sentence, mentions, "finder", report)
    assert all(left.end <= right.start for left, right in pairwise(found))
    covered = [{n for n, (a, b) in enumerate(offsets) if a < mention.end and mention.start < b} for mention in mentions]
    assert all(set(range(entity.start, entity.end)) in covered for entity in found)
    lost = sum(count for reason, count in report.dropped.items() if "widened" not in reason)
    assert len(found) + lost == len(mentions)


# ---- sources and specs


def test_a_source_is_stored_as_json_and_back():
    source = EntitySource(("lac", "spacy:en"), {"PERSON": "PER", "DATE": None})
    assert EntitySource.from_json(json.loads(json.dumps(source.to_json()))) == source


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "entities: expected a JSON object"),
        ({"specs": ["a"]}, "entities: expected the key 'types'"),
        ({"specs": ["a"], "types": {"A": 1}}, "entities: types: A: expected a valid string, got 1"),
        ({"specs": [], "types": {}}, "entities.specs: expected one annotator or more"),
        ({"specs": [""], "types": {}}, "entities.specs: expected one annotator or more"),
        ({"specs": [" "], "types": {}}, "entities.specs: expected one annotator or more"),
        ({"specs": ["a"], "types": {"A": ""}}, "entities.types: expected a table of types that are not blank"),
        ({"specs": ["a"], "types": {"A": "  "}}, "entities.types: expected a table of types that are not blank"),
        ({"specs": ["a"], "types": {"  ": None}}, "entities.types: expected a table of types that are not blank"),
    ],
)
def test_a_broken_source_is_refused(value, words):
    with pytest.raises(ConfigError) as caught:
        EntitySource.from_json(value)
    assert str(caught.value).startswith(words)


def test_one_name_means_a_kind_of_each_table(monkeypatch):
    asked = []

    def find(table: str, name: str) -> Any:
        asked.append((table, name))
        raise ConfigError("stop")

    monkeypatch.setattr("relsift.annotators.base.find", find)
    for spec, adds in (("spacy:en", "trees"), ("spacy:en", "entities"), ("en", "entities"), ("lac==0.1.0", "entities"), ("lac", "trees")):
        with pytest.raises(ConfigError, match="stop"):
            find_annotator(spec, adds)
    expected = [("annotator", "spacy"), ("entity_annotator", "spacy"), ("entity_annotator", "spacy"), ("entity_annotator", "lac")]
    assert asked == [*expected, ("annotator", "spacy")]


def test_an_unknown_kind_is_named_with_those_that_are_known():
    with pytest.raises(ConfigError, match=r"^annotator 'stanza:en': expected one of lac, model, patterns, spacy before the colon, or "):
        find_annotator("stanza:en", "entities")


# ---- model folders


def bundle_with(*specs: str, **types: str | None) -> Bundle:
    known = encoding()
    model = build("multitask_cnn", {"filters": 3, "windows": (1, 2)}, known)
    randomise(model)
    return Bundle(
        "multitask_cnn", Scorer(model.eval(), known, Candidates()), Decision(threshold=0.5), entity_source=EntitySource(specs, types)
    )


def test_a_model_folder_keeps_the_files_of_its_annotators_and_can_be_moved(tmp_path):
    file = names(tmp_path, Ada="PERSON", Acme="ORG")
    bundle_with(f"patterns:{file}", PERSON="PER").save(tmp_path / "model")
    file.unlink()
    (tmp_path / "model").rename(tmp_path / "moved")
    stored = json.loads((tmp_path / "moved" / "annotators.json").read_text(encoding="utf-8"))["entities"]
    assert stored["specs"] == ["patterns:annotators/1/names.jsonl"]
    for _ in range(2):  # a loaded model can be saved again, in its own place too
        bundle = Bundle.load(tmp_path / "moved")
        (sentence,) = entity_annotator(bundle.entity_source).annotate([Sentence("s", ("Ada", "left", "Acme"))])
        assert [entity.type for entity in sentence.entities] == ["PER", "ORG"]
        bundle.save(tmp_path / "moved")
    assert json.loads((tmp_path / "moved" / "annotators.json").read_text(encoding="utf-8"))["entities"] == stored


def test_an_altered_or_missing_file_of_an_annotator_is_named(tmp_path):
    bundle_with(f"patterns:{names(tmp_path, Ada='PER')}").save(tmp_path / "model")
    before = model_checksum(tmp_path / "model")
    file = tmp_path / "model" / "annotators" / "1" / "names.jsonl"
    file.write_text(file.read_text().replace("Ada", "Ida"))
    with pytest.raises(CheckpointError, match=rf"^{file}: expected sha256 .*it was altered"):
        Bundle.load(tmp_path / "model")
    file.unlink()
    with pytest.raises(CheckpointError, match=rf"^{file}: expected a file of the model's annotators, got nothing"):
        Bundle.load(tmp_path / "model")
    bundle_with(f"patterns:{names(tmp_path, Ida='PER')}").save(tmp_path / "model")
    assert model_checksum(tmp_path / "model") != before  # another list is another model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"specs": ["patterns:annotators/2/x"]}, "whose files have no checksum"),
        ({"specs": ["patterns:annotators/../../x"]}, "whose files have no checksum"),
        ({"sha256": {"../x": "0"}}, "expected files below annotators, got '../x'"),
        ({"specs": []}, "entities.specs: expected one annotator or more"),
        ({"types": None}, "entities: types: expected a JSON object, got None"),
    ],
)
def test_a_broken_description_is_refused_with_its_file(tmp_path, change, words):
    bundle_with(f"patterns:{names(tmp_path, Ada='PER')}").save(tmp_path / "model")
    file = tmp_path / "model" / "annotators.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({"entities": value["entities"] | change}), encoding="utf-8")
    with pytest.raises(CheckpointError) as caught:
        load_annotators(tmp_path / "model")
    assert str(file) in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("{}")])
def test_a_model_that_has_lost_its_annotators_is_refused_and_not_taken_for_one_without(tmp_path, damage):
    bundle_with(f"patterns:{names(tmp_path, Ada='PER')}").save(tmp_path / "model")
    file = tmp_path / "model" / "annotators.json"
    damage(file)
    with pytest.raises(CheckpointError, match=f"^{re.escape(str(file))}: expected sha256 "):
        Bundle.load(tmp_path / "model")


def test_a_file_that_is_not_there_stops_the_saving_and_leaves_the_old_model(tmp_path):
    bundle_with(f"patterns:{names(tmp_path, Ada='PER')}").save(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"expected a file or folder to copy into the model folder, got nothing at .*none.jsonl"):
        bundle_with(f"patterns:{tmp_path / 'none.jsonl'}").save(tmp_path / "model")
    assert Bundle.load(tmp_path / "model").entity_source is not None


def test_versions_are_pinned_when_a_model_is_saved_and_not_looked_up_when_it_is_loaded(tmp_path, monkeypatch):
    class Pinned(Fixed):
        spec = "fixed:x==1.5"
        VERSIONED = True

        @classmethod
        def named(cls, argument: str) -> Pinned:
            return cls()

        @classmethod
        def path_of(cls, name: str) -> None:
            return None

    monkeypatch.setattr("relsift.annotators.base.find", lambda kind, name: Pinned)
    monkeypatch.setattr("relsift.annotators.base.table", lambda kind: {"fixed": "", "spacy": ""})
    bundle_with("fixed:x").save(tmp_path / "model")
    monkeypatch.setattr(entities, "find_annotator", None)
    loaded = Bundle.load(tmp_path / "model")
    assert loaded.entity_source == EntitySource(("fixed:x==1.5",))
    loaded.save(tmp_path / "again")


def test_an_ensemble_keeps_its_source(tmp_path):
    member = replace(bundle_with("lac==0.1.0"), entity_source=None)
    source = EntitySource((f"patterns:{names(tmp_path, Ada='PER')}",))
    replace(Bundle.ensemble([member, member], Decision(threshold=0.5)), entity_source=source).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model").entity_source
    assert loaded.specs == (f"patterns:{(tmp_path / 'model' / 'annotators' / '1' / 'names.jsonl').resolve()}",)
    assert Bundle.load(tmp_path / "model" / "member-1").entity_source is None


# ---- a joint model as annotator


@pytest.fixture
def joint(monkeypatch, tmp_path) -> Path:
    """The folder of a joint model."""
    monkeypatch.setitem(registry.MODELS, "toy_joint", "toy_joint:ToyJoint")
    registry.table.cache_clear()
    known = encoding()
    model = build("toy_joint", {}, known)
    randomise(model, scale=1.0)
    Bundle("toy_joint", Scorer(model.eval(), known, Candidates(direction="directed")), Decision(threshold=0.5)).save(tmp_path / "joint")
    yield tmp_path / "joint"
    registry.table.cache_clear()


def test_a_joint_model_finds_the_entities_that_it_finds_itself(joint):
    bare = [replace(sentence, entities=(), relations=None, syntax=None) for sentence in sentences(6)]
    found = find_annotator(f"model:{joint}", "entities").annotate(bare)
    assert [s.entities for s in found] == [s.entities for s in find_entities(Bundle.load(joint).scorer, bare)]
    assert any(entity.score is not None for s in found for entity in s.entities)


def test_a_joint_model_is_copied_into_the_folder_of_the_model_that_it_serves(joint, tmp_path):
    bare = [replace(sentence, entities=(), relations=None, syntax=None) for sentence in sentences(6)]
    expected = entity_annotator(EntitySource((f"model:{joint}",))).annotate(bare)
    bundle_with(f"model:{joint}").save(tmp_path / "model")
    shutil.rmtree(joint)
    source = Bundle.load(tmp_path / "model").entity_source
    assert entity_annotator(source).annotate(bare) == expected


def test_a_folder_without_a_joint_model_is_refused(joint, tmp_path):
    with pytest.raises(ConfigError, match="expected the folder of a trained joint model, got 'none'"):
        find_annotator("model:none", "entities")
    bundle_with("lac==0.1.0").save(tmp_path / "pairs")
    annotator = find_annotator(f"model:{tmp_path / 'pairs'}", "entities")
    with pytest.raises(ConfigError, match="expected a joint model, which finds entities, got multitask_cnn, which finds none"):
        annotator.annotate([Sentence("s", TOKENS)])
