"""`relsift predict --ray`: what the command tells while partitions are computed."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relsift.cli.interruption import resume_hint
from relsift.cli.output import echo, note
from relsift.cli.progress import StageProgress
from relsift.omissions import counted

if TYPE_CHECKING:
    from relsift.streaming.partition import Partition
    from relsift.streaming.partition_work import PartitionReport, PartitionSettings

_BETWEEN_LINES = 10.0  # seconds


def predict(
    settings: PartitionSettings, out: Path | None, *, address: str | None, workers: int | None, megabytes: float | None, resume: bool
) -> None:
    """Predict all partitions, with progress, and say what was done."""
    from relsift.errors import require
    from relsift.integrations.ray_cluster import RayWorkers, cluster
    from relsift.streaming.partition_work import PartitionWorker
    from relsift.streaming.partitioned import BAD_RECORDS, DOCUMENTS, Failed, PartitionedResult, check_before, predict_partitions

    require(out is not None, "--out", expected="a folder for the partitions, which --ray needs", got=out)
    assert out is not None
    require(megabytes is None or megabytes > 0, "--partition-mb", expected="megabytes, more than 0", got=megabytes)
    check_before(settings, out, resume=resume)
    settings = replace(settings, folder=(out / DOCUMENTS).absolute())
    result = PartitionedResult()
    hint = "; the same command with --resume goes on from here"
    with resume_hint(None, lambda: result.report.sentences, hint), StageProgress("predicting") as bar, cluster(address, workers) as ray:
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        pool: RayWorkers[Partition] = RayWorkers(
            ray, partial(PartitionWorker, settings), count, gpus=float(settings.device.startswith("cuda")), failed=Failed,
            on_wait=lambda: note("no worker has started yet; has the cluster a free processor?"),
        )  # fmt: skip
        predict_partitions(
            settings, out, pool, resume=resume, megabytes=megabytes, result=result, on_partition=_Lines(bar).tell
        )
        restarts = pool.restarts
        pool.stop()
    report = result.report
    echo(
        f"{counted(report.sentences, 'sentences')}, {counted(report.pairs, 'pairs scored')}, {sum(report.dropped_pairs.values())} dropped, "
        f"{counted(report.relations, 'relations')}, {counted(report.num_faults, 'bad records')}, in {result.seconds:.1f} s",
        f"{counted(report.partitions, 'partitions')}: {result.computed} computed by {counted(count, 'workers')}, {result.kept} kept from "
        f"before; {report.cpu_seconds:.1f} s of CPU time; {counted(restarts, 'workers')} started again",
        err=True,
    )
    if report.num_faults:
        note(f"what was left out stands in {out / BAD_RECORDS}")
    for line in result.notes:
        note(line)


class _Lines:
    """A bar on a terminal, and a line now and then elsewhere."""

    def __init__(self, bar: StageProgress) -> None:
        self.bar, self.next = bar, time.monotonic() + _BETWEEN_LINES

    def tell(self, done: int, total: int | None, report: PartitionReport) -> None:
        """Args: as of `predict_partitions`."""
        self.bar("partitions", done, total)
        if (now := time.monotonic()) >= self.next:
            self.next = now + _BETWEEN_LINES
            of = "" if total is None else f" of about {total}"
            echo(f"{done}{of} partitions, {report.sentences:,} sentences", err=True)
