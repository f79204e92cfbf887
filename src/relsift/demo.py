"""The demonstration: train, score and predict on the corpus that ships with the package."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relsift.bundle import CONFIG_FILE, RUN_FILE
from relsift.config import RunConfig, load_config
from relsift.corpora.data import resolve
from relsift.errors import CheckpointError, ConfigError
from relsift.evaluation.scores import Scores
from relsift.extractor import RelationExtractor
from relsift.files import replaced_file, write_json
from relsift.inference import InferenceReport
from relsift.readers.base import ReadReport
from relsift.report.sentence_page import write_comparison
from relsift.schema import sentences_of
from relsift.streaming.predict import predict_documents
from relsift.training.data import training_data
from relsift.training.run import evaluate_predicted, train_run
from relsift.writers.native import write

LANGUAGES = {"en": "paper", "zh": "paper_zh"}


@dataclass(frozen=True)
class DemoResult:
    """The scores and files of one demonstration."""

    scores: Scores  # on the test part
    model: Path  # model folder
    predictions: Path  # native JSON lines
    page: Path  # HTML, gold and predicted relations side by side


def demo_config(language: str) -> RunConfig:
    """The core model as published, on the small corpus of one language. Raises ConfigError for a language it does not have."""
    if language not in LANGUAGES:
        raise ConfigError(f"--lang: expected {' or '.join(LANGUAGES)}, got {language!r}")
    return load_config(preset=LANGUAGES[language], direction=resolve(f"gazette-{language}").direction)


def run_demo(
    language: str,
    config: RunConfig,
    out: Path,
    *,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
) -> DemoResult:
    """Train, score the test part once, and write model, scores, predictions and page below `out`; an earlier demo there is replaced.

    Raises: CheckpointError if `out/run` holds something else than a run.
    """
    corpus = f"gazette-{language}"
    run = out / "run"
    if run.exists():
        if not ((run / CONFIG_FILE).is_file() and (run / RUN_FILE).is_file()):
            raise CheckpointError(f"{run}: expected an earlier demo or nothing, got another folder; use another --out")
        shutil.rmtree(run)
    result, _ = train_run(config, training_data(corpus).run, run, on_epoch=on_epoch, on_batch=on_batch)
    documents = list(resolve(corpus).documents("test", ReadReport()))
    report = InferenceReport()
    predicted_documents = list(predict_documents(RelationExtractor(result.bundle), iter(documents), report=report))
    gold, predicted = list(sentences_of(documents)), list(sentences_of(predicted_documents))
    scores = evaluate_predicted(result.bundle, gold, predicted, report)
    write_json(run / "test.json", scores.to_json())
    demo = DemoResult(scores, run / "model", out / "predictions.jsonl", out / "predictions.html")
    with replaced_file(demo.predictions) as stream:
        write(predicted_documents, stream)
    with replaced_file(demo.page) as stream:
        write_comparison(
            gold, predicted, stream, title=f"{corpus}: relations found and missed", direction=result.bundle.candidates.direction,
            summary=scores.summary(),
        )  # fmt: skip
    return demo
