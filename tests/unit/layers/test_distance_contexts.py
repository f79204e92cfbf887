from __future__ import annotations

import random

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.layers.distance_contexts import DistanceContexts, distances
from toy import batch_of, encoding, long_sentence

KNOWN = encoding()


def by_hand(token: int, start: int, end: int, length: int, limit: int) -> int:
    """Row of the distance table for one token, -1 beyond the sentence; 0 inside the entity, -1 before it, +1 behind it."""
    if not 0 <= token < length:
        return -1
    distance = token - start if token < start else max(0, token - (end - 1))
    return max(-limit, min(limit, distance)) + limit


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), left=st.integers(0, 5), right=st.integers(0, 5), limit=st.integers(1, 12), merge=st.booleans())
def test_a_key_tells_every_distance_that_a_window_sees(seed, left, right, limit, merge):
    draw = random.Random(seed)
    batch = batch_of([long_sentence(draw.randint(1, 40), draw.randint(1, 4), seed + n) for n in range(3)], KNOWN)
    stretches = DistanceContexts(left, right, limit)
    keys = stretches.keys(batch, merge=merge)
    assert keys.min() >= 0
    assert keys.max() < stretches.count
    for entity, (start, end) in enumerate(batch.entities.span.tolist()):
        length = int(batch.lengths[batch.entities.sentence[entity]])
        rows = stretches.rows(keys[entity, :length]).tolist()
        for token, row in enumerate(rows):
            assert row == [by_hand(token + step, start, end, length, limit) for step in range(-left, right + 1)]


def test_padding_adds_no_stretch():
    stretches = DistanceContexts(2, 3, 5)
    alone = stretches.keys(batch_of([long_sentence(4, 3, 1)], KNOWN))
    padded = stretches.keys(batch_of([long_sentence(4, 3, 1), long_sentence(30, 1, 2)], KNOWN))[:3]
    assert set(padded.flatten().tolist()) == set(alone.flatten().tolist())


def test_thousands_of_places_share_few_stretches():
    batch = batch_of([long_sentence(60, 25, seed) for seed in range(8)], KNOWN)
    keys = DistanceContexts(4, 5, 50).keys(batch)
    assert keys.numel() == 8 * 25 * 60
    assert len(keys.unique()) < keys.numel() / 2


def test_merging_leaves_fewer_keys_and_the_same_distances():
    batch = batch_of([long_sentence(60, 25, seed) for seed in range(8)], KNOWN)
    stretches = DistanceContexts(4, 5, 50)
    apart, merged = (stretches.keys(batch, merge=merge) for merge in (False, True))
    assert len(merged.unique()) < 0.6 * len(apart.unique())
    assert torch.equal(stretches.rows(apart.flatten()), stretches.rows(merged.flatten()))


def test_distances_are_zero_inside_the_span_and_clipped_outside():
    position = torch.arange(8)
    found = distances(position, torch.tensor(3), torch.tensor(5), 2) - 2
    assert found.tolist() == [-2, -2, -1, 0, 0, 1, 2, 2]
