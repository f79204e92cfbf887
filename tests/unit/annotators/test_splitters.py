"""Splitters: every character of a text in one token of one sentence, whatever the script."""

from __future__ import annotations

import importlib.util
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_texts import TEXTS, assert_covers
from relsift.annotators import splitters
from relsift.annotators.splitters import RulesSplitter, Splitter, at_paragraphs, checked_spans, find_splitter
from relsift.errors import ConfigError, DataError
from relsift.registry import SPLITTERS
from relsift.schema import Sentence
from relsift.text import tokenise

SPECS = {"rules": "relsift", "rules:wrapped": "relsift", "sentencex": "sentencex", "sentencex:zh": "sentencex", "spacy:blank:en": "spacy",
         "spacy:blank:xx": "spacy", "spacy:blank:zh": "spacy"}  # fmt: skip
each = pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, marks=pytest.mark.skipif(importlib.util.find_spec(needs) is None, reason=needs)) for spec, needs in SPECS.items()],
)
MIXED = "Dr. Holm left. He came!\r\n\r\n张三在北京。他走了。\n😀 ok"


def texts(spec: str, text: str) -> list[str]:
    sentences = find_splitter(spec).split(text)
    return [text[s.offsets[0][0] : s.offsets[-1][1]] for s in sentences if s.offsets]


def test_every_kind_is_tried_here():
    assert {spec.partition(":")[0] for spec in SPECS} == SPLITTERS.keys()


@each
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_every_character_is_in_one_token_of_one_sentence(spec: str, text: str):
    assert_covers(text, find_splitter(spec).split(text))


@each
def test_a_spec_names_its_version_and_finds_the_same_splitter(spec: str):
    splitter = find_splitter(spec)
    assert splitter.spec.startswith(spec) and "==" in splitter.spec
    assert find_splitter(splitter.spec) == splitter
    with pytest.raises(ConfigError, match=r"expected .*version.*, got '0\.0\.0'"):
        find_splitter(f"{splitter.spec.partition('==')[0]}==0.0.0")


@each
@pytest.mark.parametrize("text", ["", " ", "\r\n \t\u3000\u2028"])
def test_blank_text_has_no_sentences(spec: str, text: str):
    assert find_splitter(spec).split(text) == []


def test_rules_end_sentences_at_line_breaks_unless_lines_are_wrapped():
    assert texts("rules", MIXED) == ["Dr. Holm left.", "He came!", "张三在北京。", "他走了。", "😀 ok"]
    wrapped = "Ada Berg runs\nthe Old Mill.\n\nBo left."
    assert texts("rules", wrapped) == ["Ada Berg runs", "the Old Mill.", "Bo left."]
    assert texts("rules:wrapped", wrapped) == ["Ada Berg runs\nthe Old Mill.", "Bo left."]


def test_sentencex_finds_the_ends_and_tokens_are_ours():
    pytest.importorskip("sentencex")
    assert texts("sentencex", MIXED)[:2] == ["Dr. Holm left.", "He came!"]
    assert find_splitter("sentencex").split("don't go.")[0].tokens == ("don", "'", "t", "go", ".")


def test_spacy_keeps_its_own_tokens():
    pytest.importorskip("spacy")
    (sentence,) = find_splitter("spacy:blank:en").split(" I don't  go to U.S. shops.")
    assert sentence.tokens == ("I", "do", "n't", "go", "to", "U.S.", "shops", ".")
    assert sentence.offsets is not None and sentence.offsets[:3] == ((1, 2), (3, 5), (5, 8))


def test_spacy_refuses_half_a_character():
    pytest.importorskip("spacy")
    with pytest.raises(DataError, match="expected whole characters, got half of one at 2"):
        find_splitter("spacy:blank:en").split("a \ud800")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rule", r"splitter: expected one of rules, sentencex, spacy, got 'rule'; did you mean rules"),
        ("", r"splitter: expected one of .*got ''"),
        ("rules:lines", r"splitter rules: expected rules or rules:wrapped, got 'rules:lines'"),
        ("spacy", r"splitter spacy: expected spacy:NAME with a pipeline, or spacy:blank:LANGUAGE"),
        ("spacy:no_such_pipeline", r"splitter spacy:no_such_pipeline: expected .*got 'no_such_pipeline'"),
    ],
)
def test_what_is_not_there_is_refused_by_name(spec: str, message: str):
    if spec.startswith("spacy"):
        pytest.importorskip("spacy")
    with pytest.raises(ConfigError, match=message):
        find_splitter(spec)


def test_a_language_that_spacy_does_not_know_is_refused_with_the_first_text():
    pytest.importorskip("spacy")
    with pytest.raises(ConfigError, match="splitter spacy: expected a pipeline that loads, got 'blank:qq'"):
        find_splitter("spacy:blank:qq").split("a")


@pytest.mark.parametrize("spans", [[(0, 2)], [(1, 4)], [(0, 3), (2, 4)], [(0, 4), (4, 5)], [(2, 4), (0, 2)]])
def test_spans_of_a_library_that_lose_or_repeat_text_are_refused(spans: list[tuple[int, int]]):
    with pytest.raises(ConfigError, match="splitter x: expected spans in order that cover the text"):
        list(checked_spans(spans, "abcd", "x"))


def test_a_splitter_of_a_plug_in_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch):
    class Broken(RulesSplitter):
        @classmethod
        def named(cls, argument: str) -> RulesSplitter:
            raise KeyError(argument)

    monkeypatch.setattr(splitters, "find", lambda kind, name: Broken)
    with pytest.raises(ConfigError, match="splitter rules: expected one for '', got KeyError"):
        find_splitter("rules")


def test_the_contract_is_small():
    class One(Splitter):
        spec = "one==1"

        @classmethod
        def named(cls, argument: str) -> One:
            return cls()

        def split(self, text: str) -> list[Sentence]:
            return [Sentence("0", (text,), offsets=((0, len(text)),))]

    assert_covers("Ada", One.named("").split("Ada"))


@each
@settings(max_examples=30, deadline=None)
@given(text=st.lists(st.sampled_from(("Ada", "left", "the", "mill", ".", "\n", "\n\n", "\r\n\r\n", "\n \n")), max_size=14).map(" ".join))
def test_no_sentence_of_any_splitter_goes_on_behind_a_blank_line(spec: str, text: str):
    sentences = find_splitter(spec).split(text)
    assert_covers(text, sentences)
    for sentence in sentences:
        start, end = sentence.offsets[0][0], sentence.offsets[-1][1]
        assert re.search(r"\n\s*\n", text[start:end]) is None


def test_tokens_are_cut_into_paragraphs_at_blank_lines_alone():
    text = "Ada left\nthe mill\n\nBo stays"
    spans = tokenise(text)
    parts = [[text[a:b] for a, b in part] for part in at_paragraphs(spans, text)]
    assert parts == [["Ada", "left", "the", "mill"], ["Bo", "stays"]]
    assert list(at_paragraphs([], text)) == []
