"""Several processes that train one model together: each computes some batches of every step, and all take the same step.

The batches of a step (`training.accumulate`) are shared out whole: with N processes, process r computes those at the places r, r + N, …
of the step. The gradients, each weighted as in one process, are then added over all processes. So every model and every loss gets the
loss and the gradient that one process computes with the same configuration, up to the rounding of sums. Only random numbers differ, since
each batch draws its own (`seed_of_batch`), whichever process computes it.

Processes exchange plain tensors by torch.distributed, and know of one another by variables (`relsift.training.launched`). The wrappers of
torch and accelerate are not used: they weigh all processes alike, and a step would not be that of one process. The first process alone
selects on development data, and writes.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from relsift.config import TrainingConfig
from relsift.device import torch_device
from relsift.errors import ConfigError, RelsiftError, require
from relsift.training.launched import place
from relsift.training.training_set import TrainingSet

# Others wait while the first one scores development data, which may take hours. Who dies is noticed at once, by its connections.
_LONGEST_WAIT = timedelta(days=2)
_BACKENDS = {"cpu": "gloo", "cuda": "nccl"}


class ProcessLostError(RelsiftError):
    """Another process of the training has ended, so this one cannot go on."""


@dataclass(frozen=True)
class Processes:
    """This process among those of a training. The default is a process of its own, whose methods exchange nothing."""

    rank: int = 0
    count: int = 1
    device: str = "cpu"  # where tensors have to be that are exchanged

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def are_several(self) -> bool:
        return self.count > 1

    def computes(self, place: int) -> bool:
        """Whether this process computes a batch. Args: place: in its step, from 0."""
        return place % self.count == self.rank

    def add_gradients(self, weights: Sequence[nn.Parameter], flags: Sequence[bool] = ()) -> list[bool]:
        """Give each weight the sum of its gradients in all processes, in place; none if no process has one.

        Args: flags: of this process. Returns: of each flag, whether any process has set it.
        """
        if not self.are_several:
            return list(flags)
        known = [float(weight.grad is not None) for weight in weights]
        marks = torch.tensor([*known, *map(float, flags)], device=self.device)
        self._add(marks)
        marks = marks.cpu()
        shared = [weight for weight, count in zip(weights, marks.tolist()) if count]
        if shared:
            parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in shared]
            flat = torch.cat([part.flatten() for part in parts])
            self._add(flat)
            for weight, total in zip(shared, torch.split(flat, [part.numel() for part in parts])):
                weight.grad = total.view_as(weight)
        return [bool(mark) for mark in marks[len(known) :].tolist()]

    def gather(self, value: Any) -> list[Any]:
        """What each process gives, by rank; as JSON, which keeps every digit of a number."""
        if not self.are_several:
            return [value]
        content = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8).to(self.device)
        sizes = [torch.zeros(1, dtype=torch.int64, device=self.device) for _ in range(self.count)]
        with _others_alive():
            dist.all_gather(sizes, torch.tensor([len(content)], device=self.device))
        padded = content.new_zeros(max(int(size) for size in sizes))
        padded[: len(content)] = content
        parts = [torch.zeros_like(padded) for _ in range(self.count)]
        with _others_alive():
            dist.all_gather(parts, padded)
        return [json.loads(bytes(part[: int(size)].tolist())) for part, size in zip(parts, sizes)]

    def added(self, totals: dict[str, float]) -> dict[str, float]:
        """The sums of all processes, by name; each may have other names."""
        result: dict[str, float] = {}
        for part in self.gather(totals):
            for name, value in part.items():
                result[name] = result.get(name, 0.0) + value
        return result

    def check_same(self, model: nn.Module, training_set: TrainingSet) -> None:
        """Raises ConfigError unless all processes begin with the same weights and the same examples, of a model whose weights are all."""
        if not self.are_several:
            return
        if any(isinstance(part, nn.modules.batchnorm._NormBase) for part in model.modules()):
            expected = "a model without batch normalisation, whose running means would differ from process to process"
            raise ConfigError(f"--processes: expected {expected}, got one with it; set model.normalise=false, or leave --processes out")
        digests = self.gather(digest_of(model, training_set))
        other = next((rank for rank, digest in enumerate(digests) if digest != digests[0]), None)
        if other is not None:
            expected = f"the same data, options and run folder in all {self.count} processes"
            raise ConfigError(f"--processes: expected {expected}, got others in process {other + 1}; let all machines read the same files")

    def _add(self, tensor: Tensor) -> None:
        with _others_alive():
            dist.all_reduce(tensor)


ALONE = Processes()


def check_processes(c: TrainingConfig, count: int) -> None:
    """Raises ConfigError for options that several processes cannot train with, or with which some would have nothing to do."""
    if count == 1:
        return
    parts = {"accumulate": count, "batch_pairs": -(-c.batch_pairs // count), "batch_tokens": -(-c.batch_tokens // count)}
    advice = " ".join(f"--set training.{name}={value}" for name, value in parts.items())
    if c.accumulate < count:
        raise ConfigError(
            f"training.accumulate: expected at least {count}, for {count} processes share the batches of a step, got {c.accumulate}; for "
            f"steps as large as now: {advice}"
        )
    require(c.pair_entities == "gold", "training.pair_entities", expected="gold beside --processes", got=c.pair_entities)
    device = torch_device(c.device)
    require(device.type in _BACKENDS, "training.device", expected=f"cpu or cuda for {count} processes", got=c.device)
    require(device.index is None, "training.device", expected="cuda, for one GPU a process", got=c.device)


@contextmanager
def joined(c: TrainingConfig) -> Iterator[Processes]:
    """This process among those that were started together, connected within the block; `ALONE` for a process of its own.

    Raises: ConfigError as `check_processes`, and for more processes than GPUs; ProcessLostError if the others do not come.
    """
    rank, count, local = place()
    if count == 1:
        yield ALONE
        return
    check_processes(c, count)
    device = torch_device(c.device)
    if device.type == "cuda":
        here = torch.cuda.device_count()
        require(local < here, "--processes", expected=f"at most {here} on this machine, one a GPU", got=f"number {local + 1}")
        torch.cuda.set_device(local)  # from here on `cuda` is this one
        device = torch.device("cuda", local)
    with _others_alive():
        dist.init_process_group(_BACKENDS[device.type], timeout=_LONGEST_WAIT)
    yield Processes(rank, count, str(device))
    dist.destroy_process_group()  # not after an error: that would wait for the others


def seed_of_batch(seed: int, number: int) -> int:
    """Of the random numbers of one batch. Args: seed: of the epoch. number: of the batch in the epoch, from 0."""
    return random.Random(f"batch {seed} {number}").getrandbits(60)


@contextmanager
def _others_alive() -> Iterator[None]:
    """Raises ProcessLostError in place of what torch says of connections."""
    try:
        yield
    except RuntimeError as error:
        if "out of memory" in str(error).lower():
            raise
        first = str(error).partition("\n")[0][:200]
        raise ProcessLostError(f"--processes: expected all processes to train on, got one that has ended ({first})") from error


def digest_of(model: nn.Module, training_set: TrainingSet) -> str:
    """The same in two processes only if they begin with the same weights, and cut the same batches."""
    digest = hashlib.sha256(json.dumps(training_set.encoding.labels).encode())
    for work in training_set.works():
        digest.update(f"{work.tokens} {work.pairs};".encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
