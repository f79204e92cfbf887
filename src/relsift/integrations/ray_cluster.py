"""Ray: a cluster that is joined or started here, workers that keep an object each, and single tasks. Needs the extra `ray`.

Dead workers are Ray's business as far as it can go: it starts them again and gives them their work again. What a worker raises on purpose
(RelsiftError) comes back as it is; after `_RETRIES` deaths, or a fault of the program, the item has failed and the others go on.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from relsift import errors
from relsift.errors import ConfigError, RelsiftError, require

Item = TypeVar("Item")
_RETRIES = 3  # of an item whose worker has died
_GC_THRESHOLD = 100_000  # new objects between two garbage collections, as in `relsift predict`
_AHEAD = 2  # items of a worker: the next one is there when it has finished one
_PATIENCE = 30.0  # seconds until a user is told that no worker has started
_CONNECTING = 20  # seconds to look for a cluster
MISSING = "expected the package ray, got none; pip install 'relsift[ray]'"


def require_ray(where: str = "--ray") -> Any:
    """The package. Raises ConfigError if it is not installed."""
    try:
        return import_module("ray")
    except ImportError as error:
        raise ConfigError(f"{where}: {MISSING}") from error


@contextmanager
def cluster(address: str | None, workers: int | None) -> Iterator[Any]:
    """Ray, connected to a cluster within the block; as it is, if this process is connected already.

    Args:
        address: of a running cluster, `auto` or HOST:PORT; None: that of $RAY_ADDRESS, or else one that is started here and ends with the
            block.
        workers: processors of a cluster that is started here; None: all.
    Raises: ConfigError if Ray is not installed, or there is no cluster at the address.
    """
    ray = require_ray()
    require(workers is None or workers >= 1, "--workers", expected="a number of workers, 1 or more", got=workers)
    if address and ":" in address and "://" not in address:
        _check_listening(address)
    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    joined = address or os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {"address": joined} if joined else {"num_cpus": workers, "include_dashboard": False}
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        first = " ".join(str(error).split())[:200]
        raise ConfigError(f"--ray-address: expected a Ray cluster at {joined or 'this machine'}, got {first}") from error
    _be_quiet()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)  # Ray puts its own in the place of the command's
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_listening(address: str) -> None:
    """Ray itself tries for minutes. Raises ConfigError if nobody listens at HOST:PORT."""
    import socket

    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECTING).close()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--ray-address: expected a Ray cluster at {address}, got {error}; start one with `ray start --head`") from error


def _be_quiet() -> None:
    """Ray prints what it says of dead workers to standard output, which belongs to results. It stays in Ray's logs."""
    with suppress(ImportError):
        setattr(import_module("ray._private.worker"), "_worker_logs_enabled", False)  # noqa: B010  (mypy knows no such name)


@dataclass(frozen=True)
class Broken:
    """Why an item has no result."""

    reason: str


@dataclass(frozen=True)
class _Raised:
    """An error of ours, as text: not every exception can travel."""

    kind: str
    message: str

    def error(self) -> RelsiftError:
        kind = getattr(errors, self.kind, RelsiftError)
        return RelsiftError(self.message) if kind is errors.ShapeError else kind(self.message)


def _caught(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result, or the error that was raised on purpose."""
    try:
        return work(*arguments)
    except RelsiftError as error:
        return _Raised(type(error).__name__, str(error))


def _enter(folder: str) -> None:
    """Relative paths mean what they mean where the command runs, if the folder is there."""
    with suppress(OSError):
        os.chdir(folder)


class _Host:
    """A worker process: makes its object with the first call and keeps it."""

    def __init__(self, make: Callable[[], Any], folder: str) -> None:
        _enter(folder)
        self.make, self.object, self.key = make, None, uuid.uuid4().hex
        self.is_settled = False

    def call(self, method: str, *arguments: Any) -> tuple[str, Any]:
        """A name of this process, and what `_caught` gives."""
        value = _caught(self._call, method, *arguments)
        if not self.is_settled:  # what lives now lasts as long as the process: the garbage collector need not look at it again
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD)
            self.is_settled = True
        return self.key, value

    def _call(self, method: str, *arguments: Any) -> Any:
        if self.object is None:
            self.object = self.make()
        return getattr(self.object, method)(*arguments)


@dataclass
class RayWorkers(Generic[Item]):
    """Workers on a cluster, of which each has its own object, made there by `make`."""

    ray: Any
    make: Callable[[], Any]
    count: int
    gpus: float = 0.0  # of each
    failed: Callable[[str], Any] = Broken  # from a reason to the result of an item that has none
    on_wait: Callable[[], None] = lambda: None  # called while no worker has started
    processes: set[str] = field(default_factory=set)  # names of those that have answered
    actors: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        options = {"num_cpus": 1, "num_gpus": self.gpus, "max_restarts": -1, "max_task_retries": _RETRIES}
        remote = self.ray.remote(**options)(_Host)
        self.actors = [remote.remote(self.make, str(Path.cwd())) for _ in range(self.count)]

    @property
    def restarts(self) -> int:
        """Workers that have died and were started again, as far as they have answered since."""
        return max(0, len(self.processes) - self.count)

    def stop(self) -> None:
        """End the processes."""
        for actor in self.actors:
            self.ray.kill(actor)

    def begin(self) -> Any:
        """`begin()` of each object; returns what the first one gives. Raises what it raises."""
        waiting = [actor.call.remote("begin") for actor in self.actors]
        while not (ready := self.ray.wait(waiting, num_returns=1, timeout=_PATIENCE)[0]):
            self.on_wait()
        value = self._result(ready[0])
        if isinstance(value, Broken):
            raise RelsiftError(f"worker: expected to start, got {value.reason}")
        return value

    def unordered(self, items: Iterable[Item], *arguments: Any) -> Iterator[tuple[Item, Any]]:
        """(item, what `compute(item, *arguments)` gives, or what `failed` makes of the reason), in the order in which they get ready.

        Raises: what a worker raises on purpose.
        """
        waiting = iter(items)
        running: dict[Any, tuple[Item, Any]] = {}

        def submit(actor: Any) -> None:
            for item in islice(waiting, 1):
                running[actor.call.remote("compute", item, *arguments)] = (item, actor)

        for actor in self.actors * _AHEAD:
            submit(actor)
        while running:
            for ready in self.ray.wait(list(running), num_returns=1)[0]:
                item, actor = running.pop(ready)
                value = self._result(ready)
                submit(actor)
                yield item, self.failed(value.reason) if isinstance(value, Broken) else value

    def _result(self, reference: Any) -> Any:
        value = _got(self.ray, reference)
        if isinstance(value, Broken):
            return value
        key, value = value
        self.processes.add(key)
        if isinstance(value, _Raised):
            raise value.error()
        return value


def _got(ray: Any, reference: Any) -> Any:
    """The value; `Broken` if the worker died too often, or the program has a fault."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(getattr(error, "cause", None), BaseException) else error
        return Broken(f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}")
    except ray.exceptions.RayError as error:
        return Broken(f"its worker died {_RETRIES + 1} times (out of memory?; {type(error).__name__})")


def _task(work: Callable[[Item], Any], item: Item, folder: str) -> Any:
    _enter(folder)
    return _caught(work, item)


def tasks(
    ray: Any, work: Callable[[Item], Any], items: Iterable[Item], at_once: int, *, gpus: float = 0.0
) -> Iterator[tuple[Item, Any]]:
    """(item, work(item)) in the order in which they get ready; so many at once, one processor each. A task that dies is tried again.

    Raises: what `work` raises on purpose; RelsiftError for an item whose process dies again and again, and for a fault of the program.
    """
    remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_RETRIES)(_task)
    shared, folder = ray.put(work), str(Path.cwd())
    waiting = iter(items)
    running: dict[Any, Item] = {}

    def submit(count: int) -> None:
        running.update({remote.remote(shared, item, folder): item for item in islice(waiting, count)})

    submit(at_once)
    while running:
        for ready in ray.wait(list(running), num_returns=1)[0]:
            item, value = running.pop(ready), _got(ray, ready)
            if isinstance(value, _Raised):
                raise value.error()
            if isinstance(value, Broken):
                raise RelsiftError(f"--ray: expected every task to end, got none of {item}: {value.reason}; run the same command again")
            submit(1)
            yield item, value
