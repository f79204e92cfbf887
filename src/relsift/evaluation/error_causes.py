"""Why relations between found entities are wrong: by the span of an entity, its type, the decision about the pair, or the relation.

A system that finds entities and relations loses a relation at the first of these steps that fails. The split says where work would pay:
what is lost by a span or a type, no relation classifier can bring back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from relsift.candidates import Direction
from relsift.evaluation.entities import entity_keys
from relsift.evaluation.facts import EntityKey, Fact, annotated_sentences, facts_of
from relsift.evaluation.scores import Match
from relsift.schema import Sentence

Cause = Literal["span", "type", "pair", "relation"]
CAUSES: tuple[Cause, ...] = get_args(Cause)


@dataclass(frozen=True, slots=True)
class CauseCounts:
    """Wrong relations of one side, by the first cause that applies. "The other side" is what the system found for a missed relation, and
    the annotation for a spurious one.
    """

    span: int = 0  # an entity's span is not on the other side
    type: int = 0  # both spans are, the type of one is not; 0 with match=boundaries
    pair: int = 0  # both entities are on the other side, where the pair is unrelated
    relation: int = 0  # the pair has another relation there, or the same one reversed
    reading: int = 0  # of the missed ones: annotated, but not kept by the reader

    @property
    def total(self) -> int:
        return self.span + self.type + self.pair + self.relation + self.reading


@dataclass(frozen=True, slots=True)
class ErrorCauses:
    """The result of `error_causes`. The totals are the false negatives and the false positives of `evaluate`."""

    missed: CauseCounts  # annotated relations that were not found
    spurious: CauseCounts  # found relations that are not annotated

    def with_lost_in_reading(self, count: int) -> ErrorCauses:
        """The same causes and `count` relations more that the reader could not keep: every system misses them."""
        return replace(self, missed=replace(self.missed, reading=self.missed.reading + count))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ErrorCauses:
        return cls(CauseCounts(**value["missed"]), CauseCounts(**value["spurious"]))


def error_causes(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, direction: Direction, match: Match = "strict"
) -> ErrorCauses:
    """Split the errors of `evaluate` with entities=predicted. Arguments and errors: as there."""
    missed, spurious = Counter[Cause](), Counter[Cause]()
    for _, g, p in annotated_sentences(gold, predicted, "predicted", match):
        gold_side, predicted_side = Side.of(g, direction, match), Side.of(p, direction, match)
        missed.update(predicted_side.cause(fact, gold_side) for fact in gold_side.facts - predicted_side.facts)
        spurious.update(gold_side.cause(fact, predicted_side) for fact in predicted_side.facts - gold_side.facts)
    return ErrorCauses(*(CauseCounts(**{name: count[name] for name in CAUSES}) for count in (missed, spurious)))


@dataclass(frozen=True)
class Side:
    """What one side, annotation or system, says of a sentence."""

    entities: set[EntityKey]
    facts: set[Fact]

    @classmethod
    def of(cls, sentence: Sentence, direction: Direction, match: Match) -> Side:
        return cls(entity_keys(sentence, match), facts_of(sentence, direction, "predicted", match))

    def cause(self, fact: Fact, other: Side) -> Cause:
        """Why a relation of the other side is not on this one."""
        (head, tail), relation_type = fact
        spans = {entity[:2] for entity in self.entities}
        if head[:2] not in spans or tail[:2] not in spans:
            return "span"
        if head not in self.entities or tail not in self.entities:
            return "type"
        is_reversed = ((tail, head), relation_type) in self.facts - other.facts
        return "relation" if is_reversed or any(pair == (head, tail) for pair, _ in self.facts) else "pair"
