"""Running means of a model's weights: often a better model than the weights of any single epoch. They do not touch training itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from relsift.config import TrainingConfig
from relsift.errors import ConfigError

Tensors = dict[str, Tensor]
WARM_UP = 10  # steps; see `StepMean`


class WeightMean:
    """A running mean. Statistics of normalisation layers are averaged too; of integers, such as numbers of batches, the last is kept."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}  # by their names in the model's state
        self.count = 0  # how many states of the model it has seen

    def after_step(self, model: nn.Module) -> None:
        """Called after each step of the optimiser."""

    def after_epoch(self, model: nn.Module) -> None:
        """Called after each epoch."""

    def snapshot(self) -> Tensors:
        """A copy of the mean as it is now."""
        return {name: tensor.clone() for name, tensor in self.tensors.items()}

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Within the block the model has the mean's values, afterwards its own again."""
        parameters = snapshot(model)
        model.load_state_dict(self.tensors)
        try:
            yield
        finally:
            model.load_state_dict(parameters)


class EpochMean(WeightMean):
    """The mean over epochs, each with the same weight.

    Source: the code of Christopoulou et al., ACL 2018, scores it on development data in place of the parameters themselves.
    """

    def after_epoch(self, model: nn.Module) -> None:
        self.count += 1
        for name, value in snapshot(model).items():
            if self.count > 1 and value.is_floating_point():
                before = self.tensors[name]
                value = before + (value - before) / self.count
            self.tensors[name] = value


class StepMean(WeightMean):
    """The exponential moving mean over steps: after step t = 0, 1, …, mean = d mean + (1 - d) weights, d = min(decay, (1 + t) / (10 + t)).

    The second term of the minimum lets the mean forget the initial weights within the first steps.
    Source: Polyak and Juditsky 1992; the warm-up is that of TensorFlow's `ExponentialMovingAverage`.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.tensors = snapshot(model)
        self._fixed = {name for name, weight in model.named_parameters(remove_duplicate=False) if not weight.requires_grad}

    def after_step(self, model: nn.Module) -> None:
        decay = min(self.decay, (1 + self.count) / (WARM_UP + self.count))
        self.count += 1
        now = {name: tensor.detach() for name, tensor in model.state_dict().items() if name not in self._fixed}
        moving = [name for name, tensor in now.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.tensors[name] for name in moving], [now[name] for name in moving], 1 - decay)
        for name in now.keys() - set(moving):
            self.tensors[name].copy_(now[name])


def check_mean(c: TrainingConfig) -> None:
    """Raises ConfigError for two means at once: only one can be scored and kept."""
    if c.average and c.ema is not None:
        raise ConfigError(
            f"training.ema: expected none beside training.average, which keeps another mean, got {c.ema:g}; set training.average=false"
        )


def make_mean(c: TrainingConfig, model: nn.Module) -> WeightMean | None:
    """The mean that is scored and kept, as configured; None if it is the weights themselves."""
    if c.ema is not None:
        return StepMean(model, c.ema)
    return EpochMean() if c.average else None


def snapshot(model: nn.Module) -> Tensors:
    """A copy of the model's state."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
