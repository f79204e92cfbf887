"""Precision, recall and F1 of entities that a system found, against the annotated ones.

An entity is right if its span is, and with match=strict its type too. What a sentence holds twice counts once. Nested, crossing and
neighbouring entities each count for themselves. With match=boundaries a span with two types is one entity. Scored are the sentences that
`evaluate` scores: those with annotated relations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from relsift.evaluation.facts import EntityKey, annotated_sentences, key_of
from relsift.evaluation.scores import Match, ScoresByType, counts_by_type, left_out
from relsift.schema import Sentence

EntityErrorKind = Literal["wrong_type", "wrong_span", "wrong_both", "missed", "spurious"]

ANY_TYPE = "any type"  # the one row of scores with match=boundaries
_JOINED: tuple[EntityErrorKind, ...] = ("wrong_type", "wrong_span", "wrong_both")  # in the order in which entities are joined


@dataclass(frozen=True, slots=True)
class EntityErrorSplit:
    """Wrong entities, by kind. Each annotated entity and each found one belongs to one error at most.

    A missed entity is first joined to a spurious one on the same span, then to one of its type whose span overlaps, then to any other one
    that overlaps. Of several it takes the one with the largest overlap, then the first in the text. So the three wrong kinds and missed are
    all false negatives, and the three and spurious all false positives. With match=boundaries types do not count, and only wrong spans,
    missed and spurious occur.
    """

    wrong_type: int  # the right span, another type
    wrong_span: int  # the right type, a span that overlaps
    wrong_both: int  # another type, a span that overlaps
    missed: int
    spurious: int

    @property
    def total(self) -> int:
        return self.wrong_type + self.wrong_span + self.wrong_both + self.missed + self.spurious


@dataclass(frozen=True)
class EntityScores(ScoresByType):
    """The result of `evaluate_entities`. `per_type` has entity types as keys; with match=boundaries `ANY_TYPE` alone."""

    errors: EntityErrorSplit

    def to_json(self) -> dict[str, Any]:
        return self.counts_to_json() | {"errors": asdict(self.errors)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> EntityScores:
        """The inverse of `to_json`: averages are computed anew."""
        return cls(*cls.counts_from_json(value), EntityErrorSplit(**value["errors"]))


def evaluate_entities(gold: Sequence[Sentence], predicted: Sequence[Sentence], *, match: Match = "strict") -> EntityScores:
    """Compare the entities of the same sentences in the same order.

    Args: match: *strict* compares span and type, *boundaries* the span alone.
    Raises: DataError if the two sides do not hold the same sentences, or no gold sentence is annotated.
    """
    sides = [keys for _, *keys in gold_and_predicted_entities(gold, predicted, match)]
    errors = Counter[str]()
    for gold_keys, predicted_keys in sides:
        errors.update(kind for kind, _, _ in wrong_entities(gold_keys, predicted_keys))
    per_type = {name or ANY_TYPE: counts for name, counts in counts_by_type(sides).items()}
    split = EntityErrorSplit(**{name: errors[name] for name in get_args(EntityErrorKind)})
    return EntityScores({"match": match} | left_out(len(sides), gold), len(sides), per_type, split)


def gold_and_predicted_entities(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], match: Match
) -> Iterator[tuple[int, set[EntityKey], set[EntityKey]]]:
    """Yield (position, gold entities, predicted entities) of every annotated sentence. Arguments and errors: as of `evaluate_entities`."""
    for position, g, p in annotated_sentences(gold, predicted, "predicted", match):
        yield position, entity_keys(g, match), entity_keys(p, match)


def entity_keys(sentence: Sentence, match: Match) -> set[EntityKey]:
    """The sentence's entities as comparable values, each once."""
    return {key_of(entity, match) for entity in sentence.entities}


def wrong_entities(
    gold: set[EntityKey], predicted: set[EntityKey]
) -> Iterator[tuple[EntityErrorKind, EntityKey | None, EntityKey | None]]:
    """Yield each error of one sentence as (kind, annotated entity, found entity), None for a spurious or a missed one."""
    missed, spurious = gold - predicted, predicted - gold
    overlaps = [(*_rank(m, s), m, s) for m in missed for s in spurious if m[0] < s[1] and s[0] < m[1]]
    for kind, _, m, s in sorted(overlaps):
        if m in missed and s in spurious:
            yield _JOINED[kind], m, s
            missed.remove(m)
            spurious.remove(s)
    yield from (("missed", m, None) for m in sorted(missed))
    yield from (("spurious", None, s) for s in sorted(spurious))


def _rank(missed: EntityKey, spurious: EntityKey) -> tuple[int, int]:
    """Of two entities that overlap: the position in `_JOINED`, and minus the tokens that both have."""
    same_span, same_type = missed[:2] == spurious[:2], missed[2] == spurious[2]
    overlap = min(missed[1], spurious[1]) - max(missed[0], spurious[0])
    return (0 if same_span else 1 if same_type else 2), -overlap
