"""`relsift train --processes N`: starts N processes of the same command, and makes one ending of all their endings.

The first process has the terminal. What the others say is kept, and shown only if one of them is what went wrong.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, NoReturn

from relsift.cli.output import echo

LOST = 75  # exit status of a process that ended because another one did
FAILED = 1  # exit status where a process was killed
INTERRUPTED = 130
WATCHED = "RELSIFT_WATCHED"  # variable: standard input ends with the one who started this process
_PATIENCE = 5.0  # seconds for the others to end by themselves, and again until they are killed
_BETWEEN_LOOKS = 0.05  # seconds
_ERROR = "relsift: error: "


@dataclass(frozen=True)
class _Process:
    rank: int
    handle: subprocess.Popen[bytes]
    errors: IO[bytes] | None  # standard error of all but the first


def train_together(count: int) -> NoReturn:
    """Run this command in `count` processes, and exit as they do."""
    share = max(1, (os.cpu_count() or 1) // count)
    environment = {"OMP_NUM_THREADS": str(share), **os.environ}  # else each process would take all cores
    sys.exit(run_together([sys.executable, "-m", "relsift", *sys.argv[1:]], count, environment))


def run_together(command: Sequence[str], count: int, environment: Mapping[str, str]) -> int:
    """The exit status of all: 0 if all succeed; that of the one that failed; `FAILED` if it was killed, with one line that says so."""
    with ExitStack() as stack:
        told = stack.enter_context(_told_to_stop())
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(count), WATCHED: "1"}
        processes: list[_Process] = []
        stack.callback(_end, processes)
        for rank in range(count):
            own = {**environment, **address, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            errors = None if rank == 0 else stack.enter_context(tempfile.TemporaryFile())
            output = None if rank == 0 else subprocess.DEVNULL
            # Standard input tells a process that this one is gone, however it ended: nobody is left behind.
            handle = subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=output, stderr=errors)
            processes.append(_Process(rank, handle, errors))
        _wait(processes, told)
        if told:
            return INTERRUPTED if told[0] == signal.SIGINT else 128 + told[0]
        ended = {process.rank: process.handle.returncode for process in processes if process.handle.returncode is not None}
        return _status(processes, ended)


@contextmanager
def ending_together() -> Iterator[None]:
    """Within the block this process ends with the one that started it, and leaves it to that one to say that another has ended."""
    from relsift.training.processes import ProcessLostError

    if os.environ.get(WATCHED) != "1":
        yield
        return
    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        yield
    except ProcessLostError:
        sys.exit(LOST)


def _end_with_starter() -> None:
    os.read(0, 1)  # not by `sys.stdin`, whose lock the interpreter takes when it ends
    os._exit(LOST)


def _wait(processes: Sequence[_Process], told: Sequence[int]) -> None:
    """Until all have ended, or some time after one has failed, or a signal says to stop."""
    last = None
    while None in [process.handle.poll() for process in processes] and not told:
        failed = [process for process in processes if process.handle.returncode]
        if failed and last is None:
            last = time.monotonic() + _PATIENCE
        if last is not None and time.monotonic() > last:
            return
        time.sleep(_BETWEEN_LOOKS)


def _status(processes: Sequence[_Process], ended: Mapping[int, int]) -> int:
    """Say what went wrong, unless the first process has said it, and choose the exit status. Args: ended: exit statuses by rank."""
    expected = f"{_ERROR}--processes: expected {len(processes)} processes that train to the end"
    if len(ended) == len(processes) and not any(ended.values()):
        return 0
    causes = sorted((status > 0, rank) for rank, status in ended.items() if status not in (0, LOST))  # killed ones first
    if not causes:
        echo(f"{expected}, got one that ended without a reason", err=True)
        return FAILED
    was_not_killed, rank = causes[0]
    name = f"process {rank + 1} of {len(processes)}"
    if not was_not_killed:
        got = f"{name} ended by {_signal(-ended[rank])}; the same command with --resume goes on from the last saved state"
        echo(f"{expected}, got {got}", err=True)
        return FAILED
    if rank:
        lines = _lines(processes[rank].errors)
        message = next((line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)), lines[-1] if lines else "no reason given")
        echo(f"{_ERROR}{name}: {message}", err=True)
    return ended[rank]


def _lines(errors: IO[bytes] | None) -> list[str]:
    if errors is None:
        return []
    errors.seek(0)
    return errors.read().decode("utf-8", "replace").splitlines()


def _signal(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name}, as the system does where memory is short" if name == "SIGKILL" else name


def _end(processes: Sequence[_Process]) -> None:
    """Nobody is left when this process ends."""
    for process in processes:
        if process.handle.poll() is None:
            process.handle.terminate()
    last = time.monotonic() + _PATIENCE
    for process in processes:
        try:
            process.handle.wait(max(0.0, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.handle.kill()
            process.handle.wait()
        if process.handle.stdin is not None:
            process.handle.stdin.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """A list that gets the signals that say to stop."""
    told: list[int] = []
    before = {number: signal.signal(number, lambda number, _: told.append(number)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
