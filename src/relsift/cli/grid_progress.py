"""Progress of a grid: a bar on a terminal, and one line a cell everywhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relsift.cli.output import new_console, print_above
from relsift.experiments.grid import FinishedCell


class GridProgress:
    def __init__(self, total: int, ready: int, title: str = "cells") -> None:
        """Args: title: what is counted. ready: of them, before."""
        self.console = new_console(err=True)
        self.bar = Progress(
            TextColumn(title, markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=self.console, disable=not self.console.is_terminal, transient=True,
        )  # fmt: skip
        self.task = self.bar.add_task("", total=total, completed=ready, left="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def show(self, finished: FinishedCell) -> None:
        result = finished.result
        self.line(
            f"{finished.cell.name}  test F1 {100 * result.test.micro.f1:.1f}  epoch {result.best_epoch} of {result.epochs}  "
            f"{result.seconds:.0f} s", finished.done, finished.total, finished.seconds_left,
        )  # fmt: skip

    def line(self, text: str, done: int, total: int, seconds_left: float) -> None:
        """Args: text: of a finished piece of work. done, total: such pieces. seconds_left: until all are done."""
        left = f"about {spoken(seconds_left)} left" if done < total else "done"
        print_above(self.console, f"{done}/{total}  {text}  {left}")
        self.bar.update(self.task, completed=done, left=left)


def spoken(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
