"""What stands between two entities, counted token by token."""

from __future__ import annotations

import pytest
import torch

from relsift.layers.between import FIRST_TOKENS, MOST_ENTITIES, NUM_ENTITIES, NUM_TOKENS, between
from relsift.schema import Entity, Sentence
from toy import batch_of, encoding, long_sentence, one_token, sentences

KNOWN = encoding()


def of_first_pair(*spans: tuple[int, int], length: int = 60) -> tuple[int, int]:
    sentence = Sentence("s", ("a",) * length, tuple(Entity(*span, "PER") for span in spans), ())
    batch = batch_of([one_token(), sentence], KNOWN)
    rows = between(batch)
    pair = int(((batch.pairs.head == 2) & (batch.pairs.tail == 3)).nonzero())  # entities of the second sentence: two before them
    return int(rows.tokens[pair]), int(rows.entities[pair])


HALF = NUM_TOKENS // 2


@pytest.mark.parametrize(
    ("head", "tail", "row"),
    [
        ((0, 2), (2, 3), 0),  # adjacent
        ((0, 2), (3, 4), 1),
        ((0, 1), (6, 7), 5),
        ((0, 1), (7, 8), 6 - 1),  # six tokens: the bucket of five and six
        ((0, 1), (8, 9), 6),
        ((0, 1), (58, 60), HALF - 2),  # 57, the last bucket of numbers
        ((0, 3), (2, 5), HALF - 1),  # overlapping
        ((0, 9), (2, 5), HALF - 1),  # nested
        ((2, 3), (0, 2), HALF),  # the head behind
        ((2, 5), (0, 3), NUM_TOKENS - 1),
        ((1, 2), (1, 2), HALF - 1),  # equal spans: neither is behind
    ],
)
def test_buckets_of_tokens(head, tail, row):
    assert of_first_pair(head, tail)[0] == row


def test_entities_that_begin_between_are_counted_and_neither_of_the_two():
    assert of_first_pair((0, 1), (9, 10))[1] == 0
    assert of_first_pair((0, 1), (9, 10), (1, 2), (5, 9), (3, 12))[1] == 3
    assert of_first_pair((0, 4), (9, 10), (3, 5), (0, 9), (9, 12))[1] == 0  # they begin inside the first, or with the second
    assert of_first_pair((9, 10), (0, 1), (5, 6))[1] == 1
    assert of_first_pair((0, 1), (30, 31), *((n, n + 1) for n in range(2, 20)))[1] == MOST_ENTITIES == NUM_ENTITIES - 1
    assert of_first_pair((0, 9), (3, 5), (4, 5))[1] == 0  # overlapping: nothing between


def test_the_same_counted_by_hand_for_any_entities():
    group = [long_sentence(25, 8, seed=1), one_token(), *sentences(3), long_sentence(70, 9, seed=2)]
    batch = batch_of(group, KNOWN)
    rows = between(batch)
    spans = [tuple(span) for span in batch.entities.span.tolist()]
    for pair, (head, tail) in enumerate(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())):
        first, second = sorted((spans[head], spans[tail]))
        gap = second[0] - first[1]
        bucket = HALF - 1 if gap < 0 else sum(gap >= least for least in FIRST_TOKENS) - 1
        assert int(rows.tokens[pair]) == bucket + HALF * (spans[head] > spans[tail])
        others = [s for s, of in zip(spans, batch.entities.sentence.tolist()) if of == int(batch.pairs.sentence[pair])]
        assert int(rows.entities[pair]) == min(MOST_ENTITIES, sum(first[1] <= start < second[0] for start, _ in others))
    assert rows.tokens.dtype == rows.entities.dtype == torch.int64
