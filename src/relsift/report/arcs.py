"""The relations of one sentence to draw: those of one side, or each agreement and error of gold against predicted ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from relsift.candidates import Direction
from relsift.errors import DataError
from relsift.report.merged_entities import MergedEntities, moved
from relsift.schema import Relation, Sentence

Kind = Literal["plain", "found", "missed", "spurious", "wrong"]

MEANING: dict[Kind, tuple[str, str]] = {  # kind -> name, explanation; the signs before the names are in page.css and page.js
    "found": ("found", "in gold and predicted"),
    "missed": ("missed", "in gold, not predicted"),
    "spurious": ("spurious", "predicted, not in gold"),
    "wrong": ("wrong type", "pair found, type differs: predicted ≠ gold"),
}


@dataclass(frozen=True, slots=True)
class Arc:
    """One relation to draw."""

    kind: Kind
    head: int                      # position in the sentence's entities, as in `Relation`
    tail: int                      # position in the sentence's entities
    gold: str | None = None        # relation type; that of a plain arc too
    predicted: str | None = None   # relation type; None for plain and missed arcs
    score: float | None = None     # of the predicted relation
    probability: float | None = None   # of the predicted relation to be right


def plain_arcs(sentence: Sentence) -> list[Arc] | None:
    """All relations of a sentence; None if it is not annotated."""
    if sentence.relations is None:
        return None
    return [Arc("plain", found.head, found.tail, found.type, None, *_certainty(found)) for found in sentence.relations]


def compared_arcs(gold: Sentence, predicted: Sentence, direction: Direction, merged: MergedEntities | None = None) -> list[Arc]:
    """Every relation of either side exactly once, in text order.

    Entities match by position, or as `merged` has them; positions are those in its list then. A type that a pair has on both sides is
    found. The other types of the two sides are joined, in alphabetical order, to wrong types; those without a partner are missed or
    spurious. A relation stated twice counts once, with its best score.

    Raises: DataError if the two sides differ in id, tokens or, without `merged`, entities, or one is not annotated.
    """
    _check_same(gold, predicted, same_entities=merged is None)
    relations = [list(sentence.relations or ()) for sentence in (gold, predicted)]
    entities = gold.entities
    if merged is not None:
        relations = [moved(relations[0], merged.gold), moved(relations[1], merged.predicted)]
        entities = merged.entities
    sides: tuple[dict[tuple[int, int], dict[str, Relation]], ...] = (defaultdict(dict), defaultdict(dict))
    for side, of_side in zip(sides, relations, strict=True):
        for r in sorted(of_side, key=lambda r: -1.0 if r.score is None else r.score):
            pair = (r.head, r.tail) if direction == "directed" else (min(r.head, r.tail), max(r.head, r.tail))
            side[pair][r.type] = r
    arcs = [arc for pair in {**sides[0], **sides[1]} for arc in _compare_pair(sides[0][pair], sides[1][pair])]
    spans = [(entity.start, entity.end) for entity in entities]
    return sorted(arcs, key=lambda a: (*sorted((spans[a.head], spans[a.tail])), a.gold or "", a.predicted or ""))


def _compare_pair(gold: Mapping[str, Relation], predicted: Mapping[str, Relation]) -> Iterator[Arc]:
    """The arcs of one pair; both sides map type -> relation."""
    for type_ in sorted(gold.keys() & predicted.keys()):
        yield Arc("found", gold[type_].head, gold[type_].tail, type_, type_, *_certainty(predicted[type_]))
    missed, spurious = sorted(gold.keys() - predicted.keys()), sorted(predicted.keys() - gold.keys())
    wrong = min(len(missed), len(spurious))
    for gold_type, type_ in zip(missed[:wrong], spurious[:wrong], strict=True):
        yield Arc("wrong", predicted[type_].head, predicted[type_].tail, gold_type, type_, *_certainty(predicted[type_]))
    for type_ in missed[wrong:]:
        yield Arc("missed", gold[type_].head, gold[type_].tail, gold=type_)
    for type_ in spurious[wrong:]:
        yield Arc("spurious", predicted[type_].head, predicted[type_].tail, None, type_, *_certainty(predicted[type_]))


def _certainty(relation: Relation) -> tuple[float | None, float | None]:
    return relation.score, relation.probability


def _check_same(gold: Sentence, predicted: Sentence, *, same_entities: bool) -> None:
    where = f"comparison, sentence {gold.id!r}"
    if (gold.id, gold.tokens) != (predicted.id, predicted.tokens):
        raise DataError(f"{where}: expected the same id and tokens on both sides, got predicted sentence {predicted.id!r}")
    spans = [[(e.start, e.end, e.type) for e in side.entities] for side in (gold, predicted)]
    if same_entities and spans[0] != spans[1]:
        raise DataError(f"{where}: expected the same entities on both sides, got gold {spans[0]} and predicted {spans[1]}")
    for name, side in (("gold", gold), ("predicted", predicted)):
        if side.relations is None:
            raise DataError(f"{where}: expected {name} relations (an empty list for none), got a sentence that is not annotated")
