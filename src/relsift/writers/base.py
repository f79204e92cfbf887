"""The contract of a writer: documents in, one file or one folder of files out.

A writer is a function `write(documents, target, left_out, **options)` and its description. `target` is a path where nothing stands: the
name of a file, or an empty folder. Write to it with whatever suits the format; errors of the operating system are named by the caller.
What it makes takes the place of the user's file when `write` returns; after an error nothing has changed (see `write_documents`).

Documents come one at a time; a writer that can does not hold more than one. What a format cannot hold is never lost in silence: `keeps`
names what it holds, the rest is counted for it (see `relsift.writers.content`), and what a writer changes it counts in `left_out`.

    def write(documents, target, left_out, *, separator="tab"):
        with target.open("w", encoding="utf-8", newline="\\n") as stream:
            for document in documents:
                for relation in document.relations:
                    print(relation.head.text, relation.type, relation.tail.text, sep="\\t", file=stream)

    WRITER = Writer(name="pairs", summary="one line a relation", suffix=".tsv", write=write)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from relsift.errors import ConfigError, DataError
from relsift.files import make_folder, open_output, replaced_folder, replaced_path
from relsift.format_options import parse_options
from relsift.locks import output_errors
from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.content import count_missing

Write = Callable[..., None]  # (documents: Iterable[Document], target: Path, left_out: Omissions, **options: str)
Lines = Callable[[Document], Iterable[str]]  # the lines of one document, without line ends


@dataclass(frozen=True, kw_only=True)
class Writer:
    """One format: `write`, or `lines` for a file of one line a sentence (and one for a document without sentences) and nothing else.

    Files of lines can be resumed. Relations must come last in a line: the line of a sentence without relations, without its last
    character, is the beginning of its line with relations.

    See also: `write_documents`, `relsift.readers.base.Reader`.

    >>> from relsift.writers.csv import WRITER
    >>> WRITER.suffix, WRITER.with_options("formulas=kept").is_folder
    ('.csv', False)
    """

    name: str
    summary: str  # one line for lists
    suffix: str  # of a file in the format, such as .jsonl; empty: a folder with several files
    write: Write | None = None  # one whole file or folder
    lines: Lines | None = None
    is_text: bool = True  # a file in UTF-8, which can go to standard output
    keeps: frozenset[str] = frozenset()  # what a file holds beside entity and relation types, of `relsift.writers.content.CONTENT`
    keeps_if: Mapping[str, frozenset[str]] = field(default_factory=dict)  # "option=value" -> the same with this value of an option
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of `write`: name -> allowed values, the default first
    open_options: Mapping[str, str] = field(default_factory=dict)  # further options of any value: name -> what a value is

    @property
    def is_folder(self) -> bool:
        return not self.suffix

    def with_options(self, text: str | None) -> Writer:
        """The writer with the options `key=value,key=value`. Raises ConfigError for others than its own."""
        options = parse_options(self.name, text, self.options, self.open_options)
        if self.write is None or not options:
            return self
        keeps = next((self.keeps_if[one] for name, value in options.items() if (one := f"{name}={value}") in self.keeps_if), self.keeps)
        return replace(self, write=partial(self.write, **options), keeps=keeps)


def write_documents(writer: Writer, documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """Write one whole file or folder in the place of `target`, or change nothing.

    Args: left_out: collects what the format cannot hold.
    Raises: DataError as `check_target`; OutputError if nothing more can be written; CheckpointError if another process writes there.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.schema import Sentence
    >>> from relsift.writers.native import WRITER
    >>> with TemporaryDirectory() as folder:
    ...     write_documents(WRITER, [Document("d1", (Sentence("s1", ("Ada", "left")),))], Path(folder, "out.jsonl"), Omissions())
    ...     Path(folder, "out.jsonl").read_text(encoding="utf-8")
    '{"id": "s1", "doc_id": "d1", "tokens": ["Ada", "left"], "entities": []}\\n'
    """
    check_target(writer, target)
    make_folder(target.parent)
    with replaced_folder(target) if writer.is_folder else replaced_path(target) as place:
        check_target(writer, target)  # again: another process may have been here first
        write_at(place, writer, documents, target, left_out)


def write_at(place: Path, writer: Writer, documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """Write to a place from which the caller brings it to `target`, which errors name.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.writers.native import WRITER
    >>> with TemporaryDirectory() as folder:
    ...     write_at(Path(folder, "new"), WRITER, [], Path("out.jsonl"), Omissions())
    ...     Path(folder, "new").exists()
    True
    """
    counted = count_missing(documents, writer.keeps, left_out)
    if writer.write is None:
        with open_output(place, place=target) as stream:
            for document in counted:
                stream.writelines(f"{line}\n" for line in _lines(writer)(document))
        return
    with output_errors(target):
        writer.write(counted, place, left_out)


def check_target(writer: Writer, target: Path) -> None:
    """Raises DataError if the format cannot be written there. A folder with files is refused: they may be somebody's work.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.writers.native import WRITER
    >>> with TemporaryDirectory() as folder:
    ...     check_target(WRITER, Path(folder, "out.jsonl"))  # no error: it can be written
    ...     Path(folder, "out.jsonl").exists()
    False
    """
    if writer.is_folder:
        if target.is_file():
            raise DataError(f"{target}: expected a folder, for the files of the format {writer.name}, got a file; name another place")
        if target.is_dir() and any(os.scandir(target)):
            got = "one with files, which would be lost"
            raise DataError(f"{target}: expected a new or empty folder for the format {writer.name}, got {got}; name another place")
    elif target.is_dir():
        raise DataError(f"{target}: expected a file to write, got a folder; name another place")


def _lines(writer: Writer) -> Lines:
    if writer.lines is None:
        raise ConfigError(f"writer {writer.name}: expected `write` or `lines`, got neither; mend that package")
    return writer.lines
