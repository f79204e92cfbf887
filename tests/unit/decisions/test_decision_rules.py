"""The rules of a decision: thresholds a relation, several relations a pair, constraints, two directions, at most so many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.candidates import Candidates, Pair
from relsift.decisions.calibration import Calibration
from relsift.decisions.constraints import both_ways, learnt_triples
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.errors import ConfigError
from relsift.schema import Entity, Relation, Sentence

LABELS = ("lives", "owns", "knows")
TYPES = ("PER", "ORG", "PER", "LOC")
SENTENCE = Sentence("s", ("Ada", "Acme", "Bo", "Oslo"), tuple(Entity(n, n + 1, kind) for n, kind in enumerate(TYPES)))


def scored(*rows: tuple[int, int, list[float]]) -> Scored:
    return Scored(SENTENCE, [Pair(head, tail) for head, tail, _ in rows], np.array([row for *_, row in rows], np.float32).reshape(-1, 3))


def found(decision: Decision, *rows: tuple[int, int, list[float]]) -> list[tuple[int, int, str]]:
    return [(r.head, r.tail, r.type) for r in decision.decide(scored(*rows), LABELS).relations or ()]


def test_in_mode_several_every_relation_at_its_threshold_or_above_is_taken():
    decision = Decision(mode="several", threshold=0.5, thresholds={"knows": 2.0})
    assert found(decision, (0, 1, [0.5, 3.0, 1.5]), (1, 0, [0.25, -1.0, 2.0])) == [(0, 1, "lives"), (0, 1, "owns"), (1, 0, "knows")]


def test_in_mode_single_the_relation_furthest_above_its_own_threshold_wins():
    decision = Decision(threshold=0.0, thresholds={"owns": 2.5, "knows": -1.0})
    # Margins: lives 1, owns 0.5, knows 0.5. Then 0.25, 0.5, -1. Then all below.
    rows = (0, 1, [1.0, 3.0, -0.5]), (1, 0, [0.25, 3.0, -2.0]), (2, 3, [-0.5, 2.0, -1.5])
    assert found(decision, *rows) == [(0, 1, "lives"), (1, 0, "owns")]


def test_a_score_that_is_its_relation_s_threshold_is_taken_whatever_the_common_one_is():
    # 0.5 - (0.5 - 0.1) is below 0.1 in floating point
    assert found(Decision(threshold=0.1, thresholds={"owns": 0.5}), (0, 1, [-9.0, 0.5, -9.0])) == [(0, 1, "owns")]


def test_a_relation_that_training_never_had_between_these_types_is_never_taken_and_the_next_best_is():
    rules: dict[str, Any] = {"triples": frozenset({("PER", "LOC", "lives"), ("PER", "ORG", "owns")}), "threshold": 0.0}
    rows = (0, 3, [1.0, 5.0, 4.0]), (0, 1, [9.0, -1.0, 9.0]), (3, 0, [9.0, 9.0, 9.0])
    assert found(Decision(constraints=True, **rules), *rows) == [(0, 3, "lives")]
    assert found(Decision(constraints=False, **rules), *rows) == [(0, 3, "owns"), (0, 1, "lives"), (3, 0, "lives")]


def test_triples_of_undirected_pairs_stand_with_both_orders_as_the_type_filter_has_it():
    training = [SENTENCE.with_relations([Relation(3, 0, "lives"), Relation(0, 1, "owns")])]
    assert learnt_triples(training, "directed") == {("LOC", "PER", "lives"), ("PER", "ORG", "owns")}
    triples = learnt_triples(training, "undirected")
    assert triples == {("LOC", "PER", "lives"), ("PER", "LOC", "lives"), ("PER", "ORG", "owns"), ("ORG", "PER", "owns")}
    candidates = Candidates.fit(training, direction="undirected")
    pairs = candidates.pairs(SENTENCE)
    assert Pair(0, 3) in pairs and Pair(1, 2) in pairs  # in text order: PER before LOC, ORG before PER
    some = Scored(SENTENCE, pairs, np.tile(np.float32([1.0, 2.0, 3.0]), (len(pairs), 1)))
    decided = Decision(constraints=True, triples=triples).decide(some, LABELS).relations or ()
    assert {(r.head, r.tail, r.type) for r in decided} == {(0, 1, "owns"), (0, 3, "lives"), (1, 2, "owns"), (2, 3, "lives")}


def test_symmetric_relations_are_taken_in_both_directions_by_the_mean_of_both_scores():
    decision = Decision(threshold=1.0, symmetric=("knows",))
    decided = decision.decide(scored((0, 2, [0.0, 0.0, 2.5]), (2, 0, [0.0, 0.0, 0.0])), LABELS)
    assert decided.relations == (Relation(0, 2, "knows", 1.25), Relation(2, 0, "knows", 1.25))
    assert found(decision, (0, 2, [0.0, 0.0, 1.5]), (2, 0, [0.0, 0.0, 0.0])) == []  # the mean is 0.75
    assert found(decision, (0, 2, [0.0, 0.0, 1.5])) == [(0, 2, "knows")]  # the reverse is no candidate


def test_a_symmetric_relation_is_taken_in_neither_direction_where_another_relation_is_surer_in_one():
    decision = Decision(threshold=0.0, symmetric=("knows",))
    rows = (0, 2, [0.5, -1.0, 2.0]), (2, 0, [3.0, -1.0, 2.0])
    assert found(decision, *rows) == [(0, 2, "lives"), (2, 0, "lives")]
    several = Decision(mode="several", threshold=1.0, symmetric=("knows",))
    assert found(several, *rows) == [(0, 2, "knows"), (2, 0, "lives"), (2, 0, "knows")]


def test_inverse_relations_are_taken_together_by_the_mean_of_their_scores_and_thresholds():
    decision = Decision(threshold=0.0, thresholds={"owns": 2.0}, inverse={"owns": "lives"})
    assert found(decision, (0, 1, [-9.0, 3.0, -9.0]), (1, 0, [-1.0, -9.0, -9.0])) == [(0, 1, "owns"), (1, 0, "lives")]  # mean 1, bar 1
    assert found(decision, (0, 1, [-9.0, 3.0, -9.0]), (1, 0, [-1.5, -9.0, -9.0])) == []


def test_of_too_many_relations_of_one_head_or_tail_the_best_scoring_stay():
    rows = (0, 1, [1.0, 0.0, 0.0]), (0, 3, [3.0, 0.0, 0.0]), (2, 3, [2.0, 0.0, 0.0]), (2, 1, [0.0, 5.0, 0.0])
    assert found(Decision(threshold=0.5, at_most={"lives": {"head": 1}}), *rows) == [(0, 3, "lives"), (2, 3, "lives"), (2, 1, "owns")]
    assert found(Decision(threshold=0.5, at_most={"lives": {"tail": 1}}), *rows) == [(0, 1, "lives"), (0, 3, "lives"), (2, 1, "owns")]
    # (0, 3) takes the only place of head 0 and of tail 3
    assert found(Decision(threshold=0.5, at_most={"lives": {"head": 1, "tail": 1}}), *rows) == [(0, 3, "lives"), (2, 1, "owns")]
    assert found(Decision(threshold=0.5, at_most={"lives": {"head": 2}}), *rows) == found(Decision(threshold=0.5), *rows)


def test_of_two_directions_that_stand_together_both_go_where_one_is_too_much():
    decision = Decision(threshold=0.0, symmetric=("knows",), at_most={"knows": {"head": 1}})
    rows = (0, 2, [-9.0, -9.0, 1.0]), (2, 0, [-9.0, -9.0, 1.0]), (0, 1, [-9.0, -9.0, 4.0])
    assert found(decision, *rows) == [(0, 1, "knows")]


def test_relations_of_a_calibrated_decision_carry_their_probability():
    decision = Decision(calibration=Calibration(method="temperature", temperature=2.0))
    [relation] = decision.decide(scored((0, 1, [2.0, 0.0, 1.0])), LABELS).relations or ()
    assert relation.probability == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert (Decision().decide(scored((0, 1, [2.0, 0.0, 1.0])), LABELS).relations or ())[0].probability is None


def test_one_threshold_in_place_of_all_is_for_all_relations():
    decision = Decision(threshold=0.5, thresholds={"owns": 5.0}, mode="several").with_threshold(1.0)
    assert found(decision, (0, 1, [0.75, 1.0, 0.0])) == [(0, 1, "owns")]


def test_symmetric_and_inverse_relations_are_detected_where_nearly_all_annotations_have_their_reverse():
    both = SENTENCE.with_relations([Relation(0, 2, "knows"), Relation(2, 0, "knows"), Relation(0, 1, "owns"), Relation(1, 0, "lives")])
    once = SENTENCE.with_relations([Relation(0, 2, "knows")])
    assert both_ways([both] * 10) == (("knows",), {"lives": "owns"})
    assert both_ways([both] * 9 + [once] * 2) == (("knows",), {})  # 18 of 20; nine annotations of the others are too few
    assert both_ways([both] * 10 + [once] * 3) == ((), {"lives": "owns"})  # 20 of 23


# ---- against a loop as one would write it, and what must always hold

SCORES = st.lists(st.integers(-3, 3).map(float), min_size=3, max_size=3)
PLACES = st.sampled_from([(h, t) for h in range(4) for t in range(4) if h != t])
ROWS = st.dictionaries(PLACES, SCORES, max_size=8).map(lambda rows: [(h, t, row) for (h, t), row in rows.items()])
TRIPLES = st.frozensets(st.tuples(st.sampled_from(["PER", "ORG", "LOC"]), st.sampled_from(["PER", "ORG", "LOC"]), st.sampled_from(LABELS)))
THRESHOLDS = st.dictionaries(st.sampled_from(LABELS), st.integers(-2, 2).map(float))


def by_loop(decision: Decision, rows: list[tuple[int, int, list[float]]]) -> list[tuple[int, int, str]]:
    result = []
    for head, tail, row in rows:
        margins = []
        for name, score in zip(LABELS, row):
            if not decision.constraints or (TYPES[head], TYPES[tail], name) in (decision.triples or ()):
                margins.append((score - decision.threshold_of(name), name))
        if decision.mode == "several":
            result += [(head, tail, name) for margin, name in margins if margin >= 0]
        elif margins and max(margins, key=lambda item: item[0])[0] >= 0:
            result.append((head, tail, max(margins, key=lambda item: item[0])[1]))
    return result


@settings(max_examples=40)
@given(rows=ROWS, triples=TRIPLES, constraints=st.booleans(), thresholds=THRESHOLDS, mode=st.sampled_from(["single", "several"]))
def test_the_decision_is_that_of_a_plain_loop(rows, triples, constraints, thresholds, mode):
    decision = Decision(mode=mode, threshold=0.5, thresholds=thresholds, triples=triples, constraints=constraints)
    assert found(decision, *rows) == by_loop(decision, rows)


@settings(max_examples=40)
@given(rows=ROWS, triples=TRIPLES, constraints=st.booleans(), threshold=st.integers(-4, 4).map(float))
def test_the_common_case_is_decided_as_the_general_one(rows, triples, constraints, threshold):
    decision = Decision(threshold=threshold, triples=triples, constraints=constraints)
    general = decision.choices(scored(*rows), LABELS)
    enough = general.scores >= general.bars
    pairs, columns = general.pairs[enough].tolist(), general.columns[enough].tolist()
    assert found(decision, *rows) == [(*rows[pair][:2], LABELS[column]) for pair, column in zip(pairs, columns)]


@settings(max_examples=40)
@given(rows=ROWS, triples=TRIPLES, thresholds=THRESHOLDS, mode=st.sampled_from(["single", "several"]), symmetric=st.sampled_from(LABELS))
def test_no_forbidden_triple_is_ever_taken_and_several_takes_all_that_single_does(rows, triples, thresholds, mode, symmetric):
    rules: dict[str, Any] = {"thresholds": thresholds, "triples": triples, "constraints": True, "symmetric": (symmetric,)}
    taken = found(Decision(mode=mode, **rules), *rows)
    assert all((TYPES[head], TYPES[tail], name) in triples for head, tail, name in taken)
    assert set(taken) <= set(found(Decision(mode="several", **rules), *rows))


@settings(max_examples=40)
@given(rows=ROWS, limit=st.integers(1, 2), threshold=st.integers(-2, 2).map(float))
def test_no_entity_has_more_relations_than_it_may(rows, limit, threshold):
    rules: dict[str, Any] = {"mode": "several", "threshold": threshold}
    taken = found(Decision(at_most={"knows": {"head": limit}}, **rules), *rows)
    free = found(Decision(**rules), *rows)
    for entity in range(4):
        here = [one for one in taken if one[0] == entity and one[2] == "knows"]
        assert len(here) == min(limit, sum(one[0] == entity and one[2] == "knows" for one in free))
    assert [one for one in free if one[2] != "knows"] == [one for one in taken if one[2] != "knows"]


# ---- what no decision can be


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"thresholds": {"owns": float("nan")}}, r"decision\.thresholds\.owns: expected a number that is finite"),
        ({"thresholds": [1.0]}, r"decision\.thresholds: expected an object with relations as keys"),
        ({"constraints": True}, r"decision\.constraints: expected the triples of the training data with it, got none; `relsift decide"),
        ({"constraints": "yes"}, r"decision\.constraints: expected true or false"),
        ({"triples": frozenset({("PER", "owns")})}, r"decision\.triples: expected \(head type, tail type, relation\) triples"),
        ({"triples": [("PER", "ORG", "owns")]}, r"decision\.triples: expected"),
        ({"symmetric": ["owns"]}, r"decision\.symmetric: expected a list of relations"),
        ({"symmetric": ("owns",), "inverse": {"owns": "lives"}}, "each relation once"),
        ({"inverse": {"owns": "owns"}}, "a relation that is its own inverse is symmetric, got 'owns'"),
        ({"at_most": {"owns": {"end": 1}}}, r"decision\.at_most\.owns: expected head or tail, got 'end'"),
        ({"at_most": {"owns": {"head": 0}}}, r"decision\.at_most\.owns\.head: expected a whole number of relations, 1 or more, got 0"),
        ({"at_most": {"owns": 1}}, r"decision\.at_most\.owns: expected head or tail with a number, got 1"),
        ({"calibration": 0.5}, r"decision\.calibration: expected a Calibration or None"),
    ],
)
def test_values_without_a_meaning_are_refused(values: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        Decision(**values)


def test_relations_that_the_model_does_not_know_are_named_with_similar_ones():
    for values in ({"thresholds": {"own": 1.0}}, {"symmetric": ("own",)}, {"at_most": {"own": {"head": 1}}}, {"inverse": {"own": "lives"}}):
        with pytest.raises(ConfigError, match=r"expected relations of the model, got 'own'; did you mean owns\?"):
            Decision(**values).checked_for(LABELS, "directed")
    with pytest.raises(ConfigError, match=r"decision\.triples: expected relations of the model, got 'eats'; it knows lives, owns, knows"):
        Decision(triples=frozenset({("PER", "ORG", "eats")})).checked_for(LABELS, "directed")
    with pytest.raises(ConfigError, match=r"decision\.symmetric: expected none for a model of undirected pairs"):
        Decision(symmetric=("owns",)).checked_for(LABELS, "undirected")
    decision = Decision(thresholds={"owns": 1.0})
    assert decision.checked_for(LABELS, "undirected") is decision
