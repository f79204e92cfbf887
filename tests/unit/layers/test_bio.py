"""BIO tags of a batch's entities and back, against a loop over tokens, and the odds of an entity against all sequences of tags."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.encoding.batch import Batch, Entities
from relsift.encoding.encoding import Encoding
from relsift.layers.bio import allowed_transitions, entities_of, entity_log_odds, tags_of, taught
from relsift.layers.crf import CRF
from relsift.schema import Entity, Relation, Sentence
from strategies import sentences
from toy import batch_of

TRAINED = Sentence("t", ("a", "b"), (Entity(0, 1, "LOC"), Entity(1, 2, "PER")), (Relation(0, 1, "works_for"),))  # ORG is unknown
KNOWN = Encoding.fit([TRAINED], reads=("words", "tags", "types", "spans"))
few = settings(max_examples=40, deadline=None)
groups = st.lists(sentences(annotated=False), min_size=1, max_size=3)


def rows(entities: Entities) -> list[tuple[int, int, int, int]]:
    return [(s, *span, kind) for s, span, kind in zip(entities.sentence.tolist(), entities.span.tolist(), entities.type.tolist())]


def literal(tags: list[int]) -> list[tuple[int, int, int]]:
    """Start, end and type of each entity, token by token."""
    found: list[list[int]] = []
    for place, tag in enumerate(tags):
        goes_on = tag > 0 and tag % 2 == 0 and place > 0 and tags[place - 1] in (tag - 1, tag)
        if goes_on:
            found[-1][1] += 1
        elif tag:
            found.append([place, place + 1, (tag - 1) // 2])
    return [(start, end, kind) for start, end, kind in found]


@few
@given(groups)
def test_the_tags_of_a_batch_are_those_that_the_tag_input_would_show(group):
    batch = batch_of(group, KNOWN)
    assert torch.equal(tags_of(batch), batch.tags)


@few
@given(groups)
def test_entities_become_tags_and_the_taught_ones_come_back(group):
    batch = batch_of(group, KNOWN)
    kept = []
    for number, sentence in enumerate(group):
        spans, types = [(e.start, e.end) for e in sentence.entities], [KNOWN.types.id(e.type) for e in sentence.entities]
        kept += [(number, *spans[place], types[place]) for place in taught(spans, types)]
    assert rows(entities_of(tags_of(batch), batch.lengths)) == sorted(kept)


@few
@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=7), min_size=1, max_size=3), st.integers(0, 4))
def test_any_tags_show_the_entities_of_a_loop_over_tokens_whatever_the_padding(lists, padding):
    lengths = [len(tags) for tags in lists]
    padded = torch.tensor([tags + [padding] * (max(lengths) - len(tags)) for tags in lists])
    wanted = [(number, *entity) for number, tags in enumerate(lists) for entity in literal(tags)]
    assert rows(entities_of(padded, torch.tensor(lengths))) == wanted


def test_overlapping_and_unknown_entities_are_not_taught():
    spans = [(0, 2), (1, 4), (4, 5), (4, 5), (5, 9), (6, 7)]
    assert sorted(taught(spans, [0, 1, 1, 0, -1, 0])) == [1, 2, 5]  # longer; first of two equal ones; the unknown one hides nothing


def test_what_may_follow_what_by_hand_for_one_type():
    # columns O, B, I; rows O, B, I, and what may stand first
    assert allowed_transitions(1).int().tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 1000), st.sampled_from([1, 100, 10_000]))
def test_the_odds_of_every_possible_entity_are_those_of_the_sequences_that_show_exactly_it(lengths, seed, at_once):
    crf = CRF(5, allowed_transitions(2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in crf.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    emissions = torch.randn(len(lengths), max(lengths), 5, generator=generator)
    asked = [
        (number, start, end, kind)
        for number, length in enumerate(lengths) for start in range(length) for end in range(start + 1, length + 1) for kind in (0, 1)
    ]  # fmt: skip
    columns = torch.tensor(asked)
    with mock.patch("relsift.layers.bio.NUMBERS_AT_ONCE", at_once):
        odds = entity_log_odds(crf, emissions, torch.tensor(lengths), Entities(columns[:, 0], columns[:, 1:3], columns[:, 3]))
    assert odds.dtype == torch.float32
    for number, length in enumerate(lengths):
        share = dict.fromkeys(asked, 0.0)
        every = [tags for tags in product(range(5), repeat=length) if all((5, *tags)[t] in (tag - 1, tag) or tag in (0, 1, 3)
                 for t, tag in enumerate(tags))]  # fmt: skip
        many = emissions[number, :length].expand(len(every), -1, -1)
        likelihood = crf.negative_log_likelihood(many, torch.tensor(every), torch.full((len(every),), length))
        probabilities = (-likelihood).exp().tolist()
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        for tags, probability in zip(every, probabilities):
            for entity in literal(list(tags)):
                share[number, *entity] += probability
        for question, value in zip(asked, odds.tolist()):
            if question[0] == number:
                assert torch.tensor(value).sigmoid().item() == pytest.approx(share[question], abs=1e-5)


def test_a_certain_entity_has_finite_odds_and_no_entities_have_none():
    crf, lengths = CRF(3, allowed_transitions(1)), torch.tensor([2])
    emissions = torch.tensor([[[-500.0, 500.0, 0.0], [500.0, 0.0, 0.0]]])
    odds = entity_log_odds(crf, emissions, lengths, entities_of(crf.best(emissions, lengths), lengths))
    assert 20 < odds.item() < 40
    nothing = entities_of(torch.zeros(1, 2, dtype=torch.int64), lengths)
    assert len(nothing) == 0
    assert entity_log_odds(crf, emissions, lengths, nothing).shape == (0,)


def test_a_batch_without_entities_is_outside_everywhere():
    batch: Batch = batch_of([replace(TRAINED, entities=(), relations=None)], KNOWN)
    assert tags_of(batch).tolist() == [[0, 0]]
