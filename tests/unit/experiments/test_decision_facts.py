"""What a cell records of its decisions, by hand."""

from __future__ import annotations

from math import pi, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from relsift.candidates import Candidates, Pair
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.experiments.decision_facts import decision_facts, error_by_chance
from relsift.schema import Entity, Relation, Sentence

LABELS = ("kin", "owns")
BUNDLE: Any = SimpleNamespace(
    decision=Decision(threshold=1.5), encoding=SimpleNamespace(labels=LABELS), candidates=Candidates(direction="undirected")
)


def scored(name: str, *pairs: tuple[str | None, float, float]) -> Scored:
    """A sentence of three entities. Of each pair: the gold relation, the score of kin, the score of owns."""
    places = ((0, 1), (0, 2), (1, 2))
    relations = tuple(Relation(*place, gold) for place, (gold, *_) in zip(places, pairs) if gold)
    sentence = Sentence(name, ("a", "b", "c"), tuple(Entity(n, n + 1, "X") for n in range(3)), relations)
    return Scored(
        sentence, [Pair(*place, (gold,) if gold else ()) for place, (gold, *_) in zip(places, pairs)],
        np.array([scores for _, *scores in pairs], np.float32),
    )  # fmt: skip


NOTHING = (None, 1.0, -9.0)
DEVELOPMENT = [scored(f"d{n}", ("kin", 2.0, -9.0), NOTHING, NOTHING) for n in range(2)]  # tuned threshold: 1.5
TEST = [scored("t1", ("kin", 3.0, -9.0), (None, 1.6, -9.0), NOTHING), scored("t2", ("kin", 1.0, 1.8), NOTHING, NOTHING)]


def test_rules_and_unrelated_pairs_are_counted_by_hand():
    # Threshold alone: t1 kin right, t1 kin spurious, t2 owns wrong; 2 gold. Constraints: training never had owns, so that t2 has nothing.
    # A relation that the reader lost is a third one to find.
    training = [one.sentence for one in DEVELOPMENT]
    facts = decision_facts(BUNDLE, training, DEVELOPMENT, TEST, {})
    assert facts["rules"] == pytest.approx({"threshold": 2 / 5, "constraints": 2 / 4, "per relation": 2 / 5, "both": 2 / 4})
    at_recall = {row["recall"]: (row["false_positives"], row["precision"]) for row in facts["co_occurrence"]["at_recall"]}
    assert at_recall[0.5] == (0.0, 1.0)
    assert at_recall[0.7] == (None, None)  # the second one is called owns, at any threshold
    assert facts["co_occurrence"]["unrelated_pairs"] == 4
    lost = decision_facts(BUNDLE, training, DEVELOPMENT, TEST, {"owns": 1})
    assert lost["rules"]["threshold"] == pytest.approx(2 / 6)
    assert lost["co_occurrence"]["relations"] == 3


def test_without_a_relation_to_tune_on_there_is_nothing_to_record():
    bare = [scored("d", NOTHING, NOTHING, NOTHING)]
    assert decision_facts(BUNDLE, [], bare, TEST, {}) == {}
    assert decision_facts(BUNDLE, [], DEVELOPMENT, bare, {}) == {}


def test_the_error_by_chance_is_that_of_shares_of_a_bin():
    # 15 bins of 100 probabilities near a half each: a share of 100 is off by the mean absolute value of a normal variable of sd 0.05.
    probabilities = np.linspace(0.499, 0.501, 1500).tolist()
    assert error_by_chance(probabilities) == pytest.approx(0.05 * sqrt(2 / pi), abs=0.002)
