"""Native JSON lines: one sentence or one text a line.

    {"id", "doc_id"?, "tokens", "entities": [{"id"?, "start", "end", "type", "subtype"?}],
        "relations"?: [{"head", "tail", "type", "score"?}]}
    {"id", "doc_id"?, "text", "entities": […], "relations"?: […]}

With `tokens`, start and end are token indices; with `text` alone, character offsets, and the text is split into sentences and
tokens. Ends are exclusive. head and tail are entity ids or positions in the list. `"relations": []` means annotated, none; a
missing key means not annotated. With `tokens`, `text` and `offsets` (a half-open character span in `text` for every token) the
link to the original text is kept; `text_start` is the offset of `text` in its document. Consecutive lines with the same `doc_id`
form one document.

`"tagged": [{"start", "end", "type"}]` are the entities that the model sees as tags, for example those of a tagger. Their offsets count as
those of `entities`. Without the key, the tags are those of `entities`.

With `tokens` a line may hold dependency trees, all three keys or none: `heads` (token indices, -1 for a root), `dependencies` (labels)
and `pos` (parts of speech), each one value a token.

Ids may be strings or whole numbers. Where entities have numbers as ids, a number as head or tail is an id, elsewhere a position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, parse_json
from relsift.readers.native_fields import (
    ENTITY_KEYS,
    RELATION_KEYS,
    SYNTAX_KEYS,
    character_span,
    entity_of,
    list_under,
    object_list,
    optional_id,
    position_of_id,
    relation_of,
    required_field,
    syntax_of,
)
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document, Entity, Relation, Sentence

_KEYS = {"id", "doc_id", "text", "text_start", "tokens", "offsets", "heads", "dependencies", "pos", "entities", "tagged", "relations"}
_LONGEST_TEXT = 100_000_000  # characters; a larger `text_start` is refused as a mistake, since the text before it is filled with blanks
_OTHER_FORMAT = re.compile(r'(?<!\\)"sentences"\s*:')  # a key, not a word of the sentence

SAMPLES = {
    "train.jsonl": '{"id": "s1", "tokens": ["Ada", "founded", "Acme", "Ltd", "."], '
    '"entities": [{"start": 0, "end": 1, "type": "PER"}, {"id": "acme", "start": 2, "end": 4, "type": "ORG"}], '
    '"relations": [{"head": 0, "tail": "acme", "type": "founder_of"}]}\n'
    '{"id": "s2", "text": "Bo left. Ida runs Zed.", "entities": [{"start": 9, "end": 12, "type": "PER"}, '
    '{"start": 18, "end": 21, "type": "ORG"}], "relations": [{"head": 0, "tail": 1, "type": "runs"}]}\n'
}


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield documents in file order. Raises DataError naming file and line."""
    for file in input_files(path, ".jsonl"):
        yield from read_lines(_lines(file), str(file), report)


def read_lines(lines: Iterator[tuple[int, str]], name: str, report: ReadReport) -> Iterator[Document]:
    """Yield the documents of numbered lines, one at a time; the whole file is never in memory.

    Args:
        lines: (line number from 1, line). name: of the file, for messages.
    Raises: DataError if there is no document, or for a broken line, after the documents before it.
    """
    values = (
        (number, parse_json(line.rstrip("\r\n"), name, expected="one JSON object a line", line=number))
        for number, line in lines
        if line.strip()
    )
    yield from read_records(values, name, report)


def read_records(records: Iterator[tuple[int, Any]], name: str, report: ReadReport) -> Iterator[Document]:
    """`read_lines` for lines that are JSON values already: (line number from 1, value)."""
    document_lines: list[_Line] = []
    has_documents = False
    broken: DataError | None = None
    parsed = (_line(record, f"{name}:{number}", report) for number, record in records)
    while broken is None:
        try:
            line = next(parsed, None)
        except DataError as error:
            line, broken = None, error  # raised after the documents read before it
        if document_lines and (line is None or not line.doc_id or line.doc_id != document_lines[-1].doc_id):
            has_documents = True
            yield _join_lines(document_lines, report)
            document_lines = []
        if line is None:
            break
        document_lines.append(line)
    if broken is not None:
        raise broken
    if not has_documents:
        raise DataError(f"{name}: expected at least one line of JSON, got an empty file")


class _Line(NamedTuple):
    """The content of one line."""

    where: str  # file and line
    doc_id: str  # '': the line is a document of its own
    sentences: tuple[Sentence, ...]  # their offsets count from the beginning of the document
    text: str | None  # the line's part of the document's text
    start: int  # offset of `text` in the document, in characters


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as stream:
        yield from numbered_lines(stream, str(file))


def numbered_lines(stream: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """(line number, line) of UTF-8 text, a byte-order mark removed. Raises DataError with the place of what is no UTF-8."""
    for number, raw in enumerate(stream, start=1):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}:{number}: expected UTF-8 text, got byte 0x{raw[error.start]:02x} at column {error.start}; "
                "convert the file first, for example with `iconv -f GB18030 -t UTF-8`"
            ) from error


def _line(record: Any, where: str, report: ReadReport) -> _Line:
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected a JSON object, got {type(record).__name__}")
    if not record.keys() <= _KEYS:
        for key in sorted(record.keys() - _KEYS):
            report.drop(f"values under the unknown key {key!r}", where)
    key = str(required_field(record, "id", (str, int), where))
    if not key:
        raise DataError(f"{where}: id: expected a name or a number, got an empty string")
    doc_id = optional_id(record, "doc_id", where) or ""
    start = _text_start(record, where)
    entity_records = object_list(record, "entities", "entity", ENTITY_KEYS, where, report)
    entities = [entity_of(e, n, where) for n, e in enumerate(entity_records)]
    positions = position_of_id(entities, where)
    tagged = None
    if record.get("tagged") is not None:
        tagged_records = object_list(record, "tagged", "tagged entity", ENTITY_KEYS, where, report)
        tagged = [entity_of(e, n, where, "tagged entity") for n, e in enumerate(tagged_records)]
    relations = None
    if record.get("relations") is not None:
        ids_are_numbers = any(isinstance(entity.get("id"), int) for entity in entity_records)
        relation_records = object_list(record, "relations", "relation", RELATION_KEYS, where, report)
        relation_list = [relation_of(r, positions, len(entities), ids_are_numbers, n, where) for n, r in enumerate(relation_records)]
        relations = _each_once(relation_list, where, report)
    try:
        if "tokens" in record:
            text, sentences = _from_tokens(record, key, doc_id, entities, tagged, relations, start, where)
        else:
            text, sentences = _from_text(record, key, doc_id, entities, tagged, relations, start, where, report)
    except DataError as error:
        raise error if str(error).startswith(where) else DataError(f"{where}: {error}") from error
    return _Line(where, doc_id, sentences, text, start)


def _text_start(record: dict[str, Any], where: str) -> int:
    if record.get("text_start") is None:
        return 0
    start = required_field(record, "text_start", (int,), where)
    if "text" not in record:
        raise DataError(f'{where}: expected "text" beside "text_start", got keys {", ".join(sorted(record))}')
    if not 0 <= start <= _LONGEST_TEXT:
        raise DataError(f"{where}: text_start: expected 0 to {_LONGEST_TEXT} characters, got {start}")
    return int(start)


def _each_once(relations: list[Relation], where: str, report: ReadReport) -> list[Relation]:
    """Without those that repeat an earlier one's entities and type, whatever their scores."""
    kept: dict[tuple[int, int, str], Relation] = {}
    for relation in relations:
        key = (relation.head, relation.tail, relation.type)
        if key in kept:
            report.drop("duplicate relations", f"{where}: {relation.type} {relation.head} {relation.tail}")
        kept.setdefault(key, relation)
    return list(kept.values())


def _from_tokens(
    record: dict[str, Any],
    key: str,
    doc_id: str,
    entities: list[Entity],
    tagged: list[Entity] | None,
    relations: list[Relation] | None,
    start: int,
    where: str,
) -> tuple[str | None, tuple[Sentence, ...]]:
    tokens = list_under(record, "tokens", where)
    if not (all(tokens) and set(map(type, tokens)) <= {str}):
        number, token = next((n, t) for n, t in enumerate(tokens) if not isinstance(t, str) or not t)
        raise DataError(f"{where}: token {number}: expected a non-empty string, got {token!r}")
    text, offsets = record.get("text"), record.get("offsets")
    if (offsets is None) != (text is None):
        got = "text" if offsets is None else "offsets"
        raise DataError(f'{where}: expected "text" and "offsets" together beside "tokens", got only {got!r}')
    spans = None
    if text is not None:
        text = required_field(record, "text", (str,), where)
        size = len(text)
        spans_in_text = [character_span(value, size, "offset", n, where) for n, value in enumerate(list_under(record, "offsets", where))]
        spans = tuple([(a + start, b + start) for a, b in spans_in_text])
    sentence = Sentence(
        key,
        tuple(tokens),
        tuple(entities),
        relations=None if relations is None else tuple(relations),
        doc_id=doc_id or key,
        offsets=spans,
        syntax=syntax_of(record, where),
        tagged=None if tagged is None else tuple(tagged),
    )
    return text, (sentence,)


def _from_text(
    record: dict[str, Any],
    key: str,
    doc_id: str,
    entities: list[Entity],
    tagged: list[Entity] | None,
    relations: list[Relation] | None,
    start: int,
    where: str,
    report: ReadReport,
) -> tuple[str, tuple[Sentence, ...]]:
    text = required_field(record, "text", (str,), where, hint='a line needs "tokens" or "text"')
    if record.get("offsets") is not None:
        raise DataError(f'{where}: expected "tokens" beside "offsets", got only "text"')
    if any(record.get(name) is not None for name in SYNTAX_KEYS):
        raise DataError(f'{where}: expected "tokens" beside {", ".join(SYNTAX_KEYS)}, got only "text"')
    if not text.strip():
        raise DataError(f"{where}: text: expected some text, got only blanks")
    for number, relation in enumerate(relations or ()):
        if relation.score is not None:
            report.drop("scores of relations of a text without tokens", f"{where}: relation {number}")
    # Until each entity has its sentence, its id is its position: the annotated entities first, then the tagged ones.
    all_entities = [*entities, *(tagged or ())]
    mentions = [TextEntity(str(n), e.start, e.end, e.type, e.subtype) for n, e in enumerate(all_entities)]
    text_relations = None if relations is None else [TextRelation(str(r.head), str(r.tail), r.type) for r in relations]
    document = document_from_offsets(doc_id or key, text, mentions, text_relations, report, where=where)
    # A text of one sentence keeps its id. The sentences of a longer text are numbered.
    is_single = len(document.sentences) == 1
    sentences = []
    for number, sentence in enumerate(document.sentences):
        positions = [int(e.id or 0) for e in sentence.entities]
        entities_with_ids = [replace(e, id=all_entities[n].id) for n, e in zip(positions, sentence.entities)]
        num_entities = sum(n < len(entities) for n in positions)
        tagged_here = None if tagged is None else tuple(entities_with_ids[num_entities:])
        name = key if is_single else f"{key}-{number}"
        sentences.append(_shifted(replace(sentence, id=name, entities=tuple(entities_with_ids[:num_entities]), tagged=tagged_here), start))
    return text, tuple(sentences)


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


def _join_lines(lines: list[_Line], report: ReadReport) -> Document:
    """Join the lines of one document. Each text goes to its `text_start`; gaps between texts are filled with blanks."""
    name = lines[0].doc_id or lines[0].sentences[0].doc_id or lines[0].sentences[0].id
    sentences = tuple(sentence for line in lines for sentence in line.sentences)
    if all(line.text is None for line in lines):
        return Document(name, sentences)
    parts: list[str] = []
    length = 0
    for line in lines:
        if line.text is None or line.start < length:
            got = "no text" if line.text is None else f"text_start {line.start}"
            report.drop(
                "documents whose texts do not fit together (kept, without character offsets)",
                f"{line.where}: expected a text that starts at {length} or later, got {got}",
            )
            return Document(name, tuple(_without_offsets(sentence) for sentence in sentences))
        parts += [" " * (line.start - length), line.text]
        length = line.start + len(line.text)
    return Document(name, sentences, "".join(parts))


def _without_offsets(sentence: Sentence) -> Sentence:
    entities, tagged = (tuple(replace(entity, chars=None) for entity in group) for group in (sentence.entities, sentence.tagged or ()))
    return replace(sentence, offsets=None, entities=entities, tagged=None if sentence.tagged is None else tagged)


def recognises(path: Path) -> bool:
    """A .jsonl file whose first line has the native keys: `id`, and `tokens` or `text`, but not `sentences` (DyGIE)."""
    if path.is_dir():
        files = sorted(path.glob("*.jsonl"))
        return bool(files) and recognises(files[0])
    line = beginning_of(path).lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    has_native_keys = line.startswith("{") and ('"tokens"' in line or '"text"' in line) and '"id"' in line
    return path.suffix == ".jsonl" and has_native_keys and not _OTHER_FORMAT.search(line)


READER = Reader(
    name="native",
    summary="relsift's own JSON lines: tokens or text, entities, relations",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
)
