"""Full disks, folders that cannot be written, two processes in one folder, clocks that go wrong, and disks that lose bytes: one line, and
then the right result.

As root, disks are small tmpfs mounts. Without root, a limit on the size of files stands for a full disk, and permissions for a read-only
one.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from damaged_files import filled
from fault_trials import BAD_INPUT, CANNOT_WRITE, Command, Outcome, Tally, seeded
from kills import WORKS, Work, carry_out, small_blocks, unlike

from relsift.training.on_disk import OPTION as ON_DISK
from relsift.training.record_file import RecordFile

KINDS = ("full disks", "read-only folders", "two processes in one folder", "clocks set back")
ALTERED = "disks that lose bytes while a command runs"  # for commands that read again what they have put there
FULL_KB = (8, 16, 48, 160, 400)  # of a disk, or of its largest file
ROOM = "64m"
YEAR = 365 * 24 * 3600


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Make the folder a disk of its own, as root; yields whether that was possible."""
    folder.mkdir(parents=True)
    is_mounted = os.geteuid() == 0 and _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _limit(kilobytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


def _set_back() -> None:
    """In the child: a clock that is ten years behind."""
    now = time.time
    time.time = lambda: now() - 10 * YEAR


def try_work(work: Work, place: Path, tally: Tally, count: int, seed: int = 0) -> None:
    """Carry out the work in every bad place, so many times each, and compare what comes out in the end with the undisturbed result."""
    scratch = place / "places" / work.name.replace(" ", "-").replace(",", "")
    (scratch / "whole").mkdir(parents=True)
    out = scratch / "whole/out"
    out.mkdir()
    outcome, length = carry_out(filled(work.command, out=out, all=place), out, lambda: small_blocks(place))
    if outcome.status != 0:
        raise RuntimeError(f"{work.name}: {outcome.status}: {outcome.err}")
    whole = work.result(out, outcome)
    for number in range(count):
        draw = seeded(seed, "places", work.name, number)
        _on_a_full_disk(work, place, scratch / f"full-{number}", tally, whole, draw.choice(FULL_KB))
        _in_a_read_only_folder(work, place, scratch / f"readonly-{number}", tally)
        _twice_at_once(work, place, scratch / f"twice-{number}", tally, whole)
        _with_wrong_clocks(work, place, scratch / f"clock-{number}", tally, whole, draw.randint(1, length.operations or 1))
        if ON_DISK in work.command:
            _on_a_disk_that_loses_bytes(work, place, scratch / f"altered-{number}", tally, whole, draw)
    shutil.rmtree(scratch, ignore_errors=True)


def _ends_well(work: Work, place: Path, out: Path, tally: Tally, kind: str, whole: dict[str, str], name: str) -> None:
    """The same command again, now undisturbed."""
    outcome, _ = carry_out(filled(work.command, out=out, all=place), out, lambda: small_blocks(place))
    tally.watch([outcome])
    if (what := unlike(work, out, outcome, whole)) is not None:
        tally.fault(kind, f"afterwards: {what}", name, outcome)


def _told(outcome: Outcome, tally: Tally, kind: str, name: str, *allowed: int) -> None:
    tally.count(kind, outcome.status != 0)
    if what := outcome.fault(*allowed):
        tally.fault(kind, what, name, outcome)


def _on_a_full_disk(work: Work, place: Path, folder: Path, tally: Tally, whole: dict[str, str], kilobytes: int) -> None:
    kind, name = KINDS[0], f"{work.name}, {kilobytes} KB"
    with small_disk(folder, kilobytes) as is_mounted:
        out = folder / "out"
        out.mkdir()

        def setup() -> None:
            small_blocks(place)
            if not is_mounted:
                _limit(kilobytes)

        outcome, _ = carry_out(filled(work.command, out=out, all=place), out, setup)
        _told(outcome, tally, kind, name, 0, CANNOT_WRITE, BAD_INPUT)
        if is_mounted:
            _mount("-o", f"remount,size={ROOM}", str(folder))
        _ends_well(work, place, out, tally, kind, whole, name)


def _in_a_read_only_folder(work: Work, place: Path, folder: Path, tally: Tally) -> None:
    with small_disk(folder, 4096) as is_mounted:
        out = folder / "out"
        out.mkdir()
        if is_mounted:
            _mount("-o", "remount,ro", str(folder))
        else:
            out.chmod(0o555)
        outcome, _ = carry_out(filled(work.command, out=out, all=place), out, lambda: small_blocks(place))
        _told(outcome, tally, KINDS[1], work.name, CANNOT_WRITE, BAD_INPUT)
        out.chmod(0o755) if not is_mounted else None


def _twice_at_once(work: Work, place: Path, folder: Path, tally: Tally, whole: dict[str, str]) -> None:
    """A second process begins while the first is at work."""
    kind, out = KINDS[2], folder / "out"
    out.mkdir(parents=True)
    command: Command = filled(work.command, out=out, all=place)
    first = _started(command, out, lambda: small_blocks(place))
    second, _ = carry_out(command, out, lambda: small_blocks(place))
    _, status = os.waitpid(first, 0)
    _told(second, tally, kind, work.name, 0, BAD_INPUT)
    if os.waitstatus_to_exitcode(status) not in (0, BAD_INPUT):
        tally.fault(kind, f"the first ended with {os.waitstatus_to_exitcode(status)}", work.name)
    _ends_well(work, place, out, tally, kind, whole, work.name)


def _started(command: Command, out: Path, setup: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        status: int | str = 1
        with suppress(BaseException):
            status = carry_out(command, out, setup)[0].status
        os._exit(status if isinstance(status, int) else 99)
    return child


def _with_wrong_clocks(work: Work, place: Path, folder: Path, tally: Tally, whole: dict[str, str], operation: int) -> None:
    """Killed, then carried on with after the clock was set back: what is there comes from the future."""
    kind, out = KINDS[3], folder / "out"
    out.mkdir(parents=True)
    command = filled(work.command, out=out, all=place)
    carry_out(command, out, lambda: small_blocks(place), operation=operation)
    future = time.time() + 10 * YEAR
    for path in out.rglob("*"):
        os.utime(path, (future, future), follow_symlinks=False)

    def setup() -> None:
        small_blocks(place)
        _set_back()

    outcome, _ = carry_out(command, out, setup)
    name = f"{work.name}, killed before operation {operation}"
    _told(outcome, tally, kind, name, 0, *([BAD_INPUT] if work.refused_rightly(out, outcome, whole) else []))
    if (what := unlike(work, out, outcome, whole)) is not None:
        tally.fault(kind, what, name, outcome)


def _on_a_disk_that_loses_bytes(
    work: Work, place: Path, folder: Path, tally: Tally, whole: dict[str, str], draw: random.Random
) -> None:
    """One of the files without a name, which only this command sees, is cut or has other bytes than it was given."""
    out, which, share, is_cut = folder / "out", draw.randint(1, 2), draw.random(), draw.random() < 0.5
    out.mkdir(parents=True)

    def setup() -> None:
        small_blocks(place)
        make, made = RecordFile.__init__, []

        def make_and_damage(self: RecordFile, *arguments: Any) -> None:
            make(self, *arguments)
            made.append(self)
            if len(made) == which:
                file, byte = self._file.fileno(), int(share * self.size)
                os.ftruncate(file, byte) if is_cut else os.pwrite(file, bytes([os.pread(file, 1, byte)[0] ^ 1]), byte)

        RecordFile.__init__ = make_and_damage  # type: ignore[method-assign]

    outcome, _ = carry_out(filled(work.command, out=out, all=place), out, setup)
    name = f"{work.name}, file {which} {'cut' if is_cut else 'altered'} at {share:.4f}"
    _told(outcome, tally, ALTERED, name, CANNOT_WRITE)
    _ends_well(work, place, out, tally, ALTERED, whole, name)


__all__ = ["ALTERED", "KINDS", "WORKS", "try_work"]
