"""The training loop: epochs of batches, development scores, early stopping, resume.

Repeatable bit for bit on one machine with one number of threads: order, dropout and initial weights come from the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from relsift.annotators.entities import EntitySource, entity_annotator
from relsift.bundle import Bundle, build
from relsift.candidates import CandidateReport
from relsift.config import RunConfig, TrainingConfig
from relsift.device import checked_device
from relsift.encoding.vectors import VectorReport
from relsift.errors import DataError, require
from relsift.inference import AnyScorer, Scorer
from relsift.kernels.notes import notes as kernel_notes
from relsift.models.base.joint_model import finds_entities
from relsift.precision import check_precision
from relsift.schema import Sentence
from relsift.training.average import WeightMean, check_mean, make_mean, snapshot
from relsift.training.device import check_memory, check_threads, repeatable
from relsift.training.epoch import OnBatch, run_epoch
from relsift.training.first_stage import tune_filters
from relsift.training.hidden_words import check_words
from relsift.training.jack_knife import OnFold, check_pair_entities, found_by_jack_knife
from relsift.training.label_counts import tell_counts
from relsift.training.optimisers import make_optimiser
from relsift.training.pretrained import check_pretrained, freeze, frozen_states_kept, pretrained_layers
from relsift.training.processes import ALONE, Processes
from relsift.training.selection import ScoredPart, Selection, first_rule
from relsift.training.state import TrainingState, clear_state, load_state, save_state
from relsift.training.teacher import TaughtScores, check_teacher, taught_scores
from relsift.training.training_set import TrainingSet, make_training_set, with_found_pairs
from relsift.training.transformer_weights import load_pretrained
from relsift.training.within_epoch import Saves, Within
from relsift.training.word_table import prepare_words

NOTHING_RIGHT = (
    "no relation of the development data was found between the right entities, so epoch and threshold are not chosen by anything: train "
    "longer (training.epochs), or on more data"
)
OnEpoch = Callable[[dict[str, Any]], None]
"""Called with the record of an epoch: its number, losses, development F1, threshold, seconds."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model with its decision, and what is to be known of its training.

    See also: `train`, which makes it; `relsift.bundle.Bundle`.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> result = train(config, [sentence], [sentence])
    >>> result.state.epoch, result.bundle.name, result.candidates.positive
    (1, 'type_prior', 1)
    """

    bundle: Bundle
    state: TrainingState  # after the last epoch
    candidates: CandidateReport  # of the training data
    notes: list[str]  # for the user: training data that the model did not see, or not as configured, one line a reason
    vectors: VectorReport | None = None  # of the pre-trained word vectors, if any
    development: ScoredPart | None = None  # the development part under the kept weights; None: not scored again after a resume


@dataclass(frozen=True)
class Prepared:
    """All that a training needs before its first epoch. Making it finds out what is wrong with options and data, and writes nothing.

    See also: `prepare`, which makes it; `fit`, which takes it.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> prepared = prepare(config, [sentence], [sentence])
    >>> prepared.device, prepared.scorer.encoding.labels
    (device(type='cpu'), ('founder',))
    """

    config: RunConfig
    device: torch.device
    training_set: TrainingSet
    scorer: Scorer
    selection: Selection
    vectors: VectorReport | None
    entity_source: EntitySource | None = None  # of text without entities
    plain: bool = False  # as of `prepare`


def train(
    config: RunConfig,
    training: Sequence[Sentence],
    development: Sequence[Sentence],
    *,
    state_folder: Path | None = None,
    resume: bool = False,
    on_epoch: OnEpoch | None = None,
    on_batch: OnBatch | None = None,
    plain: bool = False,
) -> TrainingResult:
    """Train on `training`, select the epoch and the threshold on `development`.

    Args:
        plain: as of `prepare`.
        state_folder: where the state after each epoch is kept; None keeps none.
        resume: go on from the state in `state_folder`, if there is one.
        on_epoch: called after each epoch, with its record.
        on_batch: called after each batch (see `relsift.training.epoch`).
    Raises: DataError if there is nothing to learn from or to select on; CheckpointError if the saved state is broken; ConfigError for
        options that the model does not have, or a learning rate at which it diverges.

    See also: `prepare` and `fit`, its two steps; `relsift.training.run.train_run`, which writes a folder.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> result = train(config, [sentence], [sentence], on_epoch=lambda record: print(record["epoch"], record["dev_f1"]))
    1 1.0
    """
    prepared = prepare(config, training, development, plain=plain)
    return fit(prepared, state_folder=state_folder, resume=resume, on_epoch=on_epoch, on_batch=on_batch)


def prepare(config: RunConfig, training: Sequence[Sentence], development: Sequence[Sentence], *, plain: bool = False) -> Prepared:
    """Encode the data and make the model. Args and errors: as `train`.

    Args: plain: the decision is a threshold alone, as in the sources: no constraints unless the options ask for them, no calibration.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> prepared = prepare(config, [sentence], [sentence])  # not trained yet
    >>> len(prepared.training_set.examples), prepared.plain
    (1, False)
    """
    c = config.training
    device = checked_device(c.device)
    check_threads(c.threads)
    check_precision(c.precision, device, "training.precision")
    check_mean(c)
    check_pair_entities(config)
    source = entity_source_of(config)
    training_set = make_training_set(config, training)
    if not training_set.examples:
        raise DataError("training data: expected candidate pairs, got none after the candidate filter")
    _check_types(config, training_set.encoding.types.names)
    check_words(c, training_set.encoding, config.model.name)
    check_teacher(c, training_set.encoding.labels, training_set.candidates)
    make = partial(build, config.model.name, config.model.options, training_set.encoding)
    check_memory(c, make, device)
    with repeatable(c.threads, device):
        torch.manual_seed(c.seed)
        model = make().to(device)
        check_pretrained(c, model, config.model.name)
        vectors = prepare_words(config, model, training_set.encoding)
        if config.encoding.encoder is not None:
            load_pretrained(model, config.encoding.encoder, training_set.encoding.subwords)
        freeze(c, model)
        scorer = Scorer(model, training_set.encoding, training_set.candidates, training_set.annotators)
        rule = first_rule(c, training_set.sentences, scorer.candidates.direction, plain=plain)
        return Prepared(config, device, training_set, scorer, Selection(c, scorer, development, rule), vectors, source, plain)


def entity_source_of(config: RunConfig) -> EntitySource | None:
    """What the trained model finds the entities of text with, versions pinned; None: nothing, or the model itself.

    Raises: ConfigError for an annotator that is not there, for a model that needs none, or for types without annotators.

    >>> from relsift.config import load_config
    >>> entity_source_of(load_config(model="pcnn")) is None  # entities have to be given
    True
    >>> entity_source_of(load_config(model="pcnn", overrides=["text.types={PERSON: PER}"]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    relsift.errors.ConfigError: --types (text.types): expected none without --entities-from (text.entities_from), ...
    """
    specs, types = config.text.entities_from, config.text.types
    if not specs:
        expected = "none without --entities-from (text.entities_from), whose types it renames"
        require(not types, "--types (text.types)", expected=expected, got=types)
        return None
    expected = f"nothing for {config.model.name}, which finds entities itself"
    require(not finds_entities(config.model.name), "--entities-from (text.entities_from)", expected=expected, got=list(specs))
    source = EntitySource(specs, types)
    entity_annotator(source)  # finds out what is not installed
    return source.pinned()


def _check_types(config: RunConfig, known: Sequence[str]) -> None:
    """Raises ConfigError if no type of the table is one of the model, whose pairs would then all be unknown. Args: known: of the model."""
    ours = {name for name in config.text.types.values() if name is not None}
    fits = not ours or not ours.isdisjoint(known)
    expected = f"types of the training data, such as {', '.join(known[:5])}"
    require(fits, "--types (text.types)", expected=expected, got=", ".join(sorted(ours)[:5]))


def fit(
    prepared: Prepared,
    *,
    state_folder: Path | None = None,
    resume: bool = False,
    on_epoch: OnEpoch | None = None,
    on_batch: OnBatch | None = None,
    on_fold: OnFold | None = None,
    processes: Processes = ALONE,
) -> TrainingResult:
    """Train what was prepared, once; in the first of several processes, with the others in `assist`.

    Args and errors: as `train`; on_fold: hears of the jack-knife, if there is one. ProcessLostError if another process has ended.

    See also: `prepare`, `train`.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> result = fit(prepare(config, [sentence], [sentence]))
    >>> result.bundle.decision.mode, result.state.best_epoch
    ('single', 1)
    """
    config, scorer = prepared.config, prepared.scorer
    c = config.training
    training_set = _with_found_pairs(prepared, state_folder, resume, on_batch, on_fold)
    with repeatable(c.threads, prepared.device), frozen_states_kept(c, scorer.trainable, state_folder):
        tell_counts(scorer.trainable, training_set, c)
        taught = taught_scores(c, training_set, prepared.device, state_folder, resume=resume)
        state = _run_epochs(c, scorer, training_set, taught, prepared.selection, state_folder, resume, on_epoch, on_batch, processes)
    scorer.trainable.eval()
    selection = prepared.selection
    decision, notes, part = replace(selection.rule, threshold=state.best_threshold), list[str](), selection.best
    if not prepared.plain:
        part = part or selection.scored()
        decision, notes = selection.calibrated(state.best_threshold, part)
    bundle = Bundle(config.model.name, scorer, decision, entity_source=prepared.entity_source)
    notes += [NOTHING_RIGHT] if scorer.finds_entities and state.best_f1 == 0 else []
    notes += [*training_set.notes, *([] if taught is None else taught.notes())]
    notes += [*scorer.trainable.notes(training_set.examples), *kernel_notes()]
    return TrainingResult(bundle, state, training_set.report, notes, prepared.vectors, part)


def assist(prepared: Prepared, processes: Processes, *, state_folder: Path | None = None, resume: bool = False) -> None:
    """What all processes but the first do of a training: batches. They select nothing, and write nothing.

    Args: state_folder: of the first process, to resume from.
    Raises: as `fit`.

    See also: `fit`, of the first process.

    >>> from relsift.config import load_config
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> from relsift.training.processes import joined
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> config = load_config(model="type_prior", overrides=["training.epochs=1"])  # a model of few weights
    >>> with joined(config.training) as processes:  # in a script that `torchrun` starts several times
    ...     prepared = prepare(config, [sentence], [sentence])
    ...     result = fit(prepared, processes=processes) if processes.is_first else assist(prepared, processes)
    >>> processes.count  # of this example
    1
    """
    c, scorer, training_set = prepared.config.training, prepared.scorer, prepared.training_set
    with repeatable(c.threads, prepared.device), frozen_states_kept(c, scorer.trainable, None):
        tell_counts(scorer.trainable, training_set, c)
        taught = taught_scores(c, training_set, prepared.device, None, resume=False)
        _run_epochs(c, scorer, training_set, taught, prepared.selection, state_folder, resume, None, None, processes)


def _with_found_pairs(
    prepared: Prepared, state_folder: Path | None, resume: bool, on_batch: OnBatch | None, on_fold: OnFold | None
) -> TrainingSet:
    """The training set, with the pairs of found entities if the options ask for them."""
    config, training_set = prepared.config, prepared.training_set
    wanted = config.training.pair_entities
    if wanted == "gold":
        return training_set

    def train_without(sentences: Sequence[Sentence], fold_config: RunConfig) -> AnyScorer:
        return train(fold_config, sentences, prepared.selection.development, on_batch=on_batch, plain=prepared.plain).bundle.scorer

    found = found_by_jack_knife(config, training_set.sentences, train_without, state_folder, resume=resume, on_fold=on_fold)
    noted = replace(training_set, notes=[*training_set.notes, found.note()])
    return with_found_pairs(noted, found.sentences, config.candidates, in_place=wanted == "predicted")


def _run_epochs(
    c: TrainingConfig,
    scorer: Scorer,
    training_set: TrainingSet,
    taught: TaughtScores | None,
    selection: Selection,
    state_folder: Path | None,
    resume: bool,
    on_epoch: OnEpoch | None,
    on_batch: OnBatch | None,
    processes: Processes = ALONE,
) -> TrainingState:
    """Train until the last epoch, or until `patience` epochs were no better; leaves the weights of the best epoch in the model.

    Of several processes the first one alone selects, writes, and has the best weights.
    """
    model = scorer.trainable
    optimiser = make_optimiser(c, [weight for weight in model.parameters() if weight.requires_grad], pretrained_layers(model))
    state, best = TrainingState(), snapshot(model)
    mean = make_mean(c, model)
    if state_folder is not None and not resume and processes.is_first:
        clear_state(state_folder)  # else a run that is killed in its first epoch would be resumed from an older run's state
    if resume and state_folder is not None and (saved := load_state(state_folder, model, optimiser, mean)) is not None:
        state, best = saved
    processes.check_same(model, training_set)

    def keep(within: Within) -> None:
        assert state_folder is not None
        save_state(state_folder, replace(state, within=within), model, best, optimiser, mean)

    while state.epoch < c.epochs and state.epoch - state.best_epoch < c.patience:
        saves = Saves(c.save_minutes, None if state_folder is None else keep, state.within)
        losses = run_epoch(model, optimiser, training_set, c, state.epoch + 1, on_batch, mean, taught, saves, processes)
        seconds = saves.seconds
        state.epoch, state.within = state.epoch + 1, None
        if not processes.is_first:
            state.best_epoch = processes.gather(None)[0]
            continue
        judged, filters = _judged(scorer, selection, mean)
        record = {"epoch": state.epoch, **losses, **judged, "seconds": round(seconds, 3)}
        state.history.append(record)
        if _is_better(state):
            state.best_epoch, state.best_f1, state.best_threshold = state.epoch, judged["dev_f1"], judged["threshold"]
            best = (snapshot(model) if mean is None else mean.snapshot()) | filters
            selection.keep()
        if state_folder is not None:
            save_state(state_folder, state, model, best, optimiser, mean)
        if on_epoch is not None:
            on_epoch(record)
        processes.gather(state.best_epoch)  # so the others know whether there is another epoch
    model.load_state_dict(best)
    return state


def _judged(scorer: Scorer, selection: Selection, mean: WeightMean | None) -> tuple[dict[str, float], dict[str, Tensor]]:
    """What the record of an epoch says of the development data, and the filters that were tuned on it."""
    if mean is not None:
        mean.after_epoch(scorer.trainable)
    with nullcontext() if mean is None else mean.applied_to(scorer.trainable):
        filters = tune_filters(scorer, selection.development)
        threshold, f1 = selection.select()
    entities = {} if selection.entity_f1 is None else {"dev_entity_f1": selection.entity_f1}
    return {"dev_f1": f1, **entities, "threshold": threshold}, filters


def _is_better(state: TrainingState) -> bool:
    """Whether the last epoch is better than the best one: in relations, and where those are equal in entities."""
    last = state.history[-1]
    if "dev_entity_f1" not in last or last["dev_f1"] != state.best_f1 or not state.best_epoch:
        return bool(last["dev_f1"] > state.best_f1)
    gain = last["dev_entity_f1"] - state.history[state.best_epoch - 1]["dev_entity_f1"]
    return bool(gain > 0 or (gain == 0 and last["dev_f1"] == 0))  # before anything is found, a later epoch is the better one
