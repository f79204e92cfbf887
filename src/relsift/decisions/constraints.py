"""What training relations say of the relations to come: between which entity types each occurs, and which hold in both directions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from relsift.candidates import Direction
from relsift.schema import Sentence

Triple = tuple[str, str, str]  # head type, tail type, relation type
BOTH_WAYS = 0.9  # share of a relation's annotations that stand in the other direction too
FEWEST = 10  # annotations of a relation, to say anything of its direction


def learnt_triples(sentences: Iterable[Sentence], direction: Direction) -> frozenset[Triple]:
    """Every (head type, tail type, relation type) that is annotated.

    Undirected pairs come in text order, whichever of the two a relation calls its head. As in the candidates' type filter the order of
    the types says nothing then, so each triple stands with both orders.
    """
    found = {
        (sentence.entities[relation.head].type, sentence.entities[relation.tail].type, relation.type)
        for sentence in sentences
        for relation in sentence.relations or ()
    }
    if direction == "undirected":
        found |= {(tail, head, name) for head, tail, name in found}
    return frozenset(found)


def both_ways(sentences: Iterable[Sentence]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Relations that hold in both directions, and inverse ones, as the annotation has them.

    `r` is symmetric if at least 90 % of its annotations r(a, b) stand beside r(b, a). `r` and `q` are inverse if this holds of r(a, b) and
    q(b, a), and of q and r. Either needs ten annotations of each relation.

    Returns: symmetric relations, and inverse ones, each pair once; both in alphabetical order.
    """
    total, beside = _counts(sentences)

    def implies(name: str, other: str) -> bool:
        return total[name] >= FEWEST and beside[name, other] >= BOTH_WAYS * total[name]

    names = sorted(total)
    symmetric = tuple(name for name in names if implies(name, name))
    inverse = {
        name: other
        for name in names
        for other in names
        if name < other and not {name, other} & set(symmetric) and implies(name, other) and implies(other, name)
    }
    return symmetric, inverse


def share_both_ways(sentences: Iterable[Sentence], name: str, other: str) -> tuple[float, int]:
    """The share of annotations of `name` with `other` of the reversed pair beside them, and their number; 0 of none."""
    total, beside = _counts(sentences)
    return beside[name, other] / max(1, total[name]), total[name]


def _counts(sentences: Iterable[Sentence]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Annotations by type, and by type and the type of the reversed pair."""
    total, beside = Counter[str](), Counter[tuple[str, str]]()
    for sentence in sentences:
        types: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for relation in sentence.relations or ():
            types[relation.head, relation.tail].add(relation.type)
        for (head, tail), here in types.items():
            total.update(here)
            beside.update((name, other) for name in here for other in types.get((tail, head), ()))
    return total, beside
