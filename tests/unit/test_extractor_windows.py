"""Prediction with a model that reads several sentences together."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.errors import ConfigError, DataError
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport, Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.streaming.predict import predict_documents
from toy import encoding, randomise

KNOWN = encoding()


def extractor(window: int) -> RelationExtractor:
    """Takes every pair as related, in one direction."""
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(model, 0)
    rule = Candidates(direction="undirected", window=window)
    return RelationExtractor(Bundle("multitask_cnn", Scorer(model.eval(), KNOWN, rule), Decision(threshold=-1e9)))


def people(number: int, *names: str, relations: tuple[Relation, ...] | None = None) -> Sentence:
    entities = tuple(Entity(n, n + 1, "PER") for n in range(len(names)))
    return Sentence(f"d-{number}", (*names, "."), entities, relations, "d")


DOCUMENT = Document("d", (people(0, "Ada", "Bo"), people(1, "Cleo"), people(2, "Dan")))


def ends(document: Document) -> list[tuple[str, str]]:
    return [(relation.head.text, relation.tail.text) for relation in document.relations]


def test_relations_within_and_across_sentences_are_found_and_placed():
    result = extractor(2)(DOCUMENT)
    assert [s.tokens for s in result.sentences] == [s.tokens for s in DOCUMENT.sentences]
    assert ends(result) == [("Ada", "Bo"), ("Ada", "Cleo"), ("Bo", "Cleo"), ("Cleo", "Dan")]
    assert [(r.head, r.tail) for r in result.across] == [((0, 0), (1, 0)), ((0, 1), (1, 0)), ((1, 0), (2, 0))]
    assert all(r.score is not None for r in result.across)
    assert [r.is_across for r in result.relations] == [False, True, True, True]
    assert ends(extractor(1)(DOCUMENT)) == [("Ada", "Bo")]


def test_a_text_keeps_its_offsets_and_its_relations_theirs():
    text = "Ada left. Bo came."
    entities = [{"start": 0, "end": 3, "type": "PER"}, {"start": 10, "end": 12, "type": "PER"}]
    result = extractor(2)({"text": text, "entities": entities})
    (relation,) = result.relations
    assert (result.text, relation.head.start, relation.tail.start, relation.tail.end) == (text, 0, 10, 12)


def test_annotation_does_not_change_what_is_read_together():
    half = (people(0, "Ada", "Bo", relations=(Relation(0, 1, "x"),)), *DOCUMENT.sentences[1:])
    annotated = Document("d", half, across=(RelationAcross((0, 0), (2, 0), "x"),))
    assert extractor(2)(annotated) == extractor(2)(DOCUMENT)


def test_streams_of_documents_have_them_and_streams_of_sentences_say_what_they_lack():
    rx, report = extractor(3), InferenceReport()
    (result,) = predict_documents(rx, iter([DOCUMENT]), report=report)
    assert result == rx(DOCUMENT) and Counter(r.distance for r in result.across) == {1: 3, 2: 2}
    assert (report.sentences, report.candidates.kept, report.relations) == (3, 6, 6)  # every pair is taken
    with pytest.warns(UserWarning, match="left out: 5 relations across sentences, which documents hold"):
        sentences = rx.predict([DOCUMENT])
    assert tuple(sentences) == result.sentences
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extractor(1).predict([DOCUMENT])


def test_what_is_made_for_single_sentences_refuses_a_window():
    rx = extractor(2)
    with pytest.raises(DataError, match="expected a relation within a sentence, got one across sentences"):
        rx.explain(rx(DOCUMENT).relations[1])
    with pytest.raises(ConfigError, match="expected a model that reads single sentences, got one with a window of 2 sentences"):
        next(rx.scored([DOCUMENT]))
