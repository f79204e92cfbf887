"""Commands in forked children with limits, and what must never come of them; what all trials of `faults.py` share.

Importing torch takes seconds, a trial takes milliseconds. So this process imports all that the commands need, once; each batch of
trials runs in a child of its own, where a command is called as `relsift` calls it. A child that hangs or dies is replaced.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

CANNOT_WRITE, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses
HANG_SECONDS = 20.0  # of processor time
WALL_SECONDS = 240.0  # on a busy machine a command waits for the processor
MEMORY_MB = 2048  # beyond what the imports take
LONGEST_LINE = 5000  # characters of what is printed: no file name and no value of the data is longer than a screen
# Packages and modules that commands import when they run; and those of them that training needs.
_OF_TRAINING = ("torch._dynamo", "torch.profiler", "sklearn.linear_model", "sklearn.isotonic", "relsift.training.run", "relsift.cli.main")
_IMPORTED_LATE = (
    "torch._dynamo", "torch.profiler", "encodings.utf_8_sig", "sklearn.linear_model", "sklearn.isotonic", "scipy.optimize",
    "optuna.samplers", "alembic.command", "alembic.migration", "sqlalchemy.dialects.sqlite", "pyarrow.parquet", "matplotlib.style",
    "matplotlib.figure", "matplotlib.backends.backend_svg", "rich.console", "rich.table", "spacy", "transformers", "tokenizers",
    "relsift.cli.main", "relsift.extractor", "relsift.training.run", "relsift.training.tuning", "relsift.training.seeds",
    "relsift.experiments.cv", "relsift.experiments.grid", "relsift.experiments.learning_curve", "relsift.experiments.report.summary",
    "relsift.corpora.validation", "relsift.corpora.statistics", "relsift.corpora.convert", "relsift.corpora.prepare",
    "relsift.streaming.predict", "relsift.streaming.annotate", "relsift.exporting.export",
)  # fmt: skip
_TIMES = (
    r'"(seconds|seconds_per_epoch|started|date|mtime_ns)": ?("[^"]*"|[\d.]+)', r"\d+(\.\d+)? s\b", r"\d+ seconds in all",
    r"[\d.]+ (sentences|pairs)/s", r"\d+\.\d(?= \| \d+\.\d \| \d+\.\d \| \S*\d\.\d{3} \|\n)",  # the last: of costs
)  # fmt: skip
_SHOWN = 600  # characters of an output that a report quotes
_FOLDERS = re.compile(r"""[^\s"'\\:]*/(?=(?:src/relsift|site-packages|relsift-faults-\w+)/)""")

Command = Sequence[object]
"""The arguments of one `relsift` command; before them RELSIFT_NAME=value, as in a shell."""


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    status: int | str  # exit status; "traceback", "hang" or "signal N"
    out: str
    err: str
    seconds: float = 0.0  # of processor time
    memory_mb: float = 0.0  # beyond what the imports take, at its peak

    @property
    def told(self) -> list[str]:
        """The lines on standard error that are errors."""
        return [line for line in self.err.splitlines() if line.startswith("relsift: error: ")]

    def fault(self, *allowed: int) -> str | None:
        """What is wrong with the way in which it ended, whatever the command; None: nothing. Args: allowed: exit statuses."""
        if isinstance(self.status, str) or "Traceback" in self.err:
            return str(self.status)
        if self.status not in allowed:
            return f"exit status {self.status}"
        if self.memory_mb > MEMORY_MB or "expected enough memory" in self.err:
            return f"memory: {self.memory_mb:.0f} MB"
        if (longest := max(map(len, self.err.splitlines()), default=0)) > LONGEST_LINE:
            return f"a line of {longest} characters"
        if self.status and not self.out and len(self.told) != 1 and "Usage: " not in self.err:
            return f"{len(self.told)} error lines"
        return None


def without_places(text: str) -> str:
    """Without the folders of this machine: where the code, its packages and the scratch folder lie."""
    return _FOLDERS.sub("", text)


@dataclass
class Tally:
    """Trials and faults of one kind."""

    trials: Counter[str] = field(default_factory=Counter)  # kind -> trials
    refused: Counter[str] = field(default_factory=Counter)  # kind -> trials that ended with one line
    faults: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0  # of processor time, of the slowest command
    memory_mb: float = 0.0

    def count(self, kind: str, refused: bool) -> None:
        self.trials[kind] += 1
        self.refused[kind] += refused

    def watch(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.seconds, self.memory_mb = max(self.seconds, outcome.seconds), max(self.memory_mb, outcome.memory_mb)

    def fault(self, kind: str, what: str, trial: str, outcome: Outcome | None = None) -> None:
        told = "" if outcome is None else f"{outcome.err[-_SHOWN:]}{outcome.out[-_SHOWN:] if not outcome.err else ''}"
        self.faults.append({"kind": kind, "what": what, "trial": trial, "told": without_places(told)})
        print(f"FAULT {kind}: {what}: {trial}\n  {told}", file=sys.stderr, flush=True)

    def add(self, other: Tally) -> None:
        self.trials += other.trials
        self.refused += other.refused
        self.faults += other.faults
        self.seconds, self.memory_mb = max(self.seconds, other.seconds), max(self.memory_mb, other.memory_mb)

    def to_json(self) -> dict[str, Any]:
        kinds = {kind: {"trials": count, "refused": self.refused[kind]} for kind, count in self.trials.items()}
        worst = {"worst_cpu_seconds": round(self.seconds, 2), "worst_memory_mb": round(self.memory_mb)}
        return {"kinds": kinds, **worst, "faults": self.faults}


def prepare_imports(*, few: bool = False) -> None:
    """Import what the commands import when they run, or the few packages of training. Children need it no more."""
    if few:
        for module in _OF_TRAINING:
            import_module(module)
        return
    os.environ |= {"OMP_NUM_THREADS": "1", "RELSIFT_KERNEL": "torch", "COLUMNS": "200", "TOKENIZERS_PARALLELISM": "false"}
    from relsift.registry import find, table

    for kind in ("reader", "writer", "model", "annotator"):
        for name in table(kind):
            find(kind, name)
    for module in _IMPORTED_LATE:
        with suppress(ImportError):
            import_module(module)


# ---- calling


def call(arguments: Command) -> tuple[int | str, str, str]:
    """One command in this process: its exit status, standard output and standard error."""
    from relsift.cli.main import main

    out, err, streams, name = io.StringIO(), io.StringIO(), (sys.stdout, sys.stderr), sys.argv
    sys.stdout, sys.stderr, sys.argv = out, err, ["relsift", *map(str, arguments)]
    status: int | str = 0
    try:
        main()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    except BaseException:  # whatever it is, the user would see a traceback
        status = "traceback"
        traceback.print_exc(file=err)
    finally:
        (sys.stdout, sys.stderr), sys.argv = streams, name
    return status, out.getvalue(), err.getvalue()


def _status(name: str) -> float:
    """A line of /proc/self/status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _measured(arguments: Command) -> Outcome:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    variables = [str(argument) for argument in arguments if re.match(r"RELSIFT_\w+=", str(argument))]
    os.environ |= dict(variable.split("=", 1) for variable in variables)
    before, started = _status("VmRSS"), time.process_time()
    status, out, err = call(arguments[len(variables) :])
    return Outcome(status, out, err, time.process_time() - started, max(0.0, _status("VmHWM") - before))


def _work(tasks: Sequence[Sequence[Command]], begin: tuple[int, int], answers: int, setup: Callable[[], object] | None) -> None:
    """The child: all commands from `begin` on, one line of JSON each."""
    limit = int((_status("VmSize") + 2 * MEMORY_MB) * 2**20)  # a guard for the machine: address space is more than memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if setup is not None:
        setup()
    with os.fdopen(answers, "w") as stream:
        for number, task in enumerate(tasks[begin[0] :], start=begin[0]):
            for place, command in enumerate(task):
                if (number, place) >= begin:
                    stream.write(json.dumps(asdict(_measured(command))) + "\n")
                    stream.flush()


def run(tasks: Sequence[Sequence[Command]], *, setup: Callable[[], object] | None = None) -> list[list[Outcome]]:
    """Carry out tasks of several commands each in a forked child, and in a new one after each that dies or hangs."""
    results: list[list[Outcome]] = [[] for _ in tasks]
    places = [(number, place) for number, task in enumerate(tasks) for place in range(len(task))]
    done = 0
    while done < len(places):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                _work(tasks, places[done], writing, setup)
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as stream:
            for line in _lines(stream, child):
                if line is None:
                    break
                results[places[done][0]].append(Outcome(**json.loads(line)))
                done += 1
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if done < len(places) and line is None:
            results[places[done][0]].append(Outcome("hang", "", "", HANG_SECONDS))
            done += 1
        elif done < len(places):
            results[places[done][0]].append(Outcome(f"signal {-os.waitstatus_to_exitcode(status)}", "", ""))
            done += 1
    return results


def _cpu_seconds(child: int) -> float:
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _lines(stream: io.RawIOBase, child: int) -> Iterator[bytes | None]:
    """The child's lines; at last None if it hangs."""
    rest, cpu, wall = b"", 0.0, time.monotonic()
    while True:
        if select.select([stream], [], [], 1.0)[0]:
            got = stream.read(1 << 20)
            if not got:
                return
            *whole, rest = (rest + got).split(b"\n")
            yield from whole
            if whole:
                cpu, wall = _cpu_seconds(child), time.monotonic()
        elif _cpu_seconds(child) - cpu > HANG_SECONDS or time.monotonic() - wall > WALL_SECONDS:
            yield None
            return


def without_times(text: str) -> str:
    """A text without recorded times and speeds, which differ from run to run."""
    for pattern in _TIMES:
        text = re.sub(pattern, "TIME", text)
    return text


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def seeded(*names: object) -> random.Random:
    """Random numbers that depend on the names alone."""
    return random.Random("/".join(map(str, names)))
