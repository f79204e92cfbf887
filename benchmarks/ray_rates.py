"""`relsift predict --ray` on this machine: rates and CPU time by workers, memory of a worker, cost of starts, restarts and resumes.

    python benchmarks/ray_rates.py [--quick]

Two cases. *entities given*: invented sentences of 28 tokens and 4 entities, a model of the paper's size with random weights, as in
`memory.py`, and a threshold that a tenth of the pairs reach. *raw text*: JSON lines with a text of two sentences each, `demo-en`, which
finds the entities itself. Each case is predicted by the plain command in one process, and by one and two workers, one thread each. Other
programs may run on the machine: then wall times say little, and the CPU time of a sentence, which is measured beside them, depends on them
little. `cpu_all` is that of the driver, the workers and Ray's own processes, without that of looking at them.

benchmarks/results/ray.json: "figures" has "cases" (per case the sizes, the plain command and the runs), "starts" (seconds and CPU seconds
of a cluster, a first worker and a worker that was killed), "resume" (seconds to look over finished partitions) and "load" (processes that
wanted the processors, at the start and the end).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
from measure import invented, machine, print_table
from memory import write_model, write_sentences

from relsift.corpora.data import resolve
from relsift.extractor import RelationExtractor
from relsift.files import write_json
from relsift.integrations.ray_cluster import RayWorkers, cluster
from relsift.readers.base import ReadReport
from relsift.readers.native import document_of
from relsift.schema import sentences_of
from relsift.streaming.partition_work import PartitionSettings, PartitionWorker, read_report
from relsift.streaming.partitioned import DOCUMENTS, Failed, PartitionedResult, predict_partitions

RESULTS = Path(__file__).parent / "results" / "ray.json"
WORKERS = (1, 2)
TOKENS, ENTITIES, DIFFERENT = 28, 4, 1000
PARTITIONS = 16  # of each case
SHARE = 0.1  # of the pairs of invented sentences that are related
GIVEN, RAW = "entities given", "raw text"
SENTENCES, QUICK_SENTENCES = {GIVEN: 40_000, RAW: 4000}, {GIVEN: 2000, RAW: 200}
SAMPLING = 0.2  # seconds
MEBIBYTE = 2**20


class Watch:
    """CPU time and memory of this process and all below it, looked at every `SAMPLING` seconds."""

    def __init__(self) -> None:
        self.cpu: dict[tuple[int, float], float] = {}
        self.peaks: dict[int, tuple[float, float]] = {}  # of workers: resident and own memory, MiB
        self._root, self._end = psutil.Process(), threading.Event()
        self._own = 0.0  # CPU seconds of looking

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._look()
        before = dict(self.cpu)
        thread = threading.Thread(target=self._loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()
            self._look()
            self.total = sum(value - before.get(key, 0.0) for key, value in self.cpu.items()) - self._own

    def _loop(self) -> None:
        while not self._end.wait(SAMPLING):
            self._look()
        self._own = time.thread_time()

    def _look(self) -> None:
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    self.cpu[process.pid, process.create_time()] = times.user + times.system
                    if (process.cmdline() or [""])[0].startswith("ray::_Host"):
                        memory = process.memory_full_info()
                        before = self.peaks.get(process.pid, (0.0, 0.0))
                        now = memory.rss / MEBIBYTE, memory.uss / MEBIBYTE
                        self.peaks[process.pid] = max(before[0], now[0]), max(before[1], now[1])
            except psutil.Error:  # it has just ended
                continue


def write_cases(folder: Path, counts: dict[str, int]) -> dict[str, tuple[str, Path]]:
    """Case -> model and input."""
    invented_ones = invented(TOKENS, ENTITIES, DIFFERENT)
    write_model(folder / "model", invented_ones)
    write_sentences(folder / "given.jsonl", invented_ones, counts[GIVEN])
    texts = [" ".join(sentence.tokens) for sentence in sentences_of(resolve("gazette-en").documents())]
    with (folder / "raw.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(counts[RAW] // 2):
            text = " ".join(texts[(2 * number + offset) % len(texts)] for offset in range(2))
            stream.write(json.dumps({"id": f"t{number}", "text": text}) + "\n")
    return {GIVEN: (str(folder / "model"), folder / "given.jsonl"), RAW: ("demo-en", folder / "raw.jsonl")}


def threshold_of(model: str, source: Path) -> float | None:
    """Of a model with random weights: from which `SHARE` of the pairs are related. None: its own, of a trained one."""
    if model == "demo-en":
        return None
    with source.open(encoding="utf-8") as stream:
        records = [json.loads(line) for line in islice(stream, DIFFERENT)]
    extractor = RelationExtractor.from_pretrained(model)
    scored = extractor.scored(document_of(one, "line", ReadReport(), key="line") for one in records)
    best = np.concatenate([sentence.scores.max(axis=1) for sentence in scored])
    return float(np.quantile(best, 1 - SHARE))


def plain(model: str, source: Path, out: Path, threshold: float | None) -> dict[str, float]:
    """The command in a process of its own. CPU seconds with and without the start, which is that of a first line alone."""
    first = source.with_suffix(".first.jsonl")
    with source.open(encoding="utf-8") as stream:
        first.write_text("".join(islice(stream, 1)), encoding="utf-8")
    options = ["--out", str(out)] if threshold is None else ["--out", str(out), "--threshold", str(threshold)]
    _cpu_of([model, str(first), *options])  # compiles kernels, if nobody has
    start, _ = _cpu_of([model, str(first), *options])
    cpu, wall = _cpu_of([model, str(source), *options])
    return {"cpu": cpu - start, "start_cpu": start, "wall": wall}


def _cpu_of(arguments: list[str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    null = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, "-m", "relsift", "predict", *arguments]
    _, status = os.waitpid(os.posix_spawn(sys.executable, command, os.environ, file_actions=null), 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: expected status 0, got {os.waitstatus_to_exitcode(status)}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def rates(ray: Any, model: str, source: Path, out: Path, workers: int, threshold: float | None) -> dict[str, Any]:
    """One prediction, after all workers have loaded the model."""
    settings = PartitionSettings(run=model, source=str(source), folder=out / DOCUMENTS, threshold=threshold)
    pool = RayWorkers(ray, partial(PartitionWorker, settings), workers, failed=Failed)
    ray.get([actor.call.remote("begin") for actor in pool.actors])
    result, watch = PartitionedResult(), Watch()
    with watch.watching():
        predict_partitions(settings, out, pool, megabytes=source.stat().st_size / PARTITIONS / 1e6, result=result)
    pool.stop()
    report, files = result.report, sorted((out / DOCUMENTS).glob("part-*.parquet"))
    parts = [read_report(file) for file in files]
    written = sum(file.stat().st_size for file in files)
    # A worker's first partition loads kernels and fills caches; the median leaves that out.
    steady = statistics.median(part.cpu_seconds / part.sentences for part in parts)
    return {
        "workers": workers, "partitions": result.computed, "wall": result.seconds,
        "cpu_workers": report.cpu_seconds, "cpu_all": watch.total, "cpu_sentence": steady,
        "busy_share": report.cpu_seconds / report.wall_seconds, "sentences": report.sentences, "pairs": report.pairs,
        "relations": report.relations, "bytes_out": written, "rss_mib": max(peak for peak, _ in watch.peaks.values()),
        "uss_mib": max(own for _, own in watch.peaks.values()),
    }  # fmt: skip


def starts(model: str, source: Path, out: Path) -> dict[str, dict[str, float]]:
    """A cluster, its first worker with a model, and a worker that is killed: until each is ready."""
    found: dict[str, dict[str, float]] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        watch, started = Watch(), time.perf_counter()
        with watch.watching():
            yield
        found[name] = {"wall": time.perf_counter() - started, "cpu": watch.total}

    with timed("cluster"):
        context = cluster(None, max(WORKERS))
        ray = context.__enter__()
    try:
        settings = PartitionSettings(run=model, source=str(source), folder=out / DOCUMENTS)
        with timed("worker"):
            pool = RayWorkers(ray, partial(PartitionWorker, settings), 1, failed=Failed)
            pool.begin()
        (worker,) = [p for p in psutil.Process().children(recursive=True) if (p.cmdline() or [""])[0].startswith("ray::_Host")]
        with timed("restart"):
            worker.send_signal(signal.SIGKILL)
            worker.wait(60)
            pool.begin()
        pool.stop()
    finally:
        context.__exit__(None, None, None)
    return found


def resumed(ray: Any, model: str, source: Path, out: Path, threshold: float | None) -> float:
    """Seconds to see that nothing is left to do, with a worker that is ready."""
    result = PartitionedResult()
    settings = PartitionSettings(run=model, source=str(source), folder=out / DOCUMENTS, threshold=threshold)
    pool = RayWorkers(ray, partial(PartitionWorker, settings), 1, failed=Failed)
    pool.begin()
    predict_partitions(settings, out, pool, resume=True, result=result)
    pool.stop()
    if result.computed:
        raise SystemExit(f"expected nothing to compute, got {result.computed} partitions")
    return result.seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="few sentences, to see that it works; writes nothing")
    quick = options.parse_args().quick
    os.environ["OMP_NUM_THREADS"] = "1"
    load, counts = [os.getloadavg()[0]], QUICK_SENTENCES if quick else SENTENCES
    cases: list[dict[str, Any]] = []
    with TemporaryDirectory() as place:
        folder = Path(place)
        inputs = write_cases(folder, counts)
        thresholds = {name: threshold_of(model, source) for name, (model, source) in inputs.items()}
        commands = {name: plain(*inputs[name], folder / "plain.jsonl", thresholds[name]) for name in inputs}
        started = starts(*inputs[GIVEN], folder / "starts")
        with cluster(None, max(WORKERS)) as ray:
            for name, (model, source) in inputs.items():
                places = {workers: folder / f"{source.stem}-{workers}" for workers in WORKERS}
                runs = [rates(ray, model, source, place, workers, thresholds[name]) for workers, place in places.items()]
                cases.append({"name": name, "bytes_in": source.stat().st_size, "plain": commands[name], "runs": runs})
            model, source = inputs[GIVEN]
            again = resumed(ray, model, source, folder / f"{source.stem}-1", thresholds[GIVEN])
    load.append(os.getloadavg()[0])
    rows = [
        [case["name"], run["workers"], run["sentences"], f"{run['sentences'] / run['wall']:.0f}", f"{1e6 * run['cpu_sentence']:.0f}",
         f"{1e6 * (run['cpu_all'] - run['cpu_workers']) / run['sentences']:.0f}",
         f"{1e6 * case['plain']['cpu'] / run['sentences']:.0f}", f"{run['uss_mib']:.0f}"]
        for case in cases for run in case["runs"]
    ]  # fmt: skip
    print_table(["case", "workers", "sentences", "sentences/s", "CPU µs, worker", "CPU µs, Ray", "CPU µs, plain", "own MiB"], rows)
    print("starts:", started, "resume:", again, "load:", load)
    if not quick:
        figures = {"cases": cases, "starts": started, "resume": {"partitions": PARTITIONS, "wall": again}, "load": load}
        where = machine() | {"ray": version("ray")}
        write_json(RESULTS, {"command": "python benchmarks/ray_rates.py", "machine": where, "figures": figures})


if __name__ == "__main__":
    main()
