"""Whether the working tree is slower than another commit: the same stages with both codes, in turns.

    python benchmarks/compare.py BASE [--pairs 9] [--margin 0.1] [--case NAME=COMMAND]... [--save NAME]
    make bench COMPARE=BASE

BASE is a commit, a branch or a tag. Its files are checked out into a temporary folder, and one process for each of the two codes
(`stages.py`) waits to be asked. They are asked in turns, now one first, now the other, so that what else the machine does disturbs both
alike. What counts is CPU time. The ratio of a stage is new to old, the geometric mean over the pairs, with the 95 % interval of
Student's t on the logarithms. A stage is *slower* or *faster* if the interval holds no 1, else no difference was seen.

Exit status: 1 if the whole interval of some stage lies above 1 + margin, else 0. With many stages one in forty looks slower by chance:
that is what the margin is for.

Cases: of `stages.py`, such as `--case "ddi=predict runs/ddi test.jsonl"`. Without any: reading, prediction and training of invented
sentences with a model of the paper's size, and the start of the command line. `--save NAME` writes
benchmarks/results/performance/NAME.json: "figures" has base, pairs, margin and "rows": case, stage, old and new (median CPU seconds),
ratio, low, high, verdict.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scipy.special import stdtrit

ROOT = Path(__file__).parent.parent
WORKER = Path(__file__).parent / "stages.py"
PAIRS, LEAST_PAIRS = 9, 3
MARGIN = 0.10  # of the old time: less than that is no failure
LEAST_SECONDS = 0.002  # of CPU; a shorter stage is not judged, its clock is too coarse
START = "start"
SLOWER, FASTER, EVEN = "slower", "faster", "no difference seen"

Stages = Mapping[str, float]
Measure = Callable[[], Stages]


@dataclass(frozen=True)
class Row:
    """One stage of one case."""

    case: str
    stage: str
    old: float  # median CPU seconds
    new: float
    ratio: float  # new to old
    low: float  # of the 95 % interval of the ratio
    high: float
    verdict: str


def ratio_of(old: Sequence[float], new: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean of new / old over the pairs, and the ends of its 95 % interval.

    >>> tuple(round(one, 3) for one in ratio_of([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]))
    (2.0, 2.0, 2.0)
    """
    logs = [math.log(after / before) for before, after in zip(old, new, strict=True)]
    mean = statistics.fmean(logs)
    reach = float(stdtrit(len(logs) - 1, 0.975)) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - reach), math.exp(mean + reach)


def in_turns(old: Measure, new: Measure, pairs: int) -> tuple[list[Stages], list[Stages]]:
    """What both measure, `pairs` times each; every second time the new one goes first."""
    befores, afters = [], []
    for number in range(pairs):
        if number % 2:
            afters.append(new())
            befores.append(old())
        else:
            befores.append(old())
            afters.append(new())
    return befores, afters


def judged(case: str, befores: Sequence[Stages], afters: Sequence[Stages]) -> Iterator[Row]:
    """The stages that both codes have, but for very short ones."""
    for stage in befores[0]:
        old, new = [one.get(stage, 0.0) for one in befores], [one.get(stage, 0.0) for one in afters]
        if min(*old, *new) < LEAST_SECONDS:
            continue
        ratio, low, high = ratio_of(old, new)
        verdict = SLOWER if low > 1 else FASTER if high < 1 else EVEN
        yield Row(case, stage, statistics.median(old), statistics.median(new), ratio, low, high, verdict)


def too_slow(rows: Sequence[Row], margin: float) -> list[Row]:
    return [row for row in rows if row.low > 1 + margin]


@contextmanager
def checked_out(base: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder. Ends this script if there is no such commit."""
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"], capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(f"BASE: expected a commit, a branch or a tag, got {base!r}; `git log --oneline` lists commits")
    with TemporaryDirectory() as place:
        archive = subprocess.run(["git", "-C", ROOT, "archive", found.stdout.strip(), "src"], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", place], input=archive.stdout, check=True)
        yield Path(place)


def environment(tree: Path) -> dict[str, str]:
    """One thread, the code of this tree, and a place for compiled kernels of its own: the other code's have the same names."""
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return {**os.environ, **threads, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": ""}


@contextmanager
def worker(tree: Path, arguments: Sequence[str]) -> Iterator[Measure]:
    """A process that times its stages each time it is called."""
    command = [sys.executable, str(WORKER), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(tree)) as process:
        assert process.stdin is not None and process.stdout is not None

        def once() -> Stages:
            assert process.stdin is not None and process.stdout is not None
            try:
                process.stdin.write("\n")
                process.stdin.flush()
            except BrokenPipeError:
                pass  # the answer says it
            answer = process.stdout.readline()
            if not answer:
                raise SystemExit(f"{shlex.join(command)}: expected one line of JSON, got the end; its own message is above")
            stages: Stages = json.loads(answer)
            return stages

        yield once
        process.stdin.close()


def start_of(tree: Path, commands: Mapping[str, Sequence[str]]) -> Measure:
    """CPU seconds of whole processes of the command line."""

    def cpu(command: Sequence[str]) -> float:
        line = [sys.executable, "-m", "relsift.cli.main", *command]
        child = os.posix_spawn(sys.executable, line, environment(tree), file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        _, status, used = os.wait4(child, 0)
        if status:
            raise SystemExit(f"{shlex.join(line)}: exit status {os.waitstatus_to_exitcode(status)}")
        return used.ru_utime + used.ru_stime

    return lambda: {name: cpu(command) for name, command in commands.items()}


def usual_cases(place: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Cases of `stages.py` and commands to start, on invented sentences and a model with random weights."""
    from measure import invented
    from memory import write_model, write_sentences

    sentences = invented(28, 5, 1000)
    write_model(place / "model", sentences)
    write_sentences(place / "in.jsonl", sentences, 1000)
    write_sentences(place / "ten.jsonl", sentences, 10)
    for part, count, seed in (("train", 300, 0), ("dev", 100, 1)):
        (place / "data").mkdir(exist_ok=True)
        write_annotated(place / "data" / f"{part}.jsonl", count, seed)
    predict = ["predict", str(place / "model"), str(place / "ten.jsonl"), "--out", str(place / "ten-out.jsonl")]
    cases = {
        "predict": ["predict", str(place / "model"), str(place / "in.jsonl")],
        "train": ["train", str(place / "data"), "model.name=multitask_cnn", "model.preset=paper"],
    }
    return cases, {"--help": ["--help"], "models": ["models"], "predict ten sentences": predict}


def write_annotated(file: Path, count: int, seed: int) -> None:
    from measure import invented

    from relsift.schema import Document
    from relsift.writers.native import lines

    with file.open("w", encoding="utf-8") as stream:
        for number, sentence in enumerate(invented(28, 5, count, seed=seed)):
            stream.writelines(f"{line}\n" for line in lines(Document(f"d{seed}-{number}", (sentence,))))


def measured(base: Path, cases: Mapping[str, Sequence[str]], starts: Mapping[str, Sequence[str]], pairs: int) -> Iterator[Row]:
    for case, arguments in cases.items():
        with ExitStack() as stack:
            old, new = (stack.enter_context(worker(tree, arguments)) for tree in (base, ROOT))
            yield from judged(case, *in_turns(old, new, pairs))
    if starts:
        old, new = start_of(base, starts), start_of(ROOT, starts)
        old(), new()  # from here on bytecode and kernels lie on disk
        yield from judged(START, *in_turns(old, new, pairs))


def main(arguments: Sequence[str] | None = None) -> int:
    from measure import print_table, save

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", metavar="BASE")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"measurements of each code, {LEAST_PAIRS} or more")
    parser.add_argument("--margin", type=float, default=MARGIN, help="share by which a stage may be slower")
    parser.add_argument("--case", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--save", metavar="NAME")
    options = parser.parse_args(arguments)
    if options.pairs < LEAST_PAIRS:
        parser.error(f"--pairs: expected {LEAST_PAIRS} or more, got {options.pairs}")
    given = {name: shlex.split(command) for name, _, command in (case.partition("=") for case in options.case)}
    with checked_out(options.base) as base, TemporaryDirectory() as place:
        cases, starts = (given, {}) if given else usual_cases(Path(place))
        rows = []
        for row in measured(base, cases, starts, options.pairs):
            rows.append(row)
            print(f"{row.case}, {row.stage}: {row.ratio:.2f} ({row.low:.2f} to {row.high:.2f}), {row.verdict}", flush=True)
    print_table(
        ("case", "stage", "old, s", "new, s", "ratio", "95 % interval", "verdict"),
        [(r.case, r.stage, f"{r.old:.3f}", f"{r.new:.3f}", f"{r.ratio:.2f}", f"{r.low:.2f} to {r.high:.2f}", r.verdict) for r in rows],
    )
    if options.save:
        figures = {"base": options.base, "pairs": options.pairs, "margin": options.margin, "rows": [asdict(row) for row in rows]}
        print(save(options.save, f"python benchmarks/compare.py {options.base} --save {options.save}", figures))
    slow = too_slow(rows, options.margin)
    for row in slow:
        print(f"slower by more than {options.margin:.0%}: {row.case}, {row.stage}, {row.ratio:.2f} times the old CPU time")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
