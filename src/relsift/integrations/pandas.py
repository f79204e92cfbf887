"""Relations as a table of pandas, one row a relation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError, DataError
from relsift.schema import Document
from relsift.views import EntityView, RelationView

if TYPE_CHECKING:
    import pandas

_TEXT, _WHOLE, _NUMBER = "object", "Int64", "float64"  # Int64 can be missing, as offsets can
_ENTITY = {"text": _TEXT, "type": _TEXT, "start": _WHOLE, "end": _WHOLE, "score": _NUMBER}
COLUMNS: dict[str, str] = {
    "document": _TEXT,  # its id
    "sentence": "int64",  # its number in the document, from 0
    **{f"head_{name}": kind for name, kind in _ENTITY.items()},  # start, end: characters of the document's text; missing: unknown
    "relation": _TEXT,
    **{f"tail_{name}": kind for name, kind in _ENTITY.items()},
    "score": _NUMBER,  # log-odds of the relation; missing: annotated, not predicted. So of the entities: given, not found
    "probability": _NUMBER,  # missing: the decision is not calibrated
}


def to_dataframe(documents: Document | Iterable[Document]) -> pandas.DataFrame:
    """A frame with COLUMNS, relations in the order of documents and sentences; documents without relations have no row.

    Raises: ConfigError if pandas is not installed; DataError for anything but documents.
    """
    try:
        import pandas
    except ImportError as error:
        raise ConfigError(f"to_dataframe: expected the package pandas, got none ({error}); pip install pandas") from error
    rows = [row for document in _checked(documents) for row in _rows(document)]
    columns = zip(*rows) if rows else ((),) * len(COLUMNS)
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


def _rows(document: Document) -> Iterable[tuple[Any, ...]]:
    for number, sentence in enumerate(document.sentences):
        for relation in sentence.relations or ():
            found = RelationView(sentence, relation)
            yield document.id, number, *_entity(found.head), found.type, *_entity(found.tail), found.score, found.probability


def _entity(entity: EntityView) -> tuple[Any, ...]:
    return entity.text, entity.type, entity.start, entity.end, entity.score
