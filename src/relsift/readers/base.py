"""The contract of a reader: a named format, a way to recognise it, and a generator of documents.

A reader translates one format into the data model (half-open token spans, head and tail positions) and does nothing else: no
vocabulary, no tensors, no download. Broken input raises DataError naming file and line, or is left out and counted if the report's
`on_error` is "skip". What the data model cannot hold (a discontinuous span) is counted in the ReadReport, never dropped in silence. So is a
relation across sentences: the document holds it (`Document.across`), but no sentence does.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from relsift.errors import DataError, shortened
from relsift.json_text import decode as decode_json
from relsift.omissions import EXAMPLES_KEPT, Omissions
from relsift.readers.encodings import UTF8, decode, decode_leniently
from relsift.readers.likely_encoding import packed_as
from relsift.schema import Document
from relsift.text import half_character

OnError = Literal["stop", "skip"]
ACROSS = "relations across sentences"  # the reason under which they are counted
OF_CONCEPTS = "relations of concepts that no relation of mentions shows"  # the same
FAULTS_KEPT = 10_000  # messages; more faults are counted, but not listed
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80  # characters
_SHOWN.maxlong = 40  # digits
_MOST_DIGITS = 18  # of a whole number in a file: what fits into 64 bits
_HIDDEN_FOLDER = "__MACOSX"  # what macOS adds to archives


@dataclass
class ReadReport(Omissions):
    """What a reader had to leave out or change, counted by reason, and what to do about broken input.

    >>> report = ReadReport()
    >>> report.lose_relation("relations across sentences", "notes.ann:3", "founder")
    >>> report.lines(), dict(report.lost_relations)
    (['1 relation across sentences (first: notes.ann:3)'], {'founder': 1})
    """

    on_error: OnError = "stop"  # skip: leave out the smallest unit that holds a fault, and count it
    faults: list[str] = field(default_factory=list)  # messages of the first errors that were skipped, in file order
    num_faults: int = 0  # errors that were skipped, listed or not
    lost_entities: int = 0  # annotated entities that were left out
    lost_relations: Counter[str] = field(default_factory=Counter)  # type -> annotated relations that were left out; misses in an evaluation
    with_places_beyond: set[str] = field(default_factory=set)  # reasons of `name_beyond`
    renaming: list[Callable[[str], str]] = field(default_factory=list)  # from places as readers name them to those that the user knows

    def drop(self, reason: str, where: str, count: int = 1) -> None:
        """See `Omissions`."""
        super().drop(reason, self._named(where), count)

    def _named(self, message: str) -> str:
        for named in self.renaming:
            message = named(message)
        return message

    def lose_entity(self, reason: str, where: str) -> None:
        """`drop` for an annotated entity."""
        self.drop(reason, where)
        self.lost_entities += 1

    def lose_relation(self, reason: str, where: str, kind: str) -> None:
        """`drop` for an annotated relation of the type `kind` that no prediction can match; an evaluation counts it as missed."""
        self.drop(reason, where)
        self.lost_relations[kind] += 1

    def lose_across(self, where: str, kind: str) -> None:
        """`lose_relation` for a relation across sentences, which the document carries in `across`; see `regain_across`."""
        self.lose_relation(ACROSS, where, kind)

    def regain_across(self, kind: str) -> None:
        """A relation of this type that `lose_across` counted is held by something larger than a sentence: it is lost no longer."""
        self._regain(ACROSS, kind)

    def lose_concepts(self, where: str, kind: str) -> None:
        """`lose_relation` for one of concepts that no sentence shows, which `Document.concept_relations` keeps; see `regain_concepts`."""
        self.lose_relation(OF_CONCEPTS, where, kind)

    def regain_concepts(self, kind: str) -> None:
        """As `regain_across`, for what `lose_concepts` counted."""
        self._regain(OF_CONCEPTS, kind)

    def _regain(self, reason: str, kind: str) -> None:
        for counts, key in ((self.dropped, reason), (self.lost_relations, kind)):
            counts[key] -= 1
            if counts[key] <= 0:
                del counts[key]
        if reason not in self.dropped:
            self.examples.pop(reason, None)

    def name_beyond(self, reason: str, where: str) -> None:
        """Name a place that stays lost after `regain_across` or `regain_concepts`. The reader's places go: they may have been regained."""
        if reason not in self.with_places_beyond:
            self.with_places_beyond.add(reason)
            self.examples[reason] = []
        if len(self.examples[reason]) < EXAMPLES_KEPT:
            self.examples[reason].append(where)

    def leaving_out(self, unit: str, *, relation: str | None = None) -> LeavingOut:
        """A DataError in the block ends the block. `on_error` decides: "stop" raises it, "skip" counts it under "broken {unit}".

        Keep the block around the smallest unit that can be left out: a relation, an entity, a sentence, a document, a file.

        Args:
            unit: a plural noun, such as "relations".
            relation: the type of the annotated relation that is lost with the unit, if it is one.
        """
        return LeavingOut(self, unit, relation)

    def skip(self, unit: str, error: DataError, relation: str | None) -> None:
        """Count a broken unit, and list its error."""
        self.drop(f"broken {unit}", str(error))
        self.lost_entities += unit == "entities"
        if relation is not None:
            self.lost_relations[relation] += 1
        self.num_faults += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(shortened(self._named(str(error))))


@dataclass(frozen=True, slots=True)
class LeavingOut:
    """The context of `ReadReport.leaving_out`. A class and not a generator, since readers enter it for every entity and relation.

    See also: `ReadReport`, which counts what is left out.

    >>> report = ReadReport(on_error="skip")
    >>> with report.leaving_out("relations", relation="founder"):
    ...     raise DataError("notes.ann:3: expected two arguments, got one")
    >>> report.num_faults, dict(report.lost_relations)
    (1, {'founder': 1})
    """

    report: ReadReport
    unit: str
    relation: str | None

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> bool:
        if not isinstance(error, DataError) or self.report.on_error == "stop":
            return False
        self.report.skip(self.unit, error, self.relation)
        return True


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One file format.

    `recognises` must be strict: a path that two readers recognise is refused as ambiguous. Readers of raw text are asked last.

    See also: `ReadReport`, `relsift.corpora.data.resolve`, `relsift.writers.base.Writer`.

    >>> from relsift.readers.text import READER
    >>> READER.name, READER.is_raw, READER.recognises(Path("README.txt"))
    ('text', True, False)
    """

    name: str
    summary: str  # one line for lists
    read: Callable[..., Iterator[Document]]  # (path, report, **options): the documents of a file or folder, in file order
    recognises: Callable[[Path], bool]  # does the path look like this format, by its name and first bytes?
    samples: Mapping[str, str | bytes]  # file name -> invented content; readable as a folder with default options
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> allowed values, the default first
    open_options: Mapping[str, str] = field(default_factory=dict)  # further options of any value: name -> what a value is
    has_encoding: bool = False  # `read` takes `encoding`, the name of a text encoding that Python knows, "utf-8" if left out
    has_split: bool = False  # `read` takes `split` (see `relsift.readers.raw`), for text without annotation
    is_raw: bool = False  # text without annotation: a path is in this format only if no format with annotation recognises it


def input_files(path: Path, *suffixes: str) -> list[Path]:
    """The file itself, or the files below the folder with one of the suffixes, sorted by path; hidden ones are not data.

    Raises DataError if nothing is there, and for a name that is no UTF-8, which no result could name.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "one.ann").touch()
    ...     [file.name for file in input_files(Path(folder), ".ann", ".txt")]
    ['one.ann']
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: expected a file or a folder, got a path that does not exist")
    named = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and not is_hidden(p, path))
    for p in named:
        if half_character(str(p)):
            raise DataError(f"{str(p)!a}: expected a name in UTF-8, got other bytes; rename it")
    files = [p for p in named if p.is_file()]
    if not files:
        raise DataError(f"{path}: expected a folder with {' or '.join(suffixes)} files, got none{packed_files_hint(path)}")
    return files


def packed_files_hint(folder: Path) -> str:
    """What to do about a folder in which no reader finds data, if there are archives in it; else ''. For the end of a message.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "corpus.zip").write_bytes(b"PK\\x03\\x04")
    ...     packed_files_hint(Path(folder))
    '; corpus.zip is a ZIP archive: unpack it, or name the archive itself'
    """
    for file in sorted(folder.rglob("*")):
        if not is_hidden(file, folder) and file.is_file() and (packed := packed_file(file)) is not None:
            return f"; {file.name} is {packed}: unpack it, or name the archive itself"
    return ""


def packed_file(file: Path) -> str | None:
    """What kind of archive or packed file it is, by its first bytes; None for another file, and one that cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "corpus.json").write_bytes(b"PK\\x03\\x04")  # whatever its name says
    ...     packed_file(Path(folder, "corpus.json"))
    'a ZIP archive'
    """
    try:
        with file.open("rb") as stream:
            return packed_as(stream.read(8))
    except OSError:
        return None


def visible_files(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    """The files below a folder with one of the suffixes, hidden ones left out, as they are found: files of a folder before its folders.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, ".hidden.txt").touch()
    ...     list(visible_files(Path(folder), [".txt"]))
    []
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden_name(name))
        files = (Path(place, name) for name in sorted(names) if not _is_hidden_name(name))
        yield from (file for file in files if file.suffix.lower() in suffixes and file.is_file())


def no_text(where: object, got: str) -> DataError:
    """The error for an input without any text: in these words wherever it is found. Args: where: its path. got: what was there.

    >>> raise no_text("notes.txt", "an empty file")
    Traceback (most recent call last):
    relsift.errors.DataError: notes.txt: expected text, annotated or not, got none: an empty file
    """
    return DataError(f"{where}: expected text, annotated or not, got none: {got}")


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether a path below `folder` is no data: a name on the way begins with a dot, or is what macOS adds to archives.

    >>> is_hidden(Path("notes/.git/config"), Path("notes")), is_hidden(Path("notes/one.ann"), Path("notes"))
    (True, False)
    """
    return any(map(_is_hidden_name, path.relative_to(folder).parts))


def _is_hidden_name(name: str) -> bool:
    return name.startswith(".") or name == _HIDDEN_FOLDER


def found_beside(file: Path, suffix: str, other: str) -> Path | None:
    """The file beside `file` whose name ends with `other` in place of `suffix`, in small or capital letters; None if there is none.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "one.TXT").touch()
    ...     found_beside(Path(folder, "one.ann"), ".ann", ".txt").name
    'one.TXT'
    """
    spellings = map("".join, product(*(dict.fromkeys((letter, letter.upper())) for letter in other)))
    names = (file.name[: len(file.name) - len(suffix)] + spelling for spelling in spellings)
    return next((place for name in names if (place := file.with_name(name)).is_file()), None)


def read_text(path: Path, encoding: str = UTF8) -> str:
    """The file as text in its `encoding`, with its own line ends, without a byte-order mark. Raises DataError naming line and byte.

    See also: `text_lines`, `beginning_of`, `first_lines`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "one.txt").write_bytes(b"Zo\\xeb founded Acme.")
    ...     read_text(Path(folder, "one.txt"), encoding="cp1252")
    'Zoë founded Acme.'
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, got {error.strerror}") from error
    return decode(data, path, encoding)


def text_lines(text: str) -> list[str]:
    """The lines of a text without their ends. A CR ends a line before an LF, or in a text without any LF (old Macintosh files).

    >>> text_lines("Ada founded Acme.\\r\\nBo left.\\n")
    ['Ada founded Acme.', 'Bo left.', '']
    """
    lines = (text if "\n" in text else text.replace("\r", "\n")).split("\n")
    return [line.rstrip("\r") for line in lines]


def shown(value: Any) -> str:
    """A value from a file for a message: in one short line, however long and deep it is.

    >>> shown("Ada founded Acme. " * 1000)
    "'Ada founded Acme. Ada founded Acme. A.... Ada founded Acme. Ada founded Acme. '"
    """
    return _SHOWN.repr(value)


def whole_number(text: str, where: str) -> int:
    """A number of decimal digits as an int. Raises DataError, which begins with `where`, for anything else and for more than 64 bits.

    >>> whole_number("1.5", "notes.ann:3")
    Traceback (most recent call last):
    relsift.errors.DataError: notes.ann:3: expected a whole number, got '1.5'
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise DataError(f"{where}: expected a whole number, got {text[:40]!r}")
    if len(digits) > _MOST_DIGITS:
        raise DataError(f"{where}: expected a whole number of at most {_MOST_DIGITS} digits, got one of {len(digits)}")
    return int(text)


def parse_json(text: str, file: Path | str, *, expected: str, line: int = 1) -> Any:
    """The value of a JSON text that begins on `line` of the file.

    Args: expected: what it should be, for the message.
    Raises: DataError naming file and line, also for valid JSON that no later step can hold: nesting thousands deep, numbers of
        thousands of digits, a lone surrogate (half a character), a key twice in one object, of which all but one value would be lost.

    >>> parse_json("{'text'}", "notes.jsonl", expected="a document", line=7)
    Traceback (most recent call last):
    relsift.errors.DataError: notes.jsonl:7: expected a document, got Expecting property name enclosed in double quotes at column 2
    """
    try:
        value = decode_json(text)
        if "\\ud" in text or "\\uD" in text:  # only an escape can hold a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"{file}:{line + error.lineno - 1}"
        raise DataError(f"{where}: expected {expected}, got {error.msg} at column {error.colno}") from error
    except UnicodeEncodeError as error:
        surrogate = ascii(error.object[error.start])
        raise DataError(f"{file}:{line}: expected whole characters, got half of one, the lone surrogate {surrogate}") from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{file}:{line}: expected {expected}, got {error}") from error
    return value


def beginning_of(path: Path, size: int = 4096) -> str:
    """The first `size` bytes of a file as text, for `recognises`, or all of it for -1; '' for a folder or a missing file.

    Line ends are "\\n". A byte-order mark decides about the encoding, else it is UTF-8; undecodable bytes become U+FFFD.

    >>> beginning_of(Path("notes/missing.txt"))
    ''
    """
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return decode_leniently(stream.read(size))


def first_lines(path: Path, count: int) -> list[str]:
    """The first `count` lines of a file, for `recognises`, each of them whole however long it is; fewer if there are not so many.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "one.txt").write_text("Ada founded Acme.\\nBo left.\\n")
    ...     first_lines(Path(folder, "one.txt"), 1)
    ['Ada founded Acme.']
    """
    size = 4096
    while True:
        text = beginning_of(path, size)
        lines = text.split("\n")
        if len(lines) > count or not path.is_file() or path.stat().st_size <= size:
            return lines[:count]
        size *= 16
