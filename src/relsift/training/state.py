"""The state of a training run, on disk: with it, `--resume` ends with the result of an uninterrupted run.

It is saved after every epoch, and every `training.save_minutes` within one, between two steps of the optimiser.

Tensors go to a safetensors file with the epoch in its name. The rest goes to `state.json`, which is replaced last and names the tensor
file. So a process that is killed at any moment leaves one complete state. Between two epochs random numbers need no state: the seed of an
epoch depends on the run's seed and the epoch's number. Within one, the state has that of torch's generators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from relsift.errors import CheckpointError
from relsift.files import file_sha256, make_folder, write_json
from relsift.format1 import renamed
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json, sealed
from relsift.training.average import WeightMean
from relsift.training.within_epoch import Within, within_of
from relsift.weights import load_tensors, save_tensors

STATE = "state.json"
_COUNT = "mean.count"  # name of a number in the state
_AGAIN = "train again without --resume, in another --out"


class _StateFile(Strict):
    """state.json"""

    tensors: str = Field(pattern=r"^epoch-\d+(-batch-\d+)?\.safetensors$")  # a file of this folder
    sha256: str
    numbers: dict[str, int | float]  # of the optimiser, and of the mean of the weights
    progress: dict[str, Any]  # see `_state`


@dataclass
class TrainingState:
    """How far training is, without the tensors."""

    epoch: int = 0  # epochs done
    best_epoch: int = 0  # counted from 1; 0: none yet
    best_f1: float = -1.0  # development micro F1 of the best epoch
    best_threshold: float = 0.0  # of the best epoch
    history: list[dict[str, Any]] = field(default_factory=list)  # one record an epoch
    within: Within | None = None  # how far the next epoch is; None: between two epochs

    def to_json(self) -> dict[str, Any]:
        """As it was before there were states within an epoch, where there is none."""
        if self.within is None:
            return {name: value for name, value in vars(self).items() if name != "within"}
        own = {name: value for name, value in vars(self.within).items() if name != "random"}
        return vars(self) | {"within": own}


def save_state(
    folder: Path,
    state: TrainingState,
    model: nn.Module,
    best: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    mean: WeightMean | None = None,
) -> None:
    """Write the state; the tensors of earlier ones are deleted afterwards. Args: best: the model's state after the best epoch.

    Frozen weights are the same in the model, its best state and its mean, and are written once.
    """
    make_folder(folder)
    fixed = {name for name, weight in model.named_parameters(remove_duplicate=False) if not weight.requires_grad}
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items() if name not in fixed}
    numbers: dict[str, Any] = {}
    if mean is not None:
        tensors |= {f"mean.{name}": tensor for name, tensor in mean.tensors.items() if name not in fixed}
        numbers[_COUNT] = mean.count
    for index, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{name}"] = value
            else:
                numbers[f"optimiser.{index}.{name}"] = value
    within = state.within
    tensors |= {} if within is None else {f"random.{name}": value for name, value in within.random.items()}
    file = folder / f"epoch-{state.epoch}{'' if within is None else f'-batch-{within.batches}'}.safetensors"
    # A shared table has two names, which safetensors allows only for copies. Loading writes the same values twice.
    save_tensors({name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}, file)
    record = {"tensors": file.name, "sha256": file_sha256(file), "numbers": numbers, "progress": state.to_json()}
    write_json(folder / STATE, sealed(record))
    _delete_others(file)


def _delete_others(file: Path) -> None:
    """The tensors of other epochs: earlier ones, and one whose writing was interrupted."""
    for other in file.parent.glob("epoch-*.safetensors"):
        if other != file:
            other.unlink()


def clear_state(folder: Path) -> None:
    """Delete the state of an earlier run."""
    (folder / STATE).unlink(missing_ok=True)


def load_state(
    folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer, mean: WeightMean | None = None
) -> tuple[TrainingState, dict[str, Tensor]] | None:
    """Restore model, optimiser and mean; returns the state and the best epoch's tensors, or None if there is no state yet.

    Raises: CheckpointError if the state is incomplete, altered, or of another model or optimiser.
    """
    if not (folder / STATE).is_file():
        return None
    try:
        saved = conform(_StateFile, read_json(folder / STATE, advice=_AGAIN), folder / STATE, advice=_AGAIN)
        file = folder / saved.tensors
        if not file.is_file() or file_sha256(file) != saved.sha256:
            raise CheckpointError(
                f"{file}: expected the tensors that {STATE} names, got a missing or altered file; {_AGAIN}"
            )
        tensors = load_tensors(file, finite=False)  # a sum of squares of the optimiser may be infinite
        model.load_state_dict(_part(tensors, "model."))
        slots: dict[int, dict[str, Any]] = {}
        for name, value in (tensors | saved.numbers).items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".", 2)
                slots.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
        _check_slots(optimiser)
        fixed = {name: weight.detach() for name, weight in model.named_parameters(remove_duplicate=False) if not weight.requires_grad}
        best = {name: weight.clone() for name, weight in fixed.items()} | _part(tensors, "best.")
        if mean is not None:
            current = model.state_dict()
            kept = {name: tensor.to(current[name].device) for name, tensor in _part(tensors, "mean.").items()}
            if not kept:
                raise ValueError("it has no mean of the weights; training.average and training.ema were off")
            mean.tensors = {name: weight.clone() for name, weight in fixed.items()} | kept
            if mean.tensors.keys() != best.keys():
                raise ValueError("it has no mean of the weights; training.average and training.ema were off")
            mean.count = _count(saved.numbers.get(_COUNT, saved.progress.get("epoch")))  # version 0.1 wrote none: epochs
        random = {name.removeprefix("random."): value for name, value in tensors.items() if name.startswith("random.")}
        state = _state(saved.progress, random)
    except (KeyError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise CheckpointError(
            f"{folder}: the saved training state does not fit this run ({' '.join(str(error).split())}); {_AGAIN}"
        ) from error
    _delete_others(file)  # what a kill has left; else it would stay if no further epoch is trained
    return state, best


def _state(saved: dict[str, Any], random: dict[str, Tensor]) -> TrainingState:
    """Raises TypeError or ValueError for what no training has written."""
    state = TrainingState(**(saved | {"within": within_of(saved.get("within"), random)}))
    whole = all(type(number) is int for number in (state.epoch, state.best_epoch))
    numbers = all(type(number) in (int, float) for number in (state.best_f1, state.best_threshold))
    records = state.history if isinstance(state.history, list) else [None]
    history = all(isinstance(record, dict) and type(record.get("epoch")) is int for record in records)
    if not (whole and numbers and history and 0 <= state.best_epoch <= state.epoch):
        raise ValueError(f"progress: expected epochs, scores and a history, got {str(saved)[:200]}")
    return state


def _count(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{_COUNT}: expected a whole number >= 0, got {number!r}")
    return int(number)


def _check_slots(optimiser: torch.optim.Optimizer) -> None:
    """Raises ValueError for values of the optimiser that do not have the shape of their weight."""
    for weight, slots in optimiser.state.items():
        for name, value in slots.items():
            if isinstance(value, Tensor) and value.ndim and value.shape != weight.shape:
                raise ValueError(f"optimiser: {name}: expected the shape {tuple(weight.shape)}, got {tuple(value.shape)}")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return renamed({name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)})
