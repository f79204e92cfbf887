"""What a writer is: predictions or corpora out, one file format each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from relsift.schema import Document


@dataclass(frozen=True, kw_only=True)
class Writer:
    """One file format.

    write(documents, stream) writes one whole file; documents are taken one at a time, so the input may be a generator.
    lines(document), for a format whose files are nothing but one line a sentence: these lines, without their ends. Relations come last:
    without them, and without its last character, a line is how the line of the same sentence with relations begins.
    """

    name: str
    summary: str
    suffix: str
    write: Callable[[Iterable[Document], TextIO], None]
    lines: Callable[[Document], Iterable[str]] | None = None
