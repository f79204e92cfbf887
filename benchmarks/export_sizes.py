"""What an export saves: size of the installation, first answer, speed and F1, of a model in torch and of what is exported of it.

    python benchmarks/export_sizes.py WORDS TRANSFORMER [--data conll04]

WORDS is a run of a model of words, TRANSFORMER one of `bilstm_pcnn` on a transformer. Each exported form is used from an environment of its
own that has no torch: the wheel of this repository without its dependencies, and the packages that docs/export.md lists for the form. pip
needs an index or a cache for them.

size       of the installed packages; of torch, all that relsift requires, in the environment that runs this script
answer     wall and CPU seconds of a process that predicts one sentence, from its start to its end, median of RUNS
speed      pairs a second of the test part in one process and one thread, without loading
F1         micro, on the test part

benchmarks/results/performance/export_sizes.json: "figures" has one entry a form.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measure import print_table, save

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
PACKAGES = ["numpy", "pydantic", "PyYAML", "typer", "rich", "safetensors"]
ONNX = [*PACKAGES, "onnxruntime", "tokenizers"]
SCRIPT = """
import json, sys, time
from relsift import RelationExtractor
from relsift.corpora.data import resolve
from relsift.inference import InferenceReport, score
from relsift.readers.base import ReadReport
from relsift.schema import sentences_of
rx = RelationExtractor.from_pretrained(sys.argv[1])
sentences = list(sentences_of(resolve(sys.argv[2]).documents("test", ReadReport())))
score(rx.bundle.scorer, sentences[:20])
report, started = InferenceReport(), time.perf_counter()
score(rx.bundle.scorer, sentences, report)
print(json.dumps([report.candidates.kept / (time.perf_counter() - started), "torch" in sys.modules]))
"""


def environment(place: Path, wheel: Path, packages: list[str]) -> Path:
    """A fresh environment without torch; returns its Python."""
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), *packages], check=True)
    return python


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def size_of_requirements(name: str) -> int:
    """Bytes of a distribution and of all that it requires, in this environment; of those installed."""
    found: dict[str, int] = {}
    waiting = [name]
    while waiting:
        one = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if one in found:
            continue
        try:
            installed = distribution(one)
        except PackageNotFoundError:
            continue
        places = [Path(str(file.locate())) for file in installed.files or ()]
        found[one] = sum(place.stat().st_size for place in places if place.is_file())
        waiting += [match[0] for line in installed.requires or () if "extra ==" not in line and (match := re.match(r"[\w.-]+", line))]
    return sum(found.values())


def answer(python: Path, folder: Path, sentence: Path) -> tuple[float, float]:
    """Wall and CPU seconds."""
    walls, cpus = [], []
    for _ in range(RUNS + 1):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([python, "-m", "relsift", "predict", folder, sentence], check=True, capture_output=True)
        walls.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls[1:]), statistics.median(cpus[1:])  # after the first one, files are in memory and compiled to bytecode


def measured(python: Path, folder: Path, sentence: Path, data: str, size: int) -> dict[str, Any]:
    done = subprocess.run([python, "-c", SCRIPT, folder, data], check=True, capture_output=True, text=True)
    speed, has_torch = json.loads(done.stdout)
    scores = subprocess.run([python, "-m", "relsift", "evaluate", folder, data, "--json"], check=True, capture_output=True, text=True)
    wall, cpu = answer(python, folder, sentence)
    micro = json.loads(scores.stdout)["micro"]
    return {
        "installed_bytes": size, "model_bytes": size_of(folder), "answer_wall": wall, "answer_cpu": cpu, "pairs_per_second": speed,
        "f1": micro["f1"], "precision": micro["precision"], "recall": micro["recall"], "torch": has_torch,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path)
    parser.add_argument("transformer", type=Path)
    parser.add_argument("--data", default="conll04")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    here, figures = Path(sys.executable), {}
    with TemporaryDirectory() as work:
        place = Path(work)
        subprocess.run([here, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT], check=True)
        [wheel] = place.glob("*.whl")
        eight = ["--quantize", "int8"]
        for form, run, more in (("numpy", options.words, []), ("onnx", options.transformer, []), ("int8", options.transformer, eight)):
            kind = "onnx" if form == "int8" else form
            subprocess.run([here, "-m", "relsift", "export", run, kind, "--out", place / form, *more], check=True)
        sentence = place / "one.jsonl"
        entities = [{"start": 0, "end": 1, "type": "Peop"}, {"start": 3, "end": 4, "type": "Loc"}]
        sentence.write_text(json.dumps({"tokens": ["Ada", "lives", "in", "Oslo", "."], "entities": entities}) + "\n", encoding="utf-8")
        whole = size_of_requirements("relsift")
        with_transformers = whole + size_of_requirements("transformers")
        figures["torch, words"] = measured(here, options.words / "model", sentence, options.data, whole)
        figures["torch, transformer"] = measured(here, options.transformer / "model", sentence, options.data, with_transformers)
        os.environ.pop("PYTHONPATH", None)
        for kind, packages, forms in (("numpy", PACKAGES, ["numpy"]), ("onnx", ONNX, ["onnx", "int8"])):
            python = environment(place / f"venv-{kind}", wheel, packages)
            size = size_of(place / f"venv-{kind}")
            for form in forms:
                figures[form] = measured(python, place / form, sentence, options.data, size)
    mib = 2**20
    rows = [
        [name, f"{one['installed_bytes'] / mib:.0f}", f"{one['model_bytes'] / mib:.0f}", f"{one['answer_wall']:.2f}",
         f"{one['answer_cpu']:.2f}", f"{one['pairs_per_second']:.0f}", f"{100 * one['f1']:.1f}"]
        for name, one in figures.items()
    ]  # fmt: skip
    print_table(["form", "installed MiB", "model MiB", "answer s", "its CPU s", "pairs/s", "F1"], rows)
    print(save("export_sizes", "python benchmarks/export_sizes.py WORDS TRANSFORMER", figures))


if __name__ == "__main__":
    main()
