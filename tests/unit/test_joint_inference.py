"""Finding entities and relating them: prediction, training and bundles of joint models, with one of a few weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relsift import registry
from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.config import load_config
from relsift.decisions.decision import Decision
from relsift.errors import ConfigError, DataError
from relsift.evaluation.entities import evaluate_entities
from relsift.extractor import RelationExtractor
from relsift.inference import Ensemble, InferenceReport, Scorer, find_entities, predict, score
from relsift.schema import Entity, Relation, Sentence
from relsift.streaming.predict import predict_documents
from relsift.training.loop import train
from relsift.training.predicting import predict_all, score_bundle
from toy import encoding, randomise, sentences
from toy_joint import ToyJoint

ONE_WORD = [  # whose entities the toy can find
    Sentence("a", ("Ada", "joined", "Acme", "."), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("b", ("Acme", "moved", "to", "Oslo"), (Entity(3, 4, "LOC"), Entity(0, 1, "ORG")), (Relation(1, 0, "based_in"),)),
    Sentence("c", ("Bo", "settled", "in", "Riga"), (Entity(0, 1, "PER"), Entity(3, 4, "LOC")), (Relation(0, 1, "lives_in"),)),
    Sentence("d", ("Bo", "slept"), (Entity(0, 1, "PER"),), ()),
    Sentence("e", ("It", "rained", "."), (), ()),
]
KINDS = {"Ada": "PER", "Bo": "PER", "Acme": "ORG", "Oslo": "LOC", "Riga": "LOC"}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(registry.MODELS, "toy_joint", "toy_joint:ToyJoint")
    registry.table.cache_clear()
    yield
    registry.table.cache_clear()


def config(**training: object):
    overrides = [f"training.{name}={value}" for name, value in training.items()]
    return load_config(model="toy_joint", overrides=overrides)


@pytest.fixture
def trained() -> Bundle:
    return train(config(), ONE_WORD, ONE_WORD).bundle


def scorer(seed: int = 0) -> Scorer:
    known = encoding()
    model = build("toy_joint", {}, known)
    randomise(model, seed, scale=1.0)
    return Scorer(model.eval(), known, Candidates(direction="directed"))


def keys(sentence: Sentence) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.type) for entity in sentence.entities]


def bare(sentence: Sentence) -> Sentence:
    return replace(sentence, entities=(), relations=None)


def test_training_learns_entities_and_relations_and_reports_both(trained):
    scores, report = score_bundle(trained, ONE_WORD)
    assert scores.micro.f1 == 1.0
    assert scores.setting["entities"] == "predicted"
    assert report.sentences == len(ONE_WORD)
    predicted, _ = predict_all(trained, ONE_WORD)
    assert evaluate_entities(ONE_WORD, predicted).micro.f1 == 1.0


def test_history_holds_the_f1_of_entities():
    history = train(config(epochs=2), ONE_WORD, ONE_WORD).state.history
    assert all(0 <= record["dev_entity_f1"] <= 1 for record in history)


def test_sentences_without_pairs_are_trained_on():
    lonely = [*ONE_WORD[:3], *[Sentence(f"z{number}", ("Zoe", "slept"), (Entity(0, 1, "PER"),), ()) for number in range(4)]]
    bundle = train(config(), lonely, ONE_WORD).bundle
    (found,) = find_entities(bundle.scorer, [Sentence("new", ("Zoe", "slept"))])
    assert keys(found) == [(0, 1, "PER")]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_no_batch_has_more_sentences_than_batch_sentences(accumulate, monkeypatch):
    seen = []
    read = ToyJoint.read
    monkeypatch.setattr(ToyJoint, "read", lambda self, batch: seen.append(len(batch.lengths)) or read(self, batch))
    train(config(epochs=1, batch_sentences=2, accumulate=accumulate), ONE_WORD, ONE_WORD)
    assert seen[:3] == [2, 2, 1]  # the training part; then the development part in one batch
    assert max(seen[3:]) == len(ONE_WORD)


def test_found_entities_do_not_depend_on_those_that_the_sentence_has(trained):
    with_entities, without = (find_entities(trained.scorer, part) for part in (ONE_WORD, [bare(s) for s in ONE_WORD]))
    assert [keys(s) for s in with_entities] == [keys(s) for s in without]
    assert all(entity.score is not None for s in without for entity in s.entities)


def test_found_entities_are_in_text_order_and_keep_annotated_relations(trained):
    (found,) = find_entities(trained.scorer, [ONE_WORD[1]])
    assert keys(found) == [(0, 1, "ORG"), (3, 4, "LOC")]
    assert found.relations == (Relation(0, 1, "based_in"),)


def test_a_relation_whose_entity_is_not_found_is_no_label_of_a_pair(trained):
    unseen = Sentence("u", ("Nobody", "joined", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),))
    (scored,) = score(trained.scorer, [unseen])
    assert keys(scored.sentence) == [(2, 3, "ORG")]
    assert scored.sentence.relations == () and scored.pairs == []
    scores, _ = score_bundle(trained, [unseen])
    assert scores.per_type["works_for"].false_negative == 1


def test_annotated_sentences_get_the_labels_of_their_pairs_and_others_none(trained):
    scored = score(trained.scorer, [ONE_WORD[0], bare(ONE_WORD[0])])
    assert [pair.types for pair in scored[0].pairs] == [("works_for",)]
    assert [pair.types for pair in scored[1].pairs] == [()]
    np.testing.assert_array_equal(scored[0].scores, scored[1].scores)


def test_pairs_of_given_entities_score_as_those_of_the_same_found_ones(trained):
    given, found = (score(trained.scorer, ONE_WORD, entities=which) for which in ("gold", "predicted"))
    for one, other in zip(given, found):
        assert len(one.pairs) == len(other.pairs)
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6)


def test_batches_and_order_change_nothing():
    many = sentences(30)
    one = scorer()
    together = score(one, [bare(s) for s in many])
    for sentence, expected in zip(many, together):
        (alone,) = score(one, [bare(sentence)])
        assert keys(alone.sentence) == keys(expected.sentence)
        np.testing.assert_allclose(alone.scores, expected.scores, rtol=1e-5, atol=1e-6)
    assert any(len(scored.pairs) for scored in together)


def test_predicted_entities_of_a_model_that_finds_none_are_refused():
    known = encoding()
    pair_model = Scorer(build("type_prior", {}, known), known, Candidates(direction="directed"))
    with pytest.raises(ConfigError, match="finds no entities"):
        score(pair_model, ONE_WORD, entities="predicted")
    assert not pair_model.finds_entities


def test_an_ensemble_finds_what_most_members_find_and_takes_mean_scores():
    members = tuple(scorer(seed) for seed in (1, 2, 3))
    ensemble = Ensemble(members)
    many = [bare(s) for s in sentences(20)]
    votes = [find_entities(member, many) for member in members]
    agreed = find_entities(ensemble, many)
    for number, found in enumerate(agreed):
        counts = [key for vote in votes for key in keys(vote[number])]
        assert keys(found) == sorted({key for key in counts if counts.count(key) > 1}), number
    assert sum(len(found.entities) for found in agreed) > 10
    entity = next(entity for found in agreed for entity in found.entities)
    number = next(number for number, found in enumerate(agreed) if found.entities)
    theirs = [e.score for vote in votes for e in vote[number].entities if replace(e, score=None) == replace(entity, score=None)]
    assert entity.score == pytest.approx(np.mean(theirs))
    report = InferenceReport()
    scored = score(ensemble, many, report)
    expected = [score(member, agreed, entities="gold") for member in members]
    for number, one in enumerate(scored):
        np.testing.assert_allclose(one.scores, np.mean([those[number].scores for those in expected], axis=0), rtol=1e-5)
    assert report.sentences == len(many)
    assert report.candidates.kept == sum(len(one.pairs) for one in scored)


def test_prediction_of_an_unannotated_stream_gives_entities_and_relations(trained):
    (first, *_) = list(predict(trained.scorer, trained.decision, [bare(s) for s in ONE_WORD]))
    assert keys(first) == [(0, 1, "PER"), (2, 3, "ORG")]
    assert [(r.head, r.tail, r.type) for r in first.relations] == [(0, 1, "works_for")]


def test_a_saved_joint_model_finds_the_same(trained, tmp_path):
    trained.save(tmp_path / "model")
    again = RelationExtractor.from_pretrained(tmp_path / "model")
    assert again.finds_entities
    assert again.predict(ONE_WORD) == list(predict(trained.scorer, trained.decision, ONE_WORD))


def test_the_extractor_takes_text_without_entities(trained):
    document = RelationExtractor(trained)({"text": "Ada joined Acme."})
    (sentence,) = document.sentences
    assert [sentence.text_of(entity) for entity in sentence.entities] == ["Ada", "Acme"]
    assert [relation.type for relation in sentence.relations] == ["works_for"]


def test_the_extractor_relates_given_entities_where_asked(trained):
    entities = [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "ORG"}]
    item = {"tokens": ["Nobody", "joined", "Acme"], "entities": entities}
    (given,) = RelationExtractor(trained).predict([item], entities="gold")
    assert [relation.type for relation in given.relations] == ["works_for"]
    (found,) = RelationExtractor(trained).predict([item])
    assert keys(found) == [(2, 3, "ORG")]
    with pytest.raises(DataError, match="entities"):
        RelationExtractor(trained).predict([{"text": "Ada joined Acme."}], entities="gold")


def test_documents_of_a_stream_keep_their_sentences(trained):
    from relsift.schema import Document

    documents = [Document("one", tuple(ONE_WORD[:2])), Document("none", ()), Document("two", tuple(ONE_WORD[2:]))]
    predicted = list(predict_documents(RelationExtractor(trained), documents, report=InferenceReport()))
    assert [(document.id, len(document.sentences)) for document in predicted] == [("one", 2), ("none", 0), ("two", 3)]


def test_the_threshold_decides_over_found_entities(trained):
    strict = replace(trained, decision=Decision(threshold=1e6))
    assert all(not sentence.relations for sentence in predict_all(strict, ONE_WORD)[0])


def test_a_view_of_the_tags_that_needs_the_pair_is_refused():
    with pytest.raises(ConfigError, match=r"encoding\.tags"):
        train(load_config(model="toy_joint", overrides=["encoding.tags=pair"]), ONE_WORD, ONE_WORD)


def test_while_nothing_is_found_the_last_epoch_is_kept_and_said():
    result = train(config(epochs=3, patience=2, learning_rate=1e-9), ONE_WORD, ONE_WORD)
    assert [record["dev_f1"] for record in result.state.history] == [0.0] * 3
    assert result.state.best_epoch == 3
    assert any("train longer" in line for line in result.notes)


def test_another_word_for_whose_entities_is_refused(trained):
    with pytest.raises(ConfigError, match=r"entities: expected gold or predicted, got 'Predicted'"):
        RelationExtractor(trained).predict(ONE_WORD, entities="Predicted")


def test_a_model_that_finds_entities_takes_a_bare_text_and_says_what_else_it_takes(trained):
    rx = RelationExtractor(trained)
    [found] = rx("Ada joined Acme .").relations
    assert (found.head.text, found.type, found.tail.text) == ("Ada", "works_for", "Acme")
    assert rx.predict(["Ada joined Acme ."]) == [*rx({"text": "Ada joined Acme ."}).sentences]
    with pytest.raises(DataError, match=r'^item 0: expected a text, .* such as \{"text": .* got int$'):
        rx.predict([3])
    with pytest.raises(DataError, match=r"^items: expected a list of items, got one str; put it into a list"):
        rx.predict("Ada joined Acme .")


def test_a_view_of_the_tags_that_the_model_does_not_read_is_noted():
    notes = train(load_config(model="toy_joint", overrides=["encoding.tags=random", "training.epochs=1"]), ONE_WORD, ONE_WORD).notes
    assert "encoding.tags=random changes nothing: toy_joint reads no tags with these options" in notes
