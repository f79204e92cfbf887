"""More training sentences from few: the same sentences with other mentions of the same kind in them, relations as they were.

Source: mention replacement of Dai & Adel, COLING 2020 (2020.coling-main.343).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from relsift.schema import Entity, Sentence
from relsift.stable_random import stable_integer

ARTICLES = frozenset({"the", "a", "an"})
Kind = tuple[str, str]  # entity type, and what sort of mention


def with_swapped_mentions(sentences: Sequence[Sentence], copies: int) -> list[Sentence]:
    """The sentences, then `copies` of each, in which about half of the mentions are replaced by mentions of other sentences."""
    pool: defaultdict[Kind, list[tuple[str, ...]]] = defaultdict(list)
    for sentence in sentences:
        for entity in sentence.entities:
            pool[kind_of(sentence, entity)].append(sentence.tokens[entity.start : entity.end])
    return [*sentences, *(_swapped(sentence, copy, pool) for copy in range(1, copies + 1) for sentence in sentences)]


def kind_of(sentence: Sentence, entity: Entity) -> Kind:
    """Mentions of one kind can stand for each other: a name for a name, a plural for a plural."""
    tokens = sentence.tokens[entity.start : entity.end]
    words = tokens[1:] if tokens[0].lower() in ARTICLES else tokens
    sort = "name" if any(word[:1].isupper() for word in words) else "plural" if tokens[-1].endswith("s") else "noun"
    return entity.type, sort


def _swapped(sentence: Sentence, copy: int, pool: dict[Kind, list[tuple[str, ...]]]) -> Sentence:
    tokens: list[str] = []
    entities: dict[int, Entity] = {}  # by the position in `sentence.entities`, which relations count with
    place = 0
    for position, entity in sorted(enumerate(sentence.entities), key=lambda item: item[1].start):
        chosen, number = sentence.tokens[entity.start : entity.end], stable_integer("swap", sentence.id, copy, position)
        if number % 2:
            mentions = pool[kind_of(sentence, entity)]
            chosen = mentions[number // 2 % len(mentions)]
        tokens += sentence.tokens[place : entity.start]
        entities[position] = replace(entity, start=len(tokens), end=len(tokens) + len(chosen))
        tokens += chosen
        place = entity.end
    tokens += sentence.tokens[place:]
    ordered = tuple(entities[position] for position in range(len(entities)))
    return Sentence(f"{sentence.id}-{copy}", tuple(tokens), ordered, sentence.relations, sentence.doc_id)
