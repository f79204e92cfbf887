"""Memory and time of training as its data grow: with the sentences in memory, and with `--on-disk` in a file.

    python benchmarks/training_memory.py [--quick]

Each row is a process of its own that reads a native file as `relsift train` does, encodes it for `bilstm_pcnn`, makes the model, and trains
the first batches of an epoch: all that grows with the data is then there. The sentences are invented, all different, of 28 tokens and 4
entities, words by Zipf's law.

benchmarks/results/performance/training_memory.json: "figures" has "rows" and "kib_a_sentence", the growth of `encoded_mib` between the two
longest files, by place. Fields of a row: sentences, place (memory or disk), read_mib and encoded_mib (resident after reading, after
encoding), peak_mib, disk_mib (of the files), start_seconds (CPU time up to the first batch), batch_ms (CPU time of a batch, the mean of the
first ones), reading_ms (of that, what getting the examples of a batch takes, measured by itself), batches (of an epoch).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from cases import options
from measure import invented, print_table, save
from memory import ENTITIES, TOKENS

from relsift.config import load_config
from relsift.encoding.batch import cut
from relsift.schema import Document
from relsift.training.data import training_data
from relsift.training.example_file import ExampleFile
from relsift.training.loop import fit, prepare
from relsift.training.sentence_file import SentenceFile
from relsift.writers.native import lines

MEMORY, DISK = "memory", "disk"
LENGTHS, QUICK_LENGTHS = (1000, 100_000, 1_000_000), (500, 2000)  # sentences
BATCHES, QUICK_BATCHES = 500, 5  # that are trained
AT_ONCE = 10_000  # sentences that this script holds while it writes them
ONE = "--one"  # the length of a process of its own
MEBI, KIBI = 2**20, 2**10


class Enough(Exception):
    """Ends a training."""


def resident() -> float:
    """MiB of this process."""
    return round(psutil.Process().memory_info().rss / MEBI, 1)


def measure(training: str, development: str, place: str, batches: int) -> dict[str, Any]:
    """In this process, whose peak counts."""
    import resource

    config = load_config(model="bilstm_pcnn", preset=None)
    data = training_data(training, development, on_disk=Path(training).parent if place == DISK else None)
    read = resident()
    prepared = prepare(config, data.run.training, data.run.development)
    encoded, groups, times = resident(), prepared.training_set.groups, list[float]()

    def on_batch(done: int, _: int) -> None:
        times.append(time.process_time())
        if len(times) > batches:
            raise Enough

    with suppress(Enough):
        fit(prepared, on_batch=on_batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MEBI if sys.platform == "darwin" else KIBI)  # bytes there, KiB elsewhere
    order = list(cut(prepared.training_set.works(), max_pairs=config.training.batch_pairs, max_tokens=config.training.batch_tokens, seed=1))
    started = time.process_time()
    for numbers in order[:batches]:
        assert all(groups[number] for number in numbers)
    reading = time.process_time() - started
    files = [part._file.size for part in (data.run.training, groups) if isinstance(part, (SentenceFile, ExampleFile))]
    return {
        "read_mib": read, "encoded_mib": encoded, "peak_mib": round(peak, 1), "disk_mib": round(sum(files) / MEBI, 1),
        "start_seconds": round(times[0], 1), "batch_ms": round(1000 * (times[-1] - times[0]) / (len(times) - 1), 2),
        "reading_ms": round(1000 * reading / len(order[:batches]), 2), "batches": len(order),
    }  # fmt: skip


def write(file: Path, count: int, seed: int) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for start in range(0, count, AT_ONCE):
            for sentence in invented(TOKENS, ENTITIES, min(AT_ONCE, count - start), seed=seed + start):
                own = replace(sentence, id=f"{start}-{sentence.id}")
                stream.writelines(f"{line}\n" for line in lines(Document(own.id, (own,))))


def row(folder: Path, count: int, place: str, batches: int) -> dict[str, Any]:
    command = [sys.executable, __file__, ONE, str(folder / "train.jsonl"), str(folder / "dev.jsonl"), place, str(batches)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return {"sentences": count, "place": place, **json.loads(done.stdout)}


def growth(rows: list[dict[str, Any]], place: str) -> float:
    """KiB a sentence, from the two longest files."""
    low, high = [row for row in rows if row["place"] == place][-2:]
    return round((high["encoded_mib"] - low["encoded_mib"]) * KIBI / (high["sentences"] - low["sentences"]), 3)


def main() -> None:
    if ONE in sys.argv:
        training, development, place, batches = sys.argv[2:]
        print(json.dumps(measure(training, development, place, int(batches))))
        return
    quick = options(__doc__).quick
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "dev.jsonl", 200, seed=1)
        rows = []
        for count in QUICK_LENGTHS if quick else LENGTHS:
            write(folder / "train.jsonl", count, seed=0)
            for place in (DISK, MEMORY):
                rows.append(row(folder, count, place, QUICK_BATCHES if quick else BATCHES))
                print(rows[-1], flush=True)
    print_table(list(rows[0]), [list(one.values()) for one in rows])
    of_place = {place: growth(rows, place) for place in (MEMORY, DISK)}
    print(f"KiB a sentence: {of_place}")
    if not quick:
        print(save("training_memory", "python benchmarks/training_memory.py", {"rows": rows, "kib_a_sentence": of_place}))


if __name__ == "__main__":
    main()
