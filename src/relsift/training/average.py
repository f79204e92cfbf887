"""The running mean over epochs of a model's parameters: often a better model than that of any single epoch.

Source: the code of Christopoulou et al., ACL 2018, scores it on development data in place of the parameters themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

Tensors = dict[str, Tensor]


class EpochMean:
    """The mean is `tensors`, by the names of the model's state; empty before the first epoch.

    Statistics of norms are averaged like parameters: they belong to them. Whole numbers, such as counts of batches, are the latest ones.
    """

    def __init__(self) -> None:
        self.tensors: Tensors = {}

    def add(self, model: nn.Module, epoch: int) -> None:
        """Take in the model as it is after `epoch`, counted from 1."""
        for name, value in snapshot(model).items():
            if epoch > 1 and value.is_floating_point():
                before = self.tensors[name]
                value = before + (value - before) / epoch
            self.tensors[name] = value

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Within the block the model has the mean's values, afterwards its own again."""
        own = snapshot(model)
        model.load_state_dict(self.tensors)
        try:
            yield
        finally:
            model.load_state_dict(own)


def snapshot(model: nn.Module) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
