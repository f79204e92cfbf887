"""One pass over the training examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from relsift.config import TrainingConfig
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.example import Work
from relsift.errors import DataError, require
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import RelationModel
from relsift.training.average import WeightMean
from relsift.training.hidden_words import Hide, drop_words, hide_rare_words
from relsift.training.negatives import seed_of, with_drawn_negatives
from relsift.training.objective import objective
from relsift.training.optimisers import rate_factor, set_rates
from relsift.training.pretrained import start_training_mode
from relsift.training.processes import ALONE, Processes, seed_of_batch
from relsift.training.teacher import TaughtScores
from relsift.training.training_set import TrainingSet
from relsift.training.within_epoch import Saves, Within

Numbers = list[int]
"""Of the groups of examples in a batch."""
OnBatch = Callable[[int, int], None]
"""Called with the number of batches done so far, and of all batches of the epoch."""


def run_epoch(
    model: RelationModel[Any],
    optimiser: torch.optim.Optimizer,
    training_set: TrainingSet,
    c: TrainingConfig,
    epoch: int,
    on_batch: OnBatch | None = None,
    mean: WeightMean | None = None,
    taught: TaughtScores | None = None,
    saves: Saves | None = None,
    processes: Processes = ALONE,
) -> dict[str, float]:
    """Train every batch once; returns the mean of each loss part over the pairs, of a joint model over the sentences, as `loss_NAME`.

    Args: epoch: counted from 1; the random numbers depend on it and on the run's seed alone. mean: of the weights, told of every step.
        taught: the teacher's scores; None without a teacher. saves: of states within the epoch; None: none. processes: which share the
        batches of each step.
    Raises: DataError if there are no pairs; ConfigError for weights of loss parts that the model does not have, or if the loss diverges;
        ProcessLostError if another process has ended.
    """
    seed, saves = seed_of(c, epoch), saves or Saves(None, None)
    torch.manual_seed(seed)
    if c.negatives is not None:
        training_set, kept = with_drawn_negatives(training_set, c.negatives, seed)
        taught = None if taught is None else taught.of_pairs(kept)
    start_training_mode(model, frozen=c.freeze_encoder)
    works, is_joint = training_set.works(), isinstance(model, JointModel)
    batches = _batches(works, c, seed, without_pairs=is_joint)
    weights = [1 if is_joint else work.pairs for work in works]  # of the groups, in means
    reader = _Reader(training_set, c, seed, next(model.parameters()).device, each_by_itself=processes.are_several)
    learner = _Learner(model, c, reader, weights, taught)
    done = learner.go_on(saves.begun, batches, processes)
    trained = [weight for group in optimiser.param_groups for weight in group["params"]]
    for step in _steps(batches[done:], c.accumulate):
        set_rates(optimiser, rate_factor(c, epoch, done / len(batches), (done + len(step)) / len(batches)))
        optimiser.zero_grad(set_to_none=True)
        weight_of_step = learner.weight([number for numbers in step for number in numbers])
        is_finite, is_due = True, False
        for place, numbers in enumerate(step):
            if processes.computes(place):
                loss = learner.learn(done, numbers, weight_of_step, is_alone=len(step) == 1)
                is_finite = is_finite and math.isfinite(loss)
                _check_finite(is_finite or processes.are_several, loss, epoch, c)
            done += 1
            if numbers is step[-1]:
                diverges, is_due = processes.add_gradients(trained, (not is_finite, processes.is_first and saves.are_due()))
                _check_finite(not diverges, math.nan, epoch, c)
                _update(model, optimiser, c, mean)
            if on_batch is not None:
                on_batch(done, len(batches))
        if is_due:
            totals = processes.added(learner.totals)
            if processes.is_first:
                saves.save(done, totals, reader.device)
    whole = learner.weight([number for numbers in batches for number in numbers])
    return {f"loss_{name}": total / whole for name, total in processes.added(learner.totals).items()}


def _batches(works: Sequence[Work], c: TrainingConfig, seed: int, *, without_pairs: bool) -> list[Numbers]:
    """In the order of an epoch. Raises DataError if there are none."""
    bounds = {"max_pairs": c.batch_pairs, "max_tokens": c.batch_tokens}
    batches = list(cut(works, **bounds, max_sentences=c.batch_sentences, seed=seed, without_pairs=without_pairs))
    if not batches:
        raise DataError("training data: expected candidate pairs, got none after the candidate filter")
    return batches


class _Learner:
    """Adds the gradients of batches to those of the model, and their losses to `totals`."""

    def __init__(
        self, model: RelationModel[Any], c: TrainingConfig, reader: _Reader, weights: Sequence[int], taught: TaughtScores | None
    ) -> None:
        """Args: weights: of the groups of examples, in means."""
        self.model, self.c, self.reader, self.weights, self.taught = model, c, reader, weights, taught
        self.totals: dict[str, float] = {}  # of each loss part, over all weights so far

    def weight(self, numbers: Numbers) -> int:
        return sum(self.weights[number] for number in numbers)

    def go_on(self, begun: Within | None, batches: Sequence[Numbers], processes: Processes) -> int:
        """Go on from a state within the epoch; returns the number of batches that are done."""
        if begun is None:
            return 0
        self.totals = dict(begun.totals) if processes.is_first else {}  # they are those of all processes
        self.reader.skip(batches[: begun.batches])
        begun.restore(self.reader.device)
        return begun.batches

    def learn(self, position: int, numbers: Numbers, weight_of_step: int, *, is_alone: bool) -> float:
        """Compute a batch; returns its loss.

        Args: position: of the batch in the epoch, from 0. numbers: of its groups. weight_of_step: of all groups of the step, which a mean
            over the step counts. is_alone: whether the step has no other batch.
        """
        batch = self.reader.batch(position, numbers)
        loss = objective(self.model, batch, self.c, None if self.taught is None else self.taught.rows(numbers).to(self.reader.device))
        value = loss.total.item()
        if not math.isfinite(value):
            return value
        weight = self.weight(numbers)
        share = weight / weight_of_step
        (loss.total if is_alone else share * loss.total).backward()  # type: ignore[no-untyped-call]
        for name, part in loss.parts.items():
            self.totals[name] = self.totals.get(name, 0.0) + part.item() * weight
        return value


class _Reader:
    """Makes the batches of an epoch, with the words that training hides."""

    def __init__(self, training_set: TrainingSet, c: TrainingConfig, seed: int, device: torch.device, *, each_by_itself: bool) -> None:
        """Args: each_by_itself: each batch draws from a seed of its own, so that it is the same whichever process makes it."""
        self.training_set, self.c, self.seed, self.device, self.each_by_itself = training_set, c, seed, device, each_by_itself
        self.hides = self._hides(seed)

    def _hides(self, seed: int) -> tuple[Hide, Hide]:
        encoding = self.training_set.encoding
        return hide_rare_words(self.training_set.rare_words, self.c.unknown_rate, seed), drop_words(self.c.word_dropout, encoding, seed)

    def batch(self, position: int, numbers: Numbers) -> Batch:
        """Args: position: of the batch in the epoch, from 0. numbers: of its groups."""
        if self.each_by_itself:
            seed = seed_of_batch(self.seed, position)
            torch.manual_seed(seed)  # of the model: dropout
            self.hides = self._hides(seed)
        examples = [example for number in numbers for example in self.training_set.groups[number]]
        batch = collate(examples, self.training_set.encoding).to(self.device)
        for hide in self.hides:
            hide(batch)
        return batch

    def skip(self, batches: Sequence[Numbers]) -> None:
        """Draw the hidden words of batches that are done, so that those of the others are as if they had just been made."""
        if (self.c.unknown_rate or self.c.word_dropout) and not self.each_by_itself:
            for position, numbers in enumerate(batches):
                self.batch(position, numbers)


def _steps(batches: Sequence[Numbers], size: int) -> Iterator[Sequence[Numbers]]:
    """The batches of each step of the optimiser; the last step may have fewer."""
    for start in range(0, len(batches), size):
        yield batches[start : start + size]


def _update(model: RelationModel[Any], optimiser: torch.optim.Optimizer, c: TrainingConfig, mean: WeightMean | None) -> None:
    """One step of the optimiser, with the gradients that are there."""
    if c.gradient_clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), c.gradient_clip)
    optimiser.step()
    model.constrain()
    if mean is not None:
        mean.after_step(model)


def _check_finite(is_finite: bool, loss: float, epoch: int, c: TrainingConfig) -> None:
    require(
        is_finite,
        "training.learning_rate",
        expected="one that keeps the loss finite (lower it, or set training.gradient_clip)",
        got=f"loss {loss} in epoch {epoch} at rate {c.learning_rate}",
    )
