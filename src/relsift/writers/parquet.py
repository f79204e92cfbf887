"""Parquet: one row a relation, with the columns of `csv`, texts and numbers as they are. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from relsift.errors import ConfigError
from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.rows import COLUMNS, KEPT, NUMBER, SENTENCE, TEXT, WHOLE, relation_rows

_ROWS_AT_ONCE = 20_000  # a row group: what is held in memory


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """Raises: ConfigError if pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("parquet: expected pyarrow to write it, got no such package: pip install 'relsift[formats]'") from error
    types = {TEXT: pyarrow.string(), WHOLE: pyarrow.int64(), NUMBER: pyarrow.float64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in (COLUMNS | SENTENCE).items()])
    rows = _rows(documents)
    with parquet.ParquetWriter(target, schema) as table:
        while block := list(islice(rows, _ROWS_AT_ONCE)):
            arrays = [pyarrow.array(values, field.type) for values, field in zip(zip(*block), schema)]
            table.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _rows(documents: Iterable[Document]) -> Iterator[tuple[Any, ...]]:
    for document in documents:
        for sentence, values in relation_rows(document):
            yield (*values, sentence.text)


WRITER = Writer(
    name="parquet", summary="a table, one row a relation; needs pyarrow", suffix=".parquet", write=write, is_text=False, keeps=KEPT
)
