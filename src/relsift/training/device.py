"""Torch's settings for repeatable results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.deterministic


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
