"""One switch for all fused kernels: the environment variable RELSIFT_KERNEL, `auto` (default), `torch`, `numba` or `triton`."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor

from relsift.errors import ConfigError

SWITCH = "RELSIFT_KERNEL"
Fused = Literal["numba", "triton"]


def fused_kernel(example: Tensor) -> Fused | None:
    """The fused kernel that serves this tensor, None for plain torch. Raises ConfigError if one is demanded and cannot."""
    wanted = os.environ.get(SWITCH, "auto")
    if wanted not in ("auto", "torch", "numba", "triton"):
        raise ConfigError(f"{SWITCH}: expected auto, torch, numba or triton, got {wanted!r}")
    fits: Fused | None = None
    if example.dtype == torch.float32:
        if example.device.type == "cpu":
            fits = "numba"
        elif example.device.type == "cuda" and _triton_is_there():
            fits = "triton"
    if wanted not in ("auto", "torch", fits):
        needs = "the CPU" if wanted == "numba" else "a CUDA device with Triton installed"
        raise ConfigError(f"{SWITCH}={wanted}: expected float32 on {needs}, got {example.dtype} on {example.device}; use auto")
    return None if wanted == "torch" else fits


@cache
def _triton_is_there() -> bool:
    return find_spec("triton") is not None
