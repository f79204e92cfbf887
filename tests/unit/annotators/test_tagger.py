"""Tags that a tagger found: who tags whom, and the real tagger where spaCy is installed."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from relsift.annotators import tagger
from relsift.annotators.tagger import Tagger, predicted_tags, tag_score
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import PRF
from relsift.schema import Entity, Sentence
from toy import sentences

needs_spacy = pytest.mark.skipif(importlib.util.find_spec("spacy") is None, reason="needs spaCy (make install)")

NAMES = [f"d{number // 3}" for number in range(30)]  # as a last token too, so that no two documents share a sentence
GROUP = [replace(s, tokens=(*s.tokens, name), doc_id=name, syntax=None) for name, s in zip(NAMES, sentences(30, seed=1))]
NEW = [replace(s, syntax=None) for s in sentences(12, seed=2)]


class Remembering(Tagger):
    """Tags each sentence with one entity, whose type says how many sentences of its document it was taught, and how many in all."""

    def __init__(self, taught: Sequence[Sentence]) -> None:
        self.taught = [sentence.doc_id for sentence in taught]

    @classmethod
    def train(cls, sentences, language, seed):
        return cls(sentences)

    def tag(self, sentences) -> Iterator[tuple[Entity, ...]]:
        return (((Entity(0, 1, f"{self.taught.count(s.doc_id)} of {len(self.taught)}"),)) for s in sentences)


@needs_spacy
def test_training_sentences_are_tagged_by_a_tagger_that_knows_all_documents_but_theirs(monkeypatch):
    monkeypatch.setattr(tagger, "Tagger", Remembering)
    result = predicted_tags(GROUP, NEW, folds=5)  # ten documents of three sentences
    assert [s.tagged for s in result.training] == [(Entity(0, 1, "0 of 24"),)] * 30
    assert [s.tagged for s in result.others] == [(Entity(0, 1, "0 of 30"),)] * 12
    for given, tagged in ((GROUP, result.training), (NEW, result.others)):
        assert [replace(s, tagged=None) for s in tagged] == given  # in their order, and unchanged but for the tags


@needs_spacy
def test_a_copy_of_a_training_sentence_is_not_tagged_by_a_tagger_that_knows_the_text(monkeypatch):
    class Reading(Remembering):
        def __init__(self, taught: Sequence[Sentence]) -> None:
            self.texts = [sentence.tokens for sentence in taught]

        def tag(self, sentences) -> Iterator[tuple[Entity, ...]]:
            return ((Entity(0, 1, f"known {self.texts.count(s.tokens)} times"),) for s in sentences)

    monkeypatch.setattr(tagger, "Tagger", Reading)
    long = [Sentence(f"s{n}", (f"word{n}",) * 8, (Entity(0, 1, "PER"),), doc_id=f"d{n}") for n in range(12)]
    copies = [replace(s, id=f"copy of {s.id}", doc_id=f"copy of {s.doc_id}") for s in long[:6]]
    result = predicted_tags([*long, *copies], NEW, folds=3)
    assert {s.tagged for s in result.training} == {(Entity(0, 1, "known 0 times"),)}


@needs_spacy
@pytest.mark.parametrize(
    ("training", "folds", "error", "message"),
    [
        (GROUP, 1, ConfigError, "folds: expected a number >= 2, got 1"),
        (GROUP, 11, DataError, "expected training sentences of at least 11 documents, one a fold, got 10"),
        ([Sentence("a", ("x",)), Sentence("b", ("x",))], 2, DataError, "expected training sentences with entities, got 1 sentences"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(training, folds, error, message):
    with pytest.raises(error, match=message):
        predicted_tags(training, NEW, folds=folds)


def test_without_spacy_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ConfigError, match=r"expected spaCy, which is not installed: pip install 'relsift\[spacy\]'"):
        predicted_tags(GROUP, NEW)


def test_an_entity_is_right_if_span_and_type_are():
    plain = Sentence("s", ("a", "b", "c"), (Entity(0, 1, "PER"), Entity(1, 3, "ORG"), Entity(1, 2, "LOC")))
    tagged = replace(plain, tagged=(Entity(0, 1, "PER"), Entity(1, 2, "ORG")))
    assert tag_score([tagged, plain]) == PRF.of(1, 1, 5)  # a sentence without tags has found nothing


# ---- the real one


ODD = {"PER": "a-b", "ORG": "公司/机构 -x", "LOC": "||"}


def odd(group: Sequence[Sentence]) -> list[Sentence]:
    """Types with characters that spaCy's labels have a meaning for."""
    return [replace(s, entities=tuple(replace(e, type=ODD[e.type]) for e in s.entities)) for s in group]


@needs_spacy
def test_it_learns_types_of_any_characters_and_repeats_bit_for_bit():
    torch.manual_seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    training = odd(sentences(40, seed=1))
    first = list(Tagger.train(training, "en", 1).tag(odd(NEW)))
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    random.random()
    assert list(Tagger.train(training, "en", 1).tag(odd(NEW))) == first
    score = tag_score([replace(s, tagged=entities) for s, entities in zip(odd(NEW), first, strict=True)])
    assert score.f1 > 0.8
    assert {entity.type for entities in first for entity in entities} == set(ODD.values())


@needs_spacy
def test_chinese_characters_blank_tokens_and_overlapping_entities_are_taken(monkeypatch):
    monkeypatch.setattr(tagger, "EPOCHS", 2)
    first = Sentence("1", tuple("张伟在北京"), (Entity(0, 2, "PER"), Entity(3, 5, "LOC"), Entity(4, 5, "LOC")), (), "d1")
    second = Sentence("2", ("李", "\u3000", "娜"), (Entity(0, 2, "PER"), Entity(1, 3, "ORG")), (), "d2")
    result = predicted_tags([first, second], [first], folds=2)
    assert result.overlapping == 2
    assert all(s.tagged is not None for s in (*result.training, *result.others))
