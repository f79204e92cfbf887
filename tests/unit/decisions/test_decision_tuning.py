"""Thresholds tuned for an aim: common against trying all, one a relation against trying all, and how far they are drawn together."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.candidates import Candidates
from relsift.decisions import tuning
from relsift.decisions.aims import F1, Aim
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.decisions.tuning import TuningData, tuned
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import evaluate
from relsift.schema import Entity, Relation, Sentence

LABELS = ("lives", "owns")
ENTITIES = (Entity(0, 1, "PER"), Entity(1, 2, "ORG"))


def data_of(*rows: tuple[list[float], str | None]) -> TuningData:
    """One sentence a row: the scores of the pair (0, 1), and its annotated relation. The pair (1, 0) is never related."""
    gold, scored = [], []
    for number, (scores, name) in enumerate(rows):
        relations = () if name is None else (Relation(0, 1, name),)
        sentence = Sentence(f"s{number}", ("Ada", "Acme"), ENTITIES, relations)
        pairs = [pair for pair in Candidates().pairs(sentence) if pair.head == 0]
        gold.append(sentence)
        scored.append(Scored(sentence, pairs, np.array([scores], np.float32)))
    return TuningData(gold, scored, LABELS, "directed")


def value_of(decision: Decision, data: TuningData, aim: Aim) -> float:
    """Through the decision and the evaluator, as a user would find it."""
    predicted = [decision.decide(sentence, data.labels) for sentence in data.scored]
    counts = evaluate(data.gold, predicted, direction="directed").per_type.values()
    hits, wrong, missed = (sum(getattr(c, n) for c in counts) for n in ("true_positive", "false_positive", "false_negative"))
    result = aim.value(hits, hits + wrong, hits + missed)
    assert isinstance(result, float)
    return result


ROW = st.tuples(st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=2), st.sampled_from([None, "lives", "owns", "eats"]))
ROWS = st.lists(ROW, min_size=1, max_size=8).filter(lambda rows: any(name for _, name in rows))
AIMS = st.sampled_from([F1, Aim.of("f0.5"), Aim.of("f2"), Aim.of("precision>=0.6")])
GRID = [number + 0.5 for number in range(-5, 5)]
FINE = [number / 2 + 0.25 for number in range(-20, 10)]  # between all places where a pair changes from one relation to the other


@settings(max_examples=40)
@given(rows=ROWS, aim=AIMS, mode=st.sampled_from(["single", "several"]), constrained=st.booleans())
def test_no_common_threshold_is_better_with_the_rules_in_force(rows, aim, mode, constrained):
    data = data_of(*rows)
    base = Decision(mode=mode, triples=frozenset({("PER", "ORG", "owns")}), constraints=constrained)
    result = tuned(base, data, aim=aim)
    assert result.decision == replace(base, threshold=result.decision.threshold)
    assert result.value == pytest.approx(value_of(result.decision, data, aim))
    assert result.value == pytest.approx(max(value_of(replace(base, threshold=t), data, aim) for t in GRID))


@settings(max_examples=25)
@given(rows=ROWS, aim=AIMS, mode=st.sampled_from(["single", "several"]), own=st.sampled_from(GRID))
def test_with_the_threshold_of_one_relation_given_the_best_common_one_is_found_for_the_others(rows, aim, mode, own):
    data = data_of(*rows)
    base = Decision(mode=mode, thresholds={"owns": own})
    result = tuned(base, data, aim=aim)
    assert result.decision.thresholds == {"owns": own}
    assert result.value == pytest.approx(value_of(result.decision, data, aim))
    assert result.value == pytest.approx(max(value_of(replace(base, threshold=t), data, aim) for t in FINE))


@settings(max_examples=40)
@given(rows=ROWS, aim=AIMS, mode=st.sampled_from(["single", "several"]))
def test_each_step_of_the_ascent_is_the_best_there_is(rows, aim, mode):
    data = data_of(*rows)
    start = Decision(mode=mode, threshold=0.25)
    stacked = tuning._Stacked.of(start, data)
    vector = stacked._ascent(np.array([0.25, 0.25]), [0, 1], aim)
    reached = Decision(mode=mode, thresholds=dict(zip(LABELS, vector.tolist())))
    value = value_of(reached, data, aim)
    assert value >= value_of(start, data, aim)
    for name, threshold in product(LABELS, GRID):  # no move of one threshold is an improvement
        moved = replace(reached, thresholds={**reached.thresholds, name: threshold})
        assert value_of(moved, data, aim) <= value + 1e-9


def many(offset: float) -> list[tuple[list[float], str | None]]:
    """40 examples a relation; `lives` is right from 0 upwards, `owns` from `offset`."""
    draw = np.random.default_rng(5)
    rows: list[tuple[list[float], str | None]] = []
    for column, bar in ((0, 0.0), (1, offset)):
        for score in draw.uniform(-6, 6, 80):
            rows.append(([score, -99.0] if column == 0 else [-99.0, score], LABELS[column] if score > bar else None))
    return rows


def test_relations_of_different_bars_get_thresholds_of_their_own_and_alike_ones_stay_common():
    result = tuned(Decision(), data_of(*many(3.0)), per_relation=True)
    assert result.strength == 0.0 and value_of(result.decision, data_of(*many(3.0)), F1) == 1.0
    assert -0.5 < result.decision.thresholds["lives"] < 0.5 and 2.5 < result.decision.thresholds["owns"] < 3.5
    alike = tuned(Decision(), data_of(*many(0.0)), per_relation=True)
    assert (alike.strength, alike.decision.thresholds) == (float("inf"), {})


def test_thresholds_are_drawn_to_the_common_one_by_the_number_of_examples():
    shrunk = tuning._shrunk(np.array([2.0, -1.0, 5.0]), 1.0, np.array([15, 5, 0]), 5.0)
    assert shrunk.tolist() == pytest.approx([(15 * 2 + 5) / 20, 0.0, 1.0])
    assert tuning._shrunk(np.array([2.0]), 1.0, np.array([15]), float("inf")).tolist() == [1.0]
    assert tuning._shrunk(np.array([2.0]), 1.0, np.array([15]), 0.0).tolist() == [2.0]
    with np.errstate(over="raise"):  # of thresholds that take all, or nothing
        assert tuning._shrunk(np.array([1e308, -1e308]), 1e308, np.array([15, 15]), 5.0).tolist() == pytest.approx([1e308, -5e307])


def test_a_relation_with_one_example_keeps_the_common_threshold_and_is_named():
    rows = [row for row in many(3.0) if row[0][1] == -99.0]
    result = tuned(Decision(), data_of(*rows, ([-99.0, 2.0], "owns"), ([-99.0, 4.0], None)), per_relation=True)
    assert "owns" not in result.decision.thresholds
    assert result.warnings == ["fewer than 2 examples, so the common threshold stands for owns"]


def test_a_precision_that_nothing_reaches_gives_the_nearest_and_says_so():
    rows: Any = [([3.0, 0.0], "lives"), ([3.0, 0.0], None), ([1.0, 0.0], None)]
    result = tuned(Decision(), data_of(*rows), aim=Aim.of("precision>=0.9"))
    assert result.decision.threshold == 2.0
    assert result.warnings == ["precision>=0.9: no common threshold reaches it; the nearest has a precision of 50.0 %"]


def test_a_precision_reached_on_few_relations_is_said_to_be_chance():
    rows: Any = [([3.0, 0.0], "lives"), ([2.0, 0.0], None), ([1.0, 0.0], "lives")]
    few = tuned(Decision(), data_of(*rows), aim=Aim.of("precision>=0.9"))
    assert few.warnings == [
        "precision>=0.9: reached on only 1 relation found, of 2 annotated, so it may be chance; 30 would be the least to trust: "
        "tune on more data, or for a lower precision"
    ]
    assert tuned(Decision(), data_of(*rows * 15), aim=Aim.of("precision>=0.5")).warnings == []  # 45 found, 30 of them right
    assert tuned(Decision(), data_of(*rows)).warnings == []  # an aim without a precision


def test_of_the_thresholds_with_enough_precision_the_one_with_the_highest_recall_is_taken():
    rows: Any = [([5.0, 0.0], "lives"), ([4.0, 0.0], None), ([3.0, 0.0], "lives"), ([2.0, 0.0], "lives"), ([1.0, 0.0], None)]
    assert tuned(Decision(), data_of(*rows), aim=Aim.of("precision>=0.75")).decision.threshold == 1.5
    assert tuned(Decision(), data_of(*rows), aim=Aim.of("precision>=0.9")).decision.threshold == 4.5


def test_data_without_relations_or_without_pairs_is_refused():
    with pytest.raises(DataError, match="data to tune on: expected annotated relations, got none"):
        tuned(Decision(), data_of(([1.0, 0.0], None)))
    data = data_of(([1.0, 0.0], "lives"))
    bare = replace(data, scored=[Scored(data.gold[0], [], np.empty((0, 2), np.float32))])
    for per_relation in (False, True):
        with pytest.raises(DataError, match="expected candidate pairs in the development data, got none"):
            tuned(Decision(), bare, per_relation=per_relation)


@pytest.mark.parametrize("text", ["f", "f0", "f11", "g1", "precision>=0", "precision>=1.5", "precision>0.5", "recall>=0.5", "", "f1 "])
def test_an_aim_that_does_not_exist_is_refused(text: str):
    with pytest.raises(ConfigError, match=r"--aim: expected f1, f0\.5, f2"):
        Aim.of(text)
