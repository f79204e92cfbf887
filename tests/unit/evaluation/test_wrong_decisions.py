"""What is wrong with a prediction, in words."""

from __future__ import annotations

import pytest

from relsift.evaluation.scores import evaluate
from relsift.evaluation.wrong_decisions import wrong_decisions
from relsift.schema import Entity, Relation, Sentence

PLAIN = Sentence("s", ("Ada", "runs", "Zed", "."), (Entity(2, 3, "ORG"), Entity(0, 1, "PER")), ())  # listed against text order


def lines_of(gold, predicted, direction):
    return [str(decision) for decision in wrong_decisions(PLAIN.with_relations(gold), PLAIN.with_relations(predicted), direction)]


@pytest.mark.parametrize("direction", ["directed", "undirected"])
def test_every_wrong_decision_is_said_in_words_and_counted_as_in_the_scores(direction):
    gold = [Relation(1, 0, "runs"), Relation(1, 0, "owns")]  # two relations of one pair: neither is lost
    assert lines_of(gold, [], direction) == ["missed: owns(Ada → Zed)", "missed: runs(Ada → Zed)"]
    assert lines_of([], [Relation(1, 0, "runs", 1.25)], direction) == ["spurious: runs(Ada → Zed) (score 1.25)"]
    assert lines_of(gold[:1], [Relation(1, 0, "owns", 0.5)], direction) == ["wrong type: owns instead of runs(Ada → Zed) (score 0.50)"]
    scores = evaluate([PLAIN.with_relations(gold)], [PLAIN.with_relations([])], direction=direction)
    assert scores.errors.total == 2


def test_a_reversed_relation_is_wrong_only_if_direction_counts():
    gold, predicted = [Relation(1, 0, "runs")], [Relation(0, 1, "runs", 1.0)]
    assert lines_of(gold, predicted, "undirected") == []
    assert sorted(lines_of(gold, predicted, "directed")) == ["missed: runs(Ada → Zed)", "spurious: runs(Zed → Ada) (score 1.00)"]


def test_a_sentence_nobody_annotated_has_no_wrong_decisions():
    assert wrong_decisions(PLAIN.with_relations(None), PLAIN.with_relations([Relation(0, 1, "runs", 1.0)]), "directed") == []
