"""All that `relsift serve` was asked for; goes to every worker process. The process that watches over workers loads no torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relsift.errors import ConfigError
from relsift.serving.limits import Limits

if TYPE_CHECKING:
    from relsift.precision import Precision

_NAME = re.compile(r"[\w.+-]{1,100}")  # of a model
_MODEL_FOLDER = "model"  # of a run, see `relsift.bundle`, which would load torch
TOKEN_VARIABLE = "RELSIFT_TOKEN"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
LEAST_TOKEN = 16  # characters; a shorter one can be guessed


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    models: tuple[tuple[str, str], ...]  # name, folder
    host: str = "127.0.0.1"
    port: int = 8000  # 0: any that is free
    workers: int = 1  # processes, each with all models
    threads: int | None = None  # of torch in each process; None: the processors shared among the workers
    device: str = "cpu"
    precision: Precision = "float32"
    cache_mb: float = 256.0  # of each model
    entities_from: tuple[str, ...] = ()
    types: Mapping[str, str | None] | None = None
    token: bytes | None = field(default=None, repr=False)
    allow_origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def threads_of_a_worker(self) -> int:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.threads or max(1, available // self.workers)


def named(arguments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Name and folder of each RUN or NAME=RUN, in order. Raises ConfigError for a name twice, or one that does not fit into a request.

    >>> named(["runs/mine", "news=runs/old/model", "demo-en"])
    (('mine', 'runs/mine'), ('news', 'runs/old/model'), ('demo-en', 'demo-en'))
    """
    found: dict[str, str] = {}
    for argument in arguments:
        name, equals, folder = argument.partition("=")
        if not equals or "/" in name:
            folder = argument
            path = Path(argument).absolute()
            name = path.parent.name if path.name == _MODEL_FOLDER else path.name
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{argument}: expected a name of letters, digits and .+-_ for the model, got {name!r}; write NAME=RUN")
        if name in found:
            raise ConfigError(f"{argument}: expected a name of its own for each model, got {name!r} twice; write NAME=RUN")
        found[name] = folder
    return tuple(found.items())


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Raises ConfigError for what no browser sends, such as an origin with a path, and for any (`*`)."""
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigError(f"--allow-origin: expected scheme, host and perhaps port, as https://example.org, got {origin!r}")
    return tuple(origins)


def read_token(file: Path | None, environment: Mapping[str, str]) -> bytes | None:
    """The token of a file, or else of the environment variable `RELSIFT_TOKEN`; None: there is neither.

    Raises: ConfigError for a file that cannot be read, and a token that is short or holds anything but visible ASCII.
    """
    if file is not None:
        try:
            where, token = f"--token-file {file}", file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"--token-file {file}: expected a readable file, got {error.strerror}") from error
    elif TOKEN_VARIABLE in environment:
        where, token = f"${TOKEN_VARIABLE}", os.fsencode(environment[TOKEN_VARIABLE]).strip()
    else:
        return None
    if len(token) < LEAST_TOKEN or any(not 0x21 <= byte <= 0x7E for byte in token):  # its value stays out of the message
        raise ConfigError(
            f"{where}: expected a token of at least {LEAST_TOKEN} visible ASCII characters, got {len(token)} bytes; "
            "make one: python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token
