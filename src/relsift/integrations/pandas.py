"""Relations as a table of pandas, one row a relation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError, DataError
from relsift.schema import Document
from relsift.writers import rows
from relsift.writers.rows import NUMBER, TEXT, WHOLE

if TYPE_CHECKING:
    import pandas

_TYPES = {TEXT: "object", WHOLE: "Int64", NUMBER: "float64"}  # Int64 can be missing, as offsets can
COLUMNS = {name: "int64" if name == "sentence" else _TYPES[kind] for name, kind in rows.COLUMNS.items()}


def to_dataframe(documents: Document | Iterable[Document]) -> pandas.DataFrame:
    """A frame with COLUMNS, relations in the order of documents and sentences; documents without relations have no row.

    Raises: ConfigError if pandas is not installed; DataError for anything but documents.
    """
    try:
        import pandas
    except ImportError as error:
        raise ConfigError(f"to_dataframe: expected the package pandas, got none ({error}); pip install pandas") from error
    values = [row for document in _checked(documents) for _, row in rows.relation_rows(document)]
    columns = zip(*values) if values else ((),) * len(COLUMNS)
    return pandas.DataFrame({name: pandas.Series(list(values), dtype=COLUMNS[name]) for name, values in zip(COLUMNS, columns)})


def _checked(documents: Any) -> Iterable[Document]:
    if isinstance(documents, Document):
        return [documents]
    if not isinstance(documents, Iterable):
        raise DataError(f"documents: expected a list of documents, got {type(documents).__name__}")
    those = list(documents)
    for number, document in enumerate(those):
        if not isinstance(document, Document):
            got = type(document).__name__
            raise DataError(f"documents: expected documents, as rx(items) and rx.documents(items) give them, got {got} at {number}")
    return those
