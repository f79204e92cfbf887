"""From JSON lines to JSON lines: `relsift predict` as a process, on the test parts of open corpora repeated to a file of useful size.

    python benchmarks/end_to_end.py [--quick] [--model conll04=FOLDER]...

Sentences and pairs a second are those of the command's own closing line: from the first byte read to the last one written, without the
start of the process, with what it takes to load compiled kernels. Each figure is the best of RUNS, since other work on the machine only
ever takes time away. Models are trained for one epoch in a temporary folder unless given: speed does not depend on how good they are.

benchmarks/results/performance/end_to_end.json: "figures" is a list of records, one a corpus and number of threads: title, threads,
sentences, pairs, sentences_per_second, pairs_per_second, the shares of the time that the stages were busy (reading, encoding, model,
writing, of 1), and largest_stage_but_model with aim, the most that it should be.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measure import print_table, save

from relsift.corpora.data import resolve
from relsift.environment import prepared_corpora
from relsift.readers.base import ReadReport
from relsift.writers.native import lines

CORPORA = {"conll04": ("CoNLL04", "paper"), "ddi2013": ("DDI-2013", "paper"), "scicn": ("SciCN", "paper_zh")}  # title, preset
SENTENCES, QUICK_SENTENCES = 20_000, 2000
RUNS = 3
AIM = 0.30  # of the time, for every stage but the model
RELSIFT = [sys.executable, "-m", "relsift.cli.main"]
CLOSING = re.compile(
    r"(?P<sentences>\d+) sentences, (?P<pairs>\d+) pairs scored, .* in (?P<seconds>[\d.]+) s "
    r"\((?P<sentence_rate>\d+) sentences/s, (?P<pair_rate>\d+) pairs/s\)\nbusy: (?P<busy>.*)"
)


def relsift(*arguments: object, threads: int = 1) -> str:
    """What the command says on standard error. Ends this script if it fails."""
    number = {name: str(threads) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    command = [*RELSIFT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | number)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return done.stderr


def write_repeated(corpus: str, file: Path, count: int) -> None:
    """The test part as often as it takes to have `count` sentences."""
    documents = list(resolve(f"{corpus}/test").documents(None, ReadReport()))
    text = "".join(f"{line}\n" for document in documents for line in lines(document))
    size = text.count("\n")
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(-(-count // size)):
            stream.write(text)


def train(corpus: str, folder: Path) -> Path:
    one_epoch = ("--set", "training.epochs=1", "--set", "training.threads=1")
    relsift("train", "--data", corpus, "--model", "multitask_cnn", "--preset", CORPORA[corpus][1], *one_epoch, "--out", folder)
    return folder


def predict(model: Path, source: Path, out: Path, threads: int) -> dict[str, Any]:
    log = relsift("predict", model, source, "--out", out, threads=threads)
    counts = CLOSING.search(log)
    if counts is None:
        raise SystemExit(f"relsift predict: expected the closing lines with counts, rates and stages, got\n{log}")
    shares = {stage: int(share) / 100 for stage, share in re.findall(r"(\w+) (\d+) %", counts["busy"])}
    return {
        "threads": threads, "sentences": int(counts["sentences"]), "pairs": int(counts["pairs"]),
        "sentences_per_second": int(counts["sentence_rate"]), "pairs_per_second": int(counts["pair_rate"]), **shares,
        "largest_stage_but_model": max(share for stage, share in shares.items() if stage != "model"), "aim": AIM,
    }  # fmt: skip


def measured(models: dict[str, Path], place: Path, quick: bool) -> Iterator[dict[str, Any]]:
    for corpus, (title, _) in CORPORA.items():
        if corpus not in prepared_corpora():
            print(f"{corpus}: not prepared, left out", flush=True)
            continue
        source = place / f"{corpus}.jsonl"
        write_repeated(corpus, source, QUICK_SENTENCES if quick else SENTENCES)
        model = models.get(corpus) or train(corpus, place / corpus)
        predict(model, source, place / "out.jsonl", 1)  # compiles what is not compiled yet
        for threads in (1, 2):
            runs = [predict(model, source, place / "out.jsonl", threads) for _ in range(1 if quick else RUNS)]
            yield {"title": title, **max(runs, key=lambda run: run["sentences_per_second"])}
        if quick:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one corpus and a small file: figures are printed and not saved")
    parser.add_argument("--model", action="append", default=[], metavar="CORPUS=FOLDER", help="a trained run to use")
    options = parser.parse_args()
    models = {name: Path(folder) for name, _, folder in (given.partition("=") for given in options.model)}
    with TemporaryDirectory() as place:
        figures = list(measured(models, Path(place), options.quick))
    if not figures:
        raise SystemExit(f"expected a prepared corpus of {', '.join(CORPORA)}, got none; run `relsift corpora prepare conll04`")
    print_table(list(figures[0]), [list(row.values()) for row in figures])
    if not options.quick:
        print(save("end_to_end", "python benchmarks/end_to_end.py", figures))


if __name__ == "__main__":
    main()
