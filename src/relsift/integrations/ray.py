"""Relations in a dataset of Ray Data: `Extract` for `map_batches`. Needs the extra `ray`.

    import ray
    from relsift.integrations.ray import Extract

    rows = ray.data.read_text("notes.jsonl")                       # or read_parquet, read_json: columns `text`, or `tokens` and `entities`
    found = rows.map_batches(Extract, fn_constructor_args=("runs/mine",), fn_constructor_kwargs={"lines": "text"}, concurrency=2)
    found.write_parquet("found")
    bad = found.filter(lambda row: row["error"] is not None)

Each worker loads the model once. A row that cannot be read has an `error` and no document, and stops nothing.
`relsift predict --ray` is the whole work for files: partitions, resume, table of bad records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError, DataError
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport
from relsift.items import BY_MODEL, Given, given
from relsift.json_text import decode
from relsift.readers.base import ReadReport
from relsift.schema import Document
from relsift.store_layout import pyarrow_for
from relsift.writers.document_table import fields_of, row_of

if TYPE_CHECKING:
    from relsift.evaluation.scores import Entities
    from relsift.precision import Precision

_FIELDS = (
    "id", "doc_id", "text", "text_start", "tokens", "offsets", "heads", "dependencies", "pos", "entities", "tagged",
)  # fmt: skip
TOKENS_AT_ONCE = 50_000  # of the documents that are predicted together
ERROR = "error"  # the column of what was wrong with a row


class Extract:
    """Batches of rows in, the same rows with their documents and relations out. For `map_batches` with `concurrency=`.

    A row is a record in the native format: columns `text`, or `tokens`, and `entities` unless they are found; `id` if there is one. Or it
    is a line of JSON in one column (`lines`). Missing values are keys that are not there. Other columns stay as they are.

    Columns that come out: `document` (id), `sentences` (how many), `json` (native JSON lines, one a sentence), `relations` (records, see
    `relsift.writers.document_table`), `error` (null, or what was wrong with the row; then the other four are null).

    Batches may have any number of rows: what is predicted together is cut by tokens, and what the model computes together by tokens and
    pairs.

    >>> import pyarrow
    >>> extract = Extract("demo-en")
    >>> found = extract(pyarrow.table({"text": ["Ida Holm and her sister own the ferry.", None], "page": [7, 8]}))
    >>> found.column("page").to_pylist(), found.column("sentences").to_pylist()
    ([7, 8], [1, None])
    >>> [relation["relation"] for relation in found.column("relations")[0].as_py()]
    ['PER-SOC']
    >>> found.column("error")[1].as_py()
    'row 1: expected "text" or "tokens", got keys page'
    """

    def __init__(
        self,
        run: str,
        *,
        lines: str | None = None,
        threshold: float | None = None,
        entities: Entities | None = None,
        entities_from: Sequence[str] = (),
        types: Mapping[str, str | None] | None = None,
        device: str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        """Load the model.

        Args:
            run: run or model folder, a path that every worker sees; or `demo-en`, `demo-zh`.
            lines: the column that holds a line of native JSON, in place of columns of the format.
            threshold, entities: as of `RelationExtractor.predict`. entities_from, types, device, precision: as of `from_pretrained`.
        Raises: as `RelationExtractor.from_pretrained`.
        """  # fmt: skip
        self.extractor = RelationExtractor.from_pretrained(
            run, device, entities_from=entities_from, types=types, precision=precision
        )
        self.lines, self.threshold, self.entities = lines, threshold, entities
        self._must_give = "" if self.extractor.finds_entities and entities != "gold" else BY_MODEL

    def __call__(self, batch: Any) -> Any:
        """Args: batch: a `pyarrow.Table`, a mapping of columns (numpy arrays or lists), or a frame of pandas.
        Returns: a `pyarrow.Table` with one row a row. Raises: ConfigError for a batch without the column `lines`, or of another kind.
        """
        pyarrow = pyarrow_for("Extract")
        table = _as_table(batch, pyarrow)
        if self.lines is not None and self.lines not in table.column_names:
            raise ConfigError(f"lines: expected the name of a column, one of {', '.join(table.column_names)}, got {self.lines!r}")
        results: list[dict[str, Any] | None] = [None] * table.num_rows
        problems: list[str | None] = [None] * table.num_rows
        for block in self._blocks(table, problems):
            for number, document in self._predicted(block):
                results[number] = row_of(document)
        fields = [*fields_of(pyarrow), pyarrow.field(ERROR, pyarrow.string())]
        for one in fields:
            values = problems if one.name == ERROR else [None if row is None else row[one.name] for row in results]
            if one.name in table.column_names:
                table = table.drop_columns([one.name])
            table = table.append_column(one, pyarrow.array(values, one.type))
        return table

    def _predicted(self, block: list[tuple[int, Given]]) -> Iterator[tuple[int, Document]]:
        """The documents with relations. A row that says that it has no entities keeps none, also where an annotator could find some."""
        kept: Entities | None = "gold" if self.extractor.bundle.entity_source is not None and self.entities is None else self.entities
        for is_bare, entities in ((False, self.entities), (True, kept)):
            those = [(number, one.document) for number, one in block if _is_bare(one) == is_bare]
            documents = [document for _, document in those]
            found = self.extractor.documents(documents, threshold=self.threshold, entities=entities, report=InferenceReport())
            yield from zip((number for number, _ in those), found)

    def _blocks(self, table: Any, problems: list[str | None]) -> Iterator[list[tuple[int, Given]]]:
        """Readable rows with their numbers, of about `TOKENS_AT_ONCE`; the faults of the others go to `problems`."""
        block: list[tuple[int, Given]] = []
        tokens = 0
        for number, record in enumerate(self._records(table)):
            where = f"row {number}"
            try:
                value = self._decoded(record, where) if self.lines is not None else record
                item = given(value, where, f"row-{number}", ReadReport(), must_give=self._must_give)
            except DataError as error:
                problems[number] = str(error)
                continue
            block.append((number, item))
            tokens += sum(len(sentence.tokens) for sentence in item.document.sentences)
            if tokens >= TOKENS_AT_ONCE:
                yield block
                block, tokens = [], 0
        if block:
            yield block

    def _records(self, table: Any) -> list[Any]:
        if self.lines is not None:
            values: list[Any] = table.column(self.lines).to_pylist()
            return values
        names = [name for name in table.column_names if name in _FIELDS]
        rows = table.select(names).to_pylist() if names else [{}] * table.num_rows
        others = [name for name in table.column_names if name not in _FIELDS]
        # Of a row without words the message names all columns.
        return [_without_nulls(row) or dict.fromkeys(others) for row in rows]

    def _decoded(self, line: Any, where: str) -> Any:
        if not isinstance(line, str):
            raise DataError(f"{where}: expected a line of JSON, got {type(line).__name__}")
        try:
            value = decode(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: expected one JSON object a line, got {error}") from error
        if not isinstance(value, dict):
            raise DataError(f"{where}: expected one JSON object a line, got {type(value).__name__}")
        return value


def _is_bare(item: Given) -> bool:
    """Whether it says that it has no entities."""
    return item.has_entities and not any(sentence.entities for sentence in item.document.sentences)


def _as_table(batch: Any, pyarrow: Any) -> Any:
    """Raises ConfigError for what is no batch of columns."""
    if isinstance(batch, pyarrow.Table):
        return batch
    if hasattr(batch, "to_dict") and hasattr(batch, "columns"):
        return pyarrow.Table.from_pandas(batch, preserve_index=False)
    if not isinstance(batch, Mapping):
        raise ConfigError(f"batch: expected a table of pyarrow, a mapping of columns or a frame, got {type(batch).__name__}")
    return pyarrow.table({name: pyarrow.array(_as_list(values)) for name, values in batch.items()})


def _as_list(values: Any) -> Any:
    """Numpy arrays of arrays, as Ray gives lists in columns, as lists of lists."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _without_nulls(value: Any) -> Any:
    """A row as a JSON record: a column without a value is a key that is not there, at every depth."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value
