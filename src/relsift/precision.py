"""In which precision a model computes: single, or bfloat16 where the processor has it, which is faster and less exact.

Products and convolutions are computed in bfloat16; weights, losses, decisions and all that is returned are of single precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from relsift.errors import ConfigError, require

Precision = Literal["float32", "bfloat16"]
BFLOAT16_GPU = (8, 0)  # compute capability (Ampere) from which on NVIDIA GPUs have it
Output = TypeVar("Output")


def check_precision(precision: str, device: torch.device, option: str) -> None:
    """Raises ConfigError that names the option, for another word, or for bfloat16 on a device that cannot compute in it."""
    require(precision in ("float32", "bfloat16"), option, expected="float32 or bfloat16", got=precision)
    if precision == "bfloat16" and not has_bfloat16(device):
        raise ConfigError(f"{option}: expected float32 on {device}, which cannot compute in {precision}, got {precision}; leave it out")


def has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda" and torch.cuda.get_device_capability(device) < BFLOAT16_GPU:
        return False  # it would be emulated, more slowly than float32
    try:
        with torch.autocast(device.type, torch.bfloat16):
            one = torch.ones(1, 1, 1, device=device)
            nn.LSTM(1, 1, device=device)(one)  # oneDNN has none on older CPUs
            return (one @ one).dtype == torch.bfloat16
    except RuntimeError:
        return False


def computed(precision: Precision, device: torch.device, part: Callable[[], Output]) -> Output:
    """The output of a part of a model in float32, whatever precision it is computed in: losses of large sums need it."""
    if precision == "float32":
        return part()
    with torch.autocast(device.type, torch.bfloat16):
        output: Output = in_float32(part())
        return output


def in_float32(output: Any) -> Any:
    """The same tensor, or tuple, list, dictionary or data class of tensors, with floats in single precision."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else output
    if isinstance(output, tuple):
        parts = [in_float32(part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)
    if isinstance(output, list):
        return [in_float32(part) for part in output]
    if isinstance(output, dict):
        return {name: in_float32(part) for name, part in output.items()}
    if is_dataclass(output) and not isinstance(output, type):
        return replace(output, **{field.name: in_float32(getattr(output, field.name)) for field in fields(output) if field.init})
    return output
