"""What relsift runs on: versions, threads, devices, switches and places, for a bug report or a look before a long run."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from relsift.corpora.description import FILE
from relsift.home import VARIABLE, home

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;.*extra\s*==\s*['\"]([^'\"]+)['\"])?")

Fact = tuple[str, str]


def facts() -> Iterator[Fact]:
    """Name and value, in the order in which a reader looks for them. Imports torch."""
    import torch

    from relsift.kernels.switch import SWITCH

    yield "relsift", version("relsift")
    yield "python", f"{platform.python_version()} ({platform.platform()})"
    for name in packages(None):
        yield name, installed(name)
    yield "CPU threads", f"{torch.get_num_threads()} in use, {os.cpu_count()} in the machine"
    yield "device", _device()
    yield SWITCH, os.environ.get(SWITCH, "auto (not set)")
    yield VARIABLE, f"{home()} ({_state(home())})"
    yield "prepared corpora", ", ".join(prepared()) or "none"


def optional() -> Iterator[tuple[str, str, str]]:
    """Extra, package, version or 'not installed', for every optional package that relsift declares."""
    for extra in sorted({extra for _, extra in _requirements() if extra is not None}):
        for name in packages(extra):
            yield extra, name, installed(name)


def packages(extra: str | None) -> list[str]:
    """The packages of an extra, or those that relsift always needs."""
    return [name for name, its in _requirements() if its == extra]


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def prepared() -> list[str]:
    """The names of the corpora that were prepared below the home folder."""
    return sorted(file.parent.name for file in (home() / "corpora").glob(f"[!.]*/{FILE}"))


def _requirements() -> list[tuple[str, str | None]]:
    """From the installed package's own metadata, so that this list cannot differ from it."""
    return [(found[1], found[2]) for line in requires("relsift") or [] if (found := _REQUIREMENT.match(line))]


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
    return "Apple GPU (mps)" if torch.backends.mps.is_available() else "CPU only"


def _state(folder: Path) -> str:
    if not folder.exists():
        return "will be made when needed"
    return "writable" if os.access(folder, os.W_OK) else "not writable"


def cpu() -> str:
    """The processor's name, as far as the system tells: another one rounds otherwise, which moves the score of a run."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
