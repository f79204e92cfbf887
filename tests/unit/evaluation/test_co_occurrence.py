"""False positives among pairs that merely co-occur, at fixed recall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import ConfigError, DataError
from relsift.evaluation.co_occurrence import co_occurrences

SCORES = st.lists(st.integers(-5, 5).map(float), max_size=12)  # whole numbers, so that many are equal


@given(SCORES, SCORES, SCORES.filter(bool), st.integers(0, 4), st.floats(0.01, 1))
def test_it_counts_as_a_loop_over_all_thresholds_does(right, others, unrelated, lost, recall):
    relations = len(right) + lost
    if not relations:
        return
    wrong = others + unrelated
    row = co_occurrences(right, wrong, unrelated, relations=relations, recalls=[recall]).rows[0]
    enough = [t for t in right if sum(score >= t for score in right) / relations >= recall - 1e-12]
    if not enough:
        assert (row.threshold, row.false_positives, row.precision) == (None, None, None)
        return
    threshold = max(enough)
    found, false = (sum(score >= threshold for score in scores) for scores in (right, wrong))
    assert row.threshold == threshold
    assert row.false_positives == pytest.approx(100 * sum(score >= threshold for score in unrelated) / len(unrelated))
    assert row.precision == pytest.approx(found / (found + false))


def test_more_recall_never_has_fewer_false_positives():
    rows = co_occurrences([3, 2, 1, 0], [2.5, 0.5], [2.5, 0.5, -1], relations=4, recalls=[0.25, 0.5, 0.75, 1]).rows
    assert [row.false_positives for row in rows] == pytest.approx([0, 100 / 3, 100 / 3, 200 / 3])


@pytest.mark.parametrize(("relations", "unrelated", "message"), [(0, [1.0], "no annotated relation"), (1, [], "no pair without")])
def test_data_that_cannot_answer_is_refused(relations, unrelated, message):
    with pytest.raises(DataError, match=message):
        co_occurrences([1.0], [], unrelated, relations=relations)


@pytest.mark.parametrize("recall", [0, 1.1, float("nan")])
def test_a_recall_that_is_no_share_is_refused(recall):
    with pytest.raises(ConfigError, match="recall: expected a share"):
        co_occurrences([1.0], [], [0.0], relations=1, recalls=[recall])
