"""Tables with a column of raw text: CSV, TSV, Parquet. Nothing is annotated: there are no entities and no relations.

Each row is a document. Its id is in the column `id`, if there is one, otherwise it is the file's name and the number of the row. CSV and
TSV begin with a line of column names; fields may stand in double quotes. Parquet needs pyarrow.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relsift.errors import ConfigError, DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, is_hidden, shown
from relsift.readers.encodings import UTF8, decode
from relsift.readers.raw import Split, documents_of, split_by_rules
from relsift.schema import Document

SAMPLES = {"notes.csv": 'id,text\nn1,"Ada Berg runs the Old Mill, in Lund."\nn2,Bo left. 他走了。\n'}
_PARQUET = ".parquet"
_BY_SUFFIX = "suffix"
_SEPARATORS = {".csv": ",", ".tsv": "\t", "comma": ",", "semicolon": ";", "tab": "\t"}  # by suffix, and by name
_SUFFIXES = (".csv", ".tsv", _PARQUET)
_TEXT, _ID = "text", "id"  # columns
_LONGEST_FIELD = 1 << 30  # characters; the limit that Python sets is too small for a document
_ROWS_AT_ONCE = 256  # of Parquet
_IDS_COMPARED = 500_000  # of one file, so that memory is bounded
_NAMES_SHOWN = 10

Row = tuple[str, Sequence[Any]]  # where it stands, its values


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the reader can be asked for."""

    text: str = ""  # name of the column with the text; "text" if empty
    id: str = ""  # name of the column with ids; "id" if empty and there is such a column
    separator: str = _BY_SUFFIX  # of the fields of a line; suffix: a comma in .csv, a tab in .tsv


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, split: Split = split_by_rules, **options: str) -> Iterator[Document]:
    """Yield one document a row, in file order; several of one id for a very long text (see `relsift.readers.raw`).

    Args: split: from text to sentences. options: those of `Options`.
    Raises: DataError naming file and line (CSV) or row (Parquet); ConfigError if pyarrow is needed and not installed.
    Counts: empty texts, ids that stand twice.
    """
    for file in input_files(path, *_SUFFIXES):
        with report.leaving_out("files"):
            yield from _documents(file, report, encoding, split, Options(**options))


def _documents(file: Path, report: ReadReport, encoding: str, split: Split, options: Options) -> Iterator[Document]:
    rows = _parquet(file, options) if file.suffix.lower() == _PARQUET else _lines(file, encoding, options)
    where, names = next(rows, (f"{file}:1", ()))
    text_column = _column(names, options.text or _TEXT, "text", where)
    id_column = _column(names, options.id or _ID, "id", where) if options.id or _ID in names else None
    seen: set[str] = set()
    number = 0
    for number, (where, values) in enumerate(rows, start=1):
        text = None
        with report.leaving_out("rows"):
            if len(values) != len(names):
                raise DataError(f"{where}: expected {len(names)} fields, as there are columns, got {len(values)}")
            text = _text(values[text_column], where)
        if text is None:
            continue
        key = "" if id_column is None or values[id_column] is None else str(values[id_column])
        if id_column is not None and not key:
            report.drop("rows without an id, named by their number", where)
        key = key or f"{file.stem}-{number}"
        if key in seen:
            report.drop("rows with an id that an earlier row has (kept)", f"{where}: {key!r}")
        elif len(seen) < _IDS_COMPARED:
            seen.add(key)
        yield from documents_of(key, (text,), split, report, where)
    if not number:
        raise DataError(f"{file}: expected rows below the names of the columns, got none")


def _text(value: Any, where: str) -> str:
    """Raises DataError for a value that is no text. A missing one is an empty text."""
    if value is not None and not isinstance(value, str):
        raise DataError(f"{where}: expected a text, got {shown(value)}")
    if "\0" in (value or ""):
        raise DataError(f"{where}: expected text, got the character U+0000")
    return value or ""


def _column(names: Sequence[str], name: str, what: str, where: str) -> int:
    places = [place for place, other in enumerate(names) if other == name]
    if len(places) == 1:
        return places[0]
    got = f"{len(places)} of that name" if places else f"{', '.join(map(shown, names[:_NAMES_SHOWN])) or 'none'}"
    hint = f"name the column with table[{what}=NAME]:path"
    if len(names) == 1 and any(mark in names[0] for mark in _SEPARATORS.values()):
        hint = "name what separates the fields with table[separator=NAME]:path"
    raise DataError(f"{where}: expected a column {name!r}, got {got}; {hint}")


def _lines(file: Path, encoding: str, options: Options) -> Iterator[Row]:
    """The rows of a file of lines, the names of the columns first; blank lines are none."""
    separator = options.separator if options.separator != _BY_SUFFIX else file.suffix.lower()
    rows = csv.reader(_checked(file, encoding), delimiter=_SEPARATORS.get(separator, ","), strict=True)
    while True:
        where = f"{file}:{rows.line_num + 1}"
        limit = csv.field_size_limit(_LONGEST_FIELD)  # of the whole process, so it is set for one row only
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise DataError(f"{where}: expected fields between separators, quoted or not, got {error}") from error
        finally:
            csv.field_size_limit(limit)
        if row is None:
            return
        if row:
            yield where, row


def _checked(file: Path, encoding: str) -> Iterator[str]:
    """The lines of a file with their own ends. A fault is looked for again in the whole file, to say where it is."""
    try:
        with file.open(encoding="utf-8-sig" if encoding == UTF8 else encoding, newline="") as stream:
            for number, line in enumerate(stream):
                if "\0" in line or not _is_whole(line):
                    decode(file.read_bytes(), file, encoding)
                yield line if number else line.removeprefix("\ufeff")
    except UnicodeError:
        decode(file.read_bytes(), file, encoding)
        raise
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


def _is_whole(line: str) -> bool:
    return line.isascii() or not any("\ud800" <= character <= "\udfff" for character in line)


def _parquet(file: Path, options: Options) -> Iterator[Row]:
    """The names of the two columns that are needed, as far as there are, or of all if the text is not there; then their rows."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(f"{file}: expected pyarrow to read Parquet, got no such package: pip install 'relsift[formats]'") from error
    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            wanted = [name for name in names if name in (options.text or _TEXT, options.id or _ID)]
            yield str(file), wanted if (options.text or _TEXT) in wanted else names
            number = 0
            for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=wanted):
                for values in zip(*(column.to_pylist() for column in batch.columns)):
                    number += 1
                    yield f"{file}: row {number}", values
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{file}: expected a Parquet file, got {' '.join(str(error).split())[:200]}") from error


def recognises(path: Path) -> bool:
    """A .csv, .tsv or .parquet file that is not blank at its beginning, or a folder with one."""
    if path.is_dir():
        return any(recognises(file) for file in sorted(path.rglob("*")) if not is_hidden(file, path) and file.is_file())
    return path.suffix.lower() in _SUFFIXES and beginning_of(path).strip("\ufeff \t\r\n") != ""


READER = Reader(
    name="table",
    summary="raw text in a column of a table: .csv, .tsv, .parquet",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"separator": (_BY_SUFFIX, "comma", "semicolon", "tab")},
    open_options={"text": "name of the column with the text, text if left out", "id": "name of the column with ids, id if left out"},
    has_encoding=True,
    has_split=True,
    is_raw=True,
)
