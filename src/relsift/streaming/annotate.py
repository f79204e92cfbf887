"""Raw text in, sentences with tokens and entities out, of any length: the work of `relsift annotate`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

from relsift.annotators.base import Annotator
from relsift.files import check_output, make_folder, replaced_file
from relsift.readers.base import ReadReport
from relsift.registry import find
from relsift.schema import Document, sentences_of
from relsift.streaming.inputs import Input
from relsift.streaming.predict import BLOCKS_AHEAD, blocks_of
from relsift.streaming.read_ahead import read_ahead
from relsift.streaming.resume import Block
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
    on_sentences: Callable[[int], None] | None = None,
) -> list[str]:
    """Write every document of the input with entities and without relations, in the native format; returns what the user should know.

    Sentences that have entities keep them. Memory does not grow with the input. `out` is written whole or not at all.

    Args:
        annotator: adds entities to sentences without any. out: a file; None: standard output.
        left_out: collects what is left out of the input. report: collects what is found.
        on_sentences: called after each block with the number of sentences annotated so far.
    Raises: DataError for broken input; ConfigError if `out` is part of the input.
    """
    writer: Writer = find("writer", "native")
    if out is not None:
        check_output(out, given.files, option="--out")
    notes: list[str] = []
    with closing(read_ahead(blocks_of(given.documents(left_out, notes)), BLOCKS_AHEAD)) as blocks:
        documents = chain.from_iterable(_annotated(annotator, blocks, report, on_sentences))
        if out is None:
            writer.write(documents, sys.stdout)
        else:
            make_folder(out.parent)
            with replaced_file(out) as stream:
                writer.write(documents, stream)
    if report.given:
        notes.append(f"{report.given} of {report.sentences} sentences had entities and keep them")
    return notes


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
