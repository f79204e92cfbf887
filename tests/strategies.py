"""Hypothesis strategies for sentences: any text, any entities (nested, crossing, equal), any relations between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from relsift.schema import Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence

WORDS = ("Ada", "ada", "left", "Acme", "创办", "公司", "，", "A", '"', "\\", "\u2028", "naïve", "😀", "sentences", "1,5")
ENTITY_TYPES = ("LOC", "ORG", "PER")
RELATION_TYPES = ("based_in", "lives_in", "works_for")
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=5)


@st.composite
def entities(draw: st.DrawFn, num_tokens: int, most: int = 5, types: Sequence[str] = ENTITY_TYPES) -> tuple[Entity, ...]:
    mentions = []
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, num_tokens - 1))
        mentions.append(Entity(start, draw(st.integers(start + 1, num_tokens)), draw(st.sampled_from(types))))
    return tuple(mentions)


def each_once(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """As a file is read: a relation that repeats another's entities and type is left out."""
    first = {(relation.head, relation.tail, relation.type): relation for relation in reversed(relations)}
    return tuple(relation for relation in relations if first[relation.head, relation.tail, relation.type] is relation)


@st.composite
def relations(
    draw: st.DrawFn, size: int, most: int = 6, types: Sequence[str] = RELATION_TYPES, one_a_pair: bool = False
) -> tuple[Relation, ...]:
    """Between `size` entities. one_a_pair: at most one relation for each unordered pair."""
    if size < 2:
        return ()
    ends = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda pair: pair[0] != pair[1])
    key = (lambda pair: tuple(sorted(pair))) if one_a_pair else None
    pairs = draw(st.lists(ends, max_size=most, unique_by=key) if key else st.lists(ends, max_size=most))
    return tuple(Relation(head, tail, draw(st.sampled_from(types))) for head, tail in pairs)


@st.composite
def sentences(draw: st.DrawFn, most_tokens: int = 7, annotated: bool | None = None) -> Sentence:
    """annotated: with relations, perhaps none (True), or without the annotation (False); None draws either."""
    tokens = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=most_tokens))
    mentions = draw(entities(len(tokens)))
    has_relations = draw(st.booleans()) if annotated is None else annotated
    return Sentence("s", tuple(tokens), mentions, draw(relations(len(mentions))) if has_relations else None)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """One to three sentences with ids, subtypes, scores and all; with offsets into the document's text or without any text."""
    key = draw(st.sampled_from(["d", "d-0", "文档"]))
    with_text = draw(st.booleans())
    text = draw(st.sampled_from(["", " ", "\n  "])) if with_text else ""
    parts = []
    for number in range(draw(st.integers(1, 3))):
        tokens, offsets = draw(st.lists(ANY_TEXT, min_size=1, max_size=6)), []
        for token in tokens:
            offsets.append((len(text), len(text) + len(token)))
            text += token + draw(st.sampled_from(["", " "]))
        text += "\n"
        mentions = []
        for position, entity in enumerate(draw(entities(len(tokens)))):
            chars = (offsets[entity.start][0], offsets[entity.end - 1][1])
            mentions.append(
                Entity(
                    entity.start,
                    entity.end,
                    draw(ANY_TEXT),
                    draw(st.none() | ANY_TEXT),
                    draw(st.sampled_from([None, f"e{position}", str(position + 1)])),
                    draw(st.sampled_from([None, chars])) if with_text else None,
                    draw(st.none() | st.integers(-1000, 1000).map(lambda score: score / 1000)),
                )
            )
        links = [
            Relation(r.head, r.tail, draw(ANY_TEXT), draw(st.none() | st.integers(0, 1000).map(lambda score: score / 1000)))
            for r in draw(relations(len(mentions)))
        ]
        parts.append(
            Sentence(
                f"{key}-{number}", tuple(tokens), tuple(mentions), draw(st.sampled_from([None, (), each_once(links)])), key,
                tuple(offsets) if with_text else None, tagged=draw(st.none() | entities(len(tokens))),
            )
        )  # fmt: skip
    return Document(key, tuple(parts), text if with_text else None)


@st.composite
def related_across(draw: st.DrawFn, most: int = 4) -> Document:
    """A document of `documents()` with relations across its sentences, if two of them have entities."""
    document = draw(documents())
    ends = [(number, place) for number, sentence in enumerate(document.sentences) for place in range(len(sentence.entities))]
    pairs = [(head, tail) for head in ends for tail in ends if head[0] != tail[0]]
    if not pairs:
        return document
    drawn = draw(st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(RELATION_TYPES)), max_size=most, unique=True))
    return replace(document, across=tuple(RelationAcross(*pair, kind) for pair, kind in drawn))


CONCEPTS = ("D1", "D2", "c|SUB|A|1|G", "概念")


@st.composite
def related_concepts(draw: st.DrawFn) -> Document:
    """A document of `related_across()` whose entities stand for concepts, perhaps several or none, with relations of concepts."""
    document = draw(related_across())
    some = st.lists(st.sampled_from(CONCEPTS), max_size=2, unique=True).map(tuple)
    sentences = tuple(
        replace(sentence, entities=tuple(replace(entity, concepts=draw(some)) for entity in sentence.entities))
        for sentence in document.sentences
    )
    numbers = st.none() | st.sets(st.integers(0, len(sentences) - 1)).map(sorted).map(tuple)
    facts = st.lists(
        st.builds(RelationOfConcepts, st.sampled_from(CONCEPTS), st.sampled_from(CONCEPTS), st.sampled_from(RELATION_TYPES), numbers),
        max_size=4,
    )
    return replace(document, sentences=sentences, concept_relations=draw(st.none() | facts.map(tuple)))
