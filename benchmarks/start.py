"""From a cold process to an answer: every `--help`, and the first prediction of a saved model.

    python benchmarks/start.py [--quick]

Wall time of whole processes, median of RUNS. The first prediction is that of ten sentences: by the command line, and by a Python script
that imports, loads and predicts. Compiled kernels lie on disk, as they do from the second start on; the same is measured once with an
empty folder for them, which is the first start after installation.

benchmarks/results/performance/start.json: "figures" has "help" (command -> seconds), "predict" ("command line", "python" -> seconds),
"torch" (a process that only imports it), "predict_compiling" (as "predict", once) and "aims" (seconds).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cases import options
from measure import invented, print_table, save

from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.cli.main import app
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.inference import Scorer
from relsift.registry import find

AIMS = {"help": 0.3, "predict": 3.0}  # seconds
RUNS = 7
SENTENCES, TOKENS, ENTITIES = 10, 28, 4
RELSIFT = [sys.executable, "-m", "relsift.cli.main"]
SCRIPT = """
import json, sys
from relsift import RelationExtractor
lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
print(len(RelationExtractor.from_pretrained(sys.argv[1]).predict(lines)))
"""


def help_commands() -> Iterator[list[str]]:
    yield []
    for command in app.registered_commands:
        yield [str(command.name)]
    for group in app.registered_groups:
        yield [str(group.name)]
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            yield [str(group.name), command.name or getattr(command.callback, "__name__", "")]


def wall(command: Sequence[str], runs: int, **variables: str) -> float:
    """Median seconds of a process from start to end. Ends this script if it fails."""
    times = []
    for _ in range(runs):
        before = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
        times.append(time.perf_counter() - before)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return statistics.median(times)


def write_model(folder: Path) -> None:
    """A model of the paper's size with random weights: loading and predicting take as long as with trained ones."""
    sentences = invented(TOKENS, ENTITIES, 1000)
    encoding = Encoding.fit(sentences, reads=find("model", "multitask_cnn").READS)
    model = build("multitask_cnn", {}, encoding).eval()
    Bundle("multitask_cnn", Scorer(model, encoding, Candidates(direction="directed")), Decision()).save(folder)


def write_sentences(file: Path) -> None:
    lines = []
    for sentence in invented(TOKENS, ENTITIES, SENTENCES, seed=1):
        entities = [{"start": entity.start, "end": entity.end, "type": entity.type} for entity in sentence.entities]
        lines.append(json.dumps({"id": sentence.id, "tokens": sentence.tokens, "entities": entities}))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    quick = options(__doc__).quick
    runs = 1 if quick else RUNS
    helps = {}
    for command in help_commands():
        line = [*RELSIFT, *command, "--help"]
        wall(line, 1)  # from here on the files are in memory and compiled to bytecode
        helps[" ".join(["relsift", *command, "--help"])] = wall(line, runs)
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_model(folder / "model")
        write_sentences(folder / "ten.jsonl")
        first = {
            "command line": [*RELSIFT, "predict", f"{folder / 'model'}", f"{folder / 'ten.jsonl'}", "--out", f"{folder / 'out.jsonl'}"],
            "python": [sys.executable, "-c", SCRIPT, f"{folder / 'model'}", f"{folder / 'ten.jsonl'}"],
        }
        compiling = {name: wall(line, 1, NUMBA_CACHE_DIR=f"{folder / name}") for name, line in first.items()}
        torch = wall([sys.executable, "-c", "import torch"], runs)
        predict = {}
        for name, line in first.items():
            wall(line, 1)
            predict[name] = wall(line, runs)
    rows = [[name, f"{value:.2f}", AIMS["help"]] for name, value in helps.items()]
    rows += [[f"first prediction, {name}", f"{value:.2f}", AIMS["predict"]] for name, value in predict.items()]
    rows.append(["of which: import torch", f"{torch:.2f}", ""])
    rows += [[f"first prediction, {name}, kernels not compiled yet", f"{value:.1f}", ""] for name, value in compiling.items()]
    print_table(["process", "seconds", "aim"], rows)
    if not quick:
        figures = {"help": helps, "predict": predict, "torch": torch, "predict_compiling": compiling, "aims": AIMS}
        print(save("start", "python benchmarks/start.py", figures))


if __name__ == "__main__":
    main()
