"""Several processes behind one address: each has all models, and the system gives each connection to one of them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from typing import Any

from relsift.errors import ConfigError, RelsiftError
from relsift.serving.address import listen
from relsift.serving.logs import log, open_logs
from relsift.serving.options import ServeOptions

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is imported
_SHORT_LIFE = 10.0  # seconds; a worker that ends sooner would end again
_HURRY = 2  # signals
_MARGIN = 5.0  # seconds beyond the time to stop, before a worker is killed
_BAD_INPUT = 2  # exit status


def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError for an address that is in use, CheckpointError for models that do not load."""
    listening = listen(options.host, options.port)
    with listening:
        if options.workers == 1:
            from relsift.serving import server

            server.run(options, listening)
            return
        open_logs()
        with tempfile.TemporaryDirectory(prefix="relsift-metrics-") as folder:
            _supervise(options, listening, folder)


def work(options: ServeOptions, listening: socket.socket, folder: str) -> None:
    """The whole life of a worker process."""
    os.environ[_VARIABLE] = folder  # before anything imports prometheus_client
    from relsift.serving import server

    try:
        server.run(options, listening, metrics_folder=folder)
    except RelsiftError as error:
        open_logs()
        log("not started", logging.ERROR, message=str(error))
        sys.exit(_BAD_INPUT)


def _supervise(options: ServeOptions, listening: socket.socket, folder: str) -> None:
    """Keep the workers running; a worker that dies is replaced."""

    def start() -> tuple[SpawnProcess, float]:
        process = get_context("spawn").Process(target=work, args=(options, listening, folder), name="relsift worker")
        process.start()
        return process, time.monotonic()

    with _told_to_stop() as told:
        workers = [start() for _ in range(options.workers)]
        try:
            while not told:
                connection.wait([process.sentinel for process, _ in workers], timeout=0.2)
                for number, (process, started) in enumerate(workers):
                    if process.is_alive() or told:
                        continue
                    if time.monotonic() - started < _SHORT_LIFE:
                        got = f"one that ended with status {process.exitcode}"
                        raise ConfigError(f"--workers: expected processes that serve, got {got}; its last line above says why")
                    _forget(process, folder)
                    log("worker replaced", logging.ERROR, exit_status=process.exitcode)
                    workers[number] = start()
        finally:
            _end([process for process, _ in workers], options.limits.stop_timeout + _MARGIN, told)


def _end(processes: list[SpawnProcess], seconds: float, told: list[int]) -> None:
    """Let each answer what it has begun; kill those that take too long, and all if a second signal says to hurry."""
    for process in processes:
        process.terminate()
    last = time.monotonic() + seconds
    for process in processes:
        while process.is_alive() and time.monotonic() < last and len(told) < _HURRY:
            process.join(0.1)
        if process.is_alive():
            log("worker killed", logging.ERROR)
            process.kill()
            process.join()


def _forget(process: SpawnProcess, folder: str) -> None:
    """What was in flight in a dead worker is so no longer; its counts stay."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process.pid, folder)  # type: ignore[no-untyped-call]


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """A list that gets the signals that say to stop."""
    told: list[int] = []

    def note(number: int, frame: Any) -> None:
        told.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
