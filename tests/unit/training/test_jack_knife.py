"""Pairs of found entities: who finds them, what is kept, and what a pipeline learns from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch

from relsift.bundle import build
from relsift.candidates import Candidates
from relsift.config import RunConfig, load_config
from relsift.encoding.batch import collate
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError, DataError
from relsift.inference import Scorer
from relsift.models.pipeline import PipelineConfig
from relsift.schema import Entity, Relation, Sentence
from relsift.training.jack_knife import FOLDS, FOUND_FILE, found_by_jack_knife
from relsift.training.loop import train
from relsift.training.training_set import make_training_set, with_found_pairs
from toy import encoding, randomise, sentences
from toy_joint import ToyJoint, ToyJointConfig

TRAINING, DEVELOPMENT = sentences(20, seed=1), sentences(12, seed=2)
OPTIONS = PipelineConfig.tiny().to_dict() | {"name": "pipeline", "preset": None}


def config_of(**training: Any) -> RunConfig:
    values = {"epochs": 1, "threads": 1, "batch_pairs": 24, "learning_rate": 0.01, **training}
    return RunConfig.model_validate({"model": OPTIONS, "training": values})


class Trainings:
    """Stands for training: remembers what each model saw, and returns one whose words all stand for a person."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.configs: list[RunConfig] = []

    def __call__(self, training: Any, config: RunConfig) -> Scorer:
        self.seen.append([sentence.id for sentence in training])
        self.configs.append(config)
        known = encoding()
        model = ToyJoint(ToyJointConfig(), known)
        model.words.weight.data[:, known.types.id("PER")] = 9.0
        return Scorer(model, known, Candidates())


def test_no_sentence_is_read_by_a_model_that_saw_its_document():
    documents = [replace(sentence, doc_id=f"document-{number // 2}") for number, sentence in enumerate(TRAINING)]
    trainings = Trainings()
    found = found_by_jack_knife(config_of(pair_entities="both"), documents, trainings, None, resume=False)
    assert [sentence.id for sentence in found.sentences] == [sentence.id for sentence in documents]
    assert len(trainings.seen) == FOLDS
    held_out = [{s.id for s in documents} - set(seen) for seen in trainings.seen]
    assert sorted(Counter(key for those in held_out for key in those).values()) == [1] * len(documents)  # each once
    partners = {s.id: {other.id for other in documents if other.doc_id == s.doc_id} for s in documents}
    assert all(partners[key] <= those for those in held_out for key in those)


def test_the_models_of_the_folds_learn_from_annotated_entities_and_without_a_teacher():
    trainings = Trainings()
    found_by_jack_knife(config_of(pair_entities="both", seed=3), TRAINING, trainings, None, resume=False)
    assert {(c.training.pair_entities, c.training.teacher, c.training.seed) for c in trainings.configs} == {("gold", None, 3)}


def test_the_entity_f1_counts_span_and_type():
    found = found_by_jack_knife(config_of(pair_entities="both"), TRAINING, Trainings(), None, resume=False)
    gold = [(s.id, e.start, e.end, e.type) for s in TRAINING for e in s.entities]
    read = [(s.id, e.start, e.end, e.type) for s in found.sentences for e in s.entities]
    right = len(set(gold) & set(read))
    assert 0 < right < len(gold)
    assert found.entity_f1 == pytest.approx(2 * right / (len(gold) + len(read)))


def test_every_fold_is_told_when_it_is_done_also_one_that_an_interrupted_run_left(tmp_path):
    told: list[tuple[int, int, bool]] = []

    def on_fold(number: int, count: int, seconds: float | None) -> None:
        told.append((number, count, seconds is None))

    for resume in (False, True):
        found_by_jack_knife(config_of(pair_entities="both"), TRAINING, Trainings(), tmp_path, resume=resume, on_fold=on_fold)
    assert told == [(fold + 1, FOLDS, kept) for kept in (False, True) for fold in range(FOLDS)]


def test_fewer_documents_than_folds_are_refused():
    with pytest.raises(DataError, match=r"training\.pair_entities: expected training sentences of at least 5 documents, one a fold, got 4"):
        found_by_jack_knife(config_of(pair_entities="both"), sentences(4), Trainings(), None, resume=False)


def test_an_interrupted_jack_knife_goes_on_with_the_next_fold(tmp_path):
    config = config_of(pair_entities="both")
    whole = found_by_jack_knife(config, TRAINING, Trainings(), tmp_path, resume=False)
    (tmp_path / FOUND_FILE.format(4)).unlink()
    (tmp_path / FOUND_FILE.format(5)).write_text('{"sentences": [')  # cut off
    again = Trainings()
    assert found_by_jack_knife(config, TRAINING, again, tmp_path, resume=True) == whole
    assert len(again.seen) == 2
    fresh = Trainings()
    found_by_jack_knife(config, TRAINING, fresh, tmp_path, resume=False)
    assert len(fresh.seen) == FOLDS


OTHERS = [replace(TRAINING[0], entities=TRAINING[0].entities[:2]), *TRAINING[1:]]


@pytest.mark.parametrize(("options", "sentences_now"), [({"epochs": 2}, TRAINING), ({}, OTHERS)])
def test_what_was_found_under_other_options_or_in_other_data_is_found_anew(options, sentences_now, tmp_path):
    found_by_jack_knife(config_of(pair_entities="both"), TRAINING, Trainings(), tmp_path, resume=False)
    again = Trainings()
    found_by_jack_knife(config_of(pair_entities="both", **options), sentences_now, again, tmp_path, resume=True)
    assert len(again.seen) == FOLDS


def a_sentence_and_what_was_found() -> tuple[Sentence, Sentence]:
    """Ada works for Acme in Oslo: found are both ends of the relation, and Oslo as a person."""
    words = ("Ada", "joined", "Acme", "in", "Oslo")
    gold = Sentence("s", words, (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "LOC")), (Relation(0, 1, "works_for"),))
    return gold, replace(gold, entities=(*gold.entities[:2], Entity(4, 5, "PER")))


def pairs_of(example: Any) -> list[tuple[int, int]]:
    return list(zip(example.heads, example.tails))


def test_pairs_of_found_entities_come_beside_those_of_annotated_ones_or_in_their_place():
    gold, found = a_sentence_and_what_was_found()
    annotated, read = [gold, *TRAINING], [found, *TRAINING]
    config = config_of()
    rule = config.candidates
    plain = make_training_set(config, annotated)
    beside = with_found_pairs(plain, read, rule, in_place=False)
    assert beside.groups[: len(plain.groups)] == plain.groups
    (only,) = beside.groups[len(plain.groups) :]  # nothing else was found in the other sentences: they are not counted twice
    assert (only[0].annotated, beside.sentences[beside.sentence_of[-1]]) == (False, found)
    assert (0, 1) in pairs_of(only[0]) and [pairs_of(only[0])[pair] for pair, _ in only[0].labels] == [(0, 1)]

    in_place = with_found_pairs(plain, read, rule, in_place=True)
    assert not any(pairs_of(example) for group in in_place.groups[: len(plain.groups)] for example in group)
    added = in_place.groups[len(plain.groups) :]
    assert [pairs_of(group[0]) for group in added[1:]] == [pairs_of(group[0]) for group in plain.groups[1:]]
    assert not any(example.annotated for group in added for example in group)


def test_the_pipeline_does_not_learn_the_entities_that_were_found_and_learns_their_pairs():
    known = encoding()
    model = build("pipeline", PipelineConfig.tiny().to_dict(), known).eval()
    randomise(model, scale=0.3)
    gold, found = a_sentence_and_what_was_found()
    candidates = Candidates()
    (one,), (other,) = (examples_of(sentence, candidates.pairs(sentence), known) for sentence in (gold, found))
    alone = collate([one], known)
    both = collate([one, replace(other, annotated=False)], known)
    apart = model.loss(model(alone), alone)
    together = model.loss(model(both), both)
    assert both.annotated is not None and both.annotated.tolist() == [True, False]
    torch.testing.assert_close(together["entities"], apart["entities"])
    assert not torch.isclose(together["atloss"], apart["atloss"])
    none_annotated = collate([replace(other, annotated=False)], known)
    assert model.loss(model(none_annotated), none_annotated)["entities"] == 0


@pytest.mark.parametrize("name", ["multitask_cnn", "spert"])
def test_models_that_do_not_learn_from_found_entities_refuse_them(name):
    options = ["training.pair_entities=both", *(["encoding.encoder=x"] if name == "spert" else [])]
    config = load_config(model=name, overrides=options)
    with pytest.raises(ConfigError, match=rf"training\.pair_entities: expected gold, for {name}, which does not learn from .*got 'both'"):
        train(config, TRAINING, DEVELOPMENT)


@pytest.mark.parametrize("wanted", ["predicted", "both"])
def test_training_on_found_entities_reports_them_and_resumes(wanted, tmp_path):
    config = config_of(pair_entities=wanted, epochs=2)
    whole = train(config, TRAINING, DEVELOPMENT, state_folder=tmp_path)
    assert any("entities found by jack-knife in 20 training sentences: entity F1" in note for note in whole.notes)
    resumed = train(config, TRAINING, DEVELOPMENT, state_folder=tmp_path, resume=True)
    assert resumed.state.history == whole.state.history
