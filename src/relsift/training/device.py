"""Where and how torch computes while a model is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.deterministic

from relsift.errors import ConfigError


def torch_device(name: str) -> torch.device:
    """By its name; `auto` is a GPU where there is one. Raises RuntimeError for a name that torch does not know."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def checked_device(name: str) -> torch.device:
    """`torch_device`, tried once. Raises ConfigError for one that torch cannot compute on."""
    try:
        device = torch_device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA: AssertionError
        first = str(error).partition("\n")[0]
        raise ConfigError(f"training.device: expected cpu, auto, or cuda on a machine that has it, got {name!r} ({first})") from error
    return device


@contextmanager
def repeatable(threads: int | None, device: torch.device) -> Iterator[None]:
    """Deterministic algorithms and the configured number of threads, put back afterwards."""
    if device.type == "cuda":  # cuBLAS refuses deterministic mode without it; read once, when cuBLAS starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory, torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    # Deterministic mode would also fill every fresh tensor with not-a-number: a tenth of the time, for memory nobody reads.
    memory.fill_uninitialized_memory = False
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        memory.fill_uninitialized_memory = before[1]
        torch.set_num_threads(before[2])
