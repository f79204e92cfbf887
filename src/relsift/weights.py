"""Files of weights: written with the rights of other files, compared with a model before memory is taken, without infinity in them.

No pickle: the format is safetensors, a JSON header with names, types and shapes, then the numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from relsift.errors import CheckpointError, DataError, OutputError
from relsift.locks import FULL

Shape = tuple[int, ...]
Made = TypeVar("Made", bound=nn.Module)
_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}
_FILLERS = {"normal_", "uniform_", "zero_", "fill_", "zeros_", "ones_", "constant_", "orthogonal_", "copy_"} | {
    f"{kind}_{shape}_" for kind in ("xavier", "kaiming") for shape in ("uniform", "normal")
}


def save_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write the tensors. Raises DataError if the place cannot be written to, OutputError if it is full."""
    try:
        file.touch()
        mode = file.stat().st_mode  # safetensors would leave a file that only its owner can read
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, file)
        file.chmod(mode)
    except (OSError, SafetensorError) as error:
        file.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        is_full = any(os.strerror(number) in reason for number in FULL)  # safetensors passes on the words of the system alone
        kind = OutputError if is_full else DataError
        raise kind(f"{file}: expected a place with room to write the weights to, got {reason}") from error


def load_tensors(file: Path, *, finite: bool = True) -> dict[str, Tensor]:
    """All tensors of the file. Raises CheckpointError for what is no such file, and if `finite` for a number that is not."""
    try:
        tensors: dict[str, Tensor] = load_file(file)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{file}: expected a file of weights, got {error}; copy the folder again") from error
    for name, tensor in tensors.items():
        if finite and tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(f"{file}: {name}: expected finite numbers, got infinity or not-a-number; train again, or copy it again")
    return tensors


def shapes(file: Path) -> dict[str, Shape]:
    """Name -> shape of each tensor, from the header alone. Raises CheckpointError for what is no such file."""
    try:
        with safe_open(file, framework="pt") as content:
            return {name: tuple(content.get_slice(name).get_shape()) for name in content.keys()}  # noqa: SIM118 (it is no mapping)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{file}: expected a file of weights, got {error}; copy the folder again") from error


def outline(make: Callable[[], Made]) -> Made | None:
    """The module that `make` makes, with shapes and without values, so that it takes no memory; None if it cannot be made so."""
    try:
        with _NoMemory():
            return make()
    except (NotImplementedError, RuntimeError):  # it computes with the values of its weights while it is made
        return None


class _NoMemory(TorchFunctionMode):
    """New tensors have shapes and no values, and stay without. Random values of a tensor without values would import torch's compiler."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        filled = args[0] if args else named.get("tensor")
        if isinstance(filled, Tensor) and filled.is_meta and getattr(func, "__name__", "") in _FILLERS:
            return filled
        return func(*args, **(named | {"device": "meta"} if func in _MAKERS else named))


def check_fit(model: nn.Module, found: Mapping[str, Shape], where: str) -> None:
    """Compare the shapes of a file with those of a model. A table that two parts share may have either name, or both.

    Raises: CheckpointError, with `where`, naming the tensors that differ.
    """
    state = model.state_dict(keep_vars=True)
    names_of: dict[int, list[str]] = {}
    for name, tensor in state.items():
        names_of.setdefault(id(tensor), []).append(name)
    wrong = [name for name in found if name not in state]
    if wrong:
        raise CheckpointError(f"{where}: expected weights of the described model, got others beside them: {_some(wrong)}")
    missing = [names[0] for names in names_of.values() if not any(name in found for name in names)]
    if missing:
        raise CheckpointError(f"{where}: expected all weights of the described model, got none for {_some(missing)}")
    for name, shape in found.items():
        if (expected := tuple(state[name].shape)) != shape:
            raise CheckpointError(f"{where}: {name}: expected the shape {expected}, as options and symbols say, got {shape}")


def num_bytes(model: nn.Module) -> int:
    """Memory of all parameters and buffers, a shared one counted once."""
    tensors = {id(tensor): tensor for tensor in model.state_dict(keep_vars=True).values()}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def state_of(model: nn.Module, *, half: bool = False) -> dict[str, Tensor]:
    """The weights of a model, each once. Args: half: in 16 bits in place of 32."""
    weights = _without_aliases(model.state_dict())
    return {name: _halved(tensor) for name, tensor in weights.items()} if half else weights


def fill(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give a model the weights that `state_of` gave. Raises RuntimeError for those of another one."""
    addresses = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    saved = {addresses[name]: tensor for name, tensor in weights.items() if name in addresses}
    for name, address in addresses.items():
        if name not in weights and address in saved:  # a table that two parts share is saved once
            weights[name] = saved[address]
    model.load_state_dict(weights)


def _without_aliases(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """safetensors refuses two names for one storage; the first name stands for both."""
    seen: set[int] = set()
    kept: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if tensor.numel() and tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        kept[name] = tensor
    return kept


def _halved(tensor: Tensor) -> Tensor:
    """In 16 bits, unless it is whole numbers or has one that 16 bits cannot hold."""
    fits = tensor.is_floating_point() and bool(tensor.half().isfinite().all())
    return tensor.half() if fits else tensor
