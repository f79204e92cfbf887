"""One pass over the training examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from relsift.config import TrainingConfig
from relsift.encoding.batch import collate, cut
from relsift.errors import DataError, require
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import RelationModel
from relsift.training.average import WeightMean
from relsift.training.hidden_words import drop_words, hide_rare_words
from relsift.training.negatives import seed_of, with_drawn_negatives
from relsift.training.objective import objective
from relsift.training.optimisers import rate_factor, set_rates
from relsift.training.pretrained import start_training_mode
from relsift.training.teacher import TaughtScores
from relsift.training.training_set import TrainingSet

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
) -> dict[str, float]:
    """Train every batch once; returns the mean of each loss part over the pairs, of a joint model over the sentences, as `loss_NAME`.

    Args: epoch: counted from 1; the random numbers depend on it and on the run's seed alone. mean: of the weights, told of every step.
        taught: the teacher's scores; None without a teacher.
    Raises: DataError if there are no pairs; ConfigError for weights of loss parts that the model does not have, or if the loss diverges.
    """
    seed = seed_of(c, epoch)
    torch.manual_seed(seed)
    if c.negatives is not None:
        training_set, kept = with_drawn_negatives(training_set, c.negatives, seed)
        taught = None if taught is None else taught.of_pairs(kept)
    hide_rare = hide_rare_words(training_set.rare_words, c.unknown_rate, seed)
    drop = drop_words(c.word_dropout, training_set.encoding, seed)
    start_training_mode(model, frozen=c.freeze_encoder)
    device = next(model.parameters()).device
    works = training_set.works()
    is_joint = isinstance(model, JointModel)
    batches = list(
        cut(
            works, max_pairs=c.batch_pairs, max_tokens=c.batch_tokens, max_sentences=c.batch_sentences, seed=seed, without_pairs=is_joint,
        )
    )  # fmt: skip
    if not batches:
        raise DataError("training data: expected candidate pairs, got none after the candidate filter")
    totals: dict[str, float] = {}
    done = 0
    weights = [1 if is_joint else work.pairs for work in works]  # of the groups, in means
    for step in _steps(batches, c.accumulate):
        set_rates(optimiser, rate_factor(c, epoch, done / len(batches), (done + len(step)) / len(batches)))
        weight_of_step = sum(weights[number] for numbers in step for number in numbers)
        optimiser.zero_grad(set_to_none=True)
        for numbers in step:
            batch = collate([example for number in numbers for example in training_set.groups[number]], training_set.encoding).to(device)
            hide_rare(batch)
            drop(batch)
            loss = objective(model, batch, c, None if taught is None else taught.rows(numbers).to(device))
            _check_finite(loss.total, epoch, c)
            weight, done = sum(weights[number] for number in numbers), done + 1
            share = weight / weight_of_step
            (loss.total if len(step) == 1 else share * loss.total).backward()  # type: ignore[no-untyped-call]
            for name, part in loss.parts.items():
                totals[name] = totals.get(name, 0.0) + part.item() * weight
            if numbers is step[-1]:
                _update(model, optimiser, c, mean)
            if on_batch is not None:
                on_batch(done, len(batches))
    whole = sum(weights[number] for numbers in batches for number in numbers)
    return {f"loss_{name}": total / whole for name, total in totals.items()}


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


def _check_finite(loss: Tensor, epoch: int, c: TrainingConfig) -> None:
    require(
        bool(loss.isfinite()),
        "training.learning_rate",
        expected="one that keeps the loss finite (lower it, or set training.gradient_clip)",
        got=f"loss {loss.item()} in epoch {epoch} at rate {c.learning_rate}",
    )
