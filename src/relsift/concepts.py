"""Concepts and their mentions: which concepts a pair of mentions stands for, and which mentions a relation of concepts joins.

Models relate mentions; PubTator, BioC and DocRED relate concepts. Two rules lead from one to the other:

    down  A relation of concepts joins every mention of the first concept with every mention of the second one that is read together with
          it: in one sentence, which readers do, or in one passage of several sentences, which `relsift.passages` does.
    up    A relation of mentions is one of each concept of its head with each concept of its tail. It is one of a concept with itself only
          if the two mentions name nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import combinations, product
from typing import TypeVar

from relsift.schema import Document, Relation, RelationAcross, RelationOfConcepts, Sentence

Concept = TypeVar("Concept")
ConceptFact = tuple[str, str, str]  # head, tail, relation type


def concept_pairs(head: Sequence[Concept], tail: Sequence[Concept]) -> list[tuple[Concept, Concept]]:
    """The concepts that a pair of mentions stands for, by the rule above.

    >>> concept_pairs(("D1",), ("D2", "D3")), concept_pairs(("D1",), ("D1", "D2")), concept_pairs(("D1",), ("D1",))
    ([('D1', 'D2'), ('D1', 'D3')], [('D1', 'D2')], [('D1', 'D1')])
    """
    pairs = list(product(head, tail))
    return [pair for pair in pairs if pair[0] != pair[1]] or pairs


def without_mentions(document: Document) -> list[RelationOfConcepts]:
    """The relations of concepts that no relation within a sentence stands for: a model that reads sentences cannot find them."""
    shown = {
        (*pair, relation.type)
        for sentence in document.sentences
        for relation in sentence.relations or ()
        for pair in product(sentence.entities[relation.head].concepts, sentence.entities[relation.tail].concepts)
    }
    return [one for one in document.concept_relations or () if (one.head, one.tail, one.type) not in shown]


def distances(document: Document) -> list[int | None]:
    """Of each relation of concepts, how many sentences apart their nearest mentions are, 0 for one sentence; None: they have no two."""
    mentions: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, sentence in enumerate(document.sentences):
        for position, entity in enumerate(sentence.entities):
            for concept in entity.concepts:
                mentions[concept].append((number, position))
    nearest = []
    for one in document.concept_relations or ():
        pairs = product(mentions.get(one.head, ()), mentions.get(one.tail, ()))
        nearest.append(min((abs(head[0] - tail[0]) for head, tail in pairs if head != tail), default=None))
    return nearest


def across_of_concepts(document: Document, ends: Sequence[int]) -> list[RelationAcross]:
    """The pairs of mentions in different sentences of one passage that the relations of concepts join, each once.

    Args: ends: of the passage that begins with each sentence, the number of the sentence after its last one.
    """
    if not document.concept_relations:
        return []
    mentions: dict[str, list[tuple[int, int]]] = defaultdict(list)  # concept -> sentence and position of its mentions, in text order
    for number, sentence in enumerate(document.sentences):
        for position, entity in enumerate(sentence.entities):
            for concept in entity.concepts:
                mentions[concept].append((number, position))
    found: dict[RelationAcross, None] = {}
    for one in document.concept_relations:
        heads, tails = mentions.get(one.head, ()), mentions.get(one.tail, ())
        for head, tail in combinations(heads, 2) if one.head == one.tail else product(heads, tails):
            first, last = sorted((head[0], tail[0]))
            is_shown = one.evidence is None or (first in one.evidence and last in one.evidence)
            if first < last < ends[first] and is_shown and document.sentences[first].relations is not None:
                found.setdefault(RelationAcross(head, tail, one.type))
    return list(found)


def facts_of_mentions(document: Document, relations: Collection[RelationAcross]) -> set[ConceptFact]:
    """What relations across sentences of the document say of concepts, also of a concept with itself."""
    found: set[ConceptFact] = set()
    for view in map(document.view, relations):
        found |= {(*pair, view.type) for pair in product(view.head.entity.concepts, view.tail.entity.concepts)}
    return found


def follows(sentence: Sentence, relation: Relation, known: Collection[ConceptFact]) -> bool:
    """Whether the relation of two mentions is one that the `known` relations of concepts join."""
    head, tail = sentence.entities[relation.head], sentence.entities[relation.tail]
    return any((*pair, relation.type) in known for pair in product(head.concepts, tail.concepts))


def count_not_annotated(document: Document, known: Collection[ConceptFact]) -> int:
    """Pairs of mentions in one sentence that `known` relations of concepts join and that are not annotated: a reader would relate them."""
    count = 0
    for sentence in document.sentences:
        mentions: dict[str, list[int]] = defaultdict(list)
        for position in sorted(range(len(sentence.entities)), key=lambda i: (sentence.entities[i].start, sentence.entities[i].end)):
            for concept in sentence.entities[position].concepts:
                mentions[concept].append(position)
        annotated = {(relation.head, relation.tail, relation.type) for relation in sentence.relations or ()}
        joined = {
            (head, tail, kind)
            for first, second, kind in known
            for head, tail in (
                combinations(mentions.get(first, ()), 2) if first == second else product(mentions.get(first, ()), mentions.get(second, ()))
            )
            if head != tail
        }
        count += len(joined - annotated)
    return count
