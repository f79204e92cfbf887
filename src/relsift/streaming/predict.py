"""Files in, files with relations out, of any length: the work of `relsift predict`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

from relsift import __version__
from relsift.annotators.splitters import DEFAULT, find_splitter
from relsift.annotators.stored import source_checksum
from relsift.corpora.convert import writer_for
from relsift.corpora.no_relation import never_seen
from relsift.errors import require
from relsift.evaluation.scores import Entities
from relsift.extractor import RelationExtractor
from relsift.files import check_output, to_json
from relsift.inference import SENTENCES_AT_ONCE, InferenceReport, entities_of
from relsift.items import in_blocks
from relsift.omissions import counted
from relsift.readers.base import OnError, ReadReport
from relsift.schema import Document
from relsift.streaming.inputs import open_input
from relsift.streaming.output import check_place, is_resumable, not_resumable, write_file, write_to_standard_output
from relsift.streaming.read_ahead import read_ahead
from relsift.streaming.resume import Block, Job
from relsift.writers.base import Writer

BLOCKS_AHEAD = 2  # blocks read while one is computed; more would only need more memory
NOTHING_FINDS_ENTITIES = (
    "expected entities, which this model relates and does not find, got raw text, which has none; name what finds them, as in "
    "--entities-from spacy:en_core_web_sm, annotate the text first, or take a joint model (`relsift models`)"
)


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
    splitter: str | None = None,
    is_text: bool = False,
    report: InferenceReport,
    on_sentences: Callable[[int], None] | None = None,
) -> tuple[float, list[str]]:
    """Predict every document of `source` and write it; returns the seconds taken, and what the user should know of input and output.

    Documents are read, predicted and written block by block, and the next blocks are read meanwhile: memory does not grow with the file.
    `out` is not touched before the first block is predicted. If the input is broken, the blocks before that place are written. What is no
    file of lines is written whole or not at all.

    Args:
        source: a DATA name, or `-` for standard input; annotated data or raw text.
        out: a file, or a folder for a format of several files; None: standard output.
        writer: name of the output format, with options if any. threshold: in place of the model's own.
        entities: as of `RelationExtractor.predict`.
        no_relation: see `resolve`; its relations are counted, then replaced as all others are. on_error: see `ReadReport`.
        splitter: makes sentences of raw text, see `relsift.annotators.splitters`; None: relsift's rules.
        is_text: standard input is raw text, whatever it looks like.
        resume: go on after the blocks that an interrupted prediction left in `out` (see `relsift.streaming.resume`), if there are any.
        report: collects the numbers of candidates and the time of each stage.
        on_sentences: called after each block with the number of sentences predicted so far.
    Raises: DataError for broken input; ConfigError if `out` is part of the input or of a model, or cannot be resumed, or for raw text if
        nothing finds entities in it; CheckpointError if another process writes it; OutputError if nothing more can be written.
    """
    require(threshold is None or math.isfinite(threshold), "--threshold", expected="a finite number", got=threshold)
    output_format = writer_for(None, writer)
    check_place(out, output_format)
    chosen = chosen_entities(extractor, entities)
    finds_some = chosen != "gold"
    why_no_text = None if finds_some else NOTHING_FINDS_ENTITIES
    used_threshold = extractor.threshold if threshold is None else threshold
    job = _job(extractor, source, out, output_format, used_threshold, on_error, chosen, find_splitter(splitter or DEFAULT).spec)
    if resume and job is None:
        raise not_resumable(source, out, writer)
    given = open_input(source, splitter=splitter, is_text=is_text, no_relation=no_relation, why_no_text=why_no_text)
    if out is not None:
        check_output(out, given.files, option="--out")
    left_out, notes = ReadReport(on_error=on_error), list[str]()
    started = time.perf_counter()
    documents = given.documents(left_out, notes)
    checked = documents if finds_some else _with_entities(documents, given.name, notes)
    with closing(read_ahead(_timed(blocks_of(checked), report), BLOCKS_AHEAD)) as blocks:
        predict = partial(_predicted, extractor, threshold=threshold, entities=chosen, report=report, on_sentences=on_sentences)
        if out is None:
            notes += write_to_standard_output(predict(blocks), output_format, report)
        else:
            notes += write_file(blocks, predict, output_format, out, job, resume=resume, report=report)
    if report.sentences and chosen == "predicted" and not report.candidates.kept + sum(report.candidates.dropped.values()):
        notes.append(none_found(report.sentences))
    found = [] if extractor.annotator is None else extractor.annotator.report.lines()
    return time.perf_counter() - started, [*notes, *never_seen(no_relation, left_out), *left_out.lines(), *found]


def chosen_entities(extractor: RelationExtractor, entities: Entities | None) -> Entities | None:
    """Whose entities are related; None: those given, and found ones where there are none. Raises ConfigError as `entities_of`."""
    return entities if extractor.bundle.entity_source is not None else entities_of(extractor.bundle.scorer, entities)


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
    return in_blocks(documents, lambda document: len(document.sentences), SENTENCES_AT_ONCE)


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
        found = list(extractor.documents(block, threshold=threshold, report=report, entities=entities))
        report.relations += sum(len(sentence.relations or ()) for document in found for sentence in document.sentences)
        report.relations += sum(len(document.across) for document in found)
        yield found
        if on_sentences is not None:
            on_sentences(report.sentences)


def _job(
    extractor: RelationExtractor,
    source: str,
    out: Path | None,
    output_format: Writer,
    threshold: float,
    on_error: OnError,
    entities: Entities | None,
    splitter: str,
) -> Job | None:
    """The settings that a resumed run has to share; None if the prediction cannot be resumed."""
    if not is_resumable(source, out, output_format) or extractor.checksum is None:
        return None
    return job_of(extractor, source, output_format.name, threshold, on_error, entities, splitter)


def job_of(
    extractor: RelationExtractor, source: str, writer: str, threshold: float, on_error: OnError, entities: Entities | None, splitter: str
) -> Job:
    """The settings that the results depend on. Args: writer: name of the format. splitter: with its version."""
    found_by = extractor.bundle.entity_source
    return Job(
        model=extractor.checksum or "", threshold=threshold, writer=writer, input=source, on_error=on_error,
        entities=entities or "missing", splitter=splitter, precision=extractor.bundle.scorer.precision,
        entities_from="" if found_by is None else to_json(found_by.pinned().to_json(), indent=None),
        entity_files="" if found_by is None else source_checksum(found_by), relsift=__version__,
    )  # fmt: skip


def _with_entities(documents: Iterable[Document], source: str, notes: list[str]) -> Iterator[Document]:
    entities = sentences = 0
    for document in documents:
        sentences += len(document.sentences)
        entities += sum(len(sentence.entities) for sentence in document.sentences)
        yield document
    if sentences and not entities:
        notes.append(none_given(source, sentences))


def none_given(source: str, sentences: int) -> str:
    """What the user should know where a model relates given entities, and got none."""
    return (
        f"{source}: {counted(sentences, 'sentences')}, none with entities: no relations; this model relates given entities and does "
        "not find them, so annotate entities first, or find them with --entities-from"
    )


def none_found(sentences: int) -> str:
    """What the user should know where no sentence had two entities that the model found."""
    return f"{counted(sentences, 'sentences')}, none with two entities that the model found: no relations; has it learned enough?"
