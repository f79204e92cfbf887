"""How fast each format is read, and which share of `relsift predict` reading takes.

    python benchmarks/reading_speed.py [--data "TITLE=FORMAT:PATH"]...
    python benchmarks/reading_speed.py --predict
    python benchmarks/reading_speed.py --page

The training parts of CORPORA are converted to every format that relsift writes and reads; --data adds files in others. Rates are of CPU
time of the process, the best of RUNS, so that other work on the machine matters little; of each corpus SENTENCES sentences are read.
--predict measures `relsift predict` on DDI-2013, from native lines and from a document store, with a model
that was trained for one epoch on a small part: speed does not depend on how good it is.

benchmarks/results/reading_speed.json: "reading" is a list of records (format, corpus, sentences, megabytes, sentences_per_second,
megabytes_per_second), "predict" one of (format, sentences, sentences_per_second, and the share of each stage in the CPU time, of 1). --page
writes the table of docs/formats.md from it.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from end_to_end import relsift
from measure import machine, print_table, write_between

from relsift.corpora.data import resolve
from relsift.environment import prepared_corpora
from relsift.extractor import RelationExtractor
from relsift.files import write_json
from relsift.inference import InferenceReport
from relsift.json_text import read_json
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport
from relsift.registry import READERS, WRITERS, find
from relsift.schema import Document
from relsift.streaming.predict import predict_file
from relsift.writers.base import write_documents

FILE = Path(__file__).parent / "results" / "reading_speed.json"
PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
MARKS = ("<!-- reading speed -->", "<!-- end of reading speed -->")
CORPORA = {"gazette-en": "gazette-en", "ddi2013": "DDI-2013"}  # title; the first comes with relsift
SENTENCES, PREDICTED = 3000, 8000
RUNS = 3
OPTIONS = {"label_studio": "results=annotations"}
NEEDS = {"spacy": "spacy", "store": "pyarrow"}
STAGES = ("reading", "encoding", "model", "writing")


def repeated(corpus: str, part: str, least: int) -> list[Document]:
    """The first documents of a part that have `least` sentences together; a smaller part is repeated, with other ids each time."""
    documents = list(resolve(f"{corpus}/{part}").documents(None, ReadReport()))
    found: list[Document] = []
    sentences = 0
    for number in count():
        for document in documents:
            if sentences >= least:
                return found
            found.append(renamed(document, f"-{number}"))
            sentences += len(document.sentences)
    return found


def renamed(document: Document, end: str) -> Document:
    sentences = tuple(replace(s, id=s.id + end, doc_id=document.id + end) for s in document.sentences)
    return replace(document, id=document.id + end, sentences=sentences)


def read_once(name: str, path: Path) -> tuple[int, float]:
    """Sentences, and seconds of CPU time."""
    started = time.process_time()
    sentences = sum(len(document.sentences) for document in find("reader", name).read(path, ReadReport()))
    return sentences, time.process_time() - started


def reading(name: str, title: str, path: Path) -> dict[str, Any]:
    read_once(name, path)  # imports what is needed
    sentences, seconds = min((read_once(name, path) for _ in range(RUNS)), key=lambda run: run[1])
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    return {
        "format": name, "corpus": title, "sentences": sentences, "megabytes": round(size, 2),
        "sentences_per_second": round(sentences / seconds), "megabytes_per_second": round(size / seconds, 1),
    }  # fmt: skip


def formats() -> list[str]:
    """Those that relsift writes and reads, native lines and the store first."""
    both = [name for name in WRITERS if name in READERS and find_spec(NEEDS.get(name, "relsift")) is not None]
    return sorted(both, key=lambda name: ("native", "store").index(name) if name in ("native", "store") else 2)


def converted(place: Path) -> Iterator[tuple[str, str, Path]]:
    for corpus, title in CORPORA.items():
        if corpus != "gazette-en" and corpus not in prepared_corpora():
            print(f"{corpus}: not prepared, left out", flush=True)
            continue
        documents = repeated(corpus, "train", SENTENCES)
        for name in formats():
            writer = find("writer", name).with_options(OPTIONS.get(name))
            target = place / f"{corpus}-{name}{writer.suffix}"
            write_documents(writer, iter(documents), target, Omissions())
            yield name, title, target


def predicting(place: Path) -> Iterator[dict[str, Any]]:
    """Reading, encoding, model and writing of `relsift predict`, from lines and from a store."""
    parts = {"train": 600, "dev": 200}
    for part, least in parts.items():
        write(place / f"small/{part}.jsonl", "native", repeated("ddi2013", part, least))
    relsift("train", "--data", place / "small", "--model", "multitask_cnn", "--preset", "paper", "--set", "training.epochs=1",
            "--set", "training.threads=1", "--out", place / "model")  # fmt: skip
    extractor = RelationExtractor.from_pretrained(place / "model")
    documents = repeated("ddi2013", "test", PREDICTED)
    for name in ("native", "store"):
        source = place / f"predict{find('writer', name).suffix}"
        write(source, name, documents)
        runs = []
        for run in range(RUNS + 1):  # the first compiles what is not compiled yet
            report = InferenceReport()
            started = time.process_time()
            predict_file(extractor, str(source), place / "out.jsonl", report=report)
            runs += [(time.process_time() - started, report)] if run else []
        seconds, report = min(runs, key=lambda run: run[0])
        busy = sum(report.seconds.values())
        shares = {stage: round(report.seconds[stage] / busy, 3) for stage in STAGES}  # type: ignore[index]
        yield {"format": name, "sentences": report.sentences, "sentences_per_second": round(report.sentences / seconds), **shares}


def write(target: Path, name: str, documents: Iterable[Document]) -> None:
    write_documents(find("writer", name), documents, target, Omissions())


def page() -> None:
    """The tables of the page, from the saved figures."""
    saved = read_json(FILE)
    lines = ["| format | data | sentences a second | MB a second |", "|---|---|---|---|"]
    for row in saved["reading"]:
        rates = f"{row['sentences_per_second']:,} | {row['megabytes_per_second']:.1f}"
        lines.append(f"| `{row['format']}` | {row['corpus']} | {rates} |")
    lines += ["", "| `relsift predict` on DDI-2013 from | sentences a second | " + " | ".join(STAGES) + " |", "|---|---|---|---|---|---|"]
    for row in saved["predict"]:
        shares = " | ".join(f"{100 * row[stage]:.0f} %" for stage in STAGES)
        lines.append(f"| `{row['format']}` | {row['sentences_per_second']:,} | {shares} |")
    write_between(MARKS, PAGE, "\n".join(["", *lines, ""]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], metavar="TITLE=FORMAT:PATH", help="further files to read")
    parser.add_argument("--predict", action="store_true", help="measure the stages of `relsift predict` instead")
    parser.add_argument("--page", action="store_true", help="write the table of docs/formats.md from the saved figures, measure nothing")
    options = parser.parse_args()
    if options.page:
        page()
        return
    saved = read_json(FILE) if FILE.exists() else {"reading": [], "predict": []}
    with TemporaryDirectory() as place:
        if options.predict:
            saved["predict"] = list(predicting(Path(place)))
        else:
            named = (re.fullmatch(r"(.+)=(\w+):(.+)", given) for given in options.data)
            others = [(given[2], given[1], Path(given[3])) for given in named if given is not None]
            saved["reading"] = [reading(*one) for one in chain(converted(Path(place)), others)]
    figures = saved["predict" if options.predict else "reading"]
    print_table(list(figures[0]), [list(row.values()) for row in figures])
    command = "python benchmarks/reading_speed.py, with raw files of the corpora by --data; and with --predict"
    write_json(FILE, {"command": command, "machine": machine(), "reading": saved["reading"], "predict": saved["predict"]})
    print(FILE)


if __name__ == "__main__":
    main()
