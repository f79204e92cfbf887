"""One switch for all fused kernels: the environment variable RELSIFT_KERNEL, `auto` (default), `torch` or `numba`."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from relsift.errors import ConfigError

SWITCH = "RELSIFT_KERNEL"


def use_fused(example: Tensor) -> bool:
    """Whether the fused CPU kernel serves this tensor. Raises ConfigError if it is demanded and cannot."""
    wanted = os.environ.get(SWITCH, "auto")
    if wanted not in ("auto", "torch", "numba"):
        raise ConfigError(f"{SWITCH}: expected auto, torch or numba, got {wanted!r}")
    fits = example.device.type == "cpu" and example.dtype == torch.float32
    if wanted == "numba" and not fits:
        raise ConfigError(f"{SWITCH}=numba: expected float32 on the CPU, got {example.dtype} on {example.device}; use auto")
    return fits and wanted != "torch"
