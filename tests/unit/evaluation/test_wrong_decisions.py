"""What is wrong with a prediction, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relsift.evaluation.scores import evaluate
from relsift.evaluation.wrong_decisions import wrong_decisions, wrong_entities_in_words
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


# ---- predicted entities: the two sides have their own

GOLD = Sentence(
    "s", ("Ada", "Holm", "runs", "Zed", "in", "Oslo"), (Entity(0, 2, "PER"), Entity(3, 4, "ORG"), Entity(5, 6, "LOC")),
    (Relation(0, 1, "runs"),),
)  # fmt: skip


def found(*entities: Entity, relations: tuple[Relation, ...] = ()) -> Sentence:
    return replace(GOLD, entities=entities, relations=relations)


@pytest.mark.parametrize(
    ("predicted", "direction", "expected"),
    [
        (found(Entity(3, 4, "ORG")), "directed", ["missed: runs(Ada Holm [PER] → Zed [ORG]); span: an entity's span differs"]),
        (
            found(Entity(3, 4, "LOC"), Entity(0, 2, "PER"), relations=(Relation(1, 0, "runs", 0.5),)),
            "directed",
            [
                "missed: runs(Ada Holm [PER] → Zed [ORG]); type: an entity's type differs",
                "spurious: runs(Ada Holm [PER] → Zed [LOC]) (score 0.50); type: an entity's type differs",
            ],
        ),
        (
            found(*GOLD.entities[::-1], relations=(Relation(1, 0, "in", 2.0),)),
            "undirected",
            [
                "missed: runs(Ada Holm [PER] → Zed [ORG]); pair: entities right, pair related on one side only",
                "spurious: in(Zed [ORG] → Oslo [LOC]) (score 2.00); pair: entities right, pair related on one side only",
            ],
        ),
        (
            found(*GOLD.entities, relations=(Relation(0, 1, "owns", 1.0),)),
            "directed",
            [
                "wrong type: owns instead of runs(Ada Holm [PER] → Zed [ORG]) (score 1.00); "
                "relation: entities right, other relation or reversed"
            ],
        ),
    ],
)
def test_a_wrong_decision_between_predicted_entities_names_them_and_its_cause(predicted, direction, expected):
    decisions = wrong_decisions(GOLD, predicted, direction, "predicted", "strict")
    assert sorted(map(str, decisions)) == expected
    assert len(decisions) == evaluate([GOLD], [predicted], direction=direction, entities="predicted").errors.total


def test_with_boundaries_a_wrong_type_is_no_error():
    predicted = found(Entity(0, 2, "ORG"), Entity(3, 4, "LOC"), relations=(Relation(0, 1, "runs", 0.5),))
    assert wrong_decisions(GOLD, predicted, "directed", "predicted", "boundaries") == []


def test_wrong_entities_are_named_with_both_types():
    predicted = found(Entity(0, 2, "ORG"), Entity(2, 4, "ORG"), Entity(4, 5, "LOC"))
    assert wrong_entities_in_words(GOLD, predicted, "strict") == [
        "wrong entity type: Ada Holm [ORG] instead of Ada Holm [PER]",
        "wrong entity span: runs Zed [ORG] instead of Zed [ORG]",
        "missed entity: Oslo [LOC]",
        "spurious entity: in [LOC]",
    ]
    assert wrong_entities_in_words(GOLD, predicted, "boundaries")[1:] == ["missed entity: Oslo [LOC]", "spurious entity: in [LOC]"]
    assert wrong_entities_in_words(GOLD.with_relations(None), predicted, "strict") == []
