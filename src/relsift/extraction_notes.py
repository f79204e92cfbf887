"""What `RelationExtractor` tells its caller by warnings: what was left out or changed on the way."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

from relsift.inference import InferenceReport
from relsift.omissions import counted
from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence


def warned(dropped: ReadReport, report: InferenceReport, left_out: Callable[[], Counter[str]]) -> Iterator[Document]:
    """Nothing but warnings, at the end of what this is chained to. Args: left_out: by the annotator, by reason."""
    lines = [f"left out or changed: {line}" for line in dropped.lines()]
    lines += [f"left out or changed: {counted(count, reason)}" for reason, count in left_out().most_common()]
    for line in [*lines, *report.lines()]:
        warnings.warn(f"relsift: {line}", stacklevel=_outside())
    yield from ()


def sentences_of_all(documents: Iterator[Document]) -> Iterator[Sentence]:
    """Those of all documents; at the end it warns of relations that are in none."""
    across = 0
    for document in documents:
        across += len(document.across)
        yield from document.sentences
    if across:
        line = f"left out: {counted(across, 'relations across sentences')}, which documents hold; call rx(items) or rx.documents(items)"
        warnings.warn(f"relsift: {line}", stacklevel=_outside())


def _outside() -> int:
    """The `stacklevel` of whoever called this package, through however many generators."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    return level
