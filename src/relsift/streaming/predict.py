"""Files in, files with relations out, of any length: the work of `relsift predict`."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from relsift import __version__
from relsift.corpora.data import Data, resolve
from relsift.corpora.no_relation import never_seen, without_types
from relsift.errors import ConfigError, DataError, require
from relsift.evaluation.scores import Entities
from relsift.extractor import RelationExtractor
from relsift.files import check_output, lock_output, make_folder, open_output, replaced_file
from relsift.inference import SENTENCES_AT_ONCE, InferenceReport, entities_of
from relsift.locks import reason
from relsift.readers.base import OnError, ReadReport
from relsift.readers.native import numbered_lines, read_lines
from relsift.registry import find
from relsift.schema import Document, sentences_of
from relsift.streaming.read_ahead import read_ahead
from relsift.streaming.resume import Block, Job, complete_mark, mark, remaining
from relsift.writers.base import Writer

STANDARD_INPUT = "-"
_STANDARD_INPUT_FILE = Path("/dev/stdin")
BLOCKS_AHEAD = 2  # blocks read while one is computed; more would only need more memory


def predict_file(
    extractor: RelationExtractor,
    source: str,
    out: Path | None,
    *,
    writer: str = "native",
    threshold: float | None = None,
    entities: Entities | None = None,
    resume: bool = False,
    no_relation: Sequence[str] = (),
    on_error: OnError = "stop",
    report: InferenceReport,
    on_sentences: Callable[[int], None] | None = None,
) -> tuple[float, list[str]]:
    """Predict every document of `source` and write it; returns the seconds taken, and what the user should know of input and output.

    Documents are read, predicted and written block by block, and the next blocks are read meanwhile: memory does not grow with the file.
    `out` is not touched before the first block is predicted. If the input is broken, the blocks before that place are written. A page is
    written whole or not at all.

    Args:
        source: a DATA name, or `-` for standard input. out: a file; None: standard output. writer: name of the output format.
        threshold: in place of the model's own. entities: as of `relsift.inference.score`.
        no_relation: see `resolve`; its relations are counted, then replaced as all others are. on_error: see `ReadReport`.
        resume: go on after the blocks that an interrupted prediction left in `out` (see `relsift.streaming.resume`), if there are any.
        report: collects the numbers of candidates and the time of each stage.
        on_sentences: called after each block with the number of sentences predicted so far.
    Raises: DataError for broken input; ConfigError if `out` is part of the input or of a model, or cannot be resumed; CheckpointError if
        another process writes it; OutputError if nothing more can be written.
    """
    require(threshold is None or math.isfinite(threshold), "--threshold", expected="a finite number", got=threshold)
    output_format: Writer = find("writer", writer)
    chosen = entities_of(extractor.bundle.scorer, entities)
    job = _job(extractor, source, out, output_format, extractor.threshold if threshold is None else threshold, on_error, chosen)
    if resume and job is None:
        raise ConfigError(
            "--resume: expected an INPUT that can be read again and --out with a file in a format of one line a sentence, got input "
            f"{source!r}, output {'standard output' if out is None else str(out)!r}, format {writer!r}; leave out --resume"
        )
    data = None if source == STANDARD_INPUT else resolve(source, no_relation)
    if out is not None:
        check_output(out, [_STANDARD_INPUT_FILE] if data is None else data.inputs, option="--out")
    left_out, notes = ReadReport(on_error=on_error), list[str]()
    started = time.perf_counter()
    with closing(read_ahead(_timed(blocks_of(_documents(data, left_out, notes, no_relation, chosen)), report), BLOCKS_AHEAD)) as blocks:
        predict = partial(_predicted, extractor, threshold=threshold, entities=chosen, report=report, on_sentences=on_sentences)
        if out is None:
            _write(predict(blocks), output_format, sys.stdout, report)
        else:
            _write_file(blocks, predict, output_format, out, job, resume=resume, report=report, notes=notes)
    return time.perf_counter() - started, [*notes, *never_seen(no_relation, left_out), *left_out.lines()]


def _write_file(
    blocks: Iterator[Block], predict: Callable[[Iterator[Block]], Iterator[Block]], output_format: Writer, out: Path, job: Job | None,
    *, resume: bool, report: InferenceReport, notes: list[str],
) -> None:  # fmt: skip
    """Predict and write what is not in the file yet."""
    with ExitStack() as stack:
        if is_shared := out.is_file() or not out.exists():  # nobody writes into a pipe or /dev/null by mistake
            make_folder(out.parent)
        if is_shared and output_format.lines is not None:  # `replaced_file` has its own lock
            stack.enter_context(lock_output(out))
        if resume and job is not None and output_format.lines is not None and job.has_lines(out):
            found = job.entities == "predicted"
            missing = remaining(blocks, out, output_format.lines, partial(job.mark_begun, out), found=found)
            first = next(missing, None)
            if first is None:
                notes.append(f"{out}: already complete, nothing was left to predict")
            else:
                with open_output(out, "a") as stream:
                    _write(predict(chain([first], missing)), output_format, stream, report)
        else:
            predicted = predict(blocks)
            first = next(predicted, [])
            if is_shared:
                complete_mark(out).unlink(missing_ok=True)
            # Line by line: what is there after an interruption is of use. A page would be half of one.
            with open_output(out) if output_format.lines is not None else replaced_file(out) as stream:
                if job is not None:  # emptied before it is marked: the mark is for new lines only
                    job.mark_begun(out)
                _write(chain([first], predicted), output_format, stream, report)
        if job is not None and resume:
            job.mark_complete(out)
        elif is_shared:
            mark(out).unlink(missing_ok=True)


def predict_documents(
    extractor: RelationExtractor,
    documents: Iterable[Document],
    *,
    threshold: float | None = None,
    entities: Entities | None = None,
    report: InferenceReport,
) -> Iterator[Document]:
    """The same documents with predicted relations, in order, lazily."""
    return chain.from_iterable(_predicted(extractor, blocks_of(documents), threshold=threshold, entities=entities, report=report))


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
    extractor: RelationExtractor,
    blocks: Iterable[Block],
    *,
    threshold: float | None,
    entities: Entities | None,
    report: InferenceReport,
    on_sentences: Callable[[int], None] | None = None,
) -> Iterator[Block]:
    for block in blocks:
        sentences = extractor.stream(sentences_of(block), threshold=threshold, report=report, entities=entities)
        yield [Document(document.id, tuple(islice(sentences, len(document.sentences))), document.text) for document in block]
        if on_sentences is not None:
            on_sentences(report.sentences)


def _write(blocks: Iterable[Block], output_format: Writer, stream: TextIO, report: InferenceReport) -> None:
    if output_format.lines is None:
        output_format.write(chain.from_iterable(blocks), stream)
        return
    for block in blocks:
        with report.busy("writing"):
            # All lines of a block in one system call: only a kill during that call leaves part of a line.
            stream.write("".join([f"{line}\n" for document in block for line in output_format.lines(document)]))
            stream.flush()


def _job(
    extractor: RelationExtractor,
    source: str,
    out: Path | None,
    output_format: Writer,
    threshold: float,
    on_error: OnError,
    entities: Entities,
) -> Job | None:
    """The settings that a resumed run has to share; None if the prediction cannot be resumed."""
    is_repeatable = source != STANDARD_INPUT and out is not None and (out.is_file() or not out.exists())
    if not is_repeatable or output_format.lines is None or extractor.checksum is None:
        return None
    return Job(
        model=extractor.checksum, threshold=threshold, writer=output_format.name, input=source, on_error=on_error, entities=entities,
        relsift=__version__,
    )  # fmt: skip


def _documents(
    data: Data | None, report: ReadReport, notes: list[str], no_relation: Sequence[str], entities: Entities
) -> Iterator[Document]:
    """The documents of the input; at the end a note if entities are to be related and there are none."""
    checked = _with_entities if entities == "gold" else _as_they_are
    if data is not None:
        yield from checked(data.documents(None, report), data.name, notes)
        return
    name = "standard input"
    try:
        # Not `sys.stdin`: the interpreter closes it at exit, and would wait for a thread that still reads from it.
        with open(sys.stdin.fileno() if sys.stdin is not None else 0, "rb", closefd=False) as stream:
            documents = without_types(read_lines(numbered_lines(stream, name), name, report), frozenset(no_relation), report)
            yield from checked(documents, name, notes)
    except OSError as error:
        raise DataError(f"{name}: expected JSON lines, got {reason(error)}; give a file, or a pipe that can be read") from error


def _with_entities(documents: Iterable[Document], source: str, notes: list[str]) -> Iterator[Document]:
    entities = sentences = 0
    for document in documents:
        sentences += len(document.sentences)
        entities += sum(len(sentence.entities) for sentence in document.sentences)
        yield document
    if sentences and not entities:
        notes.append(
            f"{source}: {sentences} sentences, none with entities: no relations; this model relates given entities and does not find "
            "them, so annotate entities first"
        )


def _as_they_are(documents: Iterable[Document], *_: object) -> Iterable[Document]:
    return documents
