"""Files in, files with relations out, of any length: the work of `relsift predict`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from relsift import __version__
from relsift.corpora.data import resolve
from relsift.errors import ConfigError, DataError
from relsift.extractor import RelationExtractor
from relsift.inference import SENTENCES_AT_ONCE, InferenceReport
from relsift.readers.base import ReadReport
from relsift.readers.native import numbered_lines, read_lines
from relsift.registry import find
from relsift.schema import Document, sentences_of
from relsift.streaming.read_ahead import read_ahead
from relsift.streaming.resume import Block, Job, mark, remaining
from relsift.writers.base import Writer

STANDARD_INPUT = "-"
BLOCKS_AHEAD = 2  # blocks read while one is computed; more would only need more memory


def predict_file(
    extractor: RelationExtractor,
    source: str,
    out: Path | None,
    *,
    writer: str = "native",
    threshold: float | None = None,
    resume: bool = False,
    report: InferenceReport,
) -> tuple[float, list[str]]:
    """Predict every document of `source` and write it; returns the seconds taken and what the readers left out.

    Documents are read, predicted and written block by block, and the next blocks are read meanwhile: memory does not grow with the file.
    `out` is not touched before the first block is predicted. If the input is broken, the blocks before that place are written.

    Args:
        source: a DATA name, or `-` for standard input. out: a file; None: standard output. writer: name of the output format.
        threshold: in place of the model's own.
        resume: go on after the blocks that an interrupted prediction left in `out` (see `relsift.streaming.resume`), if there are any.
        report: collects the numbers of candidates and the time of each stage.
    Raises: DataError for broken input, and for input without any entities: this model relates given entities and does not find them;
        ConfigError if `out` is part of the input, or cannot be resumed.
    """
    output_format: Writer = find("writer", writer)
    job = _job(extractor, source, out, output_format, extractor.threshold if threshold is None else threshold)
    if resume and job is None:
        raise ConfigError(
            "--resume: expected an INPUT that can be read again and --out with a file in a format of one line a sentence, got input "
            f"{source!r}, output {'standard output' if out is None else str(out)!r}, format {writer!r}; leave out --resume"
        )
    left_out = ReadReport()
    started = time.perf_counter()
    with closing(read_ahead(_timed(blocks_of(_documents(source, out, left_out)), report), BLOCKS_AHEAD)) as blocks:
        if out is None:
            _write(_predicted(extractor, blocks, threshold, report), output_format, sys.stdout, report)
        elif resume and job is not None and output_format.lines is not None and job.has_lines(out):
            missing = _predicted(extractor, remaining(blocks, out, output_format.lines), threshold, report)
            with out.open("a", encoding="utf-8", newline="\n") as stream:
                _write(missing, output_format, stream, report)
        else:
            predicted = _predicted(extractor, blocks, threshold, report)
            first = next(predicted, [])
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("w", encoding="utf-8", newline="\n") as stream:  # emptied before it is marked: the mark is for new lines only
                if job is not None:
                    job.mark_begun(out)
                _write(chain([first], predicted), output_format, stream, report)
    if out is not None:
        mark(out).unlink(missing_ok=True)
    return time.perf_counter() - started, left_out.lines()


def predict_documents(
    extractor: RelationExtractor, documents: Iterable[Document], *, threshold: float | None = None, report: InferenceReport
) -> Iterator[Document]:
    """The same documents with predicted relations, in order, lazily."""
    return chain.from_iterable(_predicted(extractor, blocks_of(documents), threshold, report))


def blocks_of(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Blocks of documents to predict together, of at most SENTENCES_AT_ONCE sentences; a document with more is a block of its own.

    If the input is broken, the documents before that place come first, then the error is raised.
    """
    block: list[Document] = []
    size = 0
    try:
        for document in documents:
            if block and size + len(document.sentences) > SENTENCES_AT_ONCE:
                yield block
                block, size = [], 0
            block.append(document)
            size += len(document.sentences)
    except Exception:
        if block:
            yield block
        raise
    if block:
        yield block


def _timed(blocks: Iterator[list[Document]], report: InferenceReport) -> Iterator[list[Document]]:
    while True:
        with report.busy("reading"):
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _predicted(
    extractor: RelationExtractor, blocks: Iterable[Block], threshold: float | None, report: InferenceReport
) -> Iterator[Block]:
    for block in blocks:
        sentences = extractor.stream(sentences_of(block), threshold=threshold, report=report)
        yield [Document(document.id, tuple(islice(sentences, len(document.sentences))), document.text) for document in block]


def _write(blocks: Iterable[Block], output_format: Writer, stream: TextIO, report: InferenceReport) -> None:
    if output_format.lines is None:
        output_format.write(chain.from_iterable(blocks), stream)
        return
    for block in blocks:
        with report.busy("writing"):
            # All lines of a block in one system call: only a kill during that call leaves part of a line.
            stream.write("".join([f"{line}\n" for document in block for line in output_format.lines(document)]))
            stream.flush()


def _job(extractor: RelationExtractor, source: str, out: Path | None, output_format: Writer, threshold: float) -> Job | None:
    """The settings that a resumed run has to share; None if the prediction cannot be resumed."""
    is_repeatable = source != STANDARD_INPUT and out is not None and (out.is_file() or not out.exists())
    if not is_repeatable or output_format.lines is None or extractor.checksum is None:
        return None
    return Job(model=extractor.checksum, threshold=threshold, writer=output_format.name, input=source, relsift=__version__)


def _documents(source: str, out: Path | None, report: ReadReport) -> Iterator[Document]:
    if source == STANDARD_INPUT:
        # Not `sys.stdin`: the interpreter closes it at exit, and would wait for a thread that still reads from it.
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            yield from _with_entities(read_lines(numbered_lines(stream, "standard input"), "standard input", report), source)
        return
    data = resolve(source)
    for place in data.inputs:
        if out is not None and out.resolve().is_relative_to(place.resolve()):
            raise ConfigError(f"--out: expected a file outside the input {place}, got {out}, which would be read and overwritten")
    yield from _with_entities(data.documents(None, report), source)


def _with_entities(documents: Iterable[Document], source: str) -> Iterator[Document]:
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
