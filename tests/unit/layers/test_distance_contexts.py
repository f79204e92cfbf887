"""Keys of what a window sees of the distances to an entity, against counting token by token; keys are made for entities of pairs only."""

from __future__ import annotations

import random

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.candidates import Candidates
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.layers.distance_contexts import DistanceContexts, distances, referred_entities
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from toy import batch_of, encoding, long_sentence, randomise, sentences

KNOWN = encoding()


def every(batch: Batch) -> torch.Tensor:
    """Rows of all entities."""
    return torch.arange(len(batch.entities))


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
    contexts = DistanceContexts(left, right, limit)
    keys = contexts.keys(batch, every(batch), merge=merge)
    assert keys.min() >= 0
    assert keys.max() < contexts.count
    for entity, (start, end) in enumerate(batch.entities.span.tolist()):
        length = int(batch.lengths[batch.entities.sentence[entity]])
        rows = contexts.rows(keys[entity, :length]).tolist()
        for token, row in enumerate(rows):
            assert row == [by_hand(token + step, start, end, length, limit) for step in range(-left, right + 1)]


def test_padding_adds_no_context():
    contexts = DistanceContexts(2, 3, 5)
    short, both = batch_of([long_sentence(4, 3, 1)], KNOWN), batch_of([long_sentence(4, 3, 1), long_sentence(30, 1, 2)], KNOWN)
    padded = contexts.keys(both, every(both))[:3]
    assert padded.shape == (3, 30)
    assert set(padded.flatten().tolist()) == set(contexts.keys(short, every(short)).flatten().tolist())


def test_thousands_of_places_share_few_contexts():
    batch = batch_of([long_sentence(60, 25, seed) for seed in range(8)], KNOWN)
    keys = DistanceContexts(4, 5, 50).keys(batch, every(batch))
    assert keys.numel() == 8 * 25 * 60
    assert len(keys.unique()) < keys.numel() / 2


def test_merging_leaves_fewer_keys_and_the_same_distances():
    batch = batch_of([long_sentence(60, 25, seed) for seed in range(8)], KNOWN)
    contexts = DistanceContexts(4, 5, 50)
    apart, merged = (contexts.keys(batch, every(batch), merge=merge) for merge in (False, True))
    assert len(merged.unique()) < 0.6 * len(apart.unique())
    assert torch.equal(contexts.rows(apart.flatten()), contexts.rows(merged.flatten()))


def test_distances_are_zero_inside_the_span_and_clipped_outside():
    position = torch.arange(8)
    clipped = distances(position, torch.tensor(3), torch.tensor(5), 2) - 2
    assert clipped.tolist() == [-2, -2, -1, 0, 0, 1, 2, 2]


# ---- which entities need keys


def test_keys_of_some_entities_are_those_rows_of_the_keys_of_all():
    batch = batch_of([long_sentence(12, 5, 1), long_sentence(9, 4, 2)], KNOWN)
    contexts, some = DistanceContexts(2, 3, 5), torch.tensor([7, 0, 4])
    assert torch.equal(contexts.keys(batch, some), contexts.keys(batch, every(batch))[some])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), distance=st.integers(0, 6))
def test_entities_of_pairs_are_those_of_a_plain_loop(seed, distance):
    draw = random.Random(seed)
    group = [long_sentence(draw.randint(1, 20), draw.randint(1, 5), seed + n) for n in range(3)]
    batch = batch_of(group, KNOWN, Candidates(max_distance=distance))  # far entities are in no pair
    used: list[int] = []
    for row in range(len(batch.entities)):
        if row in batch.pairs.head.tolist() or row in batch.pairs.tail.tolist():
            used.append(row)
    entities, head, tail = referred_entities(batch)
    assert entities.tolist() == used
    assert [used[position] for position in head.tolist()] == batch.pairs.head.tolist()
    assert [used[position] for position in tail.tolist()] == batch.pairs.tail.tolist()


def test_without_pairs_no_entity_is_referred_to():
    entities, head, tail = referred_entities(batch_of([long_sentence(5, 1)], KNOWN))
    assert (entities.shape, head.shape, tail.shape) == ((0,), (0,), (0,))


def test_copies_of_a_sentence_with_many_entities_make_keys_for_two_entities_each(monkeypatch):
    # 30 entities: 435 copies, one for each two of them. Keys for all entities of every copy would be 15 times as many.
    asked: list[torch.Tensor] = []
    original = DistanceContexts.keys

    def spy(self: DistanceContexts, batch: Batch, entities: torch.Tensor, *, merge: bool = False) -> torch.Tensor:
        asked.append(entities)
        return original(self, batch, entities, merge=merge)

    monkeypatch.setattr(DistanceContexts, "keys", spy)
    by_pair = Encoding.fit(sentences(40), tags="pair")
    batch = batch_of([long_sentence(12, 30)], by_pair)
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), by_pair)
    randomise(model)
    output = model.eval()(batch)
    assert (len(batch.lengths), len(batch.entities), len(batch.pairs)) == (435, 435 * 30, 870)
    assert [len(entities) for entities in asked] == [435 * 2]
    assert output.scores.shape == (870, len(KNOWN.labels))
