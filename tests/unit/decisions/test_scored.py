"""The best relation of each pair, and whether it is right."""

from __future__ import annotations

import numpy as np
import pytest

from relsift.candidates import Pair
from relsift.decisions.outcomes import best_outcomes
from relsift.decisions.scored import Scored
from relsift.schema import Entity, Sentence

LABELS = ("knows", "owns", "runs")
SENTENCE = Sentence("s", ("Ada", "Acme"), (Entity(0, 1, "PER"), Entity(1, 2, "ORG")))


def scored(pairs: list[Pair], *rows: list[float]) -> Scored:
    return Scored(SENTENCE, pairs, np.array(rows, np.float32).reshape(-1, len(LABELS)))


def test_the_best_relation_is_the_highest_score_and_of_equal_ones_the_first():
    pairs = [Pair(0, 1)] * 4
    columns, scores = scored(pairs, [1, 3, 2], [-1, -1, -2], [0, 0, 0], [-5, 7, 7]).best()
    assert columns.tolist() == [1, 0, 0, 1]
    assert scores.tolist() == [3, -1, 0, 7]
    assert scores.dtype == np.float32


@pytest.mark.parametrize("relations", [0, 3])
def test_a_sentence_without_pairs_has_none(relations: int):
    columns, scores = Scored(SENTENCE, [], np.empty((0, relations), np.float32)).best()
    assert (columns.shape, scores.shape, columns.dtype, scores.dtype) == ((0,), (0,), np.int64, np.float32)


def test_either_relation_of_a_pair_of_two_is_right():
    both, one, none = Pair(0, 1, ("runs", "owns")), Pair(1, 0, ("owns",)), Pair(0, 1)
    scores, correct = best_outcomes(
        [
            scored([both, both, both], [0, 2, 1], [0, 1, 2], [3, 1, 2]),  # owns, runs, knows
            scored([]),
            scored([one, one, none], [0, 1, 0], [0, 0, 1], [9, 0, 0]),  # owns, runs, knows
        ],
        LABELS,
    )
    assert scores == [2, 2, 3, 1, 1, 9]
    assert correct == [True, True, False, True, False, False]


def test_outcomes_of_nothing_are_empty():
    assert best_outcomes([], LABELS) == ([], [])
