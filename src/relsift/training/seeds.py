"""The same training with several seeds, and the ensemble of its models.

OUT/seed-1/ …    a whole run each, which can be resumed
OUT/model/       the ensemble, if there is to be one
OUT/config.yaml, run.json, metrics.json, …    as of a single run, of all of them

One training shows little: F1 changes by a point or more from one seed to the next. The mean of the members' scores changes less, and is
better than most members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from relsift.bundle import CONFIG_FILE, METRICS_FILE, MODEL_FOLDER, STATE_FOLDER, Bundle
from relsift.candidates import CandidateReport
from relsift.config import MOST_SEED, RunConfig
from relsift.device import checked_device
from relsift.errors import require
from relsift.evaluation.scores import Scores
from relsift.files import write_json
from relsift.training.device import enough_memory, repeatable
from relsift.training.jack_knife import OnFold
from relsift.training.loop import prepare
from relsift.training.predicting import score_bundle
from relsift.training.run import train_run, tuned_on
from relsift.training.run_folder import RunData, begin, check_place, claimed, seed_folder
from relsift.training.selection import Selection
from relsift.training.teacher import hand_on
from relsift.training.windows import in_passages

MOST_SEEDS = 1000


@dataclass(frozen=True)
class SeedRun:
    """A finished run of one seed."""

    seed: int
    folder: Path
    best_epoch: int  # counted from 1
    epochs: int  # trained
    threshold: float
    scores: Scores  # on the development part
    candidates: CandidateReport  # of the training data; the same for every seed
    notes: list[str]  # for the user


@dataclass(frozen=True)
class SeedRuns:
    """All runs, and the ensemble of their models if one was asked for."""

    runs: list[SeedRun]
    ensemble: Bundle | None
    scores: Scores | None  # of the ensemble on the development part

    def mean_and_spread(self) -> tuple[float, float | None]:
        """Of the development micro F1 over the seeds: mean, and standard deviation (n - 1); None for one seed."""
        f1s = [run.scores.micro.f1 for run in self.runs]
        return fmean(f1s), stdev(f1s) if len(f1s) > 1 else None


@dataclass(frozen=True)
class Watchers:
    """Called while training; each may be left out."""

    on_seed: Callable[[int], None] | None = None  # before the run of a seed
    on_epoch: Callable[[dict[str, Any]], None] | None = None  # as in `train_run`
    on_batch: Callable[[int, int], None] | None = None
    on_fold: OnFold | None = None


def train_seeds(
    config: RunConfig,
    data: RunData,
    folder: Path,
    count: int,
    *,
    ensemble: bool = False,
    resume: bool = False,
    watchers: Watchers = Watchers(),
) -> SeedRuns:
    """Train with the configured seed and the `count - 1` after it, each into a run folder of its own.

    Args: ensemble: also make a model folder of all of them. resume: go on with the runs that are there; finished ones are kept as they are,
        and there may be more seeds than before.
    Raises: ConfigError for a number of seeds that cannot be trained; CheckpointError as `train_run`.
    """
    require(1 <= count <= MOST_SEEDS, "--seeds", expected=f"a number of trainings, 1 to {MOST_SEEDS}", got=count)
    require(not ensemble or count > 1, "--ensemble", expected="at least two models, such as --seeds 3", got=count)
    first = config.training.seed
    require(first + count - 1 <= MOST_SEED, "training.seed", expected=f"seeds up to {MOST_SEED}", got=first)
    seeds = list(range(first, first + count))
    checked_device(config.training.device)
    check_place(config, data, folder, resume, seeds=seeds)
    if not (folder / CONFIG_FILE).exists():
        complete = in_passages(config, data)
        prepare(config, complete.training, complete.development)  # finds out what is wrong with options and data before anything is written
    with claimed(folder):
        check_place(config, data, folder, resume, seeds=seeds)
        begin(config, data, folder, seeds=seeds)
        try:
            runs = [_train_seed(config, data, folder, seed, watchers) for seed in seeds]
        except Exception:
            if not any((folder / seed_folder(seed) / CONFIG_FILE).exists() for seed in seeds):  # nothing to resume
                (folder / CONFIG_FILE).unlink()
            raise
        result = SeedRuns(runs, None, None)
        if ensemble:
            with enough_memory():
                result = _with_ensemble(result, config, in_passages(config, data), folder)
        write_json(folder / METRICS_FILE, _metrics(result))
        return result


def _train_seed(config: RunConfig, data: RunData, folder: Path, seed: int, watchers: Watchers) -> SeedRun:
    """A run that is there is gone on with: the folder around it has been checked to be one to resume."""
    if watchers.on_seed is not None:
        watchers.on_seed(seed)
    own = config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
    place = folder / seed_folder(seed)
    hand_on(folder / seed_folder(config.training.seed) / STATE_FOLDER, place / STATE_FOLDER)
    result, scores = train_run(
        own, data, place, resume=True, on_epoch=watchers.on_epoch, on_batch=watchers.on_batch, on_fold=watchers.on_fold
    )
    state = result.state
    vectors = [] if result.vectors is None else [result.vectors.line()]
    return SeedRun(seed, place, state.best_epoch, state.epoch, state.best_threshold, scores, result.candidates, [*result.notes, *vectors])


def _with_ensemble(result: SeedRuns, config: RunConfig, data: RunData, folder: Path) -> SeedRuns:
    """Load the models of all seeds, choose a threshold for their mean scores, and write the ensemble."""
    members = [Bundle.load(run.folder / MODEL_FOLDER) for run in result.runs]
    bundle = replace(Bundle.ensemble(members, members[0].decision), entity_source=members[0].entity_source)
    c, device = config.training, checked_device(config.training.device)
    bundle.to(device)
    with repeatable(c.threads, device):
        rule = replace(members[0].decision, calibration=None, tuned_on=None)
        selection = Selection(c, bundle.scorer, data.development, rule)
        threshold, _ = selection.select()
        decision, _ = selection.calibrated(threshold, selection.last or selection.scored())  # its warnings are those of the members
        bundle = replace(bundle, decision=decision)
        scores, report = score_bundle(bundle, data.development)
        bundle = replace(bundle, decision=replace(decision, tuned_on=tuned_on(data, scores, report)))
    bundle = replace(bundle, about=_about(data, result.runs, scores))
    bundle.save(folder / MODEL_FOLDER)
    return replace(result, ensemble=bundle, scores=scores)


def _about(data: RunData, runs: Sequence[SeedRun], scores: Scores) -> dict[str, Any]:
    """What the folder of an ensemble tells people; its members tell the rest."""
    return {
        "data": data.name,
        **data.about,
        "seeds": [run.seed for run in runs],
        "development": scores.to_json()["micro"] | {"average": "micro", "setting": scores.setting},
    }


def _metrics(result: SeedRuns) -> dict[str, Any]:
    mean, spread = result.mean_and_spread()
    by_seed = {str(run.seed): run.scores.to_json() for run in result.runs}
    ensemble = {} if result.scores is None else {"ensemble": result.scores.to_json()}
    return {"development": by_seed, "micro F1": {"mean": mean, "standard deviation": spread}} | ensemble
