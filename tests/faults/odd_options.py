"""Options that make no sense: every `--set` value, configuration file and table that a command reads, mutated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from damaged_files import TINY, write_data
from fault_trials import BAD_INPUT, Command, Tally, batches, run, seeded
from mutations import MUTATIONS

KIND = "odd options and configurations"
BATCH = 40
VALUES = ("", "x", "-1", "0", "1", "2.5", "1e400", "nan", "inf", "9" * 40, "[]", "[1, [2]]", "{}", "{a: 1}", "null", "true", "'",
          "[" * 3000, "!!python/object:os.system x", "&a [*a]", "\x00", "\ud800", "\u2028", "0x10", "1_000", "2026-01-01", "~", "..",
          "/dev/null", "a" * 100_000, "é" * 1000)  # fmt: skip
# What only takes long or much when it is large: a right answer to a large number is to work for days.
_LASTING = ("epochs", "patience", "size", "filters", "hidden", "windows", "batch_pairs", "num_", "layers", "threads", "distance")
BILLION = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi")
)


def keys() -> list[str]:
    """Full names of all options of a configuration, of a model with many."""
    from relsift.config import RunConfig

    value: dict[str, Any] = RunConfig.model_validate({"model": {"preset": None}}).model_dump(mode="json")
    return [f"{section}.{name}" for section, options in value.items() if isinstance(options, dict) for name in options]


def _values(key: str) -> tuple[str, ...]:
    return tuple(value for value in VALUES if not (any(part in key for part in _LASTING) and value.strip("9") == ""))


def try_options(place: Path, tally: Tally, count: int, seed: int = 0) -> None:
    """So many trials of `--set`, and as many of files."""
    write_data(place / "data", {"train": 6, "dev": 3})
    train: Command = ("train", "--data", place / "data", "--model", "multitask_cnn", *TINY, "--set", "training.epochs=1")
    draw, tasks, names = seeded(seed, "options"), [], []
    known = keys()
    for number in range(count):
        key = draw.choice((*known, "model.nothing", "training", "training.epochs.x", ".", "model..x"))
        value = draw.choice(_values(key))
        names.append(f"--set {key}={value[:40]!r} {number}")
        tasks.append([(*train, "--set", f"{key}={value}", "--out", place / f"set-{number}")])
    files = {
        "config.yaml": b"model: {name: multitask_cnn, preset: null, filters: 4, windows: [2, 3]}\ntraining: {epochs: 1, threads: 1}\n",
        "types.json": b'{"PER": "person", "ORG": null, "LOC": "place"}',
        "names.jsonl": b'{"label": "PER", "pattern": "Ada"}\n{"label": "LOC", "pattern": [{"LOWER": "new"}, {"OP": "?"}]}\n',
        "space.yaml": b"training.learning_rate: {low: 0.001, high: 0.01, log: true}\nmodel.filters: [2, 4]\n",
    }  # fmt: skip
    (place / "text.txt").write_text("Ada lives in New Quay.\n")
    for number in range(count):
        file = draw.choice(sorted(files))
        way = draw.choice(sorted(MUTATIONS))
        name = f"{file}/{way}/{number}"
        content = BILLION.encode() if number % 50 == 0 else MUTATIONS[way](files[file], seeded(seed, name))
        if content is None:
            continue
        folder = place / f"file-{number}"
        folder.mkdir()
        (folder / file).write_bytes(content)
        names.append(name)
        tasks.append([_command(file, folder, place)])
    for group in batches(list(zip(names, tasks)), BATCH):
        for (name, _), outcomes in zip(group, run([task for _, task in group])):
            tally.watch(outcomes)
            tally.count(KIND, outcomes[0].status == BAD_INPUT)
            if (what := outcomes[0].fault(0, BAD_INPUT)) and not (what.startswith("memory") and outcomes[0].status == BAD_INPUT):
                tally.fault(KIND, what, name, outcomes[0])
    shutil.rmtree(place, ignore_errors=True)


def _command(file: str, folder: Path, place: Path) -> Command:
    out, data = folder / "out", ("--data", place / "data")
    if file == "config.yaml":
        return ("train", *data, "--config", folder / file, "--set", "training.epochs=1", "--out", out)
    if file == "types.json":
        (folder / "good.jsonl").write_text(json.dumps({"label": "PER", "pattern": "Ada"}) + "\n")
        return ("annotate", place / "text.txt", "--with", f"patterns:{folder / 'good.jsonl'}", "--types", folder / file)
    if file == "names.jsonl":
        return ("annotate", place / "text.txt", "--with", f"patterns:{folder / file}")
    options = (*TINY, "--set", "training.epochs=1", "--space", folder / file, "--trials", 1)
    return ("tune", *data, "--model", "multitask_cnn", *options, "--out", out)
