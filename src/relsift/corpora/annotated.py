"""Data whose sentences pass through an annotator while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from relsift.corpora.data import Data, Source
from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence

DOCUMENTS_AT_ONCE = 256  # annotated together; bounds the memory of a long file

Annotate = Callable[[Sequence[Sentence]], list[Sentence]]


def annotated_data(data: Data, annotate: Annotate) -> Data:
    """The same data with annotated sentences.

    Args: annotate: returns the same sentences in the same order, with something added.
    """
    return replace(data, sources={split: partial(_annotated, source, annotate) for split, source in data.sources.items()})


def _annotated(source: Source, annotate: Annotate, report: ReadReport) -> Iterator[Document]:
    for block in _blocks(source(report)):
        sentences = iter(annotate([sentence for document in block for sentence in document.sentences]))
        for document in block:
            yield replace(document, sentences=tuple(islice(sentences, len(document.sentences))))


def _blocks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while block := list(islice(stream, DOCUMENTS_AT_ONCE)):
        yield block
