"""Predicted documents as rows of a Parquet table, one row a document: what `relsift predict --ray` and `relsift.integrations.ray` give.

    document    id                                       sentences   how many it has
    json        the document as native JSON lines, one a sentence (see `relsift.readers.native`)
    relations   one record a relation, with the columns of `csv` (see `relsift.writers.rows`) and the text of its sentence
"""

from __future__ import annotations

from typing import Any

from relsift.schema import Document
from relsift.writers.native import lines
from relsift.writers.rows import COLUMNS, NUMBER, SENTENCE, TEXT, WHOLE, relation_rows

ROWS_AT_ONCE = 1024  # of a row group: what is held in memory
_NAMES = tuple(COLUMNS)


def fields_of(pyarrow: Any) -> list[Any]:
    """The columns with their types. Args: pyarrow: the package."""
    text = pyarrow.string()
    types = {TEXT: text, WHOLE: pyarrow.int64(), NUMBER: pyarrow.float64()}
    kinds = {name: kind for name, kind in (COLUMNS | SENTENCE).items() if name != "document"}
    relation = pyarrow.struct([pyarrow.field(name, types[kind]) for name, kind in kinds.items()])
    return [
        pyarrow.field("document", text), pyarrow.field("sentences", pyarrow.int32()), pyarrow.field("json", text),
        pyarrow.field("relations", pyarrow.list_(relation)),
    ]  # fmt: skip


def row_of(document: Document) -> dict[str, Any]:
    """The values of one row. Raises DataError for infinite scores, which JSON does not have."""
    relations = []
    for sentence, values in relation_rows(document):
        record = dict(zip(_NAMES, values)) | {"text": sentence.text}
        del record["document"]
        relations.append(record)
    return {
        "document": document.id, "sentences": len(document.sentences), "json": "\n".join(lines(document)), "relations": relations
    }
