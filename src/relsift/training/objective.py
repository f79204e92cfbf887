"""What a training step makes smaller: the loss of one batch, from the parts that the model names and those that training adds.

Letters: P pairs, K relation types.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from relsift.config import TrainingConfig
from relsift.encoding.batch import Batch
from relsift.errors import require
from relsift.models.base.model import RelationModel
from relsift.precision import computed
from relsift.training.divergence import distillation_loss, r_drop_loss


class Objective(NamedTuple):
    """The loss of a batch, () each."""

    total: Tensor  # the weighted sum of the parts
    parts: dict[str, Tensor]  # by name, unweighted


def objective(model: RelationModel[Any], batch: Batch, c: TrainingConfig, taught: Tensor | None = None) -> Objective:
    """Run the model on the batch and weigh its losses.

    With `r_drop` the model runs twice, with different dropout; each loss is then the mean over both passes.

    Args: taught: (P, K) the teacher's scores; None without a teacher.
    Raises: ConfigError for weights of loss parts that the model does not have.
    """
    outputs = [computed(c.precision, batch.lengths.device, partial(model, batch)) for _ in range(2 if c.r_drop else 1)]
    parts = _mean([model.loss(output, batch) for output in outputs])
    if len(batch.pairs):  # without them a joint model has no losses of pairs
        require(c.loss_weights.keys() <= parts.keys(), "training.loss_weights", expected=f"some of {', '.join(parts)}", got=c.loss_weights)
    total = torch.stack([c.loss_weights.get(name, 1.0) * part for name, part in parts.items()]).sum()
    if (taught is None and not c.r_drop) or not len(batch.pairs):
        return Objective(total, parts)
    several = model.several_labels(model.config)
    scores = [model.scores(output).float() for output in outputs]                      # (P, K) each
    if taught is not None:
        learned = [distillation_loss(s, taught, temperature=c.teacher_temperature, several_labels=several) for s in scores]
        parts["distillation"] = torch.stack(learned).mean()
        total = (1 - c.teacher_weight) * total + c.teacher_weight * parts["distillation"]
    if c.r_drop:
        parts["r_drop"] = r_drop_loss(*scores, several_labels=several)
        total = total + c.r_drop * parts["r_drop"]
    return Objective(total, parts)


def _mean(passes: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The losses of each pass by name -> their means."""
    if len(passes) == 1:
        return dict(passes[0])
    return {name: torch.stack([parts[name] for parts in passes]).mean() for name in passes[0]}
