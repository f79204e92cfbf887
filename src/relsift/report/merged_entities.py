"""The entities of two sides of a sentence as one list, so that one picture can show both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from relsift.evaluation.facts import EntityKey, key_of
from relsift.evaluation.scores import Match
from relsift.schema import Entity, Relation, Sentence

Presence = Literal["found", "missed", "spurious"]  # on both sides, on the gold side alone, on the predicted side alone


@dataclass(frozen=True)
class MergedEntities:
    """What `merge` makes of one sentence. Entities that match are one; so are those of one side that are equal."""

    entities: tuple[Entity, ...]  # in text order; of two that match, the gold one, with the score of the predicted one
    presence: tuple[Presence, ...]  # of each
    gold: tuple[int, ...]  # position in `entities` of each gold entity
    predicted: tuple[int, ...]


def merge(gold: Sentence, predicted: Sentence, match: Match) -> MergedEntities:
    """Args: match: as of `evaluate`."""
    sides = [{key_of(entity, match): entity for entity in reversed(sentence.entities)} for sentence in (gold, predicted)]
    position: dict[EntityKey, int] = {key: number for number, key in enumerate(sorted({*sides[0], *sides[1]}))}
    entities, presence = list[Entity](), list[Presence]()
    for key in position:
        on_gold, on_predicted = sides[0].get(key), sides[1].get(key)
        if on_gold is not None and on_predicted is not None:
            entities.append(replace(on_gold, score=on_predicted.score))
            presence.append("found")
        elif on_gold is not None:
            entities.append(on_gold)
            presence.append("missed")
        elif on_predicted is not None:
            entities.append(on_predicted)
            presence.append("spurious")
    places = [tuple(position[key_of(entity, match)] for entity in sentence.entities) for sentence in (gold, predicted)]
    return MergedEntities(tuple(entities), tuple(presence), places[0], places[1])


def moved(relations: Iterable[Relation], position: tuple[int, ...]) -> list[Relation]:
    """The relations with other positions of their entities. Args: position: the new one of each."""
    return [replace(relation, head=position[relation.head], tail=position[relation.tail]) for relation in relations]
