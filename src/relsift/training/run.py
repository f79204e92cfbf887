"""A run: one training with everything that is needed to trust and repeat it, in one folder (see `relsift.bundle` for its layout)."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from relsift.annotators.trees import with_trees
from relsift.bundle import CONFIG_FILE, HISTORY_FILE, LOCK_FILE, METRICS_FILE, MODEL_FOLDER, RUN_FILE, STATE_FOLDER, Bundle
from relsift.config import RunConfig
from relsift.corpora.leaks import write_fingerprints
from relsift.device import checked_device
from relsift.encoding.vectors import vectors_sha256
from relsift.errors import CheckpointError, DataError, RelsiftError
from relsift.evaluation.scores import Scores, evaluate
from relsift.files import RUN_CONTENT, locked, open_output, replaced_file, to_json, write_json
from relsift.inference import InferenceReport, predict
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json
from relsift.registry import find
from relsift.schema import Sentence
from relsift.training.device import enough_memory
from relsift.training.loop import Prepared, TrainingResult, fit, prepare
from relsift.training.state import STATE
from relsift.training.teacher import teacher_checksum

FINGERPRINTS_FILE = "training_sentences.sha256"  # of a run folder: knows again what the model was trained on


@dataclass(frozen=True)
class RunData:
    """The sentences of a run."""

    name: str
    training: Sequence[Sentence]
    development: Sequence[Sentence]  # to select the epoch and the threshold on
    checksums: Mapping[str, str]  # name of a data set -> sha256
    options: Mapping[str, Any] = field(default_factory=dict)  # how the data was read and cut, where not as usual


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

    Options and data are checked before anything is written, so a start that fails leaves the folder free.

    Raises: CheckpointError if the folder holds another run and `resume` is off, or a run of other settings and it is on, or if another
        process trains in it.
    """
    checked_device(config.training.device)  # first: parsing takes long
    _check_place(config, data, folder, resume)
    if "trees" in find("model", config.model.name).READS:
        parser = config.encoding.parser
        data = replace(data, training=with_trees(data.training, parser), development=with_trees(data.development, parser))
    prepared = prepare(config, data.training, data.development)  # finds out what is wrong with options and data
    with _claimed(folder):
        _check_place(config, data, folder, resume)  # again: another process may have begun a run here meanwhile
        _begin(config, data, folder)
        return _train(prepared, data, folder, resume, on_epoch, on_batch)


def _train(
    prepared: Prepared,
    data: RunData,
    folder: Path,
    resume: bool,
    on_epoch: Callable[[dict[str, Any]], None] | None,
    on_batch: Callable[[int, int], None] | None,
) -> tuple[TrainingResult, Scores]:
    def record_epoch(record: dict[str, Any]) -> None:
        with open_output(folder / HISTORY_FILE, "a") as stream:
            stream.write(to_json(record, indent=None) + "\n")
        if on_epoch is not None:
            on_epoch(record)

    try:
        with enough_memory():
            result = fit(prepared, state_folder=folder / STATE_FOLDER, resume=resume, on_epoch=record_epoch, on_batch=on_batch)
    except (RelsiftError, RuntimeError, OSError):
        if not (folder / STATE_FOLDER / STATE).exists():  # nothing to resume: the folder can be begun again, with options that work
            (folder / CONFIG_FILE).unlink()
        raise
    if result.vectors is not None:
        write_json(folder / RUN_FILE, _record(folder) | {"vectors": result.vectors.to_json()})
    scores, report = _development_scores(result, data)
    bundle = replace(result.bundle, about=_about(data, result, scores))
    write_json(folder / METRICS_FILE, {"development": scores.to_json(), "unseen entity types": report.unseen_types})
    with replaced_file(folder / HISTORY_FILE) as stream:
        stream.writelines(to_json(record, indent=None) + "\n" for record in result.state.history)
    bundle.save(folder / MODEL_FOLDER)
    return replace(result, bundle=bundle), scores


def _development_scores(result: TrainingResult, data: RunData) -> tuple[Scores, InferenceReport]:
    """From the scores of the best epoch, if they are there and of all sentences; the weights are those of that epoch."""
    part, bundle = result.development, result.bundle
    if part is None or len(part.scored) != len(data.development):
        return score_bundle(bundle, data.development)
    predicted = [bundle.decision.decide(scored, bundle.encoding.labels) for scored in part.scored]
    return evaluate_predicted(bundle, data.development, predicted, part.report), part.report


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """The run folder, made if need be, for this process alone within the block."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: expected a place for a run folder, got {error.strerror}; name another --out") from error
    busy = f"{folder}: expected a run folder that no other process trains in, got one where one does; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=busy):
        yield


def _about(data: RunData, result: TrainingResult, scores: Scores) -> dict[str, Any]:
    """What a model folder tells people of its training."""
    return {
        "data": data.name,
        **({"data_options": dict(data.options)} if data.options else {}),
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


class _RunFile(Strict):
    """What is read of run.json; the rest is for people."""

    model_config = ConfigDict(extra="ignore")
    data: str
    checksums: dict[str, str]
    seed: int


def _record(folder: Path) -> dict[str, Any]:
    """The whole of run.json. Raises CheckpointError naming the file if it is broken."""
    file, advice = folder / RUN_FILE, "start again in another --out"
    value: dict[str, Any] = read_json(file, advice=advice)
    conform(_RunFile, value, file, advice=advice)
    return value


def _identity(config: RunConfig, data: RunData) -> dict[str, Any]:
    """What a run and its continuation have in common, beside the configuration."""
    checksums = dict(data.checksums)
    if (vectors := config.encoding.vectors) is not None:
        checksums["word vectors"] = vectors_sha256(Path(vectors))
    if config.training.teacher is not None:
        checksums["teacher"] = teacher_checksum(config.training.teacher)
    return {"data": data.name, "checksums": checksums, "seed": config.training.seed}


def _check_place(config: RunConfig, data: RunData, folder: Path, resume: bool) -> None:
    """Raises CheckpointError if the folder holds a run that is not to be resumed, or one of another configuration or other data."""
    config_file, run_file = folder / CONFIG_FILE, folder / RUN_FILE
    if not config_file.exists():
        return
    if not resume:
        raise CheckpointError(
            f"{folder}: expected a new or empty run folder, got one that holds a run; use --resume or another --out"
        )
    before = _record(folder)
    if not config.same_as(config_file):
        raise CheckpointError(
            f"{config_file}: expected the configuration of the run to resume, got another one; use the same options"
        )
    if before.get("data_options", {}) != dict(data.options):
        raise CheckpointError(
            f"{run_file}: expected the options that the run to resume read its data with, {before.get('data_options', {})}, "
            f"got {dict(data.options)}; use the same options"
        )
    identity = _identity(config, data)
    if {key: before.get(key) for key in identity} != identity:
        raise CheckpointError(
            f"{run_file}: expected the same data as the run to resume, got {identity['data']} with other checksums"
        )


def _begin(config: RunConfig, data: RunData, folder: Path) -> None:
    """Write the record of a new run into the folder, unless there is one."""
    if (folder / CONFIG_FILE).exists():
        return
    known = {*RUN_CONTENT, "lock"}
    strange = sorted(path.name for path in folder.iterdir() if path.name not in known and not path.name.startswith("."))
    if strange:
        raise CheckpointError(f"{folder}: expected a new or empty run folder, got one that holds {strange[0]!r}; use another --out")
    packages = {name: version(name) for name in ("relsift", "torch", "numpy", "numba", "safetensors")}
    write_json(
        folder / RUN_FILE,
        _identity(config, data)
        | ({"data_options": dict(data.options)} if data.options else {})
        | {
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": {"python": platform.python_version(), **packages},
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "sentences": {"training": len(data.training), "development": len(data.development)},
        },
    )
    write_fingerprints(folder / FINGERPRINTS_FILE, data.training)
    with replaced_file(folder / CONFIG_FILE) as stream:  # last: this file marks the folder as that of a run
        stream.write(config.to_yaml())
