"""Training processes that are killed, for `test_resume_after_kill.py`.

`FOLDER` trains there until somebody kills it. `FOLDER MOMENT…` trains in FOLDER/MOMENT for every moment, each in a process of its
own (forked: importing torch takes longer than the training) that sends itself SIGKILL in epoch 3 at that very instruction, and
prints `MOMENT: signal`. SIGKILL leaves no time to tidy up.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch._dynamo  # noqa: F401  (slow to import, and every optimiser does: once is enough for all children)

import toy
from relsift import weights
from relsift.training import loop, state

EPOCHS = 8
KILL_EPOCH = 3
WITHIN = "between two batches, after a state within the epoch"


def train(folder: Path, *, save_minutes: float | None = None, **watchers: Any) -> loop.TrainingResult:
    config = toy.run_config(epochs=EPOCHS, batch_pairs=8, save_minutes=save_minutes)
    return loop.train(config, toy.sentences(24, seed=1), toy.sentences(12, seed=2), state_folder=folder, resume=True, **watchers)


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def half_tensors() -> None:
    write = weights.save_file

    def save(tensors: Any, file: Path) -> None:
        write(tensors, file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        die()

    weights.save_file = save


def before_description() -> None:
    state.write_json = die  # type: ignore[assignment]


def half_description() -> None:
    def write(path: Path, value: Any) -> None:
        path.with_name(f".{path.name}.{os.getpid()}.tmp").write_text(str(value)[:50])
        die()

    state.write_json = write


def before_move() -> None:
    Path.replace = die  # type: ignore[method-assign, assignment]


def before_tidying() -> None:
    Path.unlink = die  # type: ignore[method-assign, assignment]


# What to set up at the start of the epoch in which the process dies: the instruction that kills it.
MOMENTS: dict[str, Callable[[], None]] = {
    "between two batches": die,
    WITHIN: die,
    "half of the tensors written": half_tensors,
    "tensors written, not yet named by state.json": before_description,
    "half of state.json written": half_description,
    "state.json written, not yet in its place": before_move,
    "state saved, old tensors not yet deleted": before_tidying,
}


def train_to_death(folder: Path, moment: str) -> None:
    epoch = 0

    def on_batch(done: int, _: int) -> None:
        nonlocal epoch
        epoch += done == 1
        if epoch == KILL_EPOCH and done == 2:
            MOMENTS[moment]()

    train(folder, on_batch=on_batch, save_minutes=1e-9 if moment == WITHIN else None)


def report(record: dict[str, Any]) -> None:
    print(record["epoch"], flush=True)
    time.sleep(0.02)  # else all epochs are over before the parent has read the first line


def main(folder: Path, moments: list[str]) -> None:
    if not moments:
        train(folder, on_epoch=report)
    for moment in moments:
        child = os.fork()
        if not child:
            train_to_death(folder / moment, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(f"{moment}: {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
