"""The columns of a document store: a Parquet file with all that a sentence holds but concepts, one row each; nothing across sentences.

    document       id of the document, on every row          place   number of the sentence in its document, from 0
    document_text  text of the document, on its first row    text    that of the sentence, where the document's is not known
    id, doc_id     of the sentence                            tokens, starts, ends   of the sentence; the last two are character offsets
    heads, dependencies, pos    dependency trees              entities, tagged, relations   records with the fields of the data model

Null is None: no offsets, no trees, relations that were not annotated. A document without sentences is one row without `tokens`.
Documents of one id that follow each other stay apart, since each begins at place 0. The key `relsift.store` in the metadata of the
file holds the version of the layout. pyarrow is imported when it is needed.
"""

from __future__ import annotations

from typing import Any

from relsift.errors import ConfigError

KEY = b"relsift.store"
VERSION = b"1"
ROWS_AT_ONCE = 4096  # of a row group: what is held in memory
SUFFIX = ".parquet"
_FEW_VALUES = ("document", "doc_id", "tokens", "dependencies", "pos", "type", "subtype")


def pyarrow_for(what: str) -> Any:
    """The package, with `pyarrow.parquet`. Raises ConfigError that begins with `what` if it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        problem = "expected pyarrow to read and write document stores, got no such package"
        raise ConfigError(f"{what}: {problem}: pip install 'relsift[formats]'") from error
    return pyarrow


def schema_of(pyarrow: Any) -> Any:
    """The columns with their types, and the metadata that says what they are."""
    text, whole, small, number = pyarrow.string(), pyarrow.int64(), pyarrow.int32(), pyarrow.float64()

    def required(name: str, kind: Any) -> Any:
        return pyarrow.field(name, kind, nullable=False)

    def listed(*fields: Any) -> Any:
        return pyarrow.list_(required("element", pyarrow.struct(fields)))

    def values(kind: Any) -> Any:
        return pyarrow.list_(required("element", kind))

    entity = listed(
        required("start", small), required("end", small), required("type", text), pyarrow.field("subtype", text),
        pyarrow.field("id", text), pyarrow.field("char_start", whole), pyarrow.field("char_end", whole), pyarrow.field("score", number),
    )  # fmt: skip
    relation = listed(
        required("head", small), required("tail", small), required("type", text), pyarrow.field("score", number),
        pyarrow.field("probability", number),
    )  # fmt: skip
    return pyarrow.schema(
        [
            required("document", text), required("place", small), pyarrow.field("document_text", text), pyarrow.field("id", text),
            pyarrow.field("doc_id", text), pyarrow.field("text", text), pyarrow.field("tokens", values(text)),
            pyarrow.field("starts", values(whole)), pyarrow.field("ends", values(whole)), pyarrow.field("heads", values(small)),
            pyarrow.field("dependencies", values(text)), pyarrow.field("pos", values(text)), required("entities", entity),
            pyarrow.field("tagged", entity), pyarrow.field("relations", relation),
        ],
        metadata={KEY: VERSION},
    )  # fmt: skip


def string_paths(schema: Any) -> list[str]:
    """The columns whose different strings are written once, by their names in Parquet."""
    paths = []
    for column in schema:
        inner = getattr(column.type, "value_type", None)
        fields = [field.name for field in inner] if inner is not None and inner.num_fields else []
        paths += [f"{column.name}.list.element.{name}" for name in fields if name in _FEW_VALUES]
        if not fields and column.name in _FEW_VALUES:
            paths.append(column.name if inner is None else f"{column.name}.list.element")
    return paths
