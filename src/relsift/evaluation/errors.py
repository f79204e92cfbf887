"""The wrong decisions of a model, one by one, in words."""

from __future__ import annotations

from dataclasses import dataclass

from relsift.candidates import Direction
from relsift.evaluation.scores import key_of
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
    """Pairs on which the two sides differ, in text order of their heads. Both sides hold the same entities."""
    wanted = {key_of(gold, r, direction): r.type for r in gold.relations or ()}
    given = {key_of(found, r, direction): r for r in found.relations or ()}
    result = []
    for head, tail in sorted(wanted.keys() | given.keys(), key=lambda pair: [gold.entities[i].start for i in pair]):
        relation = given.get((head, tail))
        kind = wanted.get((head, tail))
        if (relation.type if relation else None) != kind:
            names = gold.text_of(gold.entities[head]), gold.text_of(gold.entities[tail])
            result.append(WrongDecision(*names, kind, relation.type if relation else None, relation.score if relation else None))
    return result
