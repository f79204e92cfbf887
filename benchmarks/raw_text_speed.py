"""From raw text to relations: documents and megabytes a second, the share of each stage, the first answer, memory over a long file.

    python benchmarks/raw_text_speed.py RUN NAME [--entities-from SPEC …] [--types FILE] [--speed-kb 500] [--memory-mb 500] [--minutes 6]

The documents are the texts of the shipped corpus gazette-en, again and again under new ids, one a line: {"id": …, "text": …}. All runs on
one thread of torch. CPU times hardly depend on what else the machine does; wall times do, and `machine.load` says how much that was.

RUN is a run or model folder; `patterns` stands for the least that there can be: a `type_prior` trained on gazette-en, and the names of its
entities as a file of patterns.

speed     one process predicts `--speed-kb` of text; the CPU time of each stage (`InferenceReport`), of which sentences and tokens once more
          by themselves; a second is one of CPU time
first     wall and CPU time of a process `relsift predict` on one line, median of three; kernels are compiled before
memory    a process `relsift predict` on `--memory-mb` of text, whose resident memory is looked at twice a second; it is stopped after
          `--minutes`, and "read_mb" says how far it came: the text of the lines written

benchmarks/results/raw_text/speed-NAME.json has all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from measure import machine, print_table

from relsift.annotators.type_table import read_types
from relsift.config import load_config
from relsift.corpora.data import resolve
from relsift.extractor import RelationExtractor
from relsift.files import write_json
from relsift.inference import InferenceReport
from relsift.sentences import split_sentences
from relsift.streaming.predict import predict_file
from relsift.text import tokenise
from relsift.training.loop import train

RESULTS = Path(__file__).parent / "results" / "raw_text"
MB = 1_000_000  # bytes
LOOK = 0.5  # seconds between two looks at the memory
PATTERNS = "patterns"
RELSIFT = [sys.executable, "-m", "relsift.cli.main"]


def texts() -> list[str]:
    return [document.text for document in resolve("gazette-en").documents() if document.text]


def write_texts(file: Path, size: int) -> int:
    """Write lines until they have `size` bytes; returns their number."""
    written = 0
    with file.open("w", encoding="utf-8") as stream:
        for number, text in enumerate(cycle(texts())):
            if written >= size:
                return number
            line = json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=False) + "\n"
            written += len(line.encode())
            stream.write(line)
    return 0


def write_patterns(folder: Path) -> tuple[Path, Path]:
    """A model that knows the types of entities alone, and a file of names; returns both places."""
    sentences = [sentence for document in resolve("gazette-en").documents() for sentence in document.sentences]
    train(load_config(model="type_prior"), sentences, sentences).bundle.save(folder / "model")
    names = {(sentence.text_of(entity), entity.type) for sentence in sentences for entity in sentence.entities}
    lines = (json.dumps({"label": kind, "pattern": name}, ensure_ascii=False) + "\n" for name, kind in sorted(names))
    (folder / "names.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder / "model", folder / "names.jsonl"


def speed(extractor: RelationExtractor, place: Path, size: int) -> dict[str, Any]:
    source = place / "speed.jsonl"
    write_texts(place / "warm.jsonl", 20_000)
    predict_file(extractor, str(place / "warm.jsonl"), place / "warm.out.jsonl", report=InferenceReport())
    documents = write_texts(source, size)
    report = InferenceReport()
    wall, _ = predict_file(extractor, str(source), place / "out.jsonl", report=report)
    seconds = dict(report.seconds)
    parts = {"sentences": 0.0, "tokens": 0.0}
    for line in source.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        started = time.thread_time()
        spans = split_sentences(text)
        parts["sentences"] += time.thread_time() - started
        started = time.thread_time()
        for start, end in spans:
            tokenise(text[start:end])
        parts["tokens"] += time.thread_time() - started
    total, stages = sum(seconds.values()), {}
    for name, value in seconds.items():
        if name == "reading":
            stages |= {**parts, "other reading": max(0.0, value - sum(parts.values()))}
        else:
            stages[name] = value
    return {
        "documents": documents, "sentences": report.sentences, "pairs": report.candidates.kept, "mb": round(source.stat().st_size / MB, 3),
        "cpu_seconds": total, "wall_seconds": wall, "documents_per_cpu_second": documents / total,
        "mb_per_cpu_second": source.stat().st_size / MB / total, "shares": {name: value / total for name, value in stages.items()},
    }  # fmt: skip


def first_answer(command: Sequence[str], place: Path) -> dict[str, float]:
    source = place / "one.jsonl"
    write_texts(source, 1)
    wall, cpu = [], []
    for _ in range(4):
        before, used = time.perf_counter(), os.times()
        subprocess.run([*command, str(source)], check=True, capture_output=True)
        wall.append(time.perf_counter() - before)
        now = os.times()
        cpu.append(now.children_user + now.children_system - used.children_user - used.children_system)
    return {"wall_seconds": round(statistics.median(wall[1:]), 2), "cpu_seconds": round(statistics.median(cpu[1:]), 2)}


def resident(process: int) -> float | None:
    """MiB; None: the process has ended. Linux alone."""
    try:
        fields = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    line = next((line for line in fields.splitlines() if line.startswith("VmRSS:")), None)
    return None if line is None else int(line.split()[1]) / 1024


def looks(process: subprocess.Popen[bytes], out: Path, minutes: float) -> Iterator[tuple[int, float]]:
    """Bytes written and MiB resident, twice a second, until the process ends or its time is over."""
    end = time.monotonic() + 60 * minutes
    while process.poll() is None and time.monotonic() < end:
        time.sleep(LOOK)
        if (size := resident(process.pid)) is not None:
            yield (out.stat().st_size if out.exists() else 0), size
    if process.poll() is None:
        process.terminate()
        process.wait()


def memory(command: Sequence[str], place: Path, size: int, minutes: float) -> dict[str, Any]:
    source, out = place / "long.jsonl", place / "long.out.jsonl"
    documents = write_texts(source, size)
    started = time.perf_counter()
    with (place / "long.log").open("wb") as log:
        process = subprocess.Popen([*command, str(source), "--out", str(out)], stderr=log)
        seen = list(looks(process, out, minutes))
    seconds = time.perf_counter() - started
    with out.open("rb") as lines:
        read = sum(len(json.loads(line).get("text", "")) for line in lines)
    is_whole = process.returncode == 0
    if not is_whole and not read:
        raise SystemExit((place / "long.log").read_text(encoding="utf-8"))
    begun = [look for look in seen if look[0] > 0]
    marks = {}
    for share in (5, 10, 25, 50, 75, 100):
        wanted = begun[-1][0] * share / 100
        marks[f"{share} %"] = round(max(size for written, size in begun if written <= wanted or written == begun[0][0]), 1)
    return {
        "file_mb": round(source.stat().st_size / MB, 1), "documents": documents, "read_mb": round(read / MB, 1), "whole": is_whole,
        "seconds": round(seconds, 1), "peak_mib_up_to": marks, "growth": round(marks["100 %"] / marks["10 %"] - 1, 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run or model folder, or patterns")
    parser.add_argument("name", help="of the file of results")
    parser.add_argument("--entities-from", action="append", default=[], metavar="SPEC")
    parser.add_argument("--types", type=Path)
    parser.add_argument("--about", default="", help="of the model, for the table")
    parser.add_argument("--speed-kb", type=int, default=500)
    parser.add_argument("--memory-mb", type=int, default=500, help="0: not measured")
    parser.add_argument("--minutes", type=float, default=6.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    with TemporaryDirectory() as place:
        if str(options.run) == PATTERNS:
            options.run, names = write_patterns(Path(place))
            options.entities_from = [f"patterns:{names}"]
        measure(options, Path(place))


def measure(options: argparse.Namespace, place: Path) -> None:
    found = [part for spec in options.entities_from for part in ("--entities-from", spec)]
    found += [] if options.types is None else ["--types", str(options.types)]
    command = [*RELSIFT, "predict", str(options.run), *found]
    extractor = RelationExtractor.from_pretrained(
        options.run, entities_from=options.entities_from, types=None if options.types is None else read_types(options.types)
    )
    measured = speed(extractor, place, 1000 * options.speed_kb)
    first = first_answer(command, place)
    long = memory(command, place, MB * options.memory_mb, options.minutes) if options.memory_mb else None
    print_table(["stage", "share of CPU time"], [[name, f"{share:.0%}"] for name, share in measured["shares"].items()])
    print({name: value for name, value in measured.items() if name != "shares"}, first, long, sep="\n")
    RESULTS.mkdir(parents=True, exist_ok=True)
    run = PATTERNS if sys.argv[1] == PATTERNS else "RUN"  # where it lies is nobody's business
    load = {"load": round(os.getloadavg()[0], 1)}
    value = {
        "command": f"python benchmarks/raw_text_speed.py {run} {options.name}", "machine": machine() | load, "speed": measured,
        "model": options.about or extractor.bundle.name, "entities_from": [spec.partition(":")[0] for spec in options.entities_from],
        "first_answer": first, "memory": long,
    }  # fmt: skip
    write_json(RESULTS / f"speed-{options.name}.json", value)


if __name__ == "__main__":
    main()
