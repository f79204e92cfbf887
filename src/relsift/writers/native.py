"""Native JSON lines (see `relsift.readers.native`). The reader gives back the same sentences.

All character offsets of a line count from the beginning of the line's `text`; `text_start` is the place of that text in the document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from relsift.errors import DataError
from relsift.schema import Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence
from relsift.writers.base import Writer
from relsift.writers.content import ALL

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # `json.dumps` would make an encoder for every line


def record_of(
    sentence: Sentence,
    *,
    doc_id: str | None = None,
    across: Sequence[RelationAcross] = (),
    concept_relations: Sequence[RelationOfConcepts] | None = None,
) -> dict[str, Any]:
    """The JSON object of one sentence. Offsets are written where the original text is known.

    Args:
        doc_id: of the document, on all its lines; None: that of the sentence, unless it is equal to the sentence's id.
        across: the document's relations whose head is in this sentence.
        concept_relations: of the document, on the line of its first sentence.
    """
    record: dict[str, Any] = {"id": sentence.id}
    if doc_id is None and sentence.doc_id != sentence.id:
        doc_id = sentence.doc_id
    if doc_id is not None:
        record["doc_id"] = doc_id
    record["tokens"] = list(sentence.tokens)
    start = 0  # what chars count from: the line's text, or where that is unknown what they counted from before
    if sentence.original is not None and sentence.offsets is not None and sentence.extent is not None:
        start, _ = sentence.extent
        record["text"] = sentence.original
        record["text_start"] = start
        record["offsets"] = [[a - start, b - start] for a, b in sentence.offsets]
    if sentence.syntax is not None:
        syntax = sentence.syntax
        record |= {"heads": list(syntax.heads), "dependencies": list(syntax.dependencies), "pos": list(syntax.pos)}
    record["entities"] = [_entity(entity, start) for entity in sentence.entities]
    if sentence.tagged is not None:
        record["tagged"] = [_entity(entity, start) for entity in sentence.tagged]
    if concept_relations is not None:  # before the relations, which come last in a line
        record["concept_relations"] = [
            {"head": r.head, "tail": r.tail, "type": r.type} | ({} if r.evidence is None else {"evidence": list(r.evidence)})
            for r in concept_relations
        ]
    if sentence.relations is not None:
        record["relations"] = [{"head": r.head, "tail": r.tail, "type": r.type} | _scores(r) for r in sentence.relations]
    if across:
        record["across"] = [
            {"head": r.head[1], "tail": r.tail[1], "away": r.tail[0] - r.head[0], "type": r.type} | _scores(r) for r in across
        ]
    return record


def _scores(relation: Relation | RelationAcross) -> dict[str, float]:
    record = {} if relation.score is None else {"score": round(relation.score, 6)}
    return record if relation.probability is None else record | {"probability": round(relation.probability, 6)}


def lines(document: Document) -> Iterator[str]:
    """One JSON line a sentence, without its line end; one line for a document without sentences, so that each input has its output."""
    if not document.sentences:
        text = {} if document.text is None else {"text": document.text, "offsets": list[Any]()}
        yield _encode({"id": document.id, "tokens": [], **text, "entities": [], "relations": []})
    # Of raw text each line names its document, so that results can be joined to what went in.
    is_whole_document = document.text is None and len(document.sentences) == 1 and document.sentences[0].id == document.id
    across: dict[int, list[RelationAcross]] = {}
    for relation in document.across:
        across.setdefault(relation.head[0], []).append(relation)
    for number, sentence in enumerate(document.sentences):
        try:
            record = record_of(
                sentence, doc_id=None if is_whole_document else document.id, across=across.get(number, ()),
                concept_relations=None if number else document.concept_relations,
            )  # fmt: skip
            yield _encode(record)
        except ValueError as error:  # infinity or not-a-number, which JSON does not have
            raise DataError(f"sentence {sentence.id!r}: expected finite scores, got {error}") from error


def write(documents: Iterable[Document], stream: TextIO) -> None:
    for document in documents:
        for line in lines(document):
            stream.write(line + "\n")


def _entity(entity: Entity, start: int) -> dict[str, Any]:
    record: dict[str, Any] = {} if entity.id is None else {"id": entity.id}
    record |= {"start": entity.start, "end": entity.end, "type": entity.type}
    if entity.subtype is not None:
        record["subtype"] = entity.subtype
    if entity.chars is not None:
        record["chars"] = [entity.chars[0] - start, entity.chars[1] - start]
    if entity.score is not None:
        record["score"] = round(entity.score, 6)
    if entity.concepts:
        record["concepts"] = list(entity.concepts)
    return record


WRITER = Writer(name="native", summary="relsift's own JSON lines", suffix=".jsonl", lines=lines, keeps=ALL)
