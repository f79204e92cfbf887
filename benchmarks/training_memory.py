"""Memory of training as its data grow: what the sentences need once they are read, what their encoding needs, and the peak.

    python benchmarks/training_memory.py [--quick]

Each length is a process of its own that reads a native file as `relsift train` does, encodes it for `bilstm_pcnn` and makes the model: all
that grows with the data is then in memory. The sentences are invented, all different, of 28 tokens and 4 entities, words by Zipf's law.

benchmarks/results/performance/training_memory.json: "figures" has "by_sentences" (records of sentences, read_mib, encoded_mib, peak_mib,
cpu_seconds), and "kib_a_sentence" with "read", "encoded" and "peak", from the growth between the two longest files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from cases import options
from measure import invented, print_table, save
from memory import ENTITIES, TOKENS

from relsift.config import load_config
from relsift.schema import Document
from relsift.training.data import training_data
from relsift.training.loop import prepare
from relsift.writers.native import lines

LENGTHS, QUICK_LENGTHS = (1000, 100_000, 1_000_000), (500, 2000)  # sentences
AT_ONCE = 10_000  # sentences that this script holds while it writes them
ONE = "--one"  # the length of a process of its own
MEBI, KIBI = 2**20, 2**10


def resident() -> float:
    """MiB of this process."""
    return round(psutil.Process().memory_info().rss / MEBI, 1)


def measure(training: str, development: str) -> dict[str, Any]:
    """In this process, whose peak counts."""
    import resource

    started = time.process_time()
    config = load_config(model="bilstm_pcnn", preset=None)
    data = training_data(training, development)
    read = resident()
    prepared = prepare(config, data.run.training, data.run.development)
    encoded = resident()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MEBI if sys.platform == "darwin" else KIBI)  # bytes there, KiB elsewhere
    assert prepared.training_set.groups
    return {"read_mib": read, "encoded_mib": encoded, "peak_mib": round(peak, 1), "cpu_seconds": round(time.process_time() - started, 1)}


def write(file: Path, count: int, seed: int) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for start in range(0, count, AT_ONCE):
            for sentence in invented(TOKENS, ENTITIES, min(AT_ONCE, count - start), seed=seed + start):
                own = replace(sentence, id=f"{start}-{sentence.id}")
                stream.writelines(f"{line}\n" for line in lines(Document(own.id, (own,))))


def row(place: Path, count: int) -> dict[str, Any]:
    write(place / "train.jsonl", count, seed=0)
    command = [sys.executable, __file__, ONE, str(place / "train.jsonl"), str(place / "dev.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return {"sentences": count, **json.loads(done.stdout)}


def main() -> None:
    if ONE in sys.argv:
        print(json.dumps(measure(*sys.argv[2:])))
        return
    quick = options(__doc__).quick
    with TemporaryDirectory() as folder:
        place = Path(folder)
        write(place / "dev.jsonl", 200, seed=1)
        rows = [row(place, count) for count in (QUICK_LENGTHS if quick else LENGTHS)]
    print_table(list(rows[0]), [list(one.values()) for one in rows])
    low, high = rows[-2:]
    sentences = high["sentences"] - low["sentences"]
    growth = {name: round((high[f"{name}_mib"] - low[f"{name}_mib"]) * KIBI / sentences, 2) for name in ("read", "encoded", "peak")}
    print(f"KiB a sentence: {growth}")
    if not quick:
        print(save("training_memory", "python benchmarks/training_memory.py", {"by_sentences": rows, "kib_a_sentence": growth}))


if __name__ == "__main__":
    main()
