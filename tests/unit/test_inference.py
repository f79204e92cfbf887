"""Scores reach the pair they belong to, in the order that was asked; a stream is predicted in blocks, up to the place where it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.encoding.units import Unit
from relsift.errors import DataError, ShapeError
from relsift.inference import STAGES, InferenceReport, Scorer, predict, score
from relsift.models.base.model import ModelConfig, RelationModel
from relsift.schema import Entity, Sentence
from toy import long_sentence, one_token, sentences

LABELS = ("based_in", "lives_in", "works_for")
LONELY = Sentence("lonely", ("Ada", "left"), (Entity(0, 1, "PER"),), ())
GROUP = [long_sentence(14, 5, 1), LONELY, *sentences(3), one_token(), long_sentence(9, 4, 2)]


class Places(RelationModel[Batch]):
    """The scores of a pair spell where it stands: start of its head, start of its tail, tokens of its sentence."""

    Config = ModelConfig
    READS = frozenset({"spans"})

    def __init__(self, encoding: Encoding) -> None:
        super().__init__(ModelConfig(), encoding)
        self.weight = nn.Parameter(torch.zeros(1))
        self.batches: list[int] = []

    @property
    def paper_threshold(self) -> float:
        return 0.0

    def forward(self, batch: Batch) -> Batch:
        self.batches.append(len(batch.pairs))
        return batch

    def loss(self, output: Batch, batch: Batch) -> dict[str, Tensor]:
        return {"none": self.weight.sum()}

    def scores(self, output: Batch) -> Tensor:
        start, pairs = output.entities.span[:, 0], output.pairs
        return torch.stack([start[pairs.head], start[pairs.tail], output.lengths[pairs.sentence]], dim=1).double()


def scorer(unit: Unit = "sentence", **candidates: int) -> Scorer:
    encoding = Encoding.fit(sentences(8), reads={"spans"}, unit=unit)
    assert encoding.labels == LABELS
    return Scorer(Places(encoding).train(), encoding, Candidates(**candidates))


@pytest.mark.parametrize("unit", ["sentence", "pair", "head"])
@pytest.mark.parametrize("at_once", [1, 5, 8192])
def test_every_score_reaches_its_pair_whatever_the_batches_are(unit: Unit, at_once: int, monkeypatch):
    monkeypatch.setattr("relsift.inference.BATCH_PAIRS", at_once)
    scoring = scorer(unit)
    report = InferenceReport()
    scored = score(scoring, GROUP, report)
    assert [s.sentence for s in scored] == GROUP
    for sentence, result in zip(GROUP, scored):
        assert result.pairs == Candidates().pairs(sentence)
        starts = [entity.start for entity in sentence.entities]
        wanted = [[starts[pair.head], starts[pair.tail], len(sentence.tokens)] for pair in result.pairs]
        assert result.scores.tolist() == wanted
        assert (result.scores.dtype, result.scores.shape) == (np.float32, (len(wanted), 3))
    assert isinstance(scoring.model, Places)
    assert sum(scoring.model.batches) == sum(len(result.pairs) for result in scored) == report.candidates.kept
    assert (len(scoring.model.batches) > 1) is (at_once < 8192)
    assert report.sentences == len(GROUP)
    assert not scoring.model.training


@pytest.mark.parametrize("wrong", [lambda scores: scores[:, :1], lambda scores: scores[0], lambda scores: scores[:-1]])
def test_scores_of_another_shape_are_refused(wrong, monkeypatch):
    scores = Places.scores
    monkeypatch.setattr(Places, "scores", lambda self, output: wrong(scores(self, output)))
    with pytest.raises(ShapeError, match=r"^Places\.scores: expected \(pairs, relation types\) = \(6, 3\), got \("):
        score(scorer(), sentences(1))


def test_nothing_to_score_is_no_batch():
    scoring = scorer()
    assert score(scoring, []) == []
    [alone] = score(scoring, [LONELY])
    assert (alone.pairs, alone.scores.shape) == ([], (0, 3))
    assert isinstance(scoring.model, Places)
    assert scoring.model.batches == []


def test_types_that_training_did_not_have_are_counted_once_an_entity():
    strange = replace(LONELY, entities=(Entity(0, 1, "ALIEN"), Entity(1, 2, "PER")))
    report = InferenceReport()
    score(scorer("pair"), [strange, replace(LONELY, tagged=(Entity(0, 1, "ALIEN"),)), LONELY], report)
    assert report.unseen_types == {"ALIEN": 2}
    assert report.lines() == ["entity types never seen in training, tagged as no entity: ALIEN (2)"]


def test_a_stream_is_predicted_in_blocks_and_in_order(monkeypatch):
    monkeypatch.setattr("relsift.inference.SENTENCES_AT_ONCE", 3)
    read: list[str] = []

    def stream() -> Iterator[Sentence]:
        for sentence in GROUP:
            read.append(sentence.id)
            yield sentence

    scoring, decision = scorer(max_distance=3), Decision(threshold=7.0)
    predicted = predict(scoring, decision, stream())
    first = next(predicted)
    assert len(read) == 3  # no more than a block is read ahead
    whole = [first, *predicted]
    assert whole == [decision.decide(result, LABELS) for result in score(scoring, GROUP)]
    assert [s.id for s in whole] == read == [s.id for s in GROUP]
    assert {len(s.relations or ()) > 0 for s in whole} == {True, False}


@pytest.mark.parametrize(("most", "parts"), [(1, [1] * 7), (20, [2, 4, 1]), (10_000, [7])])
def test_sentences_of_many_entities_are_scored_a_few_at_once(most: int, parts: list[int], monkeypatch):
    scoring, decision, asked = scorer(), Decision(threshold=7.0), list[int]()
    expected = decision.decide_all(score(scoring, GROUP), LABELS)

    def counted(scorer: Scorer, sentences: Sequence[Sentence], *arguments: object, **named: None) -> list[Scored]:
        asked.append(len(sentences))
        return score(scorer, sentences)

    monkeypatch.setattr("relsift.inference.score", counted)
    monkeypatch.setattr("relsift.inference.PAIRS_AT_ONCE", most)
    assert list(predict(scoring, decision, GROUP)) == expected
    assert asked == parts


@pytest.mark.parametrize("good", [0, 2, 3, 4])
def test_what_was_read_before_a_broken_place_is_predicted_first(good: int, monkeypatch):
    monkeypatch.setattr("relsift.inference.SENTENCES_AT_ONCE", 3)

    def stream() -> Iterator[Sentence]:
        yield from GROUP[:good]
        raise DataError("line 5: broken")

    predicted: list[Sentence] = []
    with pytest.raises(DataError, match="line 5: broken"):
        for sentence in predict(scorer(), Decision(), stream()):
            predicted.append(sentence)
    assert [s.id for s in predicted] == [s.id for s in GROUP[:good]]


def test_every_stage_is_timed_and_the_shares_add_up():
    report = InferenceReport()
    list(predict(scorer(), Decision(), GROUP, report))
    assert set(report.seconds) == set(STAGES)
    assert report.seconds["encoding"] > 0 and report.seconds["model"] > 0
    report.seconds.update(reading=1.0, encoding=2.0, model=4.0, writing=1.0)
    assert report.shares() == "reading 12 %, entities 0 %, encoding 25 %, model 50 %, writing 12 %"


def test_a_result_keeps_the_relations_its_sentence_came_with():
    [result] = score(scorer(), [GROUP[2]])
    assert isinstance(result, Scored)
    assert result.sentence.relations == GROUP[2].relations != ()
