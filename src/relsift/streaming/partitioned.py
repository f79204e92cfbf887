"""An input predicted in partitions by several workers; resumable by partition: the work of `relsift predict --ray`.

OUT/job.json                    what the results depend on: model, settings, input, how it is cut
OUT/documents/part-NNNNNN.parquet   one finished partition (see `relsift.streaming.partition_work`)
OUT/bad_records.parquet         what could not be read: file, line, reason; written at the end, without rows if there is nothing
OUT/summary.json                the counts of all partitions; written last: a folder with it is complete
OUT/lock                        empty; held by the process that predicts

A partition is computed unless its file is there. Nothing here knows Ray: `Workers` may be processes of any kind.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from relsift.corpora.no_relation import never_seen
from relsift.errors import ConfigError, DataError, RelsiftError
from relsift.files import check_output, locked, make_folder, replaced_path, write_json
from relsift.json_text import read_json
from relsift.omissions import counted
from relsift.readers.base import ReadReport, no_text
from relsift.store_layout import pyarrow_for
from relsift.streaming.inputs import STANDARD_INPUT, Input, open_input
from relsift.streaming.partition import (
    LEAST,
    Kind,
    Partition,
    columns_not_read,
    cut_documents,
    cut_lines,
    cut_rows,
    files_to_cut,
    size_of_partitions,
)
from relsift.streaming.partition_work import PartitionReport, PartitionSettings, read_report
from relsift.streaming.predict import NOTHING_FINDS_ENTITIES, none_found, none_given
from relsift.streaming.resume import Job

JOB_FILE, LOCK_FILE, DOCUMENTS, BAD_RECORDS, SUMMARY_FILE = "job.json", "lock", "documents", "bad_records.parquet", "summary.json"
_CARRIED = 4 * LEAST  # bytes of a partition of documents, whose total is not known
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+)|: item (?P<item>\d+)): (?P<reason>.*)", re.DOTALL)
_OTHER_PLACE = "name another --out"
_SHOWN = 3  # failed partitions in a message
_COLUMNS_SHOWN = 5  # in a message


@dataclass(frozen=True)
class Failed:
    """A partition that could not be computed."""

    reason: str


class Workers(Protocol):
    """Processes that each hold a `PartitionWorker`."""

    def begin(self) -> Job:
        """Load the model; returns when the first worker is ready. Raises what loading it raises."""

    def unordered(self, partitions: Iterable[Partition], job: Job) -> Iterator[tuple[Partition, PartitionReport | Failed]]:
        """`PartitionWorker.compute` of each, in the order in which they get ready.

        What a worker raises on purpose is raised; of one that dies again and again, or breaks, the partition is `Failed`.
        """


@dataclass
class PartitionedResult:
    """What a job did, all partitions together."""

    report: PartitionReport = field(default_factory=PartitionReport)
    computed: int = 0  # partitions, now
    kept: int = 0  # partitions, from an earlier call
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def check_before(settings: PartitionSettings, out: Path, *, resume: bool) -> tuple[Kind, list[Path], Input]:
    """What can be checked without a worker; returns how the input is cut, the files that workers read, and the input for all else.

    Raises: as `predict_partitions`.
    """
    pyarrow_for("--ray")
    if settings.source == STANDARD_INPUT:
        raise ConfigError("--ray: expected an INPUT that can be read again, got standard input; write it to a file first")
    kind, files, given = _opened(settings, None)
    check_output(out, files or given.files, option="--out")
    _check_folder(out, resume)
    return kind, files, given


def predict_partitions(
    settings: PartitionSettings,
    out: Path,
    workers: Workers,
    *,
    resume: bool = False,
    megabytes: float | None = None,
    result: PartitionedResult,
    on_partition: Callable[[int, int | None, PartitionReport], None] | None = None,
) -> None:
    """Compute every partition of the input that is not finished.

    Args:
        out: a folder. workers: with these settings. resume: go on with what an earlier call left there.
        megabytes: of a partition; None: by the size of the input. result: is filled.
        on_partition: called with the number of finished partitions, that of all (None: unknown), and all counts so far.
    Raises: DataError for an input that is broken as a whole; ConfigError if the folder holds another job, or anything without `resume`;
        CheckpointError if another process works there; what workers raise; RelsiftError, at the end, if a partition failed.
    """
    started = time.perf_counter()
    kind, files, given = check_before(settings, out, resume=resume)
    job = workers.begin()
    if job.entities == "gold":
        kind, files, given = _opened(settings, NOTHING_FINDS_ENTITIES)
    make_folder(out / DOCUMENTS)
    with locked(out / LOCK_FILE, busy=f"{out}: expected no other process that predicts here, got one; wait for it, or name another --out"):
        total = sum(file.stat().st_size for file in files)
        size = _size_before(out / JOB_FILE) if megabytes is None else None
        size = size or size_of_partitions(total if files else _CARRIED * 256, megabytes)
        _begin_or_check(out / JOB_FILE, _manifest(job, kind, size, files, given))
        (out / SUMMARY_FILE).unlink(missing_ok=True)
        left_out = ReadReport(on_error="skip")
        partitions = _partitions(kind, files, size, given, left_out, result.notes)
        known = list(partitions) if kind == "rows" else None
        count = None if kind == "documents" else len(known) if known is not None else max(1, round(total / size))
        failed = _compute(known if known is not None else partitions, job, out, workers, result, count, on_partition)
        result.seconds = time.perf_counter() - started
        if failed:
            raise _failure(failed, result, out)
        _finish(out, settings, job, result, left_out)


def _opened(settings: PartitionSettings, why_no_text: str | None) -> tuple[Kind, list[Path], Input]:
    """How the input is cut, the files that workers read, and the input for the one process that reads all else."""
    place = Path(settings.source)
    kind, files = files_to_cut(settings.source) if place.exists() else ("documents", [])
    if kind == "rows":  # which `predict` knows no reader for
        from relsift.annotators.splitters import DEFAULT, find_splitter

        splitter = find_splitter(settings.splitter or DEFAULT)
        return kind, files, Input(source=settings.source, data=None, splitter=splitter, split=splitter.split)
    given = open_input(settings.source, splitter=settings.splitter, no_relation=settings.no_relation, why_no_text=why_no_text)
    return kind, files, given


def _check_folder(out: Path, resume: bool) -> None:
    content = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if out.exists() and not out.is_dir():
        raise DataError(f"--out: {out}: expected a folder, got a file; name another place")
    if content and JOB_FILE not in content and set(content) - {LOCK_FILE, DOCUMENTS}:
        raise ConfigError(f"--out: {out}: expected a new or empty folder, got one that holds {content[0]!r}; name another")
    if JOB_FILE in content and not resume:
        raise ConfigError(f"--out: {out}: expected a new folder, got one of an earlier prediction; go on with --resume, or name another")


def _manifest(job: Job, kind: Kind, size: int, files: list[Path], given: Input) -> dict[str, Any]:
    """Files that are cut can be too large for a checksum; all else is read by one process anyway."""
    facts: dict[str, Any] = {str(file): [(state := file.stat()).st_size, state.st_mtime_ns] for file in files}
    if not files and given.data is not None:
        facts = {given.source: given.data.sha256()}
    return {**asdict(job), "kind": kind, "partition bytes": size, "files": facts}


def _size_before(file: Path) -> int | None:
    """Bytes of a partition in a job that goes on; None: there is none."""
    before = read_json(file, error=ConfigError, advice=_OTHER_PLACE) if file.exists() else {}
    size = before.get("partition bytes") if isinstance(before, dict) else None
    return size if isinstance(size, int) and size > 0 else None


def _begin_or_check(file: Path, manifest: dict[str, Any]) -> None:
    """Raises ConfigError if the folder was begun with other settings."""
    if not file.exists():
        write_json(file, manifest)
        return
    before = read_json(file, error=ConfigError, advice=_OTHER_PLACE)
    before = before if isinstance(before, dict) else {}
    for name, value in manifest.items():
        if before.get(name) != value:
            raise ConfigError(
                f"--resume: expected the {name} with which {file.parent} was begun, {before.get(name)!r}, got {value!r}; use the same "
                "model, input and options as before, or name another --out"
            )


def _partitions(
    kind: Kind, files: list[Path], size: int, given: Input, left_out: ReadReport, notes: list[str]
) -> Iterator[Partition]:
    if kind == "lines":
        return cut_lines(files, size)
    if kind == "documents":
        return cut_documents(given.documents(left_out, notes), size)
    if names := columns_not_read(files):
        shown = ", ".join(names[:_COLUMNS_SHOWN]) + (", …" if len(names) > _COLUMNS_SHOWN else "")
        notes.append(f"{given.source}: {counted(len(names), 'columns')} not read, and not in the output ({shown}); join results by `id`")
    return cut_rows(files, size)


def _compute(
    partitions: Iterable[Partition], job: Job, out: Path, workers: Workers, result: PartitionedResult, count: int | None,
    on_partition: Callable[[int, int | None, PartitionReport], None] | None,
) -> list[tuple[Partition, Failed]]:  # fmt: skip
    def tell() -> None:
        if on_partition is not None:
            done = result.kept + result.computed
            on_partition(done, None if count is None else max(count, done), result.report)

    def missing() -> Iterator[Partition]:
        for partition in partitions:
            file = out / DOCUMENTS / f"{partition.name}.parquet"
            if file.exists():
                result.report.add(read_report(file), faults=False)
                result.kept += 1
                tell()
            else:
                yield partition

    failed = []
    for partition, report in workers.unordered(missing(), job):
        if isinstance(report, Failed):
            failed.append((partition, report))
            continue
        result.report.add(report, faults=False)
        result.computed += 1
        tell()
    return failed


def _failure(failed: list[tuple[Partition, Failed]], result: PartitionedResult, out: Path) -> RelsiftError:
    total = len(failed) + result.computed + result.kept
    shown = "; ".join(f"{partition.place}: {why.reason}" for partition, why in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return RelsiftError(
        f"{out}: expected {counted(total, 'partitions')} to be computed, got {len(failed)} that failed: {shown}{more}; the others are "
        "kept: the same command with --resume tries these again"
    )


def _finish(out: Path, settings: PartitionSettings, job: Job, result: PartitionedResult, left_out: ReadReport) -> None:
    """Write the table of bad records and the summary."""
    report = result.report
    if not report.documents:
        bad = report.num_faults + left_out.num_faults
        got = "broken records only" if bad else "nothing"
        _write_bad_records(out, left_out)
        raise no_text(settings.source, f"{got}; see {out / BAD_RECORDS}" if bad else got)
    of_driver = PartitionReport(dropped=dict(left_out.dropped), examples=dict(left_out.examples), num_faults=left_out.num_faults)
    report.add(of_driver)
    listed = _write_bad_records(out, left_out)
    if listed < report.num_faults:
        result.notes.append(f"{out / BAD_RECORDS}: {report.num_faults - listed} bad records are counted, but not listed")
    if job.entities == "gold" and not report.entities:
        result.notes.append(none_given(settings.source, report.sentences))
    if job.entities == "predicted" and not report.pairs + sum(report.dropped_pairs.values()):
        result.notes.append(none_found(report.sentences))
    result.notes += [
        *never_seen(settings.no_relation, report.left_out()), *report.left_out().lines(), *report.found_left_out().lines(),
        *report.inference().lines(),
    ]  # fmt: skip
    write_json(out / SUMMARY_FILE, {name: value for name, value in asdict(report).items() if name != "faults"})


def _write_bad_records(out: Path, left_out: ReadReport) -> int:
    """The side table, from the files of all partitions and of what this process read itself; returns the number of its rows."""
    pyarrow = pyarrow_for("--ray")
    fields = (("partition", pyarrow.string()), ("file", pyarrow.string()), ("line", pyarrow.int64()), ("reason", pyarrow.string()))
    schema, count = pyarrow.schema(fields), 0
    with replaced_path(out / BAD_RECORDS) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as table:
        for name, faults in _faults(out, left_out):
            rows = [{"partition": name} | bad_record(fault) for fault in faults]
            table.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema=schema))
            count += len(rows)
    return count


def _faults(out: Path, left_out: ReadReport) -> Iterator[tuple[str | None, list[str]]]:
    for file in sorted((out / DOCUMENTS).glob("part-*.parquet")):
        if faults := read_report(file).faults:
            yield file.stem, faults
    if left_out.faults:
        yield None, left_out.faults


def bad_record(message: str) -> dict[str, Any]:
    """File, line and reason of a message that begins with its place.

    >>> bad_record("notes.jsonl:3: expected one JSON object a line, got nothing")
    {'file': 'notes.jsonl', 'line': 3, 'reason': 'expected one JSON object a line, got nothing'}
    """
    found = _PLACE.match(message)
    if found is None:
        return {"file": None, "line": None, "reason": message}
    number = found["line"] or found["item"]
    return {"file": found["file"], "line": int(number), "reason": found["reason"]}
