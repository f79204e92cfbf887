"""A process that times the stages of prediction or training with the code that PYTHONPATH names, as often as it is asked: for `compare.py`.

    python benchmarks/stages.py predict MODEL INPUT        python benchmarks/stages.py train DATA [--set KEY=VALUE]...

Each line on standard input is answered by one line: a JSON object, stage -> CPU seconds of this process, all of its threads. Only functions
that relsift has had for long are used, so that old code can be timed too.

predict: reading, encoding (candidates, numbers, batches), model, decision and writing, other.
train: reading, encoding, batching, model (forward, loss, backward, optimiser), selection (scores of the development part), other.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Stages = dict[str, float]


def predicting(model: str, source: str) -> Callable[[], Stages]:
    from relsift.extractor import RelationExtractor
    from relsift.inference import InferenceReport
    from relsift.streaming.predict import predict_file

    extractor = RelationExtractor.from_pretrained(model)
    extractor.bundle.limit_cache(256)

    def once() -> Stages:
        report = InferenceReport()
        extractor.bundle.limit_cache(0)  # each pass begins without what the last one remembered
        extractor.bundle.limit_cache(256)
        with TemporaryDirectory() as place:
            started = time.process_time()
            predict_file(extractor, source, Path(place) / "out.jsonl", report=report)
            total = time.process_time() - started
        known = {"decision and writing" if name == "writing" else name: value for name, value in report.seconds.items() if value}
        return known | {"other": total - sum(known.values()), "total": total}

    return once


class Clock:
    """CPU seconds inside functions that are replaced by timed ones."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - started

        return call


def training(data: str, *settings: str) -> Callable[[], Stages]:
    from relsift.config import load_config
    from relsift.training import epoch, loop
    from relsift.training.data import training_data
    from relsift.training.selection import Selection

    clock = Clock()
    epoch.collate = clock.timed(epoch.collate, "batching")
    loop.run_epoch = clock.timed(loop.run_epoch, "epoch")
    Selection.select = clock.timed(Selection.select, "selection")  # type: ignore[method-assign]
    config = load_config(overrides=["training.epochs=1", "training.threads=1", *settings])

    def once() -> Stages:
        clock.seconds.clear()
        started = time.process_time()
        run = training_data(data).run
        read = time.process_time()
        prepared = loop.prepare(config, run.training, run.development)
        encoded = time.process_time()
        loop.fit(prepared)
        total = time.process_time() - started
        of = clock.seconds
        known = {
            "reading": read - started, "encoding": encoded - read, "batching": of["batching"], "model": of["epoch"] - of["batching"],
            "selection": of["selection"],
        }  # fmt: skip
        return known | {"other": total - sum(known.values()), "total": total}

    return once


def main() -> None:
    kind, *rest = sys.argv[1:]
    gc.set_threshold(100_000)  # as the command line does
    once = {"predict": predicting, "train": training}[kind](*[one for one in rest if one != "--set"])
    once()  # compiles and imports
    gc.freeze()
    for _ in sys.stdin:
        print(json.dumps(once()), flush=True)


if __name__ == "__main__":
    main()
