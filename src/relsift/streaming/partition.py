"""An input in parts that are predicted independently of one another, and how it is cut.

Three kinds of input. *Lines*: JSON lines in the native format, cut by bytes at the beginning of a document; the worker reads its bytes.
*Rows*: Parquet with a column `text` or `tokens`, cut by row groups; the worker reads them. *Documents*: all else that `predict` reads; one
process reads it, and each partition carries its documents. Cuts depend on the input and the size alone, and not on the number of workers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Literal

from relsift.errors import ConfigError, DataError
from relsift.locks import reason
from relsift.readers.base import ReadReport
from relsift.readers.native import numbered_lines, read_lines, read_records
from relsift.readers.native_fields import WORDS
from relsift.readers.native_record import KEYS
from relsift.readers.raw import Split
from relsift.schema import Document

LEAST, MOST = 1 << 20, 1 << 26  # bytes of a partition, unless the user names a size
_PARTITIONS = 256  # of an input of middle size: enough to share among workers, and to lose little with one
_PIECE = 1 << 22  # bytes that are searched at once for line ends
_BYTES_OF_A_TOKEN = 8  # of a document that is carried, as a measure of its size

Kind = Literal["lines", "rows", "documents"]


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One part of an input, whose result is one file."""

    number: int
    file: Path | None = None  # that the worker reads; None: the documents are here
    begin: int = 0  # byte, or row group
    end: int = 0  # the same, exclusive
    first: int = 1  # number of its first line or row in the file
    each_line: bool = True  # False: the whole file, which may be one JSON array
    documents: tuple[Document, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        return f"part-{self.number:06d}"

    @property
    def place(self) -> str:
        """For messages."""
        if self.file is None:
            return f"{self.name} (documents {self.documents[0].id!r} to {self.documents[-1].id!r})"
        unit = f"bytes {self.begin} to {self.end}" if self.file.suffix != ".parquet" else f"row groups {self.begin} to {self.end - 1}"
        return f"{self.name} ({unit} of {self.file})"

    def read(self, report: ReadReport, split: Split) -> Iterator[Document]:
        """The documents, lazily. What is broken is left out and counted, also where nothing is left.

        Raises: ConfigError if the file cannot be read, or is shorter than it was; DataError for what cannot be left out.
        """
        if self.file is None:
            yield from self.documents
            return
        items = _Watched(_rows(self) if self.file.suffix == ".parquet" else _lines(self))
        if self.file.suffix == ".parquet":
            found = read_records(items, str(self.file), report, split=split)
        else:
            found = read_lines(items, str(self.file), report, split=split, each_line=self.each_line)
        count = 0
        try:
            for document in found:
                count += 1
                yield document
        except DataError as error:
            if not items.is_over:
                raise
            # Nothing but broken lines, which were counted, or blank ones, is no fault of a part of a file.
            if count or not self.each_line:
                report.skip("documents", error, None)


class _Watched(Iterator[tuple[int, Any]]):
    """The same items, and whether all of them were read."""

    def __init__(self, items: Iterator[tuple[int, Any]]) -> None:
        self.items = items
        self.is_over = False

    def __next__(self) -> tuple[int, Any]:
        try:
            return next(self.items)
        except StopIteration:
            self.is_over = True
            raise


def _lines(partition: Partition) -> Iterator[tuple[int, bytes]]:
    assert partition.file is not None
    try:
        with partition.file.open("rb") as stream:
            stream.seek(partition.begin)
            for number, line in numbered_lines(_until(stream, partition.end - partition.begin)):
                yield partition.first + number - 1, line
    except OSError as error:
        raise ConfigError(f"{partition.file}: expected a file that every worker can read, got {reason(error)}") from error


def _until(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        line = stream.readline(size)
        if not line:
            raise ConfigError(f"{stream.name}: expected a file that nobody changes, got one that is {size} bytes shorter than at the start")
        size -= len(line)
        yield line


def _rows(partition: Partition) -> Iterator[tuple[int, Any]]:
    from pyarrow.parquet import ParquetFile

    assert partition.file is not None
    number = partition.first
    with _parquet_errors(partition.file), ParquetFile(partition.file) as table:
        columns = [name for name in table.schema_arrow.names if name in KEYS]
        for batch in table.iter_batches(1024, row_groups=range(partition.begin, partition.end), columns=columns):
            for record in batch.to_pylist():
                yield number, without_nulls(record)
                number += 1


def without_nulls(value: Any) -> Any:
    """A row as a JSON record: a column without a value is a key that is not there, at every depth."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


class _parquet_errors:
    """ConfigError in place of what pyarrow says of a file that it cannot read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        from pyarrow import ArrowException

        if isinstance(error, (OSError, ArrowException)):
            first, _, _ = str(error).partition("\n")
            raise ConfigError(f"{self.file}: expected a Parquet file that every worker can read, got {first}") from error


# ---- cutting


def size_of_partitions(total: int, megabytes: float | None) -> int:
    """Bytes of a partition. Args: total: bytes of the input. megabytes: as the user asks; None: by the total."""
    if megabytes is not None:
        return max(1, int(megabytes * 1_000_000))
    return min(MOST, max(LEAST, total // _PARTITIONS))


def cut_lines(files: Sequence[Path], size: int) -> Iterator[Partition]:
    """Partitions of files of JSON lines, each of about `size` bytes, in order. Files are read once, to number the lines.

    Raises: DataError if a file cannot be read.
    """
    number = 0
    for file in files:
        try:
            with file.open("rb") as stream:
                total = stream.seek(0, 2)
                if not _is_lines(stream):
                    yield Partition(number=number, file=file, end=total, each_line=False)
                    number += 1
                    continue
                first = 1
                for begin, end in pairwise(_cuts(stream, total, size)):
                    yield Partition(number=number, file=file, begin=begin, end=end, first=first)
                    number += 1
                    first += _line_ends(stream, begin, end) if end < total else 0
        except OSError as error:
            raise DataError(f"{file}: expected a readable file, got {reason(error)}") from error


def _is_lines(stream: BinaryIO) -> bool:
    from relsift.readers.native_values import is_whole

    stream.seek(0)
    beginning: list[bytes] = []
    while len(beginning) < 2 and (line := stream.readline()):
        if line.strip():
            beginning.append(line)
    return not is_whole(beginning)


def _cuts(stream: BinaryIO, total: int, size: int) -> Iterator[int]:
    """The bytes at which partitions begin, and the end."""
    last = 0
    yield last
    for wanted in range(size, total, size):
        if wanted <= last:
            continue  # a long document
        stream.seek(wanted - 1)
        stream.readline()  # to the end of the line that holds the byte before
        place = _next_document(stream)
        if place >= total:
            break
        yield place
        last = place
    if total > 0:
        yield total


def _next_document(stream: BinaryIO) -> int:
    """Where the first line begins that is not of the document of the line before it; the end if there is none."""
    before: Any = None
    while True:
        place = stream.tell()
        if not (line := stream.readline()):
            return place
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, dict) or record.keys().isdisjoint(WORDS):
            continue  # a broken line, which does not part the lines around it
        name = record.get("doc_id")
        if before is not None and (name in (None, "") or name != before):
            return place
        before = name if name not in (None, "") else False


def _line_ends(stream: BinaryIO, begin: int, end: int) -> int:
    stream.seek(begin)
    count = 0
    while (left := end - stream.tell()) > 0 and (piece := stream.read(min(_PIECE, left))):
        count += piece.count(b"\n")
    return count


def cut_rows(files: Sequence[Path], size: int) -> Iterator[Partition]:
    """Partitions of Parquet files: whole row groups, of about `size` bytes together. Raises ConfigError as `Partition.read`."""
    from pyarrow.parquet import read_metadata

    number = 0
    for file in files:
        with _parquet_errors(file):
            facts = read_metadata(file)
        begin = rows = held = 0
        for group in range(facts.num_row_groups):
            held += facts.row_group(group).total_byte_size
            if held >= size or group + 1 == facts.num_row_groups:
                yield Partition(number=number, file=file, begin=begin, end=group + 1, first=rows)
                rows += sum(facts.row_group(one).num_rows for one in range(begin, group + 1))
                number, begin, held = number + 1, group + 1, 0


def columns_not_read(files: Sequence[Path]) -> list[str]:
    """Names of columns that no worker reads, in order. Raises ConfigError if a file is no table."""
    from pyarrow.parquet import read_schema

    names: set[str] = set()
    for file in files:
        with _parquet_errors(file):
            names |= set(read_schema(file).names) - KEYS
    return sorted(names)


def cut_documents(documents: Iterable[Document], size: int) -> Iterator[Partition]:
    """Partitions that carry their documents, each of about `size` bytes by the number of tokens."""
    number = held = 0
    block: list[Document] = []
    for document in documents:
        block.append(document)
        held += _BYTES_OF_A_TOKEN * (1 + sum(len(sentence.tokens) for sentence in document.sentences))
        if held >= size:
            yield Partition(number=number, documents=tuple(block))
            number, held, block = number + 1, 0, []
    if block:
        yield Partition(number=number, documents=tuple(block))


def files_to_cut(source: str) -> tuple[Kind, list[Path]]:
    """How an input is cut, and the files that workers read; none for documents, which are read here.

    Args: source: an INPUT that exists.
    """
    from relsift.corpora.data import recognise

    place = Path(source)
    if place.suffix.lower() == ".parquet" and place.is_file():
        files = [place]
    elif place.is_dir():
        files = sorted(path for path in place.iterdir() if not path.name.startswith(".") and path.suffix == ".parquet")
    else:
        files = []
    if files and all(map(_is_table_of_text, files)):
        return "rows", files
    if place.is_file() and place.suffix.lower() == ".jsonl" and recognise(place).name == "native":
        return "lines", [place]
    return "documents", []


def _is_table_of_text(file: Path) -> bool:
    """Whether it is Parquet with a column of text or tokens, and no document store, which `predict` reads as it is."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_schema
    except ImportError:
        return False
    from relsift.store_layout import KEY

    try:
        schema = read_schema(file)
    except (OSError, ArrowException):
        return False
    return KEY not in (schema.metadata or {}) and not {"text", "tokens"}.isdisjoint(schema.names)
