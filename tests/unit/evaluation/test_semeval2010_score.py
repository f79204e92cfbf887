"""The official score of SemEval-2010 Task 8: by hand, and against the scorer's way of counting, written out from its definition."""

from __future__ import annotations

import random

import pytest

from relsift.errors import DataError
from relsift.evaluation.scores import PRF
from relsift.evaluation.semeval2010 import RELATIONS, OfficialScores, official_scores
from relsift.schema import Entity, Relation, Sentence

CAUSE, WHOLE, MESSAGE = "Cause-Effect", "Component-Whole", "Message-Topic"
OTHER = "Other"


def sentence(label: str | None, *others: Relation) -> Sentence:
    """`label` as the task writes it: Cause-Effect(e1,e2), Cause-Effect(e2,e1) or Other; None is not annotated."""
    entities = (Entity(0, 1, "Nominal"), Entity(2, 3, "Nominal"))
    if label is None:
        return Sentence("s", ("fire", "makes", "smoke"), entities)
    relations: tuple[Relation, ...] = ()
    if label != OTHER:
        name, _, order = label.partition("(")
        relations = (Relation(*((0, 1) if order == "e1,e2)" else (1, 0)), name, 0.5),)
    return Sentence("s", ("fire", "makes", "smoke"), entities, relations + others)


def score(*pairs: tuple[str, str]) -> OfficialScores:
    return official_scores([sentence(gold) for gold, _ in pairs], [sentence(answer) for _, answer in pairs])


def forth(name: str) -> str:
    return f"{name}(e1,e2)"


def back(name: str) -> str:
    return f"{name}(e2,e1)"


def prf(scores: OfficialScores, name: str) -> tuple[float, float, float]:
    values = scores.per_relation[name].prf
    return values.precision, values.recall, values.f1


def test_a_right_relation_in_the_wrong_direction_counts_against_both_precision_and_recall_of_its_own_relation():
    # Cause-Effect: gold 3, answered 3, correct 2 (the third has the wrong direction): P = R = F1 = 2/3.
    scores = score((forth(CAUSE), forth(CAUSE)), (back(CAUSE), back(CAUSE)), (forth(CAUSE), back(CAUSE)))
    assert prf(scores, CAUSE) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert scores.macro.f1 == pytest.approx(2 / 3 / 9)  # the other eight score 0


def test_both_directions_of_a_relation_share_one_row():
    # Gold 2 in one and 1 in the other direction; correct 2 of 3; answered 2: P 1, R 2/3, F1 0.8.
    scores = score((forth(WHOLE), forth(WHOLE)), (forth(WHOLE), OTHER), (back(WHOLE), back(WHOLE)))
    assert prf(scores, WHOLE) == pytest.approx((1.0, 2 / 3, 0.8))


def test_other_has_no_row_but_counts_against_the_relations():
    # Other answered as Cause-Effect: its precision is 1/2; Message-Topic answered as Other: its recall is 1/2; a right Other: nothing.
    scores = score(
        (forth(CAUSE), forth(CAUSE)), (OTHER, forth(CAUSE)), (back(MESSAGE), back(MESSAGE)), (back(MESSAGE), OTHER), (OTHER, OTHER)
    )
    assert prf(scores, CAUSE) == pytest.approx((0.5, 1.0, 2 / 3))
    assert prf(scores, MESSAGE) == pytest.approx((1.0, 0.5, 2 / 3))
    assert tuple(scores.per_relation) == RELATIONS
    assert len(RELATIONS) == 9
    assert scores.macro == PRF(pytest.approx(1.5 / 9), pytest.approx(1.5 / 9), pytest.approx(4 / 3 / 9))


def test_a_wrong_relation_counts_against_the_precision_of_one_and_the_recall_of_the_other():
    scores = score((forth(CAUSE), forth(WHOLE)), (forth(CAUSE), forth(CAUSE)), (forth(WHOLE), forth(WHOLE)))
    assert prf(scores, CAUSE) == pytest.approx((1.0, 0.5, 2 / 3))
    assert prf(scores, WHOLE) == pytest.approx((0.5, 1.0, 2 / 3))


def literal_macro_f1(pairs: list[tuple[str, str]]) -> float:
    """The 19 x 19 table; its directions folded to 10 x 10 with the wrong directions taken out of the diagonal and kept in the sums."""
    labels = [make(name) for name in RELATIONS for make in (forth, back)] + [OTHER]
    table = {(gold, answer): 0 for gold in labels for answer in labels}
    for pair in pairs:
        table[pair] += 1
    names = [*RELATIONS, OTHER]
    folded = {(g, a): 0 for g in names for a in names}
    wrong_direction = dict.fromkeys(names, 0)
    for (gold, answer), count in table.items():
        g, a = gold.split("(")[0], answer.split("(")[0]
        if g == a and gold != answer:
            wrong_direction[g] += count
        else:
            folded[g, a] += count
    f1s = []
    for name in RELATIONS:
        right = folded[name, name]
        answered = sum(folded[gold, name] for gold in names) + wrong_direction[name]
        wanted = sum(folded[name, answer] for answer in names) + wrong_direction[name]
        precision, recall = right / answered if answered else 0, right / wanted if wanted else 0
        f1s.append(2 * precision * recall / (precision + recall) if right else 0)
    return sum(f1s) / 9


@pytest.mark.parametrize("seed", range(20))
def test_it_equals_the_folded_confusion_table(seed):
    draw = random.Random(seed)
    names = draw.sample(RELATIONS, draw.randint(1, 9))
    labels = [make(name) for name in names for make in (forth, back)] + [OTHER]
    pairs = [(gold, gold if draw.random() < 0.5 else draw.choice(labels)) for gold in draw.choices(labels, k=200)]
    assert score(*pairs).macro.f1 == pytest.approx(literal_macro_f1(pairs))


def test_of_several_predicted_relations_the_one_with_the_highest_score_is_the_answer():
    gold = sentence(back(CAUSE))
    better = Relation(1, 0, CAUSE, 0.9)
    assert official_scores([gold], [sentence(forth(CAUSE), better)]).per_relation[CAUSE].true_positive == 1
    worse = Relation(1, 0, CAUSE, 0.1)
    counts = official_scores([gold], [sentence(forth(CAUSE), worse)]).per_relation[CAUSE]
    assert (counts.true_positive, counts.false_positive, counts.false_negative) == (0, 1, 1)


@pytest.mark.parametrize(
    ("gold", "words"),
    [
        (sentence(None), "no annotation"),
        (sentence(forth(CAUSE), Relation(1, 0, CAUSE)), "2 relations"),
        (sentence(forth("works_for")), "expected one of the task's relations .*'works_for'"),
    ],
)
def test_data_that_is_not_the_tasks_is_refused(gold, words):
    with pytest.raises(DataError, match=words):
        official_scores([gold], [sentence(OTHER)])


def test_other_sentences_on_the_two_sides_are_refused():
    with pytest.raises(DataError, match="same sentences"):
        official_scores([sentence(OTHER)], [])
