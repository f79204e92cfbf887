"""Entity scores against nervaluate, on random sentences whose entities do not overlap on either side.

Where entities of a side overlap, nervaluate depends on their order: a wrong entity takes the annotated one that a later entity has right.
Its `strict` is our strict, and its `exact` (spans alone) our boundaries.
"""

from __future__ import annotations

import random

import pytest
from nervaluate import Evaluator

from relsift.evaluation.entities import ANY_TYPE, evaluate_entities
from relsift.schema import Entity, Sentence

TYPES = ("LOC", "ORG", "PER")
NUM_TOKENS = 14


def entities(draw: random.Random) -> list[Entity]:
    """From left to right, with or without tokens between them."""
    result, start = [], draw.randrange(3)
    while (end := start + draw.randint(1, 3)) <= NUM_TOKENS:
        result.append(Entity(start, end, draw.choice(TYPES)))
        start = end + draw.randrange(3)
    return result


def guesses(draw: random.Random, gold: list[Entity]) -> list[Entity]:
    """Right ones, other types, other ends, and entities left out; in some sentences entities of their own."""
    if draw.random() < 0.2:
        return entities(draw)
    kept = []
    for entity in gold:
        chance, kind = draw.random(), draw.choice(TYPES)
        if chance < 0.5:
            kept.append(entity)
        elif chance < 0.7:
            kept.append(Entity(entity.start, entity.end, kind))
        elif chance < 0.85:
            kept.append(Entity(entity.start, max(entity.start + 1, entity.end - 1), kind))
    return kept


def as_dictionaries(sentences: list[Sentence]) -> list[list[dict[str, object]]]:
    """nervaluate counts the last token in."""
    return [[{"label": e.type, "start": e.start, "end": e.end - 1} for e in sentence.entities] for sentence in sentences]


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_entities_are_those_of_nervaluate(seed: int):
    draw = random.Random(seed)
    spans = [entities(draw) for _ in range(60)]
    gold = [Sentence(str(n), ("x",) * NUM_TOKENS, tuple(side), ()) for n, side in enumerate(spans)]
    predicted = [Sentence(s.id, s.tokens, tuple(guesses(draw, side))) for s, side in zip(gold, spans)]
    theirs = Evaluator(as_dictionaries(gold), as_dictionaries(predicted), list(TYPES), loader="dict").evaluate()

    strict, boundaries = (evaluate_entities(gold, predicted, match=match) for match in ("strict", "boundaries"))
    assert 0 < strict.micro.f1 < boundaries.micro.f1 < 1
    for ours, name in ((strict, "strict"), (boundaries, "exact")):
        result = theirs["overall"][name]
        assert (ours.micro.precision, ours.micro.recall, ours.micro.f1) == pytest.approx((result.precision, result.recall, result.f1))
        assert sum(counts.true_positive for counts in ours.per_type.values()) == result.correct
        assert sum(counts.support for counts in ours.per_type.values()) == result.possible
    assert list(boundaries.per_type) == [ANY_TYPE]
    for kind in TYPES:
        counts, result = strict.per_type[kind], theirs["entities"][kind]["strict"]
        assert (counts.true_positive, counts.false_positive + counts.true_positive, counts.support) == (
            result.correct, result.actual, result.possible,
        )  # fmt: skip
