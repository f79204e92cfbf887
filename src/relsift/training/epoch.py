"""One pass over the training examples."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relsift.config import TrainingConfig
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import DataError, require
from relsift.models.base.model import RelationModel
from relsift.training.training_set import TrainingSet

OnBatch = Callable[[int, int], None]
"""Called with (done, all) batches."""


def run_epoch(
    model: RelationModel[Any],
    optimiser: torch.optim.Optimizer,
    training_set: TrainingSet,
    c: TrainingConfig,
    epoch: int,
    on_batch: OnBatch | None = None,
) -> dict[str, float]:
    """Train every batch once; returns the mean of each loss part over the pairs.

    Raises: DataError if there are no pairs; ConfigError for weights of losses that the model does not have, or if the loss diverges.
    """
    seed = c.seed * 1_000_003 + epoch
    torch.manual_seed(seed)
    hide = _hide_rare_words(training_set.rare_words if c.unknown_rate else frozenset(), c.unknown_rate, seed)
    model.train()
    device = next(model.parameters()).device
    batches = list(cut(training_set.works(), max_pairs=c.batch_pairs, max_tokens=c.batch_tokens, seed=seed))
    if not batches:
        raise DataError("training data: expected candidate pairs, got none after the candidate filter")
    totals: dict[str, float] = {}
    pairs = 0
    for done, numbers in enumerate(batches, start=1):
        examples = [example for number in numbers for example in training_set.groups[number]]
        batch = collate(examples, training_set.encoding).to(device)
        hide(batch)
        parts = _step(model, optimiser, batch, c, epoch)
        pairs += len(batch.pairs)
        for name, part in parts.items():
            totals[name] = totals.get(name, 0.0) + part.item() * len(batch.pairs)
        if on_batch is not None:
            on_batch(done, len(batches))
    return {f"loss_{name}": total / pairs for name, total in totals.items()}


def _step(
    model: RelationModel[Any], optimiser: torch.optim.Optimizer, batch: Batch, c: TrainingConfig, epoch: int
) -> dict[str, Tensor]:
    """Returns the loss parts before the step."""
    parts = model.loss(model(batch), batch)
    require(
        c.loss_weights.keys() <= parts.keys(),
        "training.loss_weights",
        expected=f"some of {', '.join(parts)}",
        got=c.loss_weights,
    )
    loss = torch.stack([c.loss_weights.get(name, 1.0) * part for name, part in parts.items()]).sum()
    require(
        bool(loss.isfinite()),
        "training.learning_rate",
        expected="one that keeps the loss finite (lower it, or set training.gradient_clip)",
        got=f"loss {loss.item()} in epoch {epoch} at rate {c.learning_rate}",
    )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if c.gradient_clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), c.gradient_clip)
    optimiser.step()
    model.constrain()
    return parts


def _hide_rare_words(rare: frozenset[int], rate: float, seed: int) -> Callable[[Batch], None]:
    """Shows a share of the rare words of a batch as unknown, so that the unknown word is trained."""
    random_numbers = random.Random(seed)

    def hide(batch: Batch) -> None:
        if rare and batch.words is not None:
            rows = [[word in rare and random_numbers.random() < rate for word in row] for row in batch.words.tolist()]
            batch.words[torch.tensor(rows).to(batch.words.device)] = UNKNOWN_WORD

    return hide
