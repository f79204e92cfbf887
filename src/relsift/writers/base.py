"""The contract of a writer: one file format for corpora and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from relsift.schema import Document


@dataclass(frozen=True, kw_only=True)
class Writer:
    """One file format.

    `lines` is for formats of one line a sentence (and one for a document without sentences) and nothing else; such files can be resumed.
    Relations must come last in a line: the line of a sentence without relations, without its last character, is the beginning of its line
    with relations.
    """

    name: str
    summary: str  # one line for lists
    suffix: str  # of files in the format, such as .jsonl
    write: Callable[[Iterable[Document], TextIO], None]  # write one whole file; documents are taken one at a time
    lines: Callable[[Document], Iterable[str]] | None = None  # the lines of one document, without line ends
