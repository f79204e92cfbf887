"""Progress on standard error: a bar on a terminal that goes away at the end, little or nothing elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from relsift.cli.output import new_console, print_above
from relsift.report.terminal import printable

_BETWEEN_REFRESHES = 0.1  # seconds


class TrainingProgress:
    """The epochs of a training: a bar over the batches of each, and one plain line an epoch, also where there is no terminal."""

    def __init__(self, epochs: int, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True,
        )  # fmt: skip
        self.task = self.bar.add_task("", epoch=1, total=None)
        self.epochs = epochs

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def seed(self, seed: int) -> None:
        """The training of another seed begins."""
        print_above(self.console, f"seed {seed}")
        self.bar.update(self.task, epoch=1, completed=0)

    def batch(self, done: int, total: int) -> None:
        """Args: done, total: batches of this epoch."""
        self.bar.update(self.task, completed=done, total=total)

    def fold(self, number: int, count: int, seconds: float | None) -> None:
        """A model of the jack-knife is trained, and has read its sentences. Args: as of `relsift.training.jack_knife.OnFold`."""
        how = "kept from before" if seconds is None else f"{seconds:.1f} s"
        print_above(self.console, f"jack-knife, fold {number}/{count}  ({how})")
        self.bar.update(self.task, completed=0)

    def epoch(self, record: dict[str, Any]) -> None:
        """Args: record: of a finished epoch, as in history.jsonl."""
        losses = "  ".join(f"{name.removeprefix('loss_')} {value:.3f}" for name, value in record.items() if name.startswith("loss_"))
        entities = f" (entities {100 * record['dev_entity_f1']:.1f})" if "dev_entity_f1" in record else ""
        f1 = f"development F1 {100 * record['dev_f1']:.1f}{entities}"
        print_above(self.console, f"epoch {record['epoch']:2d}/{self.epochs}  {losses}  {f1}  ({record['seconds']:.1f} s)")
        self.bar.update(self.task, epoch=record["epoch"] + 1, completed=0)


class StageProgress:
    """The stages of other work, whose size may be unknown: one bar a stage, on a terminal only. It is a `ReportProgress`."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        """Args: title: of the work. quiet: no bar on a terminal either, where results go there too."""
        console = new_console(err=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.completed:,.0f}", markup=False),
            TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal, transient=True, auto_refresh=False,
        )  # fmt: skip
        self._title = title
        self._tasks: dict[str, TaskID] = {}
        self._next = 0.0  # when to draw again, by `time.monotonic`

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Args: stage: in words. done, total: amounts of it; total is None if unknown."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(printable(f"{self._title}: {stage}"), total=total)
        # No thread of rich refreshes the bar: a signal that comes while it draws would find its locks taken.
        due = (now := time.monotonic()) >= self._next
        if due:
            self._next = now + _BETWEEN_REFRESHES
        self._bar.update(self._tasks[stage], completed=done, total=total, refresh=due)
