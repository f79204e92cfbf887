"""Spans, maxima over stretches of tokens, and random choices, each against a literal loop."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from relsift.layers import spans as module
from relsift.layers.recompute import in_chunks
from relsift.layers.spans import (
    Spans,
    all_spans,
    best_overlap,
    choose,
    range_maxima,
    same_as_any,
    stretch_between,
    touches_any,
    without_overlaps,
)

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=4)
checked = settings(max_examples=60, deadline=None)


@st.composite
def span_lists(draw: st.DrawFn, lengths: list[int], most: int = 8) -> list[tuple[int, int, int]]:
    """(sentence, start, end), grouped by sentence."""
    found = []
    for sentence, length in enumerate(lengths):
        for _ in range(draw(st.integers(0, most))):
            start = draw(st.integers(0, length - 1))
            found.append((sentence, start, draw(st.integers(start + 1, length))))
    return found


def made(rows: list[tuple[int, int, int]]) -> Spans:
    return Spans(*torch.tensor(rows, dtype=torch.int64).reshape(-1, 3).unbind(1))


def rows_of(spans: Spans) -> list[tuple[int, ...]]:
    return list(zip(*(part.tolist() for part in spans)))


@checked
@given(lengths=LENGTHS, width=st.integers(1, 12))
def test_all_spans_are_those_of_three_loops_in_the_same_order(lengths, width):
    wanted = [
        (sentence, start, end)
        for sentence, length in enumerate(lengths)
        for start in range(length)
        for end in range(start + 1, length + 1)
        if end - start <= width
    ]
    assert rows_of(all_spans(torch.tensor(lengths), width)) == wanted


@checked
@given(length=st.integers(1, 40), data=st.data())
def test_maxima_over_any_stretch_and_their_gradient_are_those_of_a_loop(length, data):
    place = st.integers(0, length)
    stretches = data.draw(st.lists(st.tuples(place, place), max_size=12))  # some are empty
    longest = max([end - start for start, end in stretches] + [1])
    generator = torch.Generator().manual_seed(length)
    tokens = torch.randn(length, 3, generator=generator, dtype=torch.float64)
    weight = torch.randn(len(stretches), 3, generator=generator, dtype=torch.float64)
    start, end = torch.tensor(stretches, dtype=torch.int64).reshape(-1, 2).unbind(1)
    results = []
    for literal in (False, True):
        leaf = tokens.clone().requires_grad_()
        if literal:
            rows = [leaf[a:b].amax(0) if b > a else 0 * leaf[0] for a, b in stretches]
            found = torch.stack(rows) if rows else leaf[:0]
        else:
            found = range_maxima(leaf, longest).over(start, end)
        (found * weight).sum().backward()
        results.append((found.detach(), leaf.grad))
    for actual, wanted in zip(*results):
        torch.testing.assert_close(actual, wanted)


def test_a_stretch_of_many_tokens_needs_a_table_of_few_levels():
    tokens = torch.arange(5000.0)[:, None]
    maxima = range_maxima(tokens, 5000)
    assert len(maxima.offset) == 13 and len(maxima.table) < 13 * 5000
    assert maxima.over(torch.tensor([0, 1, 0]), torch.tensor([5000, 4097, 4096])).flatten().tolist() == [4999, 4096, 4095]


@checked
@given(data=st.data())
def test_the_stretch_between_two_spans_holds_the_tokens_behind_one_and_before_the_other(data):
    (_, *one), (_, *other) = data.draw(span_lists([9], 5).filter(lambda rows: len(rows) >= 2))[:2]
    start, end = stretch_between(torch.tensor([one]), torch.tensor([other]))
    first, second = sorted([one, other])
    wanted = list(range(first[1], second[0]))
    assert list(range(int(start), int(end))) == wanted


@checked
@given(lengths=LENGTHS, data=st.data())
def test_overlaps_with_other_spans_are_those_of_sets_of_tokens(lengths, data):
    one, other = data.draw(span_lists(lengths)), data.draw(span_lists(lengths, 3))

    def tokens(row: tuple[int, int, int]) -> set[tuple[int, int]]:
        return {(row[0], token) for token in range(row[1], row[2])}

    assert same_as_any(made(one), made(other)).tolist() == [row in other for row in one]
    touches = [any(tokens(row) & tokens(o) for o in other) for row in one]
    assert touches_any(made(one), made(other), torch.tensor(lengths)).tolist() == touches
    if one:
        shares = [max([len(tokens(row) & tokens(o)) / len(tokens(row) | tokens(o)) for o in other] + [0]) for row in one]
        assert best_overlap(made(one), made(other), len(lengths)).tolist() == pytest.approx(shares)


def test_the_best_overlap_by_hand_whole_or_in_chunks(monkeypatch):
    # Entities 2-5 and 4-6. Span 3-5: 2 of 3 tokens, and 1 of 3. Span 5-8: none of the first, 1 of 4. Span 0-2: none. Span 4-6: all.
    spans, entities = made([(0, 3, 5), (0, 5, 8), (0, 0, 2), (0, 4, 6)]), made([(0, 2, 5), (0, 4, 6)])
    for cells in (2**22, 1):
        monkeypatch.setattr(module, "CELLS_AT_ONCE", cells)
        assert best_overlap(spans, entities, 1).tolist() == pytest.approx([2 / 3, 1 / 4, 0, 1])


@checked
@given(sizes=st.lists(st.integers(0, 6), min_size=1, max_size=4), data=st.data())
def test_a_choice_takes_as_many_of_each_group_as_there_are_up_to_its_limit(sizes, data):
    limits = [data.draw(st.integers(0, 7)) for _ in sizes]
    group = data.draw(st.permutations([number for number, size in enumerate(sizes) for _ in range(size)]))
    chosen = choose(torch.tensor(group, dtype=torch.int64), torch.tensor(limits)).tolist()
    counts = Counter(number for number, is_chosen in zip(group, chosen) if is_chosen)
    assert [counts[number] for number in range(len(sizes))] == [min(pair) for pair in zip(sizes, limits)]


def test_a_choice_takes_every_member_equally_often():
    torch.manual_seed(0)
    group = torch.tensor([0, 1, 0, 0, 0])
    drawn = torch.stack([choose(group, torch.tensor([2, 1])) for _ in range(1000)]).double().mean(0)
    assert drawn.tolist() == pytest.approx([0.5, 1, 0.5, 0.5, 0.5], abs=0.06)  # about four standard errors


@checked
@given(lengths=LENGTHS, data=st.data())
def test_without_overlaps_each_token_goes_to_the_highest_span_that_can_have_it(lengths, data):
    rows = data.draw(span_lists(lengths))
    scores = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    left, wanted = sorted(range(len(rows)), key=lambda number: -scores[number]), set[int]()
    while left:
        best = left[0]
        wanted.add(best)
        a = rows[best]
        left = [n for n in left if rows[n][0] != a[0] or rows[n][2] <= a[1] or rows[n][1] >= a[2]]
    kept = without_overlaps(made(rows), torch.tensor(scores, dtype=torch.float32))
    assert set(kept.nonzero().flatten().tolist()) == wanted


@pytest.mark.parametrize("size", [1, 3, 7, 8])
def test_chunks_give_the_same_rows_and_gradients_as_all_rows_at_once(size):
    torch.manual_seed(0)
    layer, rows, shared, weight = torch.nn.Linear(3, 2), torch.randn(7, 3), torch.randn(3), torch.randn(7, 2)

    def run(part: Tensor, all_see: Tensor) -> Tensor:
        return layer(part * all_see).tanh()

    results = []
    for at_once in (100, size):
        leaf = shared.clone().requires_grad_()
        layer.zero_grad()
        found = in_chunks(run, (rows,), (leaf,), size=at_once)
        (found * weight).sum().backward()
        results.append((found.detach(), leaf.grad, layer.weight.grad.clone()))
    for actual, wanted in zip(*results):
        torch.testing.assert_close(actual, wanted)


def test_no_rows_are_one_empty_chunk():
    assert in_chunks(torch.nn.Linear(3, 2), (torch.zeros(0, 3),), (), size=4).shape == (0, 2)
