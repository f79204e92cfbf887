"""Devices by their names, tried before any work, and what a computation that needs too much memory tells the user."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relsift.errors import ConfigError

if TYPE_CHECKING:
    import torch

CPU = "cpu"  # the default of training and prediction: its results repeat bit for bit
_NAMES = re.compile(r"auto|cpu(:0)?|(cuda|mps|xpu)(:\d{1,3})?")  # torch knows more names, of devices that cannot run a model


def torch_device(name: str) -> torch.device:
    """A device by its name; `auto` is a GPU if there is one, else the CPU. Raises RuntimeError for a name that torch does not know."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else CPU)
    return torch.device(name)


def checked_device(name: str, option: str = "training.device") -> torch.device:
    """`torch_device`, tried once. Raises: ConfigError that names the option, for a device that torch cannot compute on."""
    expected = f"{option}: expected cpu, auto, or cuda (cuda:0, cuda:1, …) on a machine that has it, got {name!r}"
    if not isinstance(name, str) or not _NAMES.fullmatch(name):
        raise ConfigError(expected)
    try:
        import torch

        device = torch_device(name)
        torch.ones(1, device=device).add(1).item()
    except (RuntimeError, AssertionError, ImportError, AttributeError) as error:  # AssertionError: torch is built without this device
        first = str(error).partition("\n")[0]
        raise ConfigError(f"{expected} ({first})") from error
    return device
