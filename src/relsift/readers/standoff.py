"""From character offsets to token spans, for every format that annotates offsets in a text (brat, ACE, DDI, ADE, native)."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.sentences import split_sentences
from relsift.text import Span, normal_forms, tokenise

_LONGEST_QUOTE = 80  # characters of a mention in a message


@dataclass(frozen=True, slots=True)
class TextEntity:
    """A mention by half-open character offsets into the document's text."""

    id: str
    start: int
    end: int
    type: str
    subtype: str | None = None


@dataclass(frozen=True, slots=True)
class TextRelation:
    """A relation between two mentions, named by their ids."""

    head: str
    tail: str
    type: str


def document_from_offsets(
    doc_id: str,
    text: str,
    entities: Sequence[TextEntity],
    relations: Sequence[TextRelation] | None,
    report: ReadReport,
    *,
    where: str,
    sentences: Sequence[Span] | None = None,
    sentence_ids: Mapping[int, str] | None = None,
    characters: bool = False,
    marks_apart: bool = False,
    split_hint: str = "",
) -> Document:
    """Split, tokenise and align; tokens are cut at entity edges so that every entity covers whole tokens.

    Args:
        relations: None if the document carries no relation annotation at all.
        where: the file, for error messages.
        sentences: half-open character spans of the sentences, in order; None: from `split_sentences`.
        sentence_ids: id by sentence number; `{doc_id}-{number}` for a number without one.
        characters, marks_apart: what a token is (see `relsift.text.tokenise`).
        split_hint: what a user can do about sentences that are cut at a wrong place; ends the place of a relation across sentences.
    Raises: DataError for a span outside the text or blank, a relation to an unknown id, or an id given twice.
    Counts: relations across sentences, entities across sentences, relations of an entity that was dropped or with itself,
        duplicate relations.
    """
    _check_spans_and_ids(text, entities, relations, where)
    spans = {e.id: _trimmed_span(text, e) for e in entities}
    sentence_spans = list(sentences) if sentences is not None else split_sentences(text, spans.values())
    starts = [start for start, _ in sentence_spans]
    sentence_of: dict[str, int] = {}
    for entity in entities:
        start, end = spans[entity.id]
        number = bisect.bisect_right(starts, start) - 1
        if number < 0 or end > sentence_spans[number][1]:
            report.lose_entity("entities that cross a sentence boundary", f"{where}: {entity.id} {text[start:end][:_LONGEST_QUOTE]!r}")
        else:
            sentence_of[entity.id] = number
    entities_of: list[list[TextEntity]] = [[] for _ in sentence_spans]
    for entity in entities:
        if entity.id in sentence_of:
            entities_of[sentence_of[entity.id]].append(entity)
    relations_of, between = _relations_by_sentence(relations or (), sentence_of, len(sentence_spans), report, where, split_hint)
    document_sentences: list[Sentence] = []
    numbers: dict[int, int] = {}  # of a sentence in the text: that in the document, which has none without tokens
    for number, (start, end) in enumerate(sentence_spans):
        cuts = [edge - start for entity in entities_of[number] for edge in spans[entity.id]]
        tokens = [(a + start, b + start) for a, b in tokenise(text[start:end], cuts, characters=characters, marks_apart=marks_apart)]
        if not tokens:
            continue
        numbers[number] = len(document_sentences)
        document_sentences.append(
            _sentence(
                (sentence_ids or {}).get(number, f"{doc_id}-{number}"), doc_id, text, tokens, entities_of[number],
                None if relations is None else relations_of[number],
            )
        )  # fmt: skip
    places = {e.id: (numbers[number], place) for number, those in enumerate(entities_of) for place, e in enumerate(those)}
    across = tuple(RelationAcross(places[relation.head], places[relation.tail], relation.type) for relation in between)
    return Document(doc_id, tuple(document_sentences), text, across)


def _relations_by_sentence(
    relations: Iterable[TextRelation], sentence_of: Mapping[str, int], num_sentences: int, report: ReadReport, where: str, split_hint: str
) -> tuple[list[list[TextRelation]], list[TextRelation]]:
    """The relations within each sentence, and those across sentences, each as often as it stands there."""
    between: list[TextRelation] = []
    relations_of: list[dict[TextRelation, None]] = [{} for _ in range(num_sentences)]
    for relation in relations:
        place = f"{where}: {relation.type} {relation.head} {relation.tail}"
        head, tail = sentence_of.get(relation.head), sentence_of.get(relation.tail)
        if head is None or tail is None:
            report.lose_relation("relations of a dropped entity", place, relation.type)
        elif head != tail:
            report.lose_across(f"{place}{split_hint}", relation.type)
            between.append(relation)
        elif relation.head == relation.tail:
            report.lose_relation("relations of an entity with itself", f"{where}: {relation.type} {relation.head}", relation.type)
        elif relation in relations_of[head]:
            report.drop("duplicate relations", place)
        else:
            relations_of[head][relation] = None
    return [list(those) for those in relations_of], between


def same_words(words: str, expected: str) -> bool:
    """Are the texts equal apart from blanks and line breaks, which annotation tools rewrite, and from their Unicode normal form?"""
    if words == expected:
        return True
    return bool(set(normal_forms("".join(words.split()))) & set(normal_forms("".join(expected.split()))))


def _trimmed_span(text: str, entity: TextEntity) -> Span:
    """The mention's span without blanks at its edges, which belong to no token and may lie outside the sentence."""
    mention = text[entity.start : entity.end]
    return entity.start + len(mention) - len(mention.lstrip()), entity.start + len(mention.rstrip())


def _check_spans_and_ids(text: str, entities: Sequence[TextEntity], relations: Sequence[TextRelation] | None, where: str) -> None:
    known: set[str] = set()
    for entity in entities:
        if entity.id in known:
            raise DataError(f"{where}: expected each entity id once, got {shown(entity.id)} twice")
        known.add(entity.id)
        if not 0 <= entity.start < entity.end <= len(text):
            raise DataError(
                f"{where}: entity {entity.id}: expected 0 <= start < end <= {len(text)} characters, "
                f"got {entity.start}..{entity.end}"
            )
        if not text[entity.start : entity.end].strip():
            raise DataError(f"{where}: entity {entity.id}: expected some text at {entity.start}..{entity.end}, got only blanks")
    for relation in relations or ():
        for role, name in (("head", relation.head), ("tail", relation.tail)):
            if name not in known:
                raise DataError(f"{where}: relation {relation.type}: expected the id of an entity as {role}, got {shown(name)}")


def _sentence(
    key: str, doc_id: str, text: str, tokens: list[Span], entities: list[TextEntity], relations: list[TextRelation] | None
) -> Sentence:
    token_starts = [start for start, _ in tokens]
    token_ends = [end for _, end in tokens]
    token_entities = tuple(
        Entity(
            # The first token that ends after the entity starts; blanks at the mention's edges belong to no token.
            bisect.bisect_right(token_ends, e.start), bisect.bisect_left(token_starts, e.end), e.type, e.subtype, e.id,
            _trimmed_span(text, e),
        )
        for e in entities
    )  # fmt: skip
    position = {e.id: number for number, e in enumerate(entities)}
    return Sentence(
        key,
        tuple(text[start:end] for start, end in tokens),
        token_entities,
        None if relations is None else tuple(Relation(position[r.head], position[r.tail], r.type) for r in relations),
        doc_id,
        tuple(tokens),
    )
