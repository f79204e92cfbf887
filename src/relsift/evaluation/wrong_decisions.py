"""The wrong decisions of a model, one by one, as text."""

from __future__ import annotations

from dataclasses import dataclass

from relsift.candidates import Direction, in_text_order
from relsift.evaluation.entities import EntityErrorKind, entity_keys, wrong_entities
from relsift.evaluation.error_causes import Cause, Side
from relsift.evaluation.facts import EntityKey, fact_of, facts_of, key_of, wrong_facts
from relsift.evaluation.scores import Entities, Match
from relsift.schema import Entity, Sentence

CAUSE_IN_WORDS: dict[Cause, str] = {  # of a relation that one side has and the other has not
    "span": "an entity's span differs",
    "type": "an entity's type differs",
    "pair": "entities right, pair related on one side only",
    "relation": "entities right, other relation or reversed",
}

ENTITY_ERROR_IN_WORDS: dict[EntityErrorKind, str] = {
    "wrong_type": "wrong entity type",
    "wrong_span": "wrong entity span",
    "wrong_both": "wrong entity span and type",
    "missed": "missed entity",
    "spurious": "spurious entity",
}


@dataclass(frozen=True)
class WrongDecision:
    """One wrong decision about an entity pair.

    >>> print(WrongDecision("Ada", "Acme", gold="founder", predicted="owner", score=1.5))
    wrong type: owner instead of founder(Ada → Acme) (score 1.50)
    """

    head: str  # words of the entity
    tail: str
    gold: str | None  # relation type; None: no relation
    predicted: str | None  # relation type; None: no relation
    score: float | None  # of the predicted relation
    cause: Cause | None = None  # None: entities were given

    def __str__(self) -> str:
        kind = "missed" if self.predicted is None else "spurious" if self.gold is None else "wrong type"
        relation = " instead of ".join(name for name in (self.predicted, self.gold) if name is not None)
        score = "" if self.score is None else f" (score {self.score:.2f})"
        cause = "" if self.cause is None else f"; {self.cause}: {CAUSE_IN_WORDS[self.cause]}"
        return f"{kind}: {relation}({self.head} → {self.tail}){score}{cause}"


def wrong_decisions(
    gold: Sentence, predicted: Sentence, direction: Direction, entities: Entities = "gold", match: Match = "strict"
) -> list[WrongDecision]:
    """The errors that `evaluate` counts in one sentence. Arguments: as there.

    With gold entities they stand in the order of the entities, which are the same on both sides. With predicted ones they stand in text
    order, and each has its cause (`error_causes`); an entity is named with its type, since the types of the two sides may differ.

    See also: `relsift.evaluation.scores.evaluate`, `wrong_entities_in_words`.

    >>> from relsift.schema import Relation
    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> [str(wrong) for wrong in wrong_decisions(gold, gold.with_relations(()), "directed")]
    ['missed: founder(Ada → Acme)']
    """
    if gold.relations is None:
        return []
    scores = {fact_of(predicted, r, direction, entities, match): r.score for r in predicted.relations or ()}
    gold_facts, predicted_facts = facts_of(gold, direction, entities, match), facts_of(predicted, direction, entities, match)
    gold_side, predicted_side = Side.of(gold, direction, match), Side.of(predicted, direction, match)
    decisions = []
    for pair, gold_type, predicted_type in wrong_facts(gold_facts, predicted_facts):
        cause: Cause | None = None
        if entities == "gold":
            head, tail = _given_words(gold, pair, direction)
        elif gold_type is not None:
            head, tail = (_named(key, gold, match) for key in pair)
            cause = predicted_side.cause((pair, gold_type), gold_side)
        else:
            head, tail = (_named(key, predicted, match) for key in pair)
            cause = gold_side.cause((pair, str(predicted_type)), predicted_side)
        score = None if predicted_type is None else scores[pair, predicted_type]
        decisions.append(WrongDecision(head, tail, gold_type, predicted_type, score, cause))
    return decisions


def wrong_entities_in_words(gold: Sentence, predicted: Sentence, match: Match) -> list[str]:
    """The errors that `evaluate_entities` counts in one sentence, one line each. Arguments: as there.

    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"),), ())
    >>> found = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "ORG"),), ())
    >>> wrong_entities_in_words(gold, found, "strict")
    ['wrong entity type: Ada [ORG] instead of Ada [PER]']
    """
    if gold.relations is None:
        return []
    lines = []
    for kind, missed, spurious in wrong_entities(entity_keys(gold, match), entity_keys(predicted, match)):
        sides = ((spurious, predicted), (missed, gold))
        words = " instead of ".join(_named(key, sentence, match) for key, sentence in sides if key is not None)
        lines.append(f"{ENTITY_ERROR_IN_WORDS[kind]}: {words}")
    return lines


def _given_words(sentence: Sentence, pair: tuple[EntityKey, EntityKey], direction: Direction) -> tuple[str, str]:
    (head, *_), (tail, *_) = pair  # with gold entities a key is a position
    if direction == "undirected":
        head, tail = in_text_order(sentence, head, tail)
    return _words(sentence, sentence.entities[head]), _words(sentence, sentence.entities[tail])


def _words(sentence: Sentence, entity: Entity) -> str:
    """On one line."""
    return " ".join(sentence.text_of(entity).split())


def _named(key: EntityKey, sentence: Sentence, match: Match) -> str:
    """Words and type of the first entity with this key."""
    entity = next(entity for entity in sentence.entities if key_of(entity, match) == key)
    return f"{_words(sentence, entity)} [{entity.type}]"
