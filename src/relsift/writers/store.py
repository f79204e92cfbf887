"""Document store: a Parquet file of whole sentences that is read fast (see `relsift.store_layout`). Needs pyarrow.

Numbers are written as they are, scores in full precision. A row group has so many rows and characters at most, so that memory is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.omissions import Omissions
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.store_layout import ROWS_AT_ONCE, SUFFIX, pyarrow_for, schema_of, string_paths
from relsift.text import half_character
from relsift.writers.base import Writer
from relsift.writers.content import ALL

_CHARACTERS_AT_ONCE = 4_000_000  # of the texts of a row group; a longer text is a row group by itself
_OFFSETS = ("starts.list.element", "ends.list.element")  # numbers that grow: their differences are written


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """Raises: ConfigError if pyarrow is not installed; DataError for what no file can hold: half characters, infinite scores."""
    pyarrow = pyarrow_for("store")
    schema = schema_of(pyarrow)
    with pyarrow.parquet.ParquetWriter(
        target, schema, compression="zstd", use_dictionary=string_paths(schema), write_statistics=False, write_page_checksum=True,
        column_encoding=dict.fromkeys(_OFFSETS, "DELTA_BINARY_PACKED"),
    ) as table:  # fmt: skip
        for rows in _blocks(documents):
            try:
                table.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema=schema), row_group_size=len(rows))
            except (pyarrow.ArrowInvalid, UnicodeEncodeError, OverflowError) as error:
                raise _fault(rows, pyarrow, schema) from error


def _blocks(documents: Iterable[Document]) -> Iterator[list[dict[str, Any]]]:
    """The rows of one row group after the other."""
    rows: list[dict[str, Any]] = []
    characters = 0
    for document in documents:
        for row in _rows(document):
            size = len(row["document_text"] or "") + len(row["text"] or "")
            if rows and (len(rows) >= ROWS_AT_ONCE or characters + size > _CHARACTERS_AT_ONCE):
                yield rows
                rows, characters = [], 0
            rows.append(row)
            characters += size
    if rows:
        yield rows


def _rows(document: Document) -> Iterator[dict[str, Any]]:
    if not document.sentences:
        yield _row(document, 0) | {"entities": []}
    for place, sentence in enumerate(document.sentences):
        offsets = sentence.offsets
        yield _row(document, place) | {
            "id": sentence.id, "doc_id": sentence.doc_id, "text": sentence.original if document.text is None else None,
            "tokens": sentence.tokens, "starts": None if offsets is None else [start for start, _ in offsets],
            "ends": None if offsets is None else [end for _, end in offsets], **_trees(sentence),
            "entities": [_entity(entity, sentence) for entity in sentence.entities],
            "tagged": None if sentence.tagged is None else [_entity(entity, sentence) for entity in sentence.tagged],
            "relations": None if sentence.relations is None else [_relation(relation, sentence) for relation in sentence.relations],
        }  # fmt: skip


def _row(document: Document, place: int) -> dict[str, Any]:
    return {"document": document.id, "place": place, "document_text": None if place else document.text, "text": None}


def _trees(sentence: Sentence) -> dict[str, Any]:
    trees = sentence.syntax
    return {} if trees is None else {"heads": trees.heads, "dependencies": trees.dependencies, "pos": trees.pos}


def _entity(entity: Entity, sentence: Sentence) -> dict[str, Any]:
    _check(entity.score, sentence)
    first, last = entity.chars or (None, None)
    return {
        "start": entity.start, "end": entity.end, "type": entity.type, "subtype": entity.subtype, "id": entity.id,
        "char_start": first, "char_end": last, "score": entity.score,
    }  # fmt: skip


def _relation(relation: Relation, sentence: Sentence) -> dict[str, Any]:
    _check(relation.score, sentence)
    if relation.probability is not None and not 0 <= relation.probability <= 1:
        raise DataError(f"sentence {sentence.id!r}: expected probabilities from 0 to 1, got {relation.probability}")
    return {
        "head": relation.head, "tail": relation.tail, "type": relation.type, "score": relation.score, "probability": relation.probability
    }


def _check(score: float | None, sentence: Sentence) -> None:
    if score is not None and not math.isfinite(score):
        raise DataError(f"sentence {sentence.id!r}: expected finite scores, got {score}")


def _fault(rows: list[dict[str, Any]], pyarrow: Any, schema: Any) -> DataError:
    """What of the rows cannot be written: found by trying each."""
    for row in rows:
        where = f"document {row['document']!a}, sentence {row.get('id')!a}"
        try:
            pyarrow.RecordBatch.from_pylist([row], schema=schema)
        except UnicodeEncodeError as error:
            return DataError(f"{where}: expected whole characters, got half of one, {half_character(error.object)}")
        except (pyarrow.ArrowInvalid, OverflowError) as error:
            return DataError(f"{where}: expected values that a document store can hold, got {error}")
    return DataError("expected values that a document store can hold, got others")


WRITER = Writer(
    name="store", summary="whole sentences, read several times as fast as JSON lines; Parquet, needs pyarrow", suffix=SUFFIX, write=write,
    is_text=False, keeps=ALL - {"across", "concepts", "concept_relations", "evidence"},
)  # fmt: skip
