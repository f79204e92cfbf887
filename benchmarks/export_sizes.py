"""What an export saves: size of the installation, first answer, speed and F1, of a model in torch and of what is exported of it.

    python benchmarks/export_sizes.py [--words RUN] [--transformer RUN] [--data conll04]

Runs of a model of words, and of `bilstm_pcnn` on a transformer; the figures of one that is left out stay as they were.
Each exported form is used from an environment of its own without torch: the wheel of this repository without its dependencies, and the
packages that docs/export.md lists for the form.
pip needs an index or a cache for them.

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

from measure import RESULTS, print_table, save, write_between

ROOT = Path(__file__).resolve().parents[1]
FIGURES = RESULTS / "export_sizes.json"
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
    bare = without_path()
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, env=bare)
    line = [*pip, "-c", str(ROOT / "constraints.txt"), *packages]
    subprocess.run(line, check=True, env=bare)
    return python


def without_path() -> dict[str, str]:
    """The variables without PYTHONPATH, by which another copy of relsift would take the place of the wheel."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def variables(python: Path) -> dict[str, str]:
    return dict(os.environ) if python == Path(sys.executable) else without_path()


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
        subprocess.run([python, "-m", "relsift", "predict", folder, sentence], check=True, capture_output=True, env=variables(python))
        walls.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls[1:]), statistics.median(cpus[1:])  # after the first one, files are in memory and compiled to bytecode


def measured(python: Path, folder: Path, sentence: Path, data: str, size: int) -> dict[str, Any]:
    options: dict[str, Any] = {"check": True, "capture_output": True, "text": True, "env": variables(python)}
    done = subprocess.run([python, "-c", SCRIPT, folder, data], **options)
    speed, has_torch = json.loads(done.stdout)
    scores = subprocess.run([python, "-m", "relsift", "evaluate", folder, data, "--json"], **options)
    wall, cpu = answer(python, folder, sentence)
    micro = json.loads(scores.stdout)["micro"]
    return {
        "installed_bytes": size, "model_bytes": size_of(folder), "answer_wall": wall, "answer_cpu": cpu, "pairs_per_second": speed,
        "f1": micro["f1"], "precision": micro["precision"], "recall": micro["recall"], "torch": has_torch,
    }  # fmt: skip


def words_figures(run: Path, place: Path, wheel: Path, sentence: Path, data: str) -> dict[str, Any]:
    """Of a model of words: in torch, and exported to NumPy."""
    export(run, "numpy", place / "numpy")
    figures = {"torch, words": measured(Path(sys.executable), run / "model", sentence, data, size_of_requirements("relsift"))}
    python = environment(place / "venv-numpy", wheel, PACKAGES)
    return figures | {"numpy": measured(python, place / "numpy", sentence, data, size_of(place / "venv-numpy"))}


def transformer_figures(run: Path, place: Path, wheel: Path, sentence: Path, data: str) -> dict[str, Any]:
    """Of a model on a transformer: in torch, and exported to ONNX in 32 and in 8 bits."""
    export(run, "onnx", place / "onnx")
    export(run, "onnx", place / "int8", "--quantize", "int8")
    size = size_of_requirements("relsift") + size_of_requirements("transformers")
    figures = {"torch, transformer": measured(Path(sys.executable), run / "model", sentence, data, size)}
    python = environment(place / "venv-onnx", wheel, ONNX)
    size = size_of(place / "venv-onnx")
    return figures | {form: measured(python, place / form, sentence, data, size) for form in ("onnx", "int8")}


def export(run: Path, form: str, folder: Path, *more: str) -> None:
    subprocess.run([sys.executable, "-m", "relsift", "export", run, form, "--out", folder, *more], check=True)


def write_page(figures: dict[str, Any]) -> None:
    """The table of docs/export.md."""
    mib = 2**20
    head = "| form | installed, MiB | model, MiB | first answer, s | of which CPU, s | pairs a second | F1 |"
    head += "\n|---|---:|---:|---:|---:|---:|---:|"
    rows = [
        f"| {name} | {one['installed_bytes'] / mib:.0f} | {one['model_bytes'] / mib:.0f} | {one['answer_wall']:.2f} | "
        f"{one['answer_cpu']:.2f} | {one['pairs_per_second']:,.0f} | {100 * one['f1']:.1f} |"
        for name, one in figures.items()
    ]
    write_between(("<!-- export sizes -->", "<!-- end of export sizes -->"), ROOT / "docs" / "export.md", "\n".join([head, *rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=Path, help="run of a model of words")
    parser.add_argument("--transformer", type=Path, help="run of `bilstm_pcnn` on a transformer")
    parser.add_argument("--data", default="conll04")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))["figures"] if FIGURES.is_file() else {}
    with TemporaryDirectory() as work:
        place = Path(work)
        subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT], check=True)
        [wheel] = place.glob("*.whl")
        sentence = place / "one.jsonl"
        entities = [{"start": 0, "end": 1, "type": "Peop"}, {"start": 3, "end": 4, "type": "Loc"}]
        sentence.write_text(json.dumps({"tokens": ["Ada", "lives", "in", "Oslo", "."], "entities": entities}) + "\n", encoding="utf-8")
        for run, measure in ((options.words, words_figures), (options.transformer, transformer_figures)):
            if run is not None:
                figures |= measure(run.resolve(), place, wheel, sentence, options.data)
    rows = [[name, f"{100 * one['f1']:.1f}", f"{one['pairs_per_second']:.0f}"] for name, one in figures.items()]
    print_table(["form", "F1", "pairs/s"], rows)
    print(save("export_sizes", "python benchmarks/export_sizes.py --words RUN --transformer RUN", figures))
    write_page(figures)


if __name__ == "__main__":
    main()
