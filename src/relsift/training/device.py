"""Torch's settings for repeatable results, and whether a training fits the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.deterministic

from relsift.config import TrainingConfig
from relsift.errors import ConfigError, require
from relsift.models.base.model import RelationModel
from relsift.training.pretrained import freeze
from relsift.weights import num_bytes, outline

MOST_THREADS_OF_A_CORE, FEWEST_BOUND = 4, 64  # more threads than cores only cost time, but a run of another machine may be repeated
COPIES, COPIES_FIXED = 4, 2  # of weights in training, at least: themselves and the best epoch's; their gradients, one of the optimiser


def check_threads(threads: int | None) -> None:
    """Raises ConfigError for far more threads than the machine has cores; tens of thousands would end the process."""
    most = max(FEWEST_BOUND, MOST_THREADS_OF_A_CORE * (os.cpu_count() or 1))
    require(threads is None or threads <= most, "training.threads", expected=f"at most {most} on this machine", got=threads)


def check_memory(c: TrainingConfig, make: Callable[[], RelationModel[Any]], device: torch.device) -> None:
    """Raises ConfigError if the weights of the model that `make` makes, and what training keeps beside them, are beyond the memory."""
    memory, model = _memory(device), outline(make)
    if memory is None or model is None:
        return
    freeze(c, model)
    mean = int(c.average or c.ema is not None)
    whole = num_bytes(model)
    fixed = sum(weight.numel() * weight.element_size() for weight in model.parameters() if not weight.requires_grad)
    needed = (COPIES + mean) * (whole - fixed) + (COPIES_FIXED + mean) * fixed
    if needed > memory:
        raise ConfigError(
            f"model: expected sizes whose training fits into the {memory / 2**30:.1f} GB of memory of {device}, got weights that need "
            f"{needed / 2**30:.1f} GB with their copies; lower the sizes"
        )


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raises ConfigError in place of the errors of torch and Python for memory that is not there."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error).lower() for words in ("out of memory", "allocate memory")):
            raise
        reason = str(error).partition("\n")[0][:200] or "no more memory"
        raise ConfigError(
            f"training.batch_pairs: expected batches that fit into memory, got {reason}; lower it or training.batch_tokens"
        ) from error


def _memory(device: torch.device) -> int | None:
    """Bytes of the device, used or not; None if unknown."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


@contextmanager
def repeatable(threads: int | None, device: torch.device) -> Iterator[None]:
    """Within the block torch uses deterministic algorithms and `threads` threads; afterwards its settings are as before.

    Args: threads: on the CPU; None leaves the number as it is.
    """
    if device.type == "cuda":  # needed by cuBLAS in deterministic mode; read once, when cuBLAS starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    deterministic: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), deterministic.fill_uninitialized_memory, torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    # Deterministic mode would also fill every new tensor with not-a-number. That takes a tenth of the time, and nothing reads the values.
    deterministic.fill_uninitialized_memory = False
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        deterministic.fill_uninitialized_memory = before[1]
        torch.set_num_threads(before[2])
