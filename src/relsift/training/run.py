"""A run: one training with everything that is needed to trust and repeat it, in one folder (see `relsift.bundle` for its layout)."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from relsift.annotators.trees import with_trees
from relsift.bundle import CONFIG_FILE, HISTORY_FILE, METRICS_FILE, MODEL_FOLDER, RUN_FILE, STATE_FOLDER, Bundle
from relsift.config import RunConfig
from relsift.encoding.vectors import vectors_sha256
from relsift.errors import CheckpointError, DataError, RelsiftError
from relsift.evaluation.scores import Scores, evaluate
from relsift.files import RUN_CONTENT, make_folder, open_output, replaced_file, to_json, write_json
from relsift.inference import InferenceReport, predict
from relsift.registry import find
from relsift.schema import Sentence
from relsift.training.device import checked_device
from relsift.training.loop import TrainingResult, train
from relsift.training.state import STATE


@dataclass(frozen=True)
class RunData:
    """The sentences of a run."""

    name: str
    training: Sequence[Sentence]
    development: Sequence[Sentence]  # to select the epoch and the threshold on
    checksums: Mapping[str, str]  # name of a data set -> sha256


def train_run(
    config: RunConfig,
    data: RunData,
    folder: Path,
    *,
    resume: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
) -> tuple[TrainingResult, Scores]:
    """Train into `folder`; returns the result and the scores on the development part.

    Raises: CheckpointError if the folder holds another run and `resume` is off, or a run of other settings and it is on.
    """
    checked_device(config.training.device)  # first: no folder is begun without a device, or without trees and a parser
    if "trees" in find("model", config.model.name).READS:
        parser = config.encoding.parser
        data = replace(data, training=with_trees(data.training, parser), development=with_trees(data.development, parser))
    make_folder(folder)
    _begin_or_check(config, data, folder, resume)

    def record_epoch(record: dict[str, Any]) -> None:
        with open_output(folder / HISTORY_FILE, "a") as stream:
            stream.write(to_json(record, indent=None) + "\n")
        if on_epoch is not None:
            on_epoch(record)

    try:
        result = train(
            config,
            data.training,
            data.development,
            state_folder=folder / STATE_FOLDER,
            resume=resume,
            on_epoch=record_epoch,
            on_batch=on_batch,
        )
    except RelsiftError:
        if not (folder / STATE_FOLDER / STATE).exists():  # nothing to resume: the folder can be begun again, with options that work
            (folder / CONFIG_FILE).unlink()
        raise
    if result.vectors is not None:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        write_json(folder / RUN_FILE, record | {"vectors": result.vectors.to_json()})
    scores, report = score_bundle(result.bundle, data.development)
    bundle = replace(result.bundle, about=_about(data, result, scores))
    write_json(folder / METRICS_FILE, {"development": scores.to_json(), "unseen entity types": report.unseen_types})
    with replaced_file(folder / HISTORY_FILE) as stream:
        stream.writelines(to_json(record, indent=None) + "\n" for record in result.state.history)
    bundle.save(folder / MODEL_FOLDER)
    return replace(result, bundle=bundle), scores


def _about(data: RunData, result: TrainingResult, scores: Scores) -> dict[str, Any]:
    """What a model folder tells people of its training."""
    return {
        "data": data.name,
        **({} if result.vectors is None else {"vectors": result.vectors.to_json()}),
        "epochs": result.state.epoch,
        "best_epoch": result.state.best_epoch,
        "training_candidates": {
            "kept": result.candidates.kept, "positive": result.candidates.positive, "ratio": result.candidates.ratio(),
            "dropped": dict(result.candidates.dropped), "lost": dict(result.candidates.lost),
        },
        "development": scores.to_json()["micro"] | {"average": "micro", "setting": scores.setting},
    }  # fmt: skip


def score_bundle(bundle: Bundle, sentences: Sequence[Sentence]) -> tuple[Scores, InferenceReport]:
    """Predict the relations of annotated sentences between their gold entities, and evaluate them."""
    predicted, report = predict_all(bundle, sentences)
    return evaluate_predicted(bundle, sentences, predicted, report), report


def predict_all(bundle: Bundle, sentences: Sequence[Sentence]) -> tuple[list[Sentence], InferenceReport]:
    """The sentences with predicted relations, all in memory."""
    report = InferenceReport()
    return list(predict(bundle.scorer, bundle.decision, sentences, report)), report


def evaluate_predicted(
    bundle: Bundle, gold: Sequence[Sentence], predicted: Sequence[Sentence], report: InferenceReport
) -> Scores:
    """Scores in the model's own direction, with its numbers of candidates in the setting line."""
    return evaluate(gold, predicted, direction=bundle.candidates.direction, candidates=report.candidates.setting())


def _begin_or_check(config: RunConfig, data: RunData, folder: Path, resume: bool) -> None:
    """Write the record of a new run into the folder, or check that the run to resume has the same configuration and data."""
    config_file, run_file = folder / CONFIG_FILE, folder / RUN_FILE
    if config_file.exists() and not resume:
        raise CheckpointError(
            f"{folder}: expected a new or empty run folder, got one that holds a run; use --resume or another --out"
        )
    checksums = dict(data.checksums)
    if (vectors := config.encoding.vectors) is not None:
        checksums["word vectors"] = vectors_sha256(Path(vectors))
    identity = {"data": data.name, "checksums": checksums, "seed": config.training.seed}
    if config_file.exists():
        try:
            before = dict(json.loads(run_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{run_file}: expected the record of the run to resume, got {error}; start again in another --out"
            ) from error
        if not config.same_as(config_file):
            raise CheckpointError(
                f"{config_file}: expected the configuration of the run to resume, got another one; use the same options"
            )
        if {key: before.get(key) for key in identity} != identity:
            raise CheckpointError(
                f"{run_file}: expected the same data as the run to resume, got {identity['data']} with other checksums"
            )
        return
    known = {*RUN_CONTENT, "lock"}
    strange = sorted(path.name for path in folder.iterdir() if path.name not in known and not path.name.startswith("."))
    if strange:
        raise CheckpointError(f"{folder}: expected a new or empty run folder, got one that holds {strange[0]!r}; use another --out")
    if not data.training:
        raise DataError(f"{data.name}: expected training sentences, got none")
    packages = {name: version(name) for name in ("relsift", "torch", "numpy", "numba", "safetensors")}
    write_json(
        run_file,
        identity
        | {
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": {"python": platform.python_version(), **packages},
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "sentences": {"training": len(data.training), "development": len(data.development)},
        },
    )
    with replaced_file(config_file) as stream:
        stream.write(config.to_yaml())  # last: this file marks the folder as that of a run
