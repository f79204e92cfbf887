"""The demonstration: train, score and predict on the corpus that ships with the package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relsift.bundle import CONFIG_FILE, MODEL_FOLDER, RUN_FILE, Bundle
from relsift.config import RunConfig, load_config
from relsift.corpora.data import resolve
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.evaluation.scores import Scores
from relsift.extractor import RelationExtractor
from relsift.files import locked, replaced_file, write_json
from relsift.inference import InferenceReport
from relsift.readers.base import ReadReport
from relsift.report.sentence_page import write_comparison
from relsift.schema import sentences_of
from relsift.streaming.predict import predict_documents
from relsift.training.data import training_data
from relsift.training.predicting import evaluate_predicted
from relsift.training.run import train_run
from relsift.writers.native import write

LANGUAGES = {"en": "paper", "zh": "paper_zh"}


MARK = "demo.json"  # in the folder of a demo: what is there may be replaced by the next one
_LOCK = ".demo.lock"


@dataclass(frozen=True, kw_only=True)
class DemoFiles:
    """What one demonstration leaves."""

    run: Path  # run folder
    model: Path  # model folder
    predictions: Path  # native JSON lines
    page: Path  # HTML, gold and predicted relations side by side

    @classmethod
    def below(cls, out: Path) -> DemoFiles:
        return cls(
            run=out / "run", model=out / "run" / MODEL_FOLDER, predictions=out / "predictions.jsonl", page=out / "predictions.html"
        )


def demo_config(language: str) -> RunConfig:
    """The core model as published, on the small corpus of one language. Raises ConfigError for a language it does not have."""
    if language not in LANGUAGES:
        raise ConfigError(f"--lang: expected {' or '.join(LANGUAGES)}, got {language!r}")
    # One thread: sums in another order would give other scores on another machine.
    return load_config(preset=LANGUAGES[language], overrides=["training.threads=1"], direction=resolve(f"gazette-{language}").direction)


def run_demo(
    language: str,
    config: RunConfig,
    out: Path,
    *,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
) -> tuple[DemoFiles, Scores]:
    """Train, score the test part once, and write model, scores, predictions and page below `out`; returns the scores too.

    An earlier demo there is replaced, an interrupted one too.

    Raises: CheckpointError if `out` holds files that no demo has written, or another demo is at work there; DataError if it is no folder
        to write to.
    """
    corpus = f"gazette-{language}"
    files = DemoFiles.below(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: expected a folder to write to, got {error.strerror}; use another --out") from error
    _check_own(out, files)
    with locked(out / _LOCK, busy=f"{out}: expected no other demo at work there, got one; wait for it, or use another --out"):
        write_json(out / MARK, {"corpus": corpus})  # first: an interrupted demo is known by it
        for file in (files.predictions, files.page):  # none of an earlier model stands beside the new one
            file.unlink(missing_ok=True)
        shutil.rmtree(files.run, ignore_errors=True)
        result, _ = train_run(config, training_data(corpus).run, files.run, on_epoch=on_epoch, on_batch=on_batch)
        return files, _score(corpus, result.bundle, files)


def _check_own(out: Path, files: DemoFiles) -> None:
    """Raises CheckpointError if a demo would delete what another program, or a person, has put there."""
    is_demo = _is_marked(out) or all((files.run / name).is_file() for name in (CONFIG_FILE, RUN_FILE))  # the latter as version 0.1 left it
    others = [path for path in (files.run, files.predictions, files.page) if path.exists()]
    if others and not is_demo:
        raise CheckpointError(f"{others[0]}: expected an earlier demo or nothing, got what no demo has written; use another --out")


def _is_marked(out: Path) -> bool:
    try:
        mark = json.loads((out / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return mark in [{"corpus": f"gazette-{language}"} for language in LANGUAGES]


def _score(corpus: str, bundle: Bundle, files: DemoFiles) -> Scores:
    """Predict the test part, score it, and write scores, predictions and page."""
    documents = list(resolve(corpus).documents("test", ReadReport()))
    report = InferenceReport()
    predicted_documents = list(predict_documents(RelationExtractor(bundle), iter(documents), report=report))
    gold, predicted = list(sentences_of(documents)), list(sentences_of(predicted_documents))
    scores = evaluate_predicted(bundle, gold, predicted, report)
    write_json(files.run / "test.json", scores.to_json())
    with replaced_file(files.predictions) as stream:
        write(predicted_documents, stream)
    with replaced_file(files.page) as stream:
        write_comparison(
            gold, predicted, stream, title=f"{corpus}: relations found and missed", direction=bundle.candidates.direction,
            summary=scores.summary(),
        )  # fmt: skip
    return scores
