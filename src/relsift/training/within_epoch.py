"""States within an epoch: how far it is between two steps of the optimiser, when the next one is due, and the random numbers that go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_CPU, _CUDA = "cpu", "cuda"  # names of generators
_MINUTE = 60.0  # seconds


@dataclass(frozen=True)
class Within:
    """How far an epoch is. Of its random numbers only those of the model go on from here; all others can be drawn again."""

    batches: int  # done, of the epoch's
    totals: dict[str, float]  # of each loss part so far, weighted
    seconds: float  # so far
    random: dict[str, Tensor] = field(default_factory=dict, compare=False)  # (B,) uint8, states of torch's generators

    def restore(self, device: torch.device) -> None:
        """Let torch's generators go on where they were."""
        if _CPU in self.random:
            torch.set_rng_state(self.random[_CPU])
        if _CUDA in self.random and device.type == _CUDA:
            torch.cuda.set_rng_state(self.random[_CUDA], device)


class Saves:
    """The saved states of one epoch."""

    def __init__(self, minutes: float | None, keep: Callable[[Within], None] | None, begun: Within | None = None) -> None:
        """Args: minutes: between two states. keep: writes one; None, as for minutes: none is kept. begun: the state to go on from."""
        self.begun = begun
        self._wait = None if minutes is None or keep is None else minutes * _MINUTE
        self._keep = keep
        self._last = time.monotonic()
        self._started = self._last - (0.0 if begun is None else begun.seconds)

    @property
    def seconds(self) -> float:
        """Of the epoch so far, with those before an interruption."""
        return time.monotonic() - self._started

    def are_due(self) -> bool:
        """Whether a state is to be saved after this step."""
        return self._wait is not None and time.monotonic() - self._last >= self._wait

    def save(self, batches: int, totals: dict[str, float], device: torch.device) -> None:
        """Args: batches: done, up to the end of a step. totals: as of `Within`. device: of the model."""
        if self._keep is not None:
            random = {_CPU: torch.get_rng_state()}
            if device.type == _CUDA:
                random[_CUDA] = torch.cuda.get_rng_state(device)
            self._keep(Within(batches, dict(totals), self.seconds, random))
            self._last = time.monotonic()


def within_of(saved: Any, random: dict[str, Tensor]) -> Within | None:
    """From the JSON of a state; None: it was saved between two epochs. Raises ValueError or TypeError for what no training has written."""
    if saved is None:
        return None
    within = Within(**saved, random=random)
    numbers = [*within.totals.values(), within.seconds] if isinstance(within.totals, dict) else [None]
    if type(within.batches) is not int or within.batches < 1 or not all(type(number) in (int, float) for number in numbers):
        raise ValueError(f"within: expected batches, totals and seconds, got {str(saved)[:200]}")
    return within
