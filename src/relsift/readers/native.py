"""Native JSON lines: one sentence or one text a line.

    {"id"?, "doc_id"?, "tokens", "entities"?: [{"id"?, "start", "end", "type", "subtype"?, "chars"?, "text"?, "score"?, "concepts"?}],
        "relations"?: [{"head", "tail", "type", "score"?, "probability"?}],
        "across"?: [{"head", "tail", "away", "type", "score"?, "probability"?}],
        "concept_relations"?: [{"head", "tail", "type", "evidence"?}]}
    {"id"?, "doc_id"?, "text", "entities"?: […], "relations"?: […]}

With `tokens`, start and end are token indices; with `text` alone, character offsets, and the text is split into sentences and
tokens. Ends are exclusive. head and tail are entity ids or positions in the list. `"relations": []` means annotated, none; a
missing key means not annotated. Consecutive lines with the same `doc_id` form one document. A line without words is a document without
sentences. A line without an id gets one from the file's name and its number.

Character offsets. All of a line count characters (code points) from the beginning of that line's `text`: start and end of a text alone,
`offsets`, and `chars`. With `tokens`, `text` and `offsets` (a half-open span in `text` for every token) keep the link to the original text.
`chars` is the span of a mention in `text`, if it is finer than its tokens; without `text` it is kept as it is. `text_start` is the place
of `text` in its document. In memory, offsets count from the beginning of the document. What a line says twice (`text` of a mention, chars,
offsets and tokens) is compared, and a difference is an error.

`score` is the log-odds of an entity or a relation that a model found, and `probability`, from 0 to 1, that of a relation to be right;
annotated ones have none.

`"tagged": [{"start", "end", "type"}]` are the entities that the model sees as tags, for example those of a tagger. Their offsets count as
those of `entities`. Without the key, the tags are those of `entities`.

With `tokens` a line may hold dependency trees, all three keys or none: `heads` (token indices, -1 for a root), `dependencies` (labels)
and `pos` (parts of speech), each one value a token.

`across` holds relations to entities of another line of the same document, on the line of the head: `away` lines further (1: the next one,
-1: the one before), where `tail` is a position. It stands beside `tokens` alone.

`concepts` of an entity are the ids of what it stands for in the document, and `concept_relations` relate such ids: head and tail are ids
of concepts. They may stand on any line of the document. `evidence` are the lines that show the relation, counted from its own line (0:
itself, 1: the next one); without the key, any line may. Relations of mentions, under `relations` and `across`, stand beside them and do
not follow from them. A line of an older file has none of the three keys.

Ids may be strings or whole numbers. Where entities have numbers as ids, a number as head or tail is an id, elsewhere a position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.json_text import decode
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, no_text, visible_files
from relsift.readers.encodings import UTF8
from relsift.readers.json_layouts import records_in, relates_strings
from relsift.readers.native_across import across_of_lines
from relsift.readers.native_concepts import concept_relations_of_lines, count_without_mentions
from relsift.readers.native_plain import plain_document, plain_line
from relsift.readers.native_positions import CHARACTERS, UTF16
from relsift.readers.native_record import KEYS, Line, line_of, lose_relations
from relsift.readers.native_values import Place, lines_of, numbered_lines, values_of
from relsift.readers.raw import Split
from relsift.schema import Document, Sentence

__all__ = ["READER", "document_of", "numbered_lines", "read", "read_lines", "read_records"]

_LEAST_GAPS = 10_000  # characters between the texts of one document that are always filled
_GAPS_BY_TEXT = 100  # and so many more for each character of its texts; memory grows with the file, not with the numbers in it
_IDS_COMPARED = 500_000  # of one file, so that memory is bounded
_RECOGNITION_BYTES = 1 << 18  # of a file that are read to recognise it; lines can be long
_BEGINS_WITH_OBJECT = re.compile(r"\[?\s*\{")
_OTHER_FORMAT = re.compile(  # keys, and not words of the sentence
    r'(?<!\\)"(?:(?:sentences|sentence|sents|ner|token|extractions|start_offset|from_id|token_start|_input_hash)"\s*:'
    r'|tokens"\s*:\s*\[\s*\{|labels?"\s*:\s*\[\s*[\[\]])'
)

SAMPLES = {
    "train.jsonl": '{"id": "s1", "tokens": ["Ada", "founded", "Acme", "Ltd", "."], '
    '"entities": [{"start": 0, "end": 1, "type": "PER"}, {"id": "acme", "start": 2, "end": 4, "type": "ORG"}], '
    '"relations": [{"head": 0, "tail": "acme", "type": "founder_of"}]}\n'
    '{"id": "s2", "text": "Bo left. Ida runs Zed.", "entities": [{"start": 9, "end": 12, "type": "PER"}, '
    '{"start": 18, "end": 21, "type": "ORG"}], "relations": [{"head": 0, "tail": 1, "type": "runs"}]}\n'
}


def read(
    path: Path, report: ReadReport, *, encoding: str = UTF8, positions: str = CHARACTERS, split: Split | None = None
) -> Iterator[Document]:
    """Yield documents in file order. Raises DataError naming file and line.

    Args:
        positions: what character offsets count, "characters" or "utf16" code units.
        split: from the text of a line without the key "entities" to sentences; None: as for all other texts, by rules.
    """
    for file in input_files(path, ".jsonl"):
        yield from read_lines(lines_of(file, encoding), str(file), report, positions=positions, split=split)


def read_lines(
    lines: Iterable[tuple[int, bytes | str]], name: str, report: ReadReport, *, positions: str = CHARACTERS, split: Split | None = None,
    each_line: bool = False,
) -> Iterator[Document]:  # fmt: skip
    """Yield the documents of numbered lines, one at a time; the whole file is never in memory.

    Args:
        lines: (line number from 1, line). name: of the file, for messages. positions, split: see `read`.
        each_line: the lines come from the middle of a file that has one value a line.
    Raises: DataError if there is no document, or for a broken line, after the documents before it.
    """
    yield from _documents(values_of(lines, name, each_line=each_line), name, report, positions, split)


def read_records(
    records: Iterable[tuple[int, Any]], name: str, report: ReadReport, *, split: Split | None = None
) -> Iterator[Document]:
    """`read_lines` for lines that are JSON values already: (line number from 1, value)."""
    places = (Place(f"{name}:{number}", number, partial(_same, record)) for number, record in records)
    yield from _documents(places, name, report, CHARACTERS, split)


def document_of(record: Any, where: str, report: ReadReport, *, key: str) -> Document:
    """The document of one value that stands alone. key: its id if it has none. Raises DataError beginning with `where`."""
    return _join_lines([line_of(record, where, key, report, CHARACTERS)], report)


def _same(value: Any) -> Any:
    return value


def _documents(places: Iterable[Place], name: str, report: ReadReport, positions: str, split: Split | None = None) -> Iterator[Document]:
    document_lines: list[Line] = []
    num_documents, num_broken = 0, report.dropped["broken lines"]
    broken: DataError | None = None
    parsed = _lines(places, name, report, positions, split)
    while broken is None:
        try:
            line = next(parsed, None)
        except DataError as error:
            line, broken = None, error  # raised after the documents read before it
        if document_lines and (line is None or not _belong_together(document_lines[-1], line)):
            num_documents += 1
            yield _join_lines(document_lines, report)
            document_lines = []
        if line is None:
            break
        document_lines.append(line)
    if broken is not None:
        raise broken
    if not num_documents:
        if report.dropped["broken lines"] > num_broken:
            raise DataError(f"{name}: expected at least one line of JSON, got only broken ones")
        raise no_text(name, "no line of JSON")


def _belong_together(line: Line, following: Line) -> bool:
    """A line without words is a document of its own, so that it is not lost among the sentences of others."""
    return line.doc_id != "" and line.doc_id == following.doc_id and line.sentences != () and following.sentences != ()


def _lines(places: Iterable[Place], name: str, report: ReadReport, positions: str, split: Split | None) -> Iterator[Line]:
    """The lines that can be read. Ids that stand twice are counted, among the first lines: memory does not grow without end."""
    stem = Path(name).stem if Path(name).suffix else "line"
    seen: set[tuple[str, str]] = set()
    for number, place in enumerate(places):
        line = plain_line(place.line, place.where, number) if place.line and positions == CHARACTERS else None
        if line is not None:
            _count_id(line, place.where, seen, report)
            yield line
            continue
        record = None
        try:
            record = place.value()
            line = line_of(record, place.where, f"{stem}-{place.number}", report, positions, split)
        except DataError:
            with report.leaving_out("lines"):
                raise
            lose_relations(record, report)
            continue
        if record.get("id") in (None, ""):
            report.drop("lines without an id, named by their number", place.where)
        _count_id(line, place.where, seen, report)
        yield line._replace(number=number)


def _count_id(line: Line, where: str, seen: set[tuple[str, str]], report: ReadReport) -> None:
    """Count a line whose id an earlier line has."""
    name_of_line = line.doc_id, line.key
    if name_of_line in seen:
        report.drop("lines with an id that an earlier line has (kept)", f"{where}: {line.key!r}")
    elif len(seen) < _IDS_COMPARED:
        seen.add(name_of_line)


def _join_lines(lines: list[Line], report: ReadReport) -> Document:
    """The document of these lines, which have one `doc_id`."""
    of_concepts = concept_relations_of_lines(lines, report)
    document = _joined_text(lines, report)
    if of_concepts is None:
        return document
    return count_without_mentions(replace(document, concept_relations=of_concepts), lines[0].where, report)


def _joined_text(lines: list[Line], report: ReadReport) -> Document:
    """Join the lines of one document. Each text goes to its `text_start`; gaps between texts are filled with blanks.

    Where the gaps are far longer than the texts, the document has no text; its sentences have their own.
    """
    name = lines[0].doc_id if lines[0].doc_id and lines[0].sentences else lines[0].key
    sentences = tuple([sentence for line in lines for sentence in line.sentences])
    are_plain = all(line.is_plain for line in lines)
    across = () if are_plain else across_of_lines(lines, report)
    if all(line.text is None for line in lines):
        return Document(name, sentences, across=across)
    if len(lines) == 1 and lines[0].text is not None and lines[0].start <= _LEAST_GAPS:
        return Document(name, sentences, " " * lines[0].start + lines[0].text, across)
    parts: list[str] = []
    length = 0
    for line in lines:
        if line.text is None or line.start < length:
            got = "no text" if line.text is None else f"text_start {line.start}"
            report.drop(
                "documents whose texts do not fit together (kept, without character offsets)",
                f"{line.where}: expected a text that starts at {length} or later, got {got}",
            )
            return Document(name, tuple(_without_offsets(sentence) for sentence in sentences), across=across)
        parts.append(line.text)
        length = line.start + len(line.text)
    known = sum(map(len, parts))
    if length - known > _LEAST_GAPS + _GAPS_BY_TEXT * known:
        return Document(name, sentences, across=across)
    ends = accumulate((line.start + len(part) for line, part in zip(lines, parts)), max, initial=0)
    text = "".join(" " * (line.start - end) + part for line, part, end in zip(lines, parts, ends))
    if are_plain:  # each sentence was compared with its part of the text
        return plain_document(name, sentences, text)
    return Document(name, sentences, text, across)


def _without_offsets(sentence: Sentence) -> Sentence:
    entities, tagged = (tuple(replace(entity, chars=None) for entity in group) for group in (sentence.entities, sentence.tagged or ()))
    return replace(sentence, offsets=None, original=None, entities=entities, tagged=None if sentence.tagged is None else tagged)


def recognises(path: Path) -> bool:
    """A .jsonl file whose first object has native keys: `tokens` or `text`, and `entities` or `id`, and which has no other format's keys.

    Words without entities, for a model that finds them, are native if nothing else stands beside them.
    """
    if path.is_dir():
        first = next(visible_files(path, (".jsonl",)), None)
        return first is not None and recognises(first)
    if path.suffix.lower() != ".jsonl":
        return False
    # Without what another encoding adds: reading says then which encoding to name.
    beginning = beginning_of(path, _RECOGNITION_BYTES).replace("\0", "").lstrip("\ufeff\ufffd \t\r\n").replace("\r", "\n")
    if _OTHER_FORMAT.search(beginning) or ('"text"' in beginning and any(map(relates_strings, records_in(beginning)))):
        return False
    line, line_end, _ = beginning.partition("\n")
    if not line.startswith("{") or not line.rstrip().endswith("}"):  # an array, or an object over several lines
        line = beginning
    if _is_text_alone(line):
        return True
    has_words = '"tokens"' in line or '"text"' in line
    has_more = '"id"' in line or '"entities"' in line or (not line_end and len(line) >= _RECOGNITION_BYTES // 4)  # beyond what was read
    return _BEGINS_WITH_OBJECT.match(line) is not None and has_words and has_more


def _is_text_alone(line: str) -> bool:
    """Whether it is a JSON object of words, and of native keys only."""
    try:
        value = decode(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.keys() <= KEYS and not value.keys().isdisjoint({"tokens", "text"})


READER = Reader(
    name="native",
    summary="relsift's own JSON lines: tokens or text, entities, relations",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"positions": (CHARACTERS, UTF16)},
    has_encoding=True,
    has_split=True,
)
