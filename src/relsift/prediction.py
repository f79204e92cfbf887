"""Files in, files with relations out: what `relsift predict` does, without its options."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from relsift.corpora.data import resolve
from relsift.errors import ConfigError, DataError
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport
from relsift.readers.base import ReadReport
from relsift.readers.native import read_lines
from relsift.registry import find
from relsift.schema import Document, Sentence

STANDARD_INPUT = "-"


def predict_file(
    extractor: RelationExtractor,
    source: str,
    out: Path | None,
    *,
    writer: str = "native",
    threshold: float | None = None,
    report: InferenceReport,
) -> tuple[float, list[str]]:
    """Predict every document of `source` (a DATA name, or `-`) and write it; returns the seconds taken and the readers' notes.

    Documents are read, predicted and written in turn, so memory does not grow with the file; a file that turns out broken half-way leaves
    what was already written readable. `out` is not touched before the first document is predicted.
    Raises: DataError for broken input, and for input without any entities: this model relates given entities and does not find them;
        ConfigError if `out` is part of the input.
    """
    write = find("writer", writer).write
    read = ReadReport()
    started = time.perf_counter()
    documents = predict_documents(extractor, _documents(source, out, read), threshold=threshold, report=report)
    first = next(documents, None)
    documents = chain([] if first is None else [first], documents)
    if out is None:
        write(documents, sys.stdout)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8", buffering=1) as stream:  # by line: an interrupted file ends in a whole line
            write(documents, stream)
    return time.perf_counter() - started, read.lines()


def predict_documents(
    extractor: RelationExtractor, documents: Iterator[Document], *, threshold: float | None = None, report: InferenceReport
) -> Iterator[Document]:
    """The same documents with predicted relations, in order, lazily."""
    waiting: list[Document] = []

    def sentences() -> Iterator[Sentence]:
        for document in documents:
            waiting.append(document)
            yield from document.sentences

    done: list[Sentence] = []
    for sentence in extractor.stream(sentences(), threshold=threshold, report=report):
        done.append(sentence)
        while waiting and len(done) >= len(waiting[0].sentences):
            document = waiting.pop(0)
            yield replace(document, sentences=tuple(done[: len(document.sentences)]))
            del done[: len(document.sentences)]
    yield from waiting  # documents without sentences at the very end


def _documents(source: str, out: Path | None, report: ReadReport) -> Iterator[Document]:
    if source == STANDARD_INPUT:
        documents = read_lines(enumerate(sys.stdin, start=1), "standard input", report)
    else:
        data = resolve(source)
        for place in data.inputs:
            if out is not None and out.resolve().is_relative_to(place.resolve()):
                raise ConfigError(f"--out: expected a file outside the input {place}, got {out}, which would be read and overwritten")
        documents = data.documents(None, report)
    entities = sentences = 0
    for document in documents:
        sentences += len(document.sentences)
        entities += sum(len(sentence.entities) for sentence in document.sentences)
        yield document
    if sentences and not entities:
        raise DataError(
            f"{source}: expected sentences with entities, got {sentences} sentences without any; this model relates given entities and "
            "does not find them: annotate entities first"
        )
