"""Sentences to train on, from what the user named."""

from __future__ import annotations

from dataclasses import dataclass

from relsift.candidates import Direction
from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence, sentences_of
from relsift.training.run import RunData

TRAIN, DEV, TEST = "train", "dev", "test"


@dataclass(frozen=True)
class LoadedData:
    """Sentences to train on, and what is to be known of them."""

    run: RunData
    direction: Direction | None  # the corpus's usual direction, if it has one
    notes: list[str]  # what the readers left out, one line a reason


def training_data(data: str, dev: str | None = None) -> LoadedData:
    """The training and development sentences of `data`; a corpus with parts brings its own development part.

    Raises: DataError if there is no development data, or a sentence of one part is also in the other by id.
    """
    source = resolve(data)
    report = ReadReport()
    training = list(sentences_of(source.documents(TRAIN if TRAIN in source.splits else None, report)))
    checksums = {source.name: source.sha256()}
    if dev is not None:
        dev_source = resolve(dev)
        development = list(sentences_of(dev_source.documents(DEV if DEV in dev_source.splits else None, report)))
        checksums[dev_source.name] = dev_source.sha256()
    elif DEV in source.splits:
        development = list(sentences_of(source.documents(DEV, report)))
    else:
        raise DataError(f"{data}: expected a corpus with a development part, got one without; name one with --dev")
    return LoadedData(RunData(source.name, training, development, checksums), source.direction, report.lines())


def scoring_data(data: str) -> tuple[list[Sentence], str, list[str]]:
    """The sentences to score a model on, the name of the data, and what the readers left out. Of a corpus with parts, the test part."""
    documents, name, notes = scoring_documents(data)
    return list(sentences_of(documents)), name, notes


def scoring_documents(data: str) -> tuple[list[Document], str, list[str]]:
    """The same as `scoring_data`, with the sentences in their documents."""
    source = resolve(data)
    report = ReadReport()
    split = TEST if TEST in source.splits else None
    documents = list(source.documents(split, report))
    return documents, source.name if split is None else f"{source.name}/{split}", report.lines()
