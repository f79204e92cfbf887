"""What a worker does with a partition: read it, predict it, and write one Parquet file as a whole.

The file holds the rows of `relsift.writers.document_table`. Its metadata holds a `PartitionReport`, with the faults of the partition:
results and report appear together or not at all. A worker loads its model with the first call, and keeps it.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from relsift.annotators.splitters import DEFAULT, find_splitter
from relsift.corpora.no_relation import without_types
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.evaluation.scores import Entities
from relsift.extractor import RelationExtractor
from relsift.files import PATIENCE, replaced_path, to_json
from relsift.inference import InferenceReport
from relsift.json_text import decode
from relsift.locks import output_errors
from relsift.omissions import EXAMPLES_KEPT, Omissions
from relsift.precision import Precision
from relsift.readers.base import ReadReport
from relsift.schema import Document
from relsift.store_layout import pyarrow_for
from relsift.streaming.partition import Partition
from relsift.streaming.predict import chosen_entities, job_of, predict_documents
from relsift.streaming.resume import Job
from relsift.writers.document_table import ROWS_AT_ONCE, fields_of, row_of

WRITER = "documents"  # name of the format, for the job
KEY = b"relsift.partition"  # of the metadata of a file


@dataclass(frozen=True, kw_only=True)
class PartitionSettings:
    """All that a worker needs to know, as the user gave it."""

    run: str
    source: str
    folder: Path  # of the files, for every worker the same
    device: str = "cpu"
    precision: Precision = "float32"
    threshold: float | None = None
    entities: Entities | None = None
    entities_from: tuple[str, ...] = ()
    types: Mapping[str, str | None] | None = None
    splitter: str | None = None
    no_relation: tuple[str, ...] = ()
    cache_mb: float = 256.0


@dataclass
class PartitionReport:
    """Counts of one or several partitions, as JSON can hold them."""

    partitions: int = 0
    documents: int = 0
    sentences: int = 0
    entities: int = 0  # in the sentences that were read
    pairs: int = 0
    dropped_pairs: dict[str, int] = field(default_factory=dict)  # by reason
    relations: int = 0
    unseen_types: dict[str, int] = field(default_factory=dict)
    unknown_sentences: int = 0
    cut_pairs: int = 0
    pieces: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)  # what was left out or changed in reading, by reason
    examples: dict[str, list[str]] = field(default_factory=dict)  # of it, the first places
    found_dropped: dict[str, int] = field(default_factory=dict)  # the same of entities that annotators found
    found_examples: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)  # bad records: messages that begin with file and line
    num_faults: int = 0  # listed or not
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, other: PartitionReport, *, faults: bool = True) -> None:
        """Add the counts of another one. Args: faults: its messages too, of which there may be many."""
        for name, value in asdict(other).items():
            mine = getattr(self, name)
            if name == "faults":
                mine += value if faults else []
            elif name.endswith("examples"):
                for reason, places in value.items():
                    mine[reason] = [*mine.get(reason, []), *places][:EXAMPLES_KEPT]
            elif isinstance(value, dict):
                for key, count in value.items():
                    mine[key] = mine.get(key, 0) + count
            else:
                setattr(self, name, mine + value)

    def inference(self) -> InferenceReport:
        """What the model had to do, as `predict` reports it."""
        report = InferenceReport(
            sentences=self.sentences, unseen_types=dict(self.unseen_types), unknown_sentences=self.unknown_sentences,
            cut_pairs=self.cut_pairs,
        )  # fmt: skip
        report.candidates.kept, report.candidates.dropped = self.pairs, Counter(self.dropped_pairs)
        for name, count in self.pieces.items():
            setattr(report.pieces, name, count)
        return report

    def left_out(self) -> ReadReport:
        """What was left out in reading."""
        return ReadReport(Counter(self.dropped), dict(self.examples), on_error="skip", num_faults=self.num_faults)

    def found_left_out(self) -> Omissions:
        """What annotators of entities left out."""
        return Omissions(Counter(self.found_dropped), dict(self.found_examples))


class PartitionWorker:
    """Predicts partitions, one at a time."""

    def __init__(self, settings: PartitionSettings) -> None:
        """The model is loaded later."""
        self.settings = settings

    @cached_property
    def extractor(self) -> RelationExtractor:
        """The model. Raises as `RelationExtractor.from_pretrained`."""
        given = self.settings
        extractor = RelationExtractor.from_pretrained(
            given.run, given.device, entities_from=given.entities_from, types=given.types, precision=given.precision
        )
        extractor.bundle.limit_cache(given.cache_mb)
        return extractor

    @cached_property
    def entities(self) -> Entities | None:
        """Whose entities are related (see `chosen_entities`)."""
        return chosen_entities(self.extractor, self.settings.entities)

    @cached_property
    def job(self) -> Job:
        """What the results depend on."""
        given, extractor = self.settings, self.extractor
        threshold = extractor.threshold if given.threshold is None else given.threshold
        splitter = find_splitter(given.splitter or DEFAULT).spec
        return job_of(extractor, given.source, WRITER, threshold, "skip", self.entities, splitter)

    def begin(self) -> Job:
        """Load the model. Raises as `RelationExtractor.from_pretrained`; ConfigError without pyarrow."""
        pyarrow_for("--ray")
        return self.job

    def compute(self, partition: Partition, job: Job) -> PartitionReport:
        """Predict a partition and write its file. Args: job: what the other workers do.

        Raises: CheckpointError if this worker has another model; ConfigError or OutputError if it cannot read or write.
        """
        if self.begin() != job:
            names = [name for name, value in asdict(job).items() if getattr(self.job, name) != value]
            raise CheckpointError(
                f"worker on {platform.node()}: expected {names[0]} {getattr(job, names[0])!r} as the first worker has, got "
                f"{getattr(self.job, names[0])!r}; give all machines the same files and versions"
            )
        wall, cpu = time.perf_counter(), time.process_time()
        left_out, inference, report = ReadReport(on_error="skip"), InferenceReport(), PartitionReport(partitions=1)
        found_before = self._found_left_out()
        split = find_splitter(self.settings.splitter or DEFAULT).split
        documents: Iterable[Document] = partition.read(left_out, split)
        if partition.file is not None and self.settings.no_relation:
            documents = without_types(documents, frozenset(self.settings.no_relation), left_out)
        predicted = predict_documents(
            self.extractor, _counted(documents, report), threshold=self.settings.threshold, entities=self.entities, report=inference
        )

        def facts() -> str:
            _fill(report, inference, left_out)
            found = self._found_left_out()
            report.found_dropped = dict(Counter(found.dropped) - Counter(found_before.dropped))
            report.found_examples = {reason: found.examples[reason] for reason in report.found_dropped}
            report.wall_seconds, report.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
            return to_json(asdict(report), indent=None)

        file = self.settings.folder / f"{partition.name}.parquet"
        with replaced_path(file, wait=PATIENCE) as temporary, output_errors(file):  # a worker of a dead driver may write it
            write_rows(predicted, temporary, report, facts)
        return report

    def _found_left_out(self) -> ReadReport:
        source = self.extractor.bundle.entity_source
        return ReadReport() if source is None or self.extractor.annotator is None else self.extractor.annotator.report


def _counted(documents: Iterable[Document], report: PartitionReport) -> Iterator[Document]:
    for document in documents:
        report.documents += 1
        report.entities += sum(len(sentence.entities) for sentence in document.sentences)
        yield document


def _fill(report: PartitionReport, inference: InferenceReport, left_out: ReadReport) -> None:
    report.sentences, report.pairs = inference.sentences, inference.candidates.kept
    report.dropped_pairs, report.unseen_types = dict(inference.candidates.dropped), dict(inference.unseen_types)
    report.unknown_sentences, report.cut_pairs = inference.unknown_sentences, inference.cut_pairs
    report.pieces = asdict(inference.pieces)
    report.dropped, report.examples = dict(left_out.dropped), dict(left_out.examples)
    report.faults, report.num_faults = list(left_out.faults), left_out.num_faults


def write_rows(documents: Iterable[Document], target: Path, report: PartitionReport, facts: Any) -> None:
    """Write the rows of documents as Parquet. Args: facts: called after the last row; its text goes to the metadata of the file."""
    pyarrow = pyarrow_for("--ray")
    schema = pyarrow.schema(fields_of(pyarrow))
    waiting = iter(documents)
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd", write_page_checksum=True) as table:
        while rows := [row_of(document) for document in islice(waiting, ROWS_AT_ONCE)]:
            report.relations += sum(len(row["relations"]) for row in rows)
            table.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema=schema))
        table.add_key_value_metadata({KEY.decode(): facts()})


def read_report(file: Path) -> PartitionReport:
    """The report of a finished partition. Raises ConfigError if the file is none, or is broken."""
    pyarrow = pyarrow_for("--ray")
    advice = "delete it, and it is computed again"
    try:
        value = decode((pyarrow.parquet.read_metadata(file).metadata or {})[KEY].decode())
        known = {one.name for one in fields(PartitionReport)}
        return PartitionReport(**{name: part for name, part in value.items() if name in known})
    except (pyarrow.ArrowException, OSError, KeyError, ValueError, TypeError, DataError) as error:
        first, _, _ = str(error).partition("\n")
        raise ConfigError(f"{file}: expected a finished partition, got {type(error).__name__} {first}; {advice}") from error
