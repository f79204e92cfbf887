"""Annotated sentences as what a model is trained on: groups of readings, what is counted, what the user is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from relsift.config import ModelSection, RunConfig
from relsift.encoding.example import Work, examples_of
from relsift.encoding.words import WordVocabulary
from relsift.errors import DataError
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.schema import Entity, Relation, Sentence
from relsift.training import training_set as module
from relsift.training.training_set import TrainingSet, make_training_set
from toy import forest, long_sentence, run_config, sentences

CROWDED = replace(long_sentence(10, 8), relations=(Relation(0, 1, "works_for"),))  # 28 pairs of entities, 56 ordered pairs


def training_set_of(*group: Sentence, tags: str = "entities", **encoding: Any) -> TrainingSet:
    values = run_config().model_dump()
    values["encoding"] |= {"tags": tags, **encoding}
    values["candidates"] |= {"type_filter": False}
    return make_training_set(RunConfig.model_validate(values), group)


def test_every_sentence_is_a_group_with_one_reading_where_nothing_depends_on_the_pair():
    group = sentences(6)
    training_set = training_set_of(*group)
    assert [len(examples) for examples in training_set.groups] == [1] * 6
    assert training_set.works() == [Work(len(s.tokens), 6) for s in group]  # three entities each
    assert training_set.examples == [examples[0] for examples in training_set.groups]


def test_the_readings_of_a_sentence_stay_together_and_cost_what_the_sentence_costs():
    group = sentences(6)
    training_set = training_set_of(*group, tags="pair")
    assert [len(examples) for examples in training_set.groups] == [3] * 6
    assert training_set.works() == training_set_of(*group).works()  # so that batches hold the same pairs whatever the tags show


def test_a_sentence_with_very_many_pairs_is_spread_over_several_groups(monkeypatch):
    # 28 readings of 10 tokens; 75 tokens leave room for 7 of them at once.
    whole = training_set_of(CROWDED, tags="pair")
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 75)
    spread = training_set_of(CROWDED, tags="pair")
    assert [len(examples) for examples in whole.groups] == [28]
    assert [len(examples) for examples in spread.groups] == [7, 7, 7, 7]
    assert spread.works() == [Work(10, 14)] * 4
    assert spread.examples == whole.examples
    assert sorted(chain.from_iterable(example.places for example in spread.examples)) == list(range(56))
    assert [len(examples) for examples in training_set_of(CROWDED).groups] == [1]  # one reading: nothing to spread


def test_a_sentence_longer_than_a_group_may_be_has_a_group_a_reading(monkeypatch):
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 9)
    assert [len(examples) for examples in training_set_of(CROWDED, tags="pair").groups] == [1] * 28


def test_sentences_without_annotation_are_left_out_and_without_any_it_is_refused():
    plain = [replace(s, relations=None) for s in sentences(3, seed=5)]
    assert training_set_of(*plain, *sentences(4)).groups == training_set_of(*sentences(4)).groups
    with pytest.raises(DataError, match="expected sentences with relations"):
        training_set_of(*plain)


def test_examples_are_those_of_the_models_inputs_and_of_the_fitted_candidates():
    training_set = training_set_of(*sentences(8))
    assert training_set.encoding.reads == MultiTaskCNN.READS
    wanted = [examples_of(s, training_set.candidates.pairs(s), training_set.encoding) for s in sentences(8)]
    assert training_set.groups == wanted
    assert training_set.report.kept == sum(work.pairs for work in training_set.works()) == 48


# ---- rare words


def counting(*texts: str) -> list[Sentence]:
    """Sentences of these words, with an entity on each of the first three words, the first two of them related."""
    entities = tuple(Entity(place, place + 1, "PER") for place in range(3))
    return [Sentence(text, tuple(text.split()), entities, (Relation(0, 1, "knows"),)) for text in texts]


@pytest.mark.parametrize("tags", ["entities", "pair"])
@pytest.mark.parametrize("tokens_at_once", [2**16, 1])
def test_words_seen_once_are_rare_however_often_their_sentence_is_read(tags, tokens_at_once, monkeypatch):
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", tokens_at_once)
    training_set = training_set_of(*counting("Ada knows Bo well", "Ada knows Cleo Cleo"), tags=tags)
    words = WordVocabulary.fit(counting("Ada knows Bo well", "Ada knows Cleo Cleo"))
    assert training_set.rare_words == set(words.ids(["Bo", "well"]))


def test_words_that_are_unknown_anyway_are_not_rare_and_lower_case_is_counted_together():
    assert training_set_of(*counting("Ada ada knows Bo"), lowercase=True).rare_words == {2, 3}  # the words are ada, bo, knows
    assert training_set_of(*counting("Ada Ada knows Bo"), min_count=2).rare_words == set()


# ---- notes


def related(*types: str) -> Sentence:
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    return Sentence("s", ("Ada", "runs", "Acme"), entities, tuple(Relation(0, 1, name) for name in types))


NOTE = "3 training relations are further ones of their pair: the losses of this model learn one relation a pair"


def test_further_relations_of_a_pair_are_counted_for_the_user():
    group = [related("runs", "owns", "founded"), related("runs"), related("owns", "runs"), related()]
    assert training_set_of(*group).notes == [NOTE]
    assert training_set_of(*group, tags="pair").notes == [NOTE]
    assert training_set_of(related("runs", "runs"), related("owns")).notes == []  # the same relation twice is one


def test_a_model_that_learns_from_every_relation_has_nothing_to_note(monkeypatch):
    monkeypatch.setattr(MultiTaskCNN, "SEVERAL_LABELS", True)
    assert training_set_of(related("runs", "owns")).notes == []


@pytest.mark.parametrize("name", ["multitask_cnn", "type_prior", "sptree"])
def test_the_loss_decides_whether_every_relation_is_learned(name):
    options = {"directions": "one"} if name == "sptree" else {}
    for loss, notes in (("atloss", 0), ("multilabel_cross_entropy", 0), ("cross_entropy", 1), ("ranking", 1), ("both", 1)):
        section = ModelSection(name=name, preset=None, classification=loss, **options)
        training_set = make_training_set(RunConfig(model=section), [replace(related("runs", "owns"), syntax=forest("abc", "s"))])
        assert len(training_set.notes) == notes
        assert sorted(training_set.examples[0].labels) == [(0, 0), (0, 1)]
