"""Peak resident memory of `relsift predict` as a process: as the file grows, and as the entities of a sentence do.

    python benchmarks/memory.py [--quick]

The model has the paper's size and random weights. Longer files hold the same sentences more often, under new ids, so that nothing but the
length differs. Sentences of many entities are fewer, so that every file has some work for the model and none takes for ever.

benchmarks/results/performance/memory.json: "figures" has "by_file_length" (records of sentences, peak_mib), "by_entities" (records of
entities, pairs_per_sentence, sentences, peak_mib) and "growth" with "aim", the most that it should be: what the longest file took more than
the shortest one, as a share. The allocator alone moves peaks by some percent up or down.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cases import options
from measure import invented, print_table, save

from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.inference import Scorer
from relsift.registry import find
from relsift.schema import Document, Sentence
from relsift.writers.native import lines

LENGTHS, QUICK_LENGTHS = (1000, 10_000, 100_000), (500, 2000)  # sentences
TOKENS, ENTITIES = 28, 4  # a sentence, where the file grows
DIFFERENT = 1000  # sentences, before they come again
LONG_TOKENS, MANY, QUICK_MANY = 60, (2, 5, 10, 25, 50, 100), (2, 25)  # tokens; entities a sentence, where these grow
PAIRS = 200_000  # a file, where entities grow
AIM = 0.05  # of the shortest file's peak


def write_model(folder: Path, sentences: Sequence[Sentence]) -> None:
    encoding = Encoding.fit(sentences, reads=find("model", "multitask_cnn").READS)
    scorer = Scorer(build("multitask_cnn", {}, encoding).eval(), encoding, Candidates())
    Bundle("multitask_cnn", scorer, Decision(threshold=5.0)).save(folder)


def write_sentences(file: Path, sentences: Sequence[Sentence], count: int) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for number in range(count):
            s = sentences[number % len(sentences)]
            again = Sentence(f"s{number}", s.tokens, s.entities)
            stream.writelines(f"{line}\n" for line in lines(Document(again.id, (again,))))


def peak(model: Path, source: Path) -> float:
    """MiB, of the process alone. Ends this script if it fails."""
    command = [sys.executable, "-m", "relsift.cli.main", "predict", str(model), str(source), "--out", f"{source}.out.jsonl"]
    with source.with_suffix(".log").open("w+", encoding="utf-8") as log:
        child = os.posix_spawn(sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, log.fileno(), 2)])
        _, status, used = os.wait4(child, 0)
        if status:
            log.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}\n{log.read()}")
    return round(used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1)  # bytes there, KiB elsewhere


def by_file_length(place: Path, lengths: Sequence[int]) -> Iterator[dict[str, Any]]:
    sentences = invented(TOKENS, ENTITIES, DIFFERENT)
    write_model(place / "model", sentences)
    for count in lengths:
        write_sentences(place / "in.jsonl", sentences, count)
        yield {"sentences": count, "peak_mib": peak(place / "model", place / "in.jsonl")}


def by_entities(place: Path, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    write_model(place / "model", invented(LONG_TOKENS, ENTITIES, DIFFERENT))
    for number in numbers:
        pairs = number * (number - 1)
        count = max(20, min(DIFFERENT, PAIRS // pairs))
        write_sentences(place / "in.jsonl", invented(LONG_TOKENS, number, count), count)
        row = {"entities": number, "pairs_per_sentence": pairs, "sentences": count}
        yield {**row, "peak_mib": peak(place / "model", place / "in.jsonl")}


def main() -> None:
    quick = options(__doc__).quick
    with TemporaryDirectory() as place:
        lengths = list(by_file_length(Path(place), QUICK_LENGTHS if quick else LENGTHS))
        entities = list(by_entities(Path(place), QUICK_MANY if quick else MANY))
    for rows in (lengths, entities):
        print_table(list(rows[0]), [list(row.values()) for row in rows])
        print()
    growth = round(lengths[-1]["peak_mib"] / lengths[0]["peak_mib"] - 1, 3)
    print(f"growth from the shortest to the longest file: {growth:.1%}, aim at most {AIM:.0%}")
    if not quick:
        figures = {"by_file_length": lengths, "by_entities": entities, "growth": growth, "aim": AIM}
        print(save("memory", "python benchmarks/memory.py", figures))


if __name__ == "__main__":
    main()
