"""What a training step makes smaller: the loss of one batch, from the parts that the model names and those that training adds.

Letters: P pairs, K relation types.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from relsift.config import TrainingConfig
from relsift.encoding.batch import Batch
from relsift.errors import require
from relsift.models.base.model import RelationModel


class Objective(NamedTuple):
    """The loss of a batch, () each."""

    total: Tensor  # the weighted sum of the parts
    parts: dict[str, Tensor]  # by name, unweighted


def objective(model: RelationModel[Any], batch: Batch, c: TrainingConfig) -> Objective:
    """Run the model on the batch and weigh its losses.

    Raises: ConfigError for weights of loss parts that the model does not have.
    """
    parts = model.loss(output_of(model, batch, c), batch)
    require(c.loss_weights.keys() <= parts.keys(), "training.loss_weights", expected=f"some of {', '.join(parts)}", got=c.loss_weights)
    return Objective(torch.stack([c.loss_weights.get(name, 1.0) * part for name, part in parts.items()]).sum(), parts)


def output_of(model: RelationModel[Any], batch: Batch, c: TrainingConfig) -> Any:
    """The model's output in float32, whatever precision it is computed in: losses of large sums need it."""
    if c.precision == "float32":
        return model(batch)
    with torch.autocast(batch.lengths.device.type, torch.bfloat16):
        return in_float32(model(batch))


def in_float32(output: Any) -> Any:
    """The same tensor, or tuple, list, dictionary or data class of tensors, with floats in single precision."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else output
    if isinstance(output, tuple):
        parts = [in_float32(part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)
    if isinstance(output, list):
        return [in_float32(part) for part in output]
    if isinstance(output, dict):
        return {name: in_float32(part) for name, part in output.items()}
    if is_dataclass(output) and not isinstance(output, type):
        return replace(output, **{field.name: in_float32(getattr(output, field.name)) for field in fields(output) if field.init})
    return output
