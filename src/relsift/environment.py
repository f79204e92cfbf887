"""What relsift runs on: versions, threads, devices, switches and folders, for bug reports and a check before a long run."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from relsift.corpora.description import DESCRIPTION_FILE
from relsift.errors import ConfigError
from relsift.home import HOME_VARIABLE, home

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;.*extra\s*==\s*['\"]([^'\"]+)['\"])?")

Fact = tuple[str, str]


def facts() -> Iterator[Fact]:
    """Name and value of each fact, the most general first. Imports torch."""
    import torch

    from relsift.kernels.switch import SWITCH

    yield "relsift", version("relsift")
    yield "python", f"{platform.python_version()} ({platform.platform()})"
    for name in packages(None):
        yield name, installed_version(name)
    yield "CPU threads", f"{torch.get_num_threads()} in use, {os.cpu_count()} in the machine"
    yield "device", _device()
    yield SWITCH, os.environ.get(SWITCH, "auto (not set)")
    yield HOME_VARIABLE, _home()
    yield "prepared corpora", ", ".join(prepared_corpora()) or "none"


def optional_packages() -> Iterator[tuple[str, str, str]]:
    """Extra, package, version or 'not installed', for every optional package that relsift declares."""
    for extra in sorted({extra for _, extra in _requirements() if extra is not None}):
        for name in packages(extra):
            yield extra, name, installed_version(name)


def packages(extra: str | None) -> list[str]:
    """The packages of an extra, or for None those that relsift always needs."""
    return [name for name, required_by in _requirements() if required_by == extra]


def installed_version(package: str) -> str:
    """The version, or 'not installed'."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def prepared_corpora() -> list[str]:
    """The names of the corpora that were prepared below the home folder."""
    try:
        return sorted(file.parent.name for file in (home() / "corpora").glob(f"[!.]*/{DESCRIPTION_FILE}"))
    except ConfigError:  # no home folder, no corpora in it
        return []


def _requirements() -> list[tuple[str, str | None]]:
    """(package, extra or None) from the metadata of the installed relsift."""
    return [(match[1], match[2]) for line in requires("relsift") or [] if (match := _REQUIREMENT.match(line))]


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
    return "Apple GPU (mps)" if torch.backends.mps.is_available() else "CPU only"


def _home() -> str:
    try:
        return f"{home()} ({_folder_state(home())})"
    except ConfigError as error:
        return str(error)


def _folder_state(folder: Path) -> str:
    if not folder.exists():
        return "will be made when needed"
    return "writable" if os.access(folder, os.W_OK) else "not writable"


def cpu_name() -> str:
    """The processor's name, '' if unknown. Another processor may round differently, which changes the scores of a run."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
