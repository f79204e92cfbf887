"""The input of `relsift predict` and `relsift annotate`: annotated data, raw text, or standard input."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from relsift.annotators.splitters import DEFAULT, RulesSplitter, Splitter, find_splitter
from relsift.annotators.wrapped_lines import WrapWatch
from relsift.corpora.data import Data, resolve
from relsift.corpora.no_relation import without_types
from relsift.errors import ConfigError, DataError
from relsift.locks import reason
from relsift.readers.base import ReadReport, no_text
from relsift.readers.native import numbered_lines, read_lines
from relsift.readers.raw import Split, documents_of, text_chunks
from relsift.schema import Document, Sentence

STANDARD_INPUT = "-"
_STANDARD_INPUT_FILE = Path("/dev/stdin")
_NAME = "standard input"
_KEY = "standard-input"  # id of the document of raw text
_HEAD = 1 << 16  # bytes that are looked at to tell JSON from raw text
_CHUNK = 1 << 16  # bytes read at once
_BEGINS_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*(?:[{\]]|$))")  # an object, or an array of objects; not "[1] A title"


@dataclass(frozen=True, kw_only=True)
class Input:
    """Where documents come from. `documents` reads them anew each time, but for standard input."""

    source: str  # as the user named it
    data: Data | None  # None: standard input
    splitter: Splitter  # of raw text
    split: Split  # the same, or what refuses raw text
    is_text: bool = False  # standard input is raw text, whatever it looks like
    no_relation: tuple[str, ...] = ()  # relation types that mean "not related"

    @property
    def name(self) -> str:
        """For messages."""
        return _NAME if self.data is None else self.data.name

    @property
    def files(self) -> tuple[Path, ...]:
        """What must not be written over."""
        return (_STANDARD_INPUT_FILE,) if self.data is None else self.data.inputs

    def documents(self, report: ReadReport, notes: list[str]) -> Iterator[Document]:
        """The documents, read when they are asked for. Notes: what was taken for raw text, if nobody said so."""
        yield from self._documents(report, notes)
        if isinstance(self.split, WrapWatch):
            notes += self.split.lines()

    def _documents(self, report: ReadReport, notes: list[str]) -> Iterator[Document]:
        if self.data is None:
            yield from self._of_standard_input(report, notes)
            return
        if self.data.raw is not None and not self.source.startswith((f"{self.data.raw}:", f"{self.data.raw}[")):
            notes.append(f"{self.source}: taken for raw text, in the format {self.data.raw}")
        yield from self.data.documents(None, report)

    def _of_standard_input(self, report: ReadReport, notes: list[str]) -> Iterator[Document]:
        with _standard_input(is_text=self.is_text) as stream:
            blank_lines, head = _beginning(stream)
            with report.leaving_out("files"):
                if not head:
                    raise no_text(_NAME, "blanks only" if any(blank_lines) else "nothing")
            if not head:
                return
            if not self.is_text and _BEGINS_JSON.match(head):
                rest = b"" if head.endswith(b"\n") else stream.readline()
                lines = numbered_lines(chain(blank_lines, [head + rest], stream), _NAME)
                documents = read_lines(lines, _NAME, report, split=self.split)
                yield from without_types(documents, frozenset(self.no_relation), report)
                return
            if not self.is_text:
                notes.append(f"{_NAME}: taken for raw text, as it does not begin like JSON; with --text it always is")
            chunks = text_chunks(chain(blank_lines, [head], iter(partial(stream.read1, _CHUNK), b"")), _NAME)
            with report.leaving_out("files"):
                yield from self._of_text(chunks, report)

    def _of_text(self, chunks: Iterator[str], report: ReadReport) -> Iterator[Document]:
        for document in documents_of(_KEY, chunks, self.split, report, _NAME):
            if not document.sentences:
                raise no_text(_NAME, "blanks only" if document.text else "nothing")
            yield document


def open_input(
    source: str,
    *,
    splitter: str | None = None,
    is_text: bool = False,
    no_relation: Sequence[str] = (),
    why_no_text: str | None = None,
) -> Input:
    """The input that a user names: DATA as of `resolve`, or `-`. Nothing is read yet, except to recognise a format.

    Args:
        splitter: see `find_splitter`; None: relsift's rules. is_text: standard input is raw text. no_relation: see `resolve`.
        why_no_text: an error to raise for text without annotation; None: it can be used.
    Raises: DataError as `resolve`; ConfigError for options that have no effect on this input, and for raw text that cannot be used.
    """
    chosen: Splitter = find_splitter(splitter or DEFAULT)
    watched = WrapWatch(chosen.split) if chosen == RulesSplitter() else chosen.split
    split: Split = watched if why_no_text is None else partial(_refuse, f"{_NAME if source == STANDARD_INPUT else source}: {why_no_text}")
    data = None if source == STANDARD_INPUT else resolve(source, no_relation, split)
    if is_text and data is not None:
        raise ConfigError(f"--text: expected {STANDARD_INPUT} as INPUT, got {source!r}; for raw text in a file write text:{source}")
    if splitter is not None and data is not None and not data.has_split:
        raise ConfigError(f"--splitter: expected raw text, got annotated data, {source!r}, whose sentences are given; leave it out")
    if why_no_text is not None and ((data is not None and data.raw is not None) or is_text):
        split("")
    return Input(source=source, data=data, splitter=chosen, split=split, is_text=is_text, no_relation=tuple(no_relation))


def _refuse(message: str, _text: str) -> list[Sentence]:
    raise ConfigError(message)


@contextmanager
def _standard_input(*, is_text: bool) -> Iterator[io.BufferedReader]:
    """Raises DataError if it cannot be read."""
    try:
        # Not `sys.stdin`: the interpreter closes it at exit, and would wait for a thread that still reads from it.
        with open(sys.stdin.fileno() if sys.stdin is not None else 0, "rb", closefd=False) as stream:
            yield stream
    except OSError as error:
        expected = "text" if is_text else "JSON lines"
        raise DataError(f"{_NAME}: expected {expected}, got {reason(error)}; give a file, or a pipe that can be read") from error


def _beginning(stream: io.BufferedReader) -> tuple[list[bytes], bytes]:
    """The blank lines at the beginning, and the first line that is not blank, or the beginning of a long one."""
    blank_lines = []
    while (line := stream.readline(_HEAD)) and not line.strip():
        blank_lines.append(line)
    return blank_lines, line
