"""A search for options that give a better development F1: trials, one training each, chosen by optuna; resumable.

OUT/tune.json      what all trials share, and the space (`relsift.training.shared_plan`)
OUT/study.db       optuna's study, in SQLite: every trial with its values, the F1 of each epoch, and how it ended
OUT/config.yaml    the configuration of the best trial
OUT/lock           empty; held by the process that tunes

The first trial has the values that the search starts from, as far as the space holds them: whatever is found is at least as good on the
development data. The next ones are drawn by a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011). A trial is stopped early
if its best F1 so far is below the median of earlier trials at the same epoch. optuna comes with the extra `tune`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from relsift.annotators.trees import with_trees
from relsift.config import RunConfig
from relsift.errors import CheckpointError, ConfigError, OutputError, RelsiftError, require
from relsift.files import locked, make_folder, replaced_file
from relsift.registry import find
from relsift.training.device import enough_memory
from relsift.training.loop import fit, prepare
from relsift.training.run import with_tokens_of_text
from relsift.training.run_folder import RunData
from relsift.training.search_space import Choice, Part, Space, space_to_json, value_of
from relsift.training.shared_plan import check_plan, plan_of, write_plan
from relsift.training.windows import in_passages
from relsift.yaml_text import decode

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

PLAN_FILE, STUDY_FILE, BEST_FILE, LOCK_FILE = "tune.json", "study.db", "config.yaml", "lock"
MOST_TRIALS = 100_000
EPOCHS_BEFORE_PRUNING = 3  # a trial is trained for at least so many
TRIALS_BEFORE_PRUNING = 5
_NAME = "relsift"
WINDOW = "candidates.window"

State = Literal["complete", "pruned", "failed"]
Values = Mapping[str, Any]
"""Full name of an option -> its value."""
Configure = Callable[[Sequence[str]], RunConfig]
"""From further overrides, as of `--set`, to the whole configuration."""


@dataclass(frozen=True)
class TrialResult:
    """A finished trial."""

    number: int  # from 0
    state: State  # pruned: stopped early, for it was worse than most; failed: it could not be trained
    f1: float | None  # micro F1 on the development data, of the best epoch; None: failed
    epochs: int  # trained
    seconds: float
    values: Values
    error: str = ""  # why it failed


EachTrial = Callable[[Callable[[int], TrialResult], Iterable[int], int], Iterator[tuple[int, TrialResult]]]
"""Trains a trial for every number somewhere, so many at once; gives numbers and results in the order in which they get ready."""
OnTrial = Callable[[TrialResult, int], None]
"""Called with a finished trial, and how many of the study are finished."""


class _Pruned(Exception):
    """Ends a training from inside."""


def overrides_of(values: Values) -> list[str]:
    """As `--set` takes them.

    >>> overrides_of({"model.classification": "ranking", "model.windows": [2, 3], "training.teacher": "1e3"})
    ['model.classification=ranking', 'model.windows=[2, 3]', 'training.teacher="1e3"']
    """
    return [f"{name}={value if _is_plain(value) else json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]


def _is_plain(value: Any) -> bool:
    """Whether it is a text that is the same without quotes."""
    return isinstance(value, str) and value.isidentifier() and decode(value) == value


def check_space(configure: Configure, space: Space) -> None:
    """Raises ConfigError for an option that is none, or for a value that it cannot have, before anything is trained."""
    if WINDOW in space:
        raise ConfigError(f"space of {WINDOW}: expected one value for all trials, since F1 counts other relations with another; set it")
    for name, part in space.items():
        for value in part.ends():
            try:
                configure(overrides_of({name: value}))
            except ConfigError as error:
                raise ConfigError(f"space of {name}: {error}") from error


def tune(
    configure: Configure,
    data: RunData,
    folder: Path,
    space: Space,
    *,
    trials: int,
    timeout: float | None = None,
    jobs: int = 1,
    each: EachTrial | None = None,
    on_trial: OnTrial | None = None,
) -> list[TrialResult]:
    """Train until the study has so many finished trials, or so many seconds have passed; write the best configuration.

    Args: configure: `configure([])` is the configuration that the search starts from. timeout: seconds after which no trial begins; one
        is trained in any case. jobs, each: trials at once, and what trains them elsewhere; then values depend on which trial ends first.
    Returns: all finished trials of the study, in order.
    Raises: ConfigError without optuna, or if no trial could be trained; CheckpointError if the folder holds another study, or another
        process works in it.
    """
    optuna = require_optuna()
    require(1 <= trials <= MOST_TRIALS, "--trials", expected=f"a number of trainings, 1 to {MOST_TRIALS}", got=trials)
    require(timeout is None or timeout > 0, "--timeout", expected="seconds, more than 0", got=timeout)
    check_space(configure, space)
    start = configure([])
    plan = plan_of(start, data) | {"space": space_to_json(space)}
    check_plan(folder / PLAN_FILE, plan, "a study", (LOCK_FILE,))
    make_folder(folder)
    busy = f"{folder}: expected no other process that tunes here, got one; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=busy), _readable(folder / STUDY_FILE):
        check_plan(folder / PLAN_FILE, plan, "a study", (LOCK_FILE,))
        write_plan(folder / PLAN_FILE, plan)
        study = _study(optuna, folder / STUDY_FILE)
        _begin_or_resume(study, start, space)
        work = _Work(configure, _complete(start, data), space, (folder / STUDY_FILE).absolute(), start.training.seed)
        until = None if timeout is None else time.monotonic() + timeout
        for result in _results(study, work, trials, until, jobs, each):
            results = _finished(study)
            if on_trial is not None:
                on_trial(result, len(results))
            if result.state == "complete":
                write_best(folder, configure, results)
        results = _finished(study)
    write_best(folder, configure, results)
    return results


@dataclass(frozen=True)
class _Work:
    """All that a trial needs, here or in another process."""

    configure: Configure
    data: RunData
    space: Space
    file: Path  # of the study
    seed: int

    def __call__(self, _number: int) -> TrialResult:
        """One trial, in a process of its own."""
        optuna = require_optuna()
        with _readable(self.file):
            study = _study(optuna, self.file)
            return _run(study, self.configure, self.data, self.space, own_seed=self.seed)


def _results(
    study: Study, work: _Work, trials: int, until: float | None, jobs: int, each: EachTrial | None
) -> Iterator[TrialResult]:
    """Trials as they finish, until there are so many in the study, or the time is over."""

    def numbers() -> Iterator[int]:
        for number in range(len(_finished(study)), trials):
            yield number
            if until is not None and time.monotonic() >= until:
                return

    from optuna.samplers import TPESampler

    if each is not None:
        yield from (result for _, result in each(work, numbers(), jobs))
        return
    for number in numbers():
        # Anew for every trial, so that an interruption between two does not change what is drawn.
        study.sampler = TPESampler(seed=work.seed + number)
        _run(study, work.configure, work.data, work.space)
        yield _finished(study)[-1]


def best_of(results: Sequence[TrialResult]) -> TrialResult:
    """The first of those with the highest F1. Raises ConfigError if none was trained to its end."""
    complete = [result for result in results if result.state == "complete"]
    if not complete:
        error = next((result.error for result in results if result.error), "no reason is known")
        raise ConfigError(f"tune: expected a trial that can be trained, got none of {len(results)}; the first one: {error}")
    return max(complete, key=lambda result: (result.f1 or 0.0, -result.number))


def write_best(folder: Path, configure: Configure, results: Sequence[TrialResult]) -> None:
    """The configuration of the best trial, for `relsift train --config`."""
    best = configure(overrides_of(best_of(results).values))
    with replaced_file(folder / BEST_FILE) as stream:
        stream.write(best.to_yaml())


def require_optuna() -> Any:
    """The package. Raises ConfigError naming the extra if it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("tune: expected optuna, which is not installed: pip install 'relsift[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """CheckpointError in place of what SQLAlchemy says of a file that is no study."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "optuna" not in str(error).lower():  # of torch
            raise
        got = str(error).partition("\n")[0]
        raise CheckpointError(f"{file}: expected a study of optuna that can be read and written, got {got}; use another --out") from error


def _study(optuna: Any, file: Path) -> Study:
    """The study in the file, made if need be."""
    from sqlalchemy import URL

    storage = optuna.storages.RDBStorage(URL.create("sqlite", database=str(file)).render_as_string(hide_password=False))
    study: Study = optuna.create_study(study_name=_NAME, storage=storage, direction="maximize", load_if_exists=True)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=TRIALS_BEFORE_PRUNING, n_warmup_steps=EPOCHS_BEFORE_PRUNING)
    return study


def _begin_or_resume(study: Study, start: RunConfig, space: Space) -> None:
    """Ask for the values to start from first; after an interruption, for those of the trial that was interrupted."""
    from optuna.trial import TrialState

    if not study.get_trials(deepcopy=False):
        values = {name: value_of(start, name) for name in space}
        study.enqueue_trial({name: _stored(space[name], value) for name, value in values.items() if space[name].holds(value)})
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params.keys() == space.keys():
            study.enqueue_trial(trial.params)


def _stored(part: Part, value: Any) -> Any:
    """As optuna keeps it: of a choice the JSON text, since a value may be a list."""
    return json.dumps(value, ensure_ascii=False) if isinstance(part, Choice) else value


def _complete(config: RunConfig, data: RunData) -> RunData:
    """With the passages, trees and tokens that the model reads: made once, not in every trial."""
    data = in_passages(config, data)
    if "trees" in find("model", config.model.name).READS:
        parser = config.encoding.parser
        data = replace(data, training=with_trees(data.training, parser), development=with_trees(data.development, parser))
    return with_tokens_of_text(config, data)


def _run(study: Study, configure: Configure, data: RunData, space: Space, own_seed: int | None = None) -> TrialResult:
    """One trial. An interruption leaves it unfinished in the study, to be trained again.

    Args: own_seed: other trials are drawn at the same time, from which this one shall differ; None: there are none.
    """
    from optuna.trial import TrialState

    trial = study.ask()
    if own_seed is not None:
        from optuna.samplers import TPESampler

        study.sampler = TPESampler(seed=own_seed + trial.number, constant_liar=True)
    values = {name: _drawn(trial, name, part) for name, part in space.items()}
    started, epochs = time.perf_counter(), 0

    def watch(record: dict[str, Any]) -> None:
        nonlocal epochs
        epochs = record["epoch"]
        trial.report(record["dev_f1"], epochs)
        if trial.should_prune():
            raise _Pruned

    f1, state, error = None, TrialState.COMPLETE, ""
    try:
        with enough_memory():
            f1 = fit(prepare(configure(overrides_of(values)), data.training, data.development), on_epoch=watch).state.best_f1
    except _Pruned:
        state = TrialState.PRUNED
    except OutputError:
        raise
    except RelsiftError as fault:  # such as a rate at which the model diverges
        state, error = TrialState.FAIL, str(fault)
    trial.set_user_attr("epochs", epochs)
    trial.set_user_attr("seconds", round(time.perf_counter() - started, 3))
    trial.set_user_attr("error", error)
    return _result(study.tell(trial, f1, state=state))


def _drawn(trial: Trial, name: str, part: Part) -> Any:
    if isinstance(part, Choice):
        return json.loads(trial.suggest_categorical(name, [_stored(part, value) for value in part.values]))
    if part.is_whole:
        return trial.suggest_int(name, int(part.low), int(part.high), log=part.log, step=part.step or 1)
    return trial.suggest_float(name, part.low, part.high, log=part.log)


def _finished(study: Study) -> list[TrialResult]:
    """Without those that were interrupted, which have no result, and numbered without them: an interruption changes no result."""
    finished = (trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished() and "error" in trial.user_attrs)
    return [replace(_result(trial), number=number) for number, trial in enumerate(finished)]


def _result(trial: FrozenTrial) -> TrialResult:
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import TrialState

    states: dict[TrialState, State] = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}
    values = {
        name: json.loads(value) if isinstance(trial.distributions[name], CategoricalDistribution) else value
        for name, value in trial.params.items()
    }
    f1 = max(trial.intermediate_values.values(), default=None) if trial.state == TrialState.PRUNED else trial.value
    attributes = trial.user_attrs
    ended = states.get(trial.state, "failed")
    return TrialResult(trial.number, ended, f1, attributes["epochs"], attributes["seconds"], values, attributes["error"])
