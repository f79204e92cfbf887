"""Requests that wait are scored together: by work, in order, and none waits longer than it has to.

`Waiting` decides and has no thread and no clock of its own; `ScoringThread` gives it both. There is one thread a model, so that torch,
which has its own threads below it, is not asked by several at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")


@dataclass
class Waiting(Generic[Job]):
    """Jobs in the order in which they came, and when the next batch is due.

    A lone job is due at once, unless the batch before it had company: who sends one request after the other waits for nobody.

    >>> waiting = Waiting[str](most_work=100, most_wait=0.5)
    >>> waiting.add("a", work=60, now=0.0), waiting.due(), waiting.take()
    (None, 0.0, ['a'])
    """

    most_work: int  # of a batch; a job with more is a batch of its own
    most_wait: float  # seconds that a job waits for company while nothing else is scored
    _jobs: deque[tuple[Job, int, float]] = field(default_factory=deque)  # job, work, when it came
    _work: int = 0  # of all that wait
    _last: int = 0  # jobs in the batch before

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def work(self) -> int:
        return self._work

    def add(self, job: Job, *, work: int, now: float) -> None:
        self._jobs.append((job, work, now))
        self._work += work

    def due(self) -> float | None:
        """The time from which on `take` may be called; None: nothing waits."""
        if not self._jobs:
            return None
        came = self._jobs[0][2]
        has_company = self._last > 1 or len(self._jobs) > 1
        return came + self.most_wait if has_company and self._work < self.most_work else came

    def take(self) -> list[Job]:
        """The next batch, in order: as many jobs as the work allows, at least one."""
        batch: list[Job] = []
        size = 0
        while self._jobs and (not batch or size + self._jobs[0][1] <= self.most_work):
            job, work, _ = self._jobs.popleft()
            batch.append(job)
            size += work
        self._work -= size
        self._last = len(batch)
        return batch


class ScoringThread(Generic[Job]):
    """Runs batches one after the other in a thread of its own, until it is closed; then what still waits is run."""

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Job]], None],
        waiting: Waiting[Job],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: run: scores a batch and delivers its results; it raises nothing."""
        self._run, self._waiting, self._clock = run, waiting, clock
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._loop, name=f"scoring {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, job: Job, work: int) -> None:
        with self._changed:
            self._waiting.add(job, work=work, now=self._clock())
            self._changed.notify()

    def close(self, timeout: float) -> bool:
        """Whether all that waited was run in time."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        while batch := self._next():
            self._run(batch)

    def _next(self) -> list[Job]:
        """The next batch when it is due; empty when all is done."""
        with self._changed:
            while True:
                due = self._waiting.due()
                if due is None:
                    if self._is_closed:
                        return []
                    self._changed.wait()
                elif self._is_closed or (left := due - self._clock()) <= 0:
                    return self._waiting.take()
                else:
                    self._changed.wait(left)
