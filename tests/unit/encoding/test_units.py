"""Which pairs share a reading of their sentence, against a literal grouping."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import Pair
from relsift.encoding.units import Unit, grouped

ENDS = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda ends: ends[0] != ends[1])
PAIRS = st.lists(ENDS, max_size=30, unique=True).map(lambda ends: [Pair(*pair) for pair in ends])  # in any order

SHARE: dict[Unit, Callable[[Pair, Pair], bool]] = {
    "sentence": lambda one, other: True,
    "pair": lambda one, other: {one.head, one.tail} == {other.head, other.tail},
    "head": lambda one, other: one.head == other.head,
}


@given(PAIRS, st.sampled_from(sorted(SHARE)))
def test_groups_are_those_of_a_search_through_all_earlier_groups(pairs: list[Pair], unit: Unit):
    groups: list[list[int]] = []
    for position, pair in enumerate(pairs):
        for group in groups:
            if SHARE[unit](pairs[group[0]], pair):
                group.append(position)
                break
        else:
            groups.append([position])
    assert grouped(pairs, unit) == (groups or [[]])


def test_a_pair_and_its_reverse_share_a_reading_though_they_are_no_neighbours():
    # Three entities, directed, in the order of `Candidates.pairs`.
    pairs = [Pair(0, 1), Pair(0, 2), Pair(1, 0), Pair(1, 2), Pair(2, 0), Pair(2, 1)]
    assert grouped(pairs, "pair") == [[0, 2], [1, 4], [3, 5]]
    assert grouped(pairs, "head") == [[0, 1], [2, 3], [4, 5]]
    assert grouped(pairs, "sentence") == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("unit", sorted(SHARE))
def test_without_pairs_there_is_one_reading_all_the_same(unit: Unit):
    assert grouped([], unit) == [[]]
