"""The wrong decisions of a model, one by one, as text."""

from __future__ import annotations

from dataclasses import dataclass

from relsift.candidates import Direction, in_text_order
from relsift.evaluation.scores import facts_of, pair_of, wrong_facts
from relsift.schema import Sentence


@dataclass(frozen=True)
class WrongDecision:
    """One wrong decision about an entity pair."""

    head: str  # words of the entity
    tail: str
    gold: str | None  # relation type; None: no relation
    predicted: str | None  # relation type; None: no relation
    score: float | None  # of the predicted relation

    def __str__(self) -> str:
        kind = "missed" if self.predicted is None else "spurious" if self.gold is None else "wrong type"
        relation = " instead of ".join(name for name in (self.predicted, self.gold) if name is not None)
        score = "" if self.score is None else f" (score {self.score:.2f})"
        return f"{kind}: {relation}({self.head} → {self.tail}){score}"


def wrong_decisions(gold: Sentence, predicted: Sentence, direction: Direction) -> list[WrongDecision]:
    """The errors that `evaluate` counts in one sentence, in the order of its entities, which are the same on both sides."""
    if gold.relations is None:
        return []
    scores = {(pair_of(predicted, relation, direction), relation.type): relation.score for relation in predicted.relations or ()}
    decisions = []
    for ((head, *_), (tail, *_)), gold_type, predicted_type in wrong_facts(facts_of(gold, direction), facts_of(predicted, direction)):
        if direction == "undirected":
            head, tail = in_text_order(gold, head, tail)
        head_text, tail_text = (" ".join(gold.text_of(gold.entities[position]).split()) for position in (head, tail))  # on one line
        score = None if predicted_type is None else scores[(head, tail), predicted_type]
        decisions.append(WrongDecision(head_text, tail_text, gold_type, predicted_type, score))
    return decisions
