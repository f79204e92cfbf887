"""The switch of all fused kernels: the environment variable RELSIFT_KERNEL, `auto` (default), `torch`, `numba` or `triton`."""

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
    """The fused kernel for this tensor, None for plain torch. Raises ConfigError if the requested one cannot run on it."""
    requested = os.environ.get(SWITCH, "auto")
    if requested not in ("auto", "torch", "numba", "triton"):
        raise ConfigError(f"{SWITCH}: expected auto, torch, numba or triton, got {requested!r}")
    available: Fused | None = None
    if example.dtype == torch.float32:
        if example.device.type == "cpu":
            available = "numba"
        elif example.device.type == "cuda" and _triton_is_installed():
            available = "triton"
    if requested not in ("auto", "torch", available):
        needs = "the CPU" if requested == "numba" else "a CUDA device with Triton installed"
        raise ConfigError(f"{SWITCH}={requested}: expected float32 on {needs}, got {example.dtype} on {example.device}; use auto")
    return None if requested == "torch" else available


@cache
def _triton_is_installed() -> bool:
    return find_spec("triton") is not None
