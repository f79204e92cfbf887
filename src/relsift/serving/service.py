"""The models with their scoring threads, and the state that all requests share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType

from relsift import __version__
from relsift.serving.batching import ScoringThread, Waiting
from relsift.serving.limits import Limits
from relsift.serving.logs import fault, log
from relsift.serving.metrics import Metrics
from relsift.serving.models import ServedModel
from relsift.serving.problems import FAULT, Problem
from relsift.serving.requests import Extraction
from relsift.serving.scoring import Counts, answers

_LAST_BATCH = 2.0  # seconds for what is scored at the end, though nobody waits for it
_MILLISECOND = 1e-3  # seconds


@dataclass(eq=False)
class _Job:
    """A request on its way through a scoring thread."""

    request: Extraction
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[bytes]
    is_given_up: bool = False  # nobody waits for its answer any more


@dataclass(eq=False)
class Service:
    """Use it as a context: its threads run inside.

    Raises: ConfigError, CheckpointError by those who make the models; none of its own.
    """

    models: Sequence[ServedModel]
    limits: Limits
    metrics: Metrics
    token: bytes | None = None  # that requests have to bear; None: they need none
    clock: Callable[[], float] = time.monotonic
    is_stopping: bool = False
    is_hurried: bool = False  # what is under way is given up
    is_scoring: bool = False  # at the end: a batch that nobody waits for is not done
    in_flight: int = 0  # requests of any kind that have no answer yet
    extractions: int = 0  # those of them that ask for relations
    _threads: dict[str, ScoringThread[_Job]] = field(default_factory=dict)

    def __enter__(self) -> Service:
        for model in self.models:
            waiting = Waiting[_Job](self.limits.batch_work, self.limits.batch_wait * _MILLISECOND)
            self._threads[model.name] = ScoringThread(model.name, partial(self._run, model), waiting, self.clock)
            self._threads[model.name].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        closed = [thread.close(0.0 if self.is_hurried else _LAST_BATCH) for thread in self._threads.values()]
        self.is_scoring = not all(closed)
        self._threads.clear()

    @property
    def is_ready(self) -> bool:
        """Whether every model can answer."""
        running = bool(self._threads) and all(thread.is_alive for thread in self._threads.values())
        return running and not self.is_stopping

    @property
    def is_alive(self) -> bool:
        """Whether a restart would not help: no scoring thread has died."""
        return all(thread.is_alive for thread in self._threads.values())

    def model(self, name: str | None) -> ServedModel:
        """Raises Problem for a name that no model has."""
        if name is None:
            return self.models[0]
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise Problem("unknown_model", f"expected the name of a model ({known}), got {name[:80]!r}", "model")

    def summary(self) -> dict[str, object]:
        """As `relsift.serving.schemas.ModelsAnswer`."""
        limits = self.limits
        return {
            "models": [model.summary(default=number == 0) for number, model in enumerate(self.models)],
            "limits": {
                "max_kb": limits.max_kb, "max_documents": limits.max_documents, "max_tokens": limits.max_tokens,
                "max_entities": limits.max_entities, "timeout": limits.timeout,
            },
            "version": __version__,
        }  # fmt: skip

    async def extract(self, request: Extraction) -> tuple[str, bytes]:
        """Name of the model, and the body of the answer. Raises Problem. If it is cancelled, the request is not scored, or not answered."""
        name = self.model(request.model).name
        if not (thread := self._threads[name]).is_alive:
            raise Problem("not_ready", f"the model {name} cannot answer any more; restart the service")
        loop = asyncio.get_running_loop()
        job = _Job(request, loop, loop.create_future())
        waiting = self.metrics.waiting.labels(name)
        waiting.inc()
        thread.submit(job, request.work)
        try:
            return name, await job.future
        finally:
            job.is_given_up = True
            waiting.dec()

    def _run(self, model: ServedModel, jobs: Sequence[_Job]) -> None:
        """In the scoring thread."""
        wanted = [job for job in jobs if not job.is_given_up]
        if not wanted:
            return
        counts, started = Counts(), self.clock()
        before = _left_out(model)
        outcomes = answers(model.name, model.extractor, [job.request for job in wanted], self.limits, counts)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, Problem):
                log("fault", logging.ERROR, model=model.name, **fault(outcome))
        if left_out := _left_out(model) - before:
            log("left out by an annotator", logging.WARNING, model=model.name, count=left_out)
            self.metrics.left_out.labels(model.name).inc(left_out)
        self.metrics.add_batch(model.name, len(wanted), self.clock() - started, counts)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, bytes | Exception]]] = {}
        for job, outcome in zip(wanted, outcomes):
            by_loop.setdefault(job.loop, []).append((job, outcome))
        for loop, finished in by_loop.items():  # one call a batch: each wakes the loop
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, finished)


def _left_out(model: ServedModel) -> int:
    """What the model's annotator of entities left out or changed so far: it counts, and does not say of which request."""
    annotator = model.extractor.annotator
    return 0 if annotator is None else annotator.report.dropped.total()


def _deliver(finished: Sequence[tuple[_Job, bytes | Exception]]) -> None:
    for job, outcome in finished:
        if job.future.done():
            continue
        if isinstance(outcome, Problem):
            job.future.set_exception(outcome)
        elif isinstance(outcome, Exception):
            job.future.set_exception(Problem("internal", FAULT))
        else:
            job.future.set_result(outcome)
