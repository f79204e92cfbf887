"""Raw text in, sentences with tokens and entities out, of any length: the work of `relsift annotate`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from relsift import __version__
from relsift.annotators.base import Annotator
from relsift.annotators.entities import EntitySource
from relsift.annotators.stored import source_checksum
from relsift.files import check_output, to_json
from relsift.inference import InferenceReport
from relsift.omissions import counted
from relsift.readers.base import ReadReport
from relsift.registry import find
from relsift.schema import Document, sentences_of
from relsift.streaming.inputs import Input
from relsift.streaming.output import is_resumable, not_resumable, write_blocks, write_file
from relsift.streaming.predict import BLOCKS_AHEAD, blocks_of
from relsift.streaming.read_ahead import read_ahead
from relsift.streaming.resume import Block, Job
from relsift.writers.base import Writer


@dataclass
class AnnotationReport:
    """What was read and found."""

    sentences: int = 0
    given: int = 0  # sentences that had entities, which are kept
    entities: Counter[str] = field(default_factory=Counter)  # those in the output, by type


def annotate_file(
    annotator: Annotator,
    given: Input,
    out: Path | None,
    *,
    left_out: ReadReport,
    report: AnnotationReport,
    source: EntitySource | None = None,
    resume: bool = False,
    on_sentences: Callable[[int], None] | None = None,
) -> list[str]:
    """Write every document of the input with entities and without relations, in the native format; returns what the user should know.

    Sentences that have entities keep them. Memory does not grow with the input. `out` is not touched before the first block is annotated.
    If the input is broken, the blocks before that place are written.

    Args:
        annotator: adds entities to sentences without any. out: a file; None: standard output.
        left_out: collects what is left out of the input. report: collects what is found.
        source: names the annotators; None: an interrupted run cannot be resumed.
        resume: go on after the blocks that an interrupted run left in `out` (see `relsift.streaming.resume`), if there are any.
        on_sentences: called after each block with the number of sentences annotated so far.
    Raises: DataError for broken input; ConfigError if `out` is part of the input, or cannot be resumed; CheckpointError if another process
        writes it.
    """
    writer: Writer = find("writer", "native")
    job = _job(given, source, left_out) if source is not None and is_resumable(given.source, out, writer) else None
    if resume and job is None:
        raise not_resumable(given.source, out, writer.name)
    if out is not None:
        check_output(out, given.files, option="--out")
    notes: list[str] = []
    with closing(read_ahead(blocks_of(given.documents(left_out, notes)), BLOCKS_AHEAD)) as blocks:
        work = partial(_annotated, annotator, report=report, on_sentences=on_sentences)
        if out is None:
            write_blocks(work(blocks), writer, sys.stdout, InferenceReport())
        else:
            notes += write_file(blocks, work, writer, out, job, resume=resume, report=InferenceReport())
    if report.given:
        notes.append(f"{report.given} of {counted(report.sentences, 'sentences')} had entities and keep them")
    return notes


def _job(given: Input, source: EntitySource, left_out: ReadReport) -> Job:
    """The settings that a resumed run has to share."""
    return Job(
        model="none: relsift annotate", threshold=0.0, writer="native", input=given.source, on_error=left_out.on_error, entities="missing",
        splitter=given.splitter.spec, entities_from=to_json(source.pinned().to_json(), indent=None), entity_files=source_checksum(source),
        relsift=__version__,
    )  # fmt: skip


def _annotated(
    annotator: Annotator, blocks: Iterator[Block], report: AnnotationReport, on_sentences: Callable[[int], None] | None
) -> Iterator[Block]:
    for block in blocks:
        before = list(sentences_of(block))
        report.sentences += len(before)
        report.given += sum(bool(sentence.entities) for sentence in before)
        sentences = iter([replace(sentence, relations=None) for sentence in annotator.annotate(before)])
        done = [Document(document.id, tuple(islice(sentences, len(document.sentences))), document.text) for document in block]
        report.entities.update(entity.type for sentence in sentences_of(done) for entity in sentence.entities)
        yield done
        if on_sentences is not None:
            on_sentences(report.sentences)
