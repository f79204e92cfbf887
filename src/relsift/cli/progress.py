"""Progress of a training: a bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TrainingProgress:
    def __init__(self, epochs: int, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
            console=console, disable=not console.is_terminal, transient=True,
        )  # fmt: skip
        self.task = self.bar.add_task("", epoch=1, total=None)
        self.epochs = epochs

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def batch(self, done: int, total: int) -> None:
        self.bar.update(self.task, completed=done, total=total)

    def epoch(self, record: dict[str, Any]) -> None:
        losses = "  ".join(f"{name.removeprefix('loss_')} {value:.3f}" for name, value in record.items() if name.startswith("loss_"))
        self.console.print(
            f"epoch {record['epoch']:2d}/{self.epochs}  {losses}  development F1 {100 * record['dev_f1']:.1f}  ({record['seconds']:.1f} s)",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        self.bar.update(self.task, epoch=record["epoch"] + 1, completed=0)
