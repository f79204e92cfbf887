"""Relations as values that can be compared between annotated and predicted sentences: what scores, tests and lists of errors count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal, get_args

from relsift.candidates import DIRECTIONS, Direction
from relsift.errors import ConfigError, DataError
from relsift.schema import Entity, Relation, Sentence

Entities = Literal["gold", "predicted"]
Match = Literal["boundaries", "strict"]
ENTITIES: tuple[Entities, ...] = get_args(Entities)
MATCHES: tuple[Match, ...] = get_args(Match)
EntityKey = tuple[int, int, str]  # of an entity, comparable between gold and predicted sentences
Fact = tuple[tuple[EntityKey, EntityKey], str]  # (head, tail), relation type


def gold_and_predicted_facts(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], direction: Direction, entities: Entities, match: Match
) -> Iterator[tuple[int, set[Fact], set[Fact]]]:
    """Yield (position, gold facts, predicted facts) of every annotated sentence. Arguments and errors: as of `evaluate`.

    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> sides = gold_and_predicted_facts([gold], [gold.with_relations(())], "directed", "gold", "strict")
    >>> [(position, len(right), len(found)) for position, right, found in sides]
    [(0, 1, 0)]
    """
    if direction not in DIRECTIONS:
        raise ConfigError(f"evaluate: expected direction directed|undirected, got {direction!r}")
    for position, g, p in annotated_sentences(gold, predicted, entities, match):
        yield position, facts_of(g, direction, entities, match), facts_of(p, direction, entities, match)


def annotated_sentences(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], entities: Entities, match: Match
) -> Iterator[tuple[int, Sentence, Sentence]]:
    """Yield (position, gold sentence, predicted sentence) of every annotated sentence. Arguments and errors: as of `evaluate`.

    >>> both = [Sentence("s1", ("Ada", "left"), relations=()), Sentence("s2", ("Bo", "left"))]  # the second is not annotated
    >>> [(position, gold.id) for position, gold, _ in annotated_sentences(both, both, "gold", "strict")]
    [(0, 's1')]
    """
    if entities not in ENTITIES or match not in MATCHES:
        raise ConfigError(f"evaluate: expected entities gold|predicted and match boundaries|strict, got {entities!r}, {match!r}")
    if len(gold) != len(predicted):
        raise DataError(f"evaluate: expected as many predicted as gold sentences ({len(gold)}), got {len(predicted)}")
    annotated = 0
    for position, (g, p) in enumerate(zip(gold, predicted)):
        if g.tokens != p.tokens or (entities == "gold" and _spans(g) != _spans(p)):
            what = "tokens and entities" if entities == "gold" else "tokens"
            raise DataError(f"evaluate: expected the same {what} on both sides, got a difference in sentence {g.id!r}")
        if g.relations is None:
            continue
        annotated += 1
        yield position, g, p
    if not annotated:
        raise DataError('evaluate: expected annotated sentences (with "relations"), got none')


def key_of(entity: Entity, match: Match) -> EntityKey:
    """Of an entity that is matched by its span, with match=strict by its type too.

    >>> key_of(Entity(0, 1, "PER"), "strict"), key_of(Entity(0, 1, "PER"), "boundaries")
    ((0, 1, 'PER'), (0, 1, ''))
    """
    return entity.start, entity.end, entity.type if match == "strict" else ""


def fact_of(sentence: Sentence, relation: Relation, direction: Direction, entities: Entities = "gold", match: Match = "strict") -> Fact:
    """The relation as a value that does not depend on its sentence. With gold entities, the key of an entity is its position alone.

    Args: direction, entities, match: as of `relsift.evaluation.scores.evaluate`.

    See also: `facts_of`.

    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> fact_of(sentence, Relation(0, 1, "founder"), "directed", entities="predicted")
    (((0, 1, 'PER'), (2, 3, 'ORG')), 'founder')
    """

    def key(position: int) -> EntityKey:
        return (position, 0, "") if entities == "gold" else key_of(sentence.entities[position], match)

    head, tail = key(relation.head), key(relation.tail)
    if direction == "undirected" and tail < head:  # ordered by key: the two sides may list their entities in another order
        head, tail = tail, head
    return (head, tail), relation.type


def facts_of(sentence: Sentence, direction: Direction, entities: Entities = "gold", match: Match = "strict") -> set[Fact]:
    """The sentence's relations as comparable values, each once. Args: as of `fact_of`.

    >>> sentence = Sentence("s1", ("Ada", "met", "Bo"), (Entity(0, 1, "PER"), Entity(2, 3, "PER")), (Relation(1, 0, "knows"),))
    >>> facts_of(sentence, "directed"), facts_of(sentence, "undirected")
    ({(((1, 0, ''), (0, 0, '')), 'knows')}, {(((0, 0, ''), (1, 0, '')), 'knows')})
    """
    return {fact_of(sentence, relation, direction, entities, match) for relation in sentence.relations or ()}


def count_gold(sentences: Iterable[Sentence], direction: Direction) -> int:
    """The number of gold relations, as `evaluate` counts them. Args: direction: as there.

    >>> entities, both = (Entity(0, 1, "PER"), Entity(2, 3, "PER")), (Relation(0, 1, "knows"), Relation(1, 0, "knows"))
    >>> sentence = Sentence("s1", ("Ada", "met", "Bo"), entities, both)
    >>> count_gold([sentence], "directed"), count_gold([sentence], "undirected")
    (2, 1)
    """
    return sum(len(facts_of(sentence, direction)) for sentence in sentences)


def wrong_facts(gold_facts: set[Fact], predicted_facts: set[Fact]) -> Iterator[tuple[tuple[EntityKey, EntityKey], str | None, str | None]]:
    """Yield each wrong decision as (pair, gold type, predicted type), None for "no relation".

    Of a pair with several wrong types, the missed and the spurious ones are joined in alphabetical order.

    Args: gold_facts, predicted_facts: of one sentence, as of `facts_of`.

    >>> pair = ((0, 0, ""), (1, 0, ""))  # positions of head and tail
    >>> [(gold, found) for _, gold, found in wrong_facts({(pair, "founder")}, {(pair, "owner")})]
    [('founder', 'owner')]
    """
    missed_types, spurious_types = _by_pair(gold_facts - predicted_facts), _by_pair(predicted_facts - gold_facts)
    for pair in sorted(missed_types.keys() | spurious_types.keys()):
        for gold_type, predicted_type in zip_longest(missed_types.get(pair, []), spurious_types.get(pair, [])):
            yield pair, gold_type, predicted_type


def _by_pair(facts: set[Fact]) -> dict[tuple[EntityKey, EntityKey], list[str]]:
    types: dict[tuple[EntityKey, EntityKey], list[str]] = {}
    for pair, relation_type in sorted(facts):
        types.setdefault(pair, []).append(relation_type)
    return types


def _spans(sentence: Sentence) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.type) for e in sentence.entities]
