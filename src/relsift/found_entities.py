"""Entities that models found, put into sentences in place of those that they had; and what several models agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from relsift.encoding.encoding import Encoding
from relsift.schema import Entity, Relation, Sentence

if TYPE_CHECKING:
    from relsift.models.base.joint_model import Found


def without_entities(sentence: Sentence) -> Sentence:
    """The text alone."""
    return replace(sentence, entities=(), relations=None, tagged=None)


def entities_by_sentence(found: Found, encoding: Encoding, count: int) -> list[list[Entity]]:
    """What was found in each of `count` sentences, each with its score."""
    result: list[list[Entity]] = [[] for _ in range(count)]
    rows = zip(found.entities.sentence.tolist(), found.entities.span.tolist(), found.entities.type.tolist(), found.score.tolist())
    for sentence, (start, end), kind, entity_score in rows:
        result[sentence].append(Entity(start, end, encoding.types.names[kind], score=entity_score))
    return result


def with_found_entities(sentence: Sentence, entities: Sequence[Entity]) -> Sentence:
    """The sentence with these entities in text order, and its relations between those of them that it has too."""
    ordered = sorted(entities, key=lambda entity: (entity.start, entity.end, entity.type))
    place = {(entity.start, entity.end, entity.type): number for number, entity in enumerate(ordered)}
    relations = None
    if sentence.relations is not None:
        kept = ((_place(sentence, r.head, place), _place(sentence, r.tail, place), r.type) for r in sentence.relations)
        ends = {(head, tail, name) for head, tail, name in kept if head is not None and tail is not None and head != tail}
        relations = tuple(Relation(head, tail, name) for head, tail, name in sorted(ends))
    return replace(sentence, entities=tuple(map(sentence.with_characters, ordered)), relations=relations, tagged=None)


def _place(sentence: Sentence, position: int, place: Mapping[tuple[int, int, str], int]) -> int | None:
    entity = sentence.entities[position]
    return place.get((entity.start, entity.end, entity.type))


def agreed(sentences: Sequence[Sentence], by_member: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """Each sentence with the entities that more than half of the members found."""
    result = []
    for sentence, *those in zip(sentences, *by_member):
        scores: dict[tuple[int, int, str], list[float]] = {}
        for found in those:
            for entity in found.entities:
                scores.setdefault((entity.start, entity.end, entity.type), []).append(entity.score or 0.0)
        votes = [(key, values) for key, values in scores.items() if 2 * len(values) > len(by_member)]
        result.append(with_found_entities(sentence, [Entity(*key, score=float(np.mean(values))) for key, values in votes]))
    return result
