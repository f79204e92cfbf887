"""A small model and input for the tests of prediction in partitions, and workers that are no processes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet

import toy
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.inference import Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document, Sentence
from relsift.streaming.partition import Partition
from relsift.streaming.partition_work import PartitionReport, PartitionSettings, PartitionWorker
from relsift.streaming.partitioned import DOCUMENTS, Failed, PartitionedResult, predict_partitions
from relsift.streaming.resume import Job
from relsift.writers.native import lines

BROKEN = '{"id": "bad", "tokens": ["Ada", \n'
KILLED = "killed"  # the file that says that a worker was


def save_model(folder: Path, seed: int = 0) -> Path:
    known = toy.encoding()
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), known)
    toy.randomise(model, seed)
    decision = Decision(threshold=-1000.0)  # this low, every pair is related
    Bundle("multitask_cnn", Scorer(model.eval(), known, Candidates()), decision).save(folder)
    return folder


def documents(sentences: list[Sentence], sizes: Iterable[int]) -> list[Document]:
    found = []
    for number, size in enumerate(sizes):
        part = [sentences.pop(0) for _ in range(min(size, len(sentences)))]
        if not part:
            break
        found.append(Document(f"d{number}", tuple(part)))
    return found


def write(file: Path, those: Iterable[Document], *further: tuple[int, str]) -> list[str]:
    """Native lines. Args: further: lines to insert, each before the line with this number from 0."""
    text = [f"{line}\n" for document in those for line in lines(document)]
    for place, line in sorted(further, reverse=True):
        text.insert(place, line)
    file.write_text("".join(text), encoding="utf-8")
    return text


class WorkersHere:
    """One worker, in this process. Args: broken: numbers of partitions that it fails at."""

    def __init__(self, settings: PartitionSettings, broken: tuple[int, ...] = ()) -> None:
        self.worker, self.broken, self.computed = PartitionWorker(settings), broken, list[int]()

    def begin(self) -> Job:
        return self.worker.begin()

    def unordered(self, partitions: Iterable[Partition], job: Job) -> Iterator[tuple[Partition, PartitionReport | Failed]]:
        for partition in partitions:
            if partition.number in self.broken:
                yield partition, Failed("its worker died")
            else:
                self.computed.append(partition.number)
                yield partition, self.worker.compute(partition, job)


def settings_for(model: Path, source: object, out: Path, **options: Any) -> PartitionSettings:
    return PartitionSettings(run=str(model), source=str(source), folder=out / DOCUMENTS, **options)


def predict_here(
    model: Path, source: object, out: Path, *, megabytes: float | None = 0.002, resume: bool = False, broken: tuple[int, ...] = (),
    **options: Any,
) -> tuple[PartitionedResult, list[int]]:  # fmt: skip
    """The result, and the numbers of the partitions that were computed."""
    settings, result = settings_for(model, source, out, **options), PartitionedResult()
    workers = WorkersHere(settings, broken)
    predict_partitions(settings, out, workers, resume=resume, megabytes=megabytes, result=result)
    return result, workers.computed


def records(out: Path) -> list[dict[str, Any]]:
    """The lines of all partitions in order."""
    tables = [pyarrow.parquet.read_table(file, columns=["json"]) for file in sorted((out / DOCUMENTS).glob("*.parquet"))]
    return [json.loads(line) for table in tables for text in table.column("json").to_pylist() for line in text.split("\n")]


class WorkerToKill(PartitionWorker):
    """Kills its process once, in the middle of the third partition that anyone begins after the first two."""

    def compute(self, partition: Partition, job: Job) -> PartitionReport:
        mark = self.settings.folder.parent / KILLED
        if partition.number == 2 and not mark.exists():
            mark.write_text("once", encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().compute(partition, job)


class WorkerThatAlwaysDies(PartitionWorker):
    """Dies of one partition whenever it is tried."""

    def compute(self, partition: Partition, job: Job) -> PartitionReport:
        if partition.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().compute(partition, job)
