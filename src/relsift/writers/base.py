"""What a writer is: predictions or corpora out, one file format each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from relsift.schema import Document


@dataclass(frozen=True, kw_only=True)
class Writer:
    """write(documents, stream) writes one whole file; documents are taken one at a time, so the input may be a generator."""

    name: str
    summary: str
    suffix: str
    write: Callable[[Iterable[Document], TextIO], None]
