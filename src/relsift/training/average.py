"""The running mean over epochs of a model's parameters: often a better model than that of any single epoch.

Source: the code of Christopoulou et al., ACL 2018, scores it on development data in place of the parameters themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

Tensors = dict[str, Tensor]


class EpochMean:
    """The running mean. Statistics of normalisation layers are averaged too; of integers, such as numbers of batches, the last is kept."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}  # by their names in the model's state; empty before the first epoch

    def add(self, model: nn.Module, epoch: int) -> None:
        """Add the model's parameters after `epoch`, counted from 1."""
        for name, value in snapshot(model).items():
            if epoch > 1 and value.is_floating_point():
                before = self.tensors[name]
                value = before + (value - before) / epoch
            self.tensors[name] = value

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Within the block the model has the mean's values, afterwards its own again."""
        parameters = snapshot(model)
        model.load_state_dict(self.tensors)
        try:
            yield
        finally:
            model.load_state_dict(parameters)


def snapshot(model: nn.Module) -> Tensors:
    """A copy of the model's state."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
