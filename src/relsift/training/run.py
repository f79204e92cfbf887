"""A run: one training with everything that is needed to trust and repeat it, in one folder (see `relsift.bundle` for its layout)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from relsift.annotators.own_tokens import with_own_tokens
from relsift.annotators.trees import with_trees
from relsift.bundle import CONFIG_FILE, HISTORY_FILE, METRICS_FILE, MODEL_FOLDER, RUN_FILE, STATE_FOLDER
from relsift.config import RunConfig
from relsift.decisions.aims import F1
from relsift.decisions.provenance import TunedOn
from relsift.device import checked_device
from relsift.errors import require
from relsift.evaluation.scores import Scores
from relsift.files import open_output, replaced_file, to_json, write_json
from relsift.inference import InferenceReport
from relsift.registry import find
from relsift.training.device import enough_memory
from relsift.training.jack_knife import OnFold
from relsift.training.loop import Prepared, TrainingResult, assist, fit, prepare
from relsift.training.predicting import evaluate_predicted, score_bundle
from relsift.training.processes import ALONE, Processes
from relsift.training.run_folder import RunData, begin, check_place, claimed, record_of
from relsift.training.state import STATE
from relsift.training.windows import in_passages


def train_run(
    config: RunConfig,
    data: RunData,
    folder: Path,
    *,
    resume: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
    on_fold: OnFold | None = None,
    plain: bool = False,
    processes: Processes = ALONE,
) -> tuple[TrainingResult, Scores]:
    """Train into `folder`; returns the result and the scores on the development part.

    Options and data are checked before anything is written, so a start that fails leaves the folder free.

    Args:
        plain: as of `relsift.training.loop.prepare`.
        processes: this one, the first of several; the others call `assist_run`.
        on_epoch, on_batch, on_fold: as of `relsift.training.loop.fit`.
    Raises: CheckpointError if the folder holds another run and `resume` is off, or a run of other settings and it is on, or if another
        process trains in it.

    See also: `relsift.training.loop.train`, which writes no folder.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> with TemporaryDirectory() as folder:
    ...     result, scores = train_run(config, RunData("notes", [sentence], [sentence], {}), Path(folder, "run"))
    ...     scores.micro.f1, Path(folder, "run", MODEL_FOLDER, "model.json").is_file()
    (1.0, True)
    """
    checked_device(config.training.device)  # first: parsing takes long
    check_place(config, data, folder, resume)
    read, data = data, _as_trained_on(config, data)
    prepared = prepare(config, data.training, data.development, plain=plain)  # finds out what is wrong with options and data
    with claimed(folder):
        check_place(config, read, folder, resume)  # again: another process may have begun a run here meanwhile
        begin(config, read, folder)  # knows sentences again, not passages
        return _train(prepared, data, folder, resume, on_epoch, on_batch, on_fold, processes)


def assist_run(config: RunConfig, data: RunData, folder: Path, processes: Processes, *, resume: bool = False, plain: bool = False) -> None:
    """The part of all processes but the first in `train_run`, with the same arguments; it writes nothing.

    See also: `relsift.training.loop.assist`, without a folder.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> from relsift.training.processes import joined
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> data = RunData("notes", [sentence], [sentence], {})
    >>> with TemporaryDirectory() as folder, joined(config.training) as processes:  # of `torchrun`, of which all name one folder
    ...     part = train_run if processes.is_first else assist_run
    ...     _ = part(config, data, Path(folder, "run"), processes=processes)
    >>> processes.count  # of this example
    1
    """
    data = _as_trained_on(config, data)
    prepared = prepare(config, data.training, data.development, plain=plain)
    with enough_memory():
        assist(prepared, processes, state_folder=folder / STATE_FOLDER, resume=resume)


def _as_trained_on(config: RunConfig, data: RunData) -> RunData:
    """With the passages, trees and tokens that the options ask for."""
    data = in_passages(config, data)
    if "trees" in find("model", config.model.name).READS:
        parser = config.encoding.parser
        data = replace(data, training=with_trees(data.training, parser), development=with_trees(data.development, parser))
    return with_tokens_of_text(config, data)


def with_tokens_of_text(config: RunConfig, data: RunData) -> RunData:
    """The data with the tokens that its text gets, if the options ask for them. Raises ConfigError for a model that reads trees.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Sentence
    >>> sentences = [Sentence("s1", ("Ada's", "firm"), offsets=((0, 5), (6, 10)), original="Ada's firm")]
    >>> config = load_config(model="type_prior", overrides=["text.tokens=text"])
    >>> with_tokens_of_text(config, RunData("notes", sentences, [], {})).training[0].tokens
    ('Ada', "'", 's', 'firm')
    """
    if config.text.tokens == "corpus":
        return data
    reads_trees = "trees" in find("model", config.model.name).READS
    require(not reads_trees, "text.tokens", expected=f"corpus, for {config.model.name}, which reads trees", got="text")
    training, development = (tuple(map(with_own_tokens, part)) for part in (data.training, data.development))
    return replace(data, training=training, development=development)


def _train(
    prepared: Prepared,
    data: RunData,
    folder: Path,
    resume: bool,
    on_epoch: Callable[[dict[str, Any]], None] | None,
    on_batch: Callable[[int, int], None] | None,
    on_fold: OnFold | None,
    processes: Processes,
) -> tuple[TrainingResult, Scores]:
    def record_epoch(record: dict[str, Any]) -> None:
        with open_output(folder / HISTORY_FILE, "a") as stream:
            stream.write(to_json(record, indent=None) + "\n")
        if on_epoch is not None:
            on_epoch(record)

    try:
        with enough_memory():
            state = folder / STATE_FOLDER
            result = fit(
                prepared, state_folder=state, resume=resume, on_epoch=record_epoch, on_batch=on_batch, on_fold=on_fold, processes=processes
            )
    except Exception:
        if not (folder / STATE_FOLDER / STATE).exists():  # nothing to resume: the folder can be begun again, with options that work
            (folder / CONFIG_FILE).unlink()
        raise
    if result.vectors is not None:
        write_json(folder / RUN_FILE, record_of(folder) | {"vectors": result.vectors.to_json()})
    scores, report = _development_scores(result, data)
    decision = replace(result.bundle.decision, tuned_on=tuned_on(data, scores, report))
    bundle = replace(result.bundle, decision=decision, about=_about(data, result, scores))
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


def tuned_on(data: RunData, scores: Scores, report: InferenceReport) -> TunedOn:
    """What the decision of a training was tuned on. Args: scores, report: of the development part, with the decision in force.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> data = RunData("notes", [sentence], [sentence], {})
    >>> result = fit(prepare(config, data.training, data.development))
    >>> tuned_on(data, *score_bundle(result.bundle, data.development)).data
    'notes, development part'
    """
    counts = report.candidates
    return TunedOn(
        data=f"{data.name}, development part", checksums=dict(data.checksums), sentences=scores.sentences, pairs=counts.kept,
        related=counts.positive, aim=F1.name, version=version("relsift"), relations=scores.per_type,
    )  # fmt: skip


def _about(data: RunData, result: TrainingResult, scores: Scores) -> dict[str, Any]:
    """What a model folder tells people of its training."""
    return {
        "data": data.name,
        **data.about,
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
