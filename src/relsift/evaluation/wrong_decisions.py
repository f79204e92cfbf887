"""The wrong decisions of a model, one by one, in words."""

from __future__ import annotations

from dataclasses import dataclass

from relsift.candidates import Direction, in_text_order
from relsift.evaluation.scores import facts_of, key_of, wrong_facts
from relsift.schema import Sentence


@dataclass(frozen=True)
class WrongDecision:
    """One entity pair decided wrongly; `gold` or `found` is None for "no relation"."""

    head: str
    tail: str
    gold: str | None
    found: str | None
    score: float | None

    def __str__(self) -> str:
        kind = "missed" if self.found is None else "spurious" if self.gold is None else "wrong type"
        said = " instead of ".join(name for name in (self.found, self.gold) if name is not None)
        score = "" if self.score is None else f" (score {self.score:.2f})"
        return f"{kind}: {said}({self.head} → {self.tail}){score}"


def wrong_decisions(gold: Sentence, found: Sentence, direction: Direction) -> list[WrongDecision]:
    """What `evaluate` counts as wrong in one sentence, in the order of its entities. Both sides hold the same entities."""
    if gold.relations is None:
        return []
    scores = {(key_of(found, r, direction), r.type): r.score for r in found.relations or ()}
    result = []
    for ((head, *_), (tail, *_)), kind, given in wrong_facts(facts_of(gold, direction), facts_of(found, direction)):
        if direction == "undirected":
            head, tail = in_text_order(gold, head, tail)
        names = gold.text_of(gold.entities[head]), gold.text_of(gold.entities[tail])
        score = None if given is None else scores[(head, tail), given]
        result.append(WrongDecision(*names, kind, given, score))
    return result
