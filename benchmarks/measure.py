"""What the speed and memory benchmarks share: a clock, invented sentences, the machine's description, one JSON file of figures each."""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

from relsift.environment import cpu_name
from relsift.files import write_json
from relsift.report.blocks import Table
from relsift.report.terminal import plain_text
from relsift.schema import Entity, Relation, Sentence

RESULTS = Path(__file__).parent / "results" / "performance"


def seconds(
    function: Callable[[], Any], *, budget: float = 2.0, least: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median time of one call, after one call that is not counted, over `budget` seconds and at least `least` calls.

    Args: clock: time on the wall; `time.process_time`, of all threads together, where other work on the machine would disturb it.
    """
    function()
    times: list[float] = []
    started = clock()
    while len(times) < least or clock() - started < budget:
        before = clock()
        function()
        times.append(clock() - before)
    return statistics.median(times)


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "date": date.today().isoformat(), "cpu": cpu_name(), "cpus": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(), **{name: version(name) for name in ("relsift", "torch", "numba", "numpy")},
    }  # fmt: skip


def save(name: str, command: str, figures: Any) -> Path:
    """Write benchmarks/results/performance/NAME.json; returns the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    write_json(file, {"command": command, "machine": machine(), "figures": figures})
    return file


def invented(tokens: int, entities: int, count: int, *, words: int = 8000, seed: int = 0) -> list[Sentence]:
    """Sentences of one shape: words by Zipf's law, entities of one to three tokens anywhere, four types, five relations."""
    draw = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(words)]
    weights = list(accumulate(1 / (number + 1) for number in range(words)))
    sentences = []
    for number in range(count):
        text = tuple(draw.choices(vocabulary, cum_weights=weights, k=tokens))
        starts = [draw.randrange(tokens) for _ in range(entities)]
        mentions = tuple(Entity(start, min(tokens, start + draw.randint(1, 3)), draw.choice("ABCD")) for start in starts)
        sentences.append(Sentence(f"s{number}", text, mentions, (Relation(0, 1, f"r{number % 5}"),)))
    return sentences


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """To the terminal, the first column flush left and the others flush right."""
    print(plain_text(Table.of(head, rows)))


def write_between(marks: tuple[str, str], file: Path, text: str) -> None:
    """Replace what stands between two lines of a page written by hand."""
    before, first, rest = file.read_text(encoding="utf-8").partition(marks[0])
    _, last, after = rest.partition(marks[1])
    if not (first and last):
        raise SystemExit(f"{file}: expected the lines {marks[0]} and {marks[1]}, one or both are missing; put them back")
    file.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8")
