"""One native line: from its JSON value to sentences. What can be left out (an entity, a relation) is, if the report says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.readers.native_across import Across, relations_across
from relsift.readers.native_concepts import KEY, OfConcepts, relations_of_concepts
from relsift.readers.native_fields import (
    ENTITY_KEYS,
    RELATION_KEYS,
    SYNTAX_KEYS,
    WORDS,
    character_span,
    each_or_none,
    entity_of,
    keys_for_message,
    list_under,
    object_list,
    optional_id,
    position_of_id,
    relation_of,
    required_field,
    syntax_of,
)
from relsift.readers.native_positions import (
    LineText,
    by_characters,
    character_numbers,
    check_offsets,
    checked_mention,
    mentions_without_question,
    offsets_that_fit,
    placed_chars,
    shift_of_chars,
)
from relsift.readers.raw import Split, documents_of
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Entity, Relation, RelationAcross, Sentence

KEYS = {
    "id", "doc_id", "text", "text_start", "tokens", "offsets", "heads", "dependencies", "pos", "entities", "tagged", "relations",
    "across", KEY,
}  # fmt: skip
LONGEST_TEXT = 100_000_000_000  # characters of a document; a larger `text_start` is a mistake


class Line(NamedTuple):
    """The content of one line."""

    where: str  # file and line
    key: str  # its id
    doc_id: str  # '': the line is a document of its own
    sentences: tuple[Sentence, ...]  # their offsets count from the beginning of the document; none: a line without words
    text: str | None  # the line's part of the document's text
    start: int  # offset of `text` in the document, in characters
    across: tuple[RelationAcross, ...] = ()  # between sentences of this line's text, numbers counted from its first
    further: tuple[Across, ...] = ()  # from this line's entities to those of others
    places: tuple[int | None, ...] = ()  # of each entity in the file: its position, None if it was left out; of a line with tokens
    of_concepts: tuple[OfConcepts, ...] | None = None  # relations of concepts of the document that stand on this line; None: no such key
    number: int = 0  # among the lines of the file, where broken ones count
    is_plain: bool = False  # see `relsift.readers.native_plain`


def lose_relations(record: Any, report: ReadReport) -> None:
    """Count the relations of a line that is left out."""
    for key in ("relations", "across", KEY):
        relations = record.get(key) if isinstance(record, dict) else None
        for relation in relations if isinstance(relations, list) else ():
            if isinstance(relation, dict) and isinstance(relation.get("type"), str):
                report.lost_relations[relation["type"]] += 1


def line_of(record: Any, where: str, made_up: str, report: ReadReport, positions: str, split: Split | None = None) -> Line:
    """The content of one JSON value. Raises DataError, beginning with `where`, for what is broken and cannot be left out.

    Args: made_up: the id of a line without one. positions: what character offsets count. split: see `relsift.readers.native.read`.
    """
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected a JSON object, got {type(record).__name__}")
    if not record.keys() <= KEYS:
        for name in sorted(record.keys() - KEYS):
            report.drop(f"values under the unknown key {shown(name)}", where)
    key = optional_id(record, "id", where) or made_up
    doc_id = optional_id(record, "doc_id", where) or ""
    line, numbers = _line_text(record, where, positions)
    entities = _mentions(record, "entities", "entity", line, numbers, where, report)
    tagged = None if record.get("tagged") is None else _mentions(record, "tagged", "tagged entity", line, numbers, where, report)
    position = position_of_id(record.get("entities") or (), where)
    relations = None if record.get("relations") is None else _relations(record, entities, position, where, report)
    is_empty = not line.tokens and not (line.text or "").strip()
    if is_empty:
        report.drop("empty texts (kept, as documents without sentences)", where)
        return Line(where, key, doc_id, (), line.text, line.start)
    further = relations_across(record, where, report) if "across" in record else ()
    of_concepts = relations_of_concepts(record, where, report)
    across: tuple[RelationAcross, ...] = ()
    sentences: tuple[Sentence, ...]
    kept = [entity for entity in entities if entity is not None]
    kept_tagged = None if tagged is None else [entity for entity in tagged if entity is not None]
    try:
        if line.tokens is not None:
            sentences = (_sentence_of_tokens(record, key, doc_id, line, kept, kept_tagged, relations, where),)
        elif split is not None and all(record.get(name) is None for name in ("entities", "tagged", "relations")):
            sentences = _sentences_of_raw_text(key, doc_id, line, split, report, where)
        else:
            sentences, across = _sentences_of_text(key, doc_id, line, kept, kept_tagged, relations, where, report)
    except DataError as error:
        raise error if str(error).startswith(where) else DataError(f"{where}: {error}") from error
    places = _places(entities) if line.tokens is not None else ()
    return Line(where, key, doc_id, sentences, line.text, line.start, across, further, places, of_concepts)


def _places(entities: Sequence[Entity | None]) -> tuple[int | None, ...]:
    """The position of each entity among those that are kept; None for those left out."""
    places = accumulate((entity is not None for entity in entities), initial=0)
    return tuple(None if entity is None else place for entity, place in zip(entities, places))


def _line_text(record: dict[str, Any], where: str, positions: str) -> tuple[LineText, dict[int, int] | None]:
    """The line's tokens and text, and what its character offsets count (see `character_numbers`)."""
    start = _text_start(record, where)
    if "tokens" not in record:
        if record.keys().isdisjoint(WORDS):
            raise DataError(f'{where}: expected the key "text" or "tokens", got {keys_for_message(record)}')
        text = required_field(record, "text", (str,), where)
        for names in (("offsets",), SYNTAX_KEYS):
            if any(record.get(name) is not None for name in names):
                raise DataError(f'{where}: expected "tokens" beside {", ".join(names)}, got only "text"')
        return LineText(None, text, None, start, len(text)), character_numbers(text, positions)
    tokens = list_under(record, "tokens", where)
    if not (all(tokens) and set(map(type, tokens)) <= {str}):
        number, token = next((n, t) for n, t in enumerate(tokens) if not isinstance(t, str) or not t)
        raise DataError(f"{where}: token {number}: expected a non-empty string, got {shown(token)}")
    text, offsets = record.get("text"), record.get("offsets")
    if (offsets is None) != (text is None):
        got = "text" if offsets is None else "offsets"
        raise DataError(f'{where}: expected "text" and "offsets" together beside "tokens", got only {got!r}; leave it out, or give both')
    if text is None:
        return LineText(tuple(tokens), None, None, start, len(tokens)), None
    text = required_field(record, "text", (str,), where)
    numbers = character_numbers(text, positions)
    right_offsets = None if numbers else offsets_that_fit(offsets, tokens, text)
    if right_offsets is not None:
        return LineText(tuple(tokens), text, right_offsets, start, len(tokens)), None
    size = len(text) if numbers is None else max(numbers)
    spans = [character_span(value, size, "offset", n, where) for n, value in enumerate(list_under(record, "offsets", where))]
    if len(spans) != len(tokens):
        raise DataError(f"{where}: expected one offset per token ({len(tokens)}), got {len(spans)}")
    if numbers is not None:
        spans = [by_characters(span, numbers, f"{where}: offset {n}") for n, span in enumerate(spans)]
    check_offsets(tokens, spans, text, where)
    return LineText(tuple(tokens), text, tuple(spans), start, len(tokens)), numbers


def _text_start(record: dict[str, Any], where: str) -> int:
    if record.get("text_start") is None:
        return 0
    start = required_field(record, "text_start", (int,), where)
    if "text" not in record:
        raise DataError(f'{where}: expected "text" beside "text_start", got keys {", ".join(sorted(record))}')
    if not 0 <= start <= LONGEST_TEXT:
        raise DataError(f"{where}: text_start: expected 0 to {LONGEST_TEXT} characters, got {start}")
    return int(start)


def _mentions(
    record: dict[str, Any], name: str, singular: str, line: LineText, numbers: dict[int, int] | None, where: str, report: ReadReport
) -> list[Entity | None]:
    """The mentions listed under the key `name`, None for those left out; their `chars` count from the beginning of the document."""
    records = object_list(record, name, singular, ENTITY_KEYS, where, report)
    bare_mentions = mentions_without_question(records, line)
    if bare_mentions is not None:
        return bare_mentions

    def mention(number: int, value: Any) -> Entity:
        entity = entity_of(value, number, where, singular)
        if numbers is not None:
            place = f"{where}: {singular} {number}"
            start, end = (entity.start, entity.end) if line.tokens else by_characters((entity.start, entity.end), numbers, place)
            entity = replace(entity, start=start, end=end, chars=entity.chars and by_characters(entity.chars, numbers, f"{place}: chars"))
        return checked_mention(entity, value.get("text"), line, f"{where}: {singular} {number}")

    mentions = each_or_none(records, mention, "entities", report)
    with_chars = [entity for entity in mentions if entity is not None and entity.chars is not None]
    if not with_chars or line.text is None:
        return mentions
    shift = shift_of_chars(with_chars, line)
    if shift:
        report.drop("lines whose chars count in the document, as earlier versions of relsift wrote them (read so)", where)

    def placed(number: int, entity: Entity | None) -> Entity | None:
        if entity is None or entity.chars is None:
            return entity
        span = placed_chars(entity, line, shift, f"{where}: {singular} {number}")
        return replace(entity, chars=span and (span[0] + line.start, span[1] + line.start))

    return each_or_none(mentions, placed, "entities", report)


def _relations(
    record: dict[str, Any], entities: list[Entity | None], position: dict[str, int], where: str, report: ReadReport
) -> list[Relation]:
    """The relations of a line, each once; those of an entity that was left out are counted. position: of each entity's id."""
    entity_records = record.get("entities") or ()
    ids_are_numbers = bool(position) and any(isinstance(entity, dict) and isinstance(entity.get("id"), int) for entity in entity_records)
    records = object_list(record, "relations", "relation", RELATION_KEYS, where, report)
    relations = each_or_none(
        records, lambda number, value: relation_of(value, position, len(entities), ids_are_numbers, number, where), "relations", report
    )
    if all(relations) and all(entities):
        return _each_once([relation for relation in relations if relation is not None], where, report)
    places = _places(entities)
    kept = []
    for number, relation in enumerate(relations):
        if relation is None:
            lose_relations({"relations": [records[number]]}, report)
        elif (head := places[relation.head]) is None or (tail := places[relation.tail]) is None:
            report.lose_relation("relations of a broken entity", f"{where}: relation {number}", relation.type)
        else:
            kept.append(replace(relation, head=head, tail=tail))
    return _each_once(kept, where, report)


def _each_once(relations: list[Relation], where: str, report: ReadReport) -> list[Relation]:
    """Without those that repeat an earlier one's entities and type, whatever their scores."""
    kept: dict[tuple[int, int, str], Relation] = {}
    for relation in relations:
        key = (relation.head, relation.tail, relation.type)
        if key in kept:
            report.drop("duplicate relations", f"{where}: {relation.type} {relation.head} {relation.tail}")
        kept.setdefault(key, relation)
    return list(kept.values())


def _sentence_of_tokens(
    record: dict[str, Any],
    key: str,
    doc_id: str,
    line: LineText,
    entities: list[Entity],
    tagged: list[Entity] | None,
    relations: list[Relation] | None,
    where: str,
) -> Sentence:
    spans, original = None, None
    if line.text is not None and line.offsets:
        spans = tuple([(a + line.start, b + line.start) for a, b in line.offsets]) if line.start else line.offsets
        original = line.text[min(line.offsets)[0] : max([b for _, b in line.offsets])]
    return Sentence(
        key,
        line.tokens or (),
        tuple(entities),
        relations=None if relations is None else tuple(relations),
        doc_id=doc_id or key,
        offsets=spans,
        syntax=syntax_of(record, where),
        tagged=None if tagged is None else tuple(tagged),
        original=original,
    )


def _sentences_of_text(
    key: str,
    doc_id: str,
    line: LineText,
    entities: list[Entity],
    tagged: list[Entity] | None,
    relations: list[Relation] | None,
    where: str,
    report: ReadReport,
) -> tuple[tuple[Sentence, ...], tuple[RelationAcross, ...]]:
    for number, relation in enumerate(relations or ()):
        if relation.score is not None or relation.probability is not None:
            report.drop("scores of relations of a text without tokens", f"{where}: relation {number}")
    # Until each entity has its sentence, its id is its position: the annotated entities first, then the tagged ones.
    all_entities = [*entities, *(tagged or ())]
    mentions = [TextEntity(str(n), e.start, e.end, e.type, e.subtype) for n, e in enumerate(all_entities)]
    text_relations = None if relations is None else [TextRelation(str(r.head), str(r.tail), r.type) for r in relations]
    document = document_from_offsets(doc_id or key, line.text or "", mentions, text_relations, report, where=where)
    # A text of one sentence keeps its id. The sentences of a longer text are numbered.
    is_single = len(document.sentences) == 1
    sentences = []
    for number, sentence in enumerate(document.sentences):
        positions = [int(e.id or 0) for e in sentence.entities]
        named = ((all_entities[n], e) for n, e in zip(positions, sentence.entities))
        entities_with_ids = [replace(e, id=read.id, score=read.score, concepts=read.concepts) for read, e in named]
        num_entities = sum(n < len(entities) for n in positions)
        tagged_here = None if tagged is None else tuple(entities_with_ids[num_entities:])
        name = key if is_single else f"{key}-{number}"
        sentence = replace(sentence, id=name, entities=tuple(entities_with_ids[:num_entities]), tagged=tagged_here)
        sentences.append(_shifted(sentence, line.start))
    return tuple(sentences), document.across  # annotated entities come first in their sentences: positions stay


def _sentences_of_raw_text(key: str, doc_id: str, line: LineText, split: Split, report: ReadReport, where: str) -> tuple[Sentence, ...]:
    documents = documents_of(key, (line.text or "",), split, report, where)
    sentences = tuple(
        replace(_shifted(sentence, line.start), doc_id=doc_id or key) for document in documents for sentence in document.sentences
    )
    return (replace(sentences[0], id=key),) if len(sentences) == 1 else sentences


def _shifted(sentence: Sentence, start: int) -> Sentence:
    """The sentence with its character offsets counted from the beginning of the document, `start` characters before its text."""

    def shift(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
        return tuple(replace(e, chars=e.chars and (e.chars[0] + start, e.chars[1] + start)) for e in entities)

    return replace(
        sentence,
        entities=shift(sentence.entities),
        tagged=None if sentence.tagged is None else shift(sentence.tagged),
        offsets=tuple((a + start, b + start) for a, b in sentence.offsets or ()),
    )
