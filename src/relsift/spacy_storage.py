"""How relations are stored in a doc of spaCy: plain data in `doc.user_data`, which survives `Doc.to_bytes` and `DocBin`.

They count characters, so that merging and splitting tokens leaves them right; the length of the text tells whether they are its own.
spaCy itself is not imported here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

KEY = "relsift"  # in `doc.user_data`


class End(NamedTuple):
    """A head or a tail."""

    start: int  # first character in the doc's text
    end: int  # character after the last one
    label: str


class Stored(NamedTuple):
    """A relation as it stands in a doc."""

    head: End
    tail: End
    type: str
    score: float | None = None  # log-odds; None: annotated, not predicted
    probability: float | None = None


def store(doc: Any, relations: Iterable[Stored]) -> None:
    """Put relations in the place of those that the doc has."""
    rows = [one._asdict() | {"head": list(one.head), "tail": list(one.tail)} for one in relations]
    doc.user_data[KEY] = {"length": text_length(doc), "relations": rows}


def text_length(doc: Any) -> int:
    """In characters, without a blank after the last token."""
    return doc[-1].idx + len(doc[-1]) if len(doc) else 0
