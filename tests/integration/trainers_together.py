"""Processes that train one model together on two CPUs, for `test_training_together.py`.

`FOLDER SCENARIO…` runs each scenario in two processes of its own, which connect by gloo, and writes weights.safetensors and result.json
into FOLDER/SCENARIO. It prints `SCENARIO: status of both processes`.
Processes are forked, after one training of each model by itself, whose result is in FOLDER/alone-SCENARIO: importing torch and loading
kernels takes longer than the training.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # (slow to import, and every optimiser does: once is enough for all children)
import torch.distributed

import toy
from relsift.config import RunConfig
from relsift.errors import RelsiftError
from relsift.registry import find
from relsift.training import loop
from relsift.training.processes import ALONE, Processes, joined
from relsift.weights import save_tensors

COUNT = 2
NO_CHANCE: dict[str, Any] = {"unknown_rate": 0.0}
STEP_TO_DIE_IN = 7  # of all steps of the run: in the second epoch, after states within it

FEW_STEPS = {"accumulate": 2, "batch_pairs": 9, "epochs": 2}
TRAINING, DEVELOPMENT = toy.sentences(25, seed=1), toy.sentences(12, seed=2)


def pair_model() -> RunConfig:
    values = toy.run_config(**FEW_STEPS, **NO_CHANCE, gradient_clip=1.0).model_dump()
    return RunConfig.model_validate(values | {"model": values["model"] | {"hidden_dropout": 0.0, "input_dropout": 0.0}})


def joint_model() -> RunConfig:
    options = find("model", "joint_birnn").Config.tiny().to_dict()
    dropouts = {name: 0.0 for name in options if "dropout" in name}
    training = {**FEW_STEPS, **NO_CHANCE, "threads": 1, "batch_sentences": 3, "optimiser": "adam", "learning_rate": 0.01}
    return RunConfig.model_validate({"model": {"name": "joint_birnn", "preset": None, **options, **dropouts}, "training": training})


def with_chance() -> RunConfig:
    """Dropout, hidden words and means of weights, and a state after every step."""
    return toy.run_config(
        epochs=3, batch_pairs=8, accumulate=2, word_dropout=0.1, ema=0.9, optimiser="adamw", schedule="linear", save_minutes=1e-9
    )


SCENARIOS = {
    "pair": pair_model, "joint": joint_model, "whole": with_chance, "killed": with_chance, "resumed": with_chance,
    "diverges": lambda: toy.run_config(learning_rate=1e30, **FEW_STEPS),
}  # fmt: skip


def train(config: RunConfig, folder: Path | None = None, processes: Processes = ALONE) -> loop.TrainingResult | None:
    prepared = loop.prepare(config, TRAINING, DEVELOPMENT)
    if processes.is_first:
        return loop.fit(prepared, state_folder=folder, resume=True, processes=processes)
    loop.assist(prepared, processes, state_folder=folder, resume=True)
    return None


def die_in_step(number: int) -> None:
    original, steps = Processes.add_gradients, 0

    def add(self: Processes, *args: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, *args)

    Processes.add_gradients = add  # type: ignore[method-assign]


def work(rank: int, scenario: str, place: Path) -> int:
    if scenario == "killed" and rank == 1:
        die_in_step(STEP_TO_DIE_IN)
    config = SCENARIOS[scenario]()
    state = place.parent / ("killed" if scenario == "resumed" else scenario) / "state"
    try:
        with joined(config.training) as processes:
            result = train(config, state, processes)
    except RelsiftError as error:
        (place / f"error-{rank}").write_text(f"{type(error).__name__}: {error}")
        if rank == 0:
            (place / "saved").write_text("\n".join(file.name for file in state.glob("*.safetensors")))
        return 3
    if result is not None:
        keep(result, place)
    return 0


def keep(result: loop.TrainingResult, place: Path) -> None:
    save_tensors(result.bundle.model.state_dict(), place / "weights.safetensors")
    (place / "result.json").write_text(json.dumps([result.state.history, result.bundle.decision.threshold]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(folder: Path, scenarios: list[str]) -> None:
    torch.set_num_threads(1)
    for scenario in ("pair", "joint"):
        result = train(SCENARIOS[scenario]())
        assert result is not None
        (place := folder / f"alone-{scenario}").mkdir(parents=True)
        keep(result, place)
    for scenario in scenarios:
        place = folder / scenario
        place.mkdir(parents=True)
        together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(COUNT)}
        children = []
        for rank in range(COUNT):
            child = os.fork()
            if not child:
                os.environ.update(together, RANK=str(rank), LOCAL_RANK=str(rank))
                os._exit(work(rank, scenario, place))
            children.append(child)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(f"{scenario}: {' '.join(map(str, statuses))}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
