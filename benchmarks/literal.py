"""The core model as its equations read, the slow side of every speed ratio: each pair has its own input, its own convolutions, its own
maximum over the tokens. It shares the weights of a `MultiTaskCNN` and can be trained.

It is written to be as fast as torch makes it: no padding beyond the longest sentence of a chunk, pairs sorted by the length of their
sentence, masks only where a chunk holds padding, no copy to pad for a window, and the faster of two layouts and several chunk sizes.
Nothing of relsift's own layers or kernels is used.
Letters: P pairs, p pairs of a chunk, T tokens, D input features, F filters a window, C channels of all windows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.layers.relation_classifier import PairScores
from relsift.models.multitask_cnn import MultiTaskCNN

Convolution = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Way:
    """How it runs. channels_last: the same convolution as Conv2d over one row of tokens, for which oneDNN has faster code on some CPUs."""

    layout: Literal["conv1d", "channels_last"]
    chunk: int  # pairs at once

    def __str__(self) -> str:
        return f"{self.layout} {self.chunk}"


WAYS = [Way(layout, chunk) for layout in ("conv1d", "channels_last") for chunk in (16, 64, 256)]


class LiteralForm:
    def __init__(self, model: MultiTaskCNN, way: Way) -> None:
        if model.config.context != "sentence" or model.config.pooling != "max" or model.config.input_dropout:
            raise ValueError("the literal form knows the paper's model: expected context=sentence, pooling=max, input_dropout=0")
        self.model, self.way = model, way

    def __call__(self, batch: Batch) -> PairScores:
        rank, identify = self.model.classifier.rank, self.model.classifier.identify
        if rank is None or identify is None:
            raise ValueError("the literal form knows the paper's model: expected ranking scores and identification")
        h = self.model.trunk(self.pooled(batch))
        return PairScores(rank(h), None, identify(h))

    def pooled(self, batch: Batch) -> Tensor:
        """(P, C)"""
        convolutions = [self._convolution(c) for c in self.model.convolve.convolutions if isinstance(c, nn.Conv1d)]
        order = batch.lengths[batch.pairs.sentence].argsort(stable=True)                 # (P,)
        rows = torch.cat([self._chunk(batch, pairs, convolutions) for pairs in order.split(self.way.chunk)])
        return rows[order.argsort()]

    def _chunk(self, batch: Batch, pairs: Tensor, convolutions: list[Convolution]) -> Tensor:
        """(p, C)"""
        sentence = batch.pairs.sentence[pairs]
        lengths = batch.lengths[sentence]                                               # (p,)
        size = int(lengths.max())
        position = torch.arange(size, device=batch.words.device)
        parts = [self.model.embed.words(batch.words[sentence, :size])]
        if self.model.embed.tags is not None:
            parts.append(self.model.embed.tags(batch.tags[sentence, :size]))
        for table, entity in ((self.model.head_distance, batch.pairs.head), (self.model.tail_distance, batch.pairs.tail)):
            span = batch.entities.span[entity[pairs]]
            parts.append(table(self._distances(position, span[:, :1], span[:, 1:])))
        x = torch.cat(parts, dim=2)                                                     # (p, T, D)
        mask = None
        if int(lengths.min()) < size:
            mask = position < lengths[:, None]                                          # (p, T)
            x = x * mask[:, :, None]
        x = x.transpose(1, 2)
        x = x.contiguous() if self.way.layout == "conv1d" else x[:, :, None]            # (p, D, T) or, the memory untouched, (p, D, 1, T)
        each = []
        for convolve in convolutions:
            h = F.relu(convolve(x))                                                     # (p, F, T)
            if mask is not None:
                h = h * mask[:, None, :]  # after ReLU nothing is below the zeros of padding
            each.append(h.amax(dim=2))
        return torch.cat(each, dim=1)

    def _convolution(self, c: nn.Conv1d) -> Convolution:
        """With zeros around the text, so that a window of size w at token i covers i - (w - 1) // 2 .. i + w // 2.

        torch pads both sides alike: an even window gets one value too many, the first.
        """
        size = c.kernel_size[0]
        extra = 1 - size % 2
        if self.way.layout == "conv1d":
            return lambda x: F.conv1d(x, c.weight, c.bias, padding=size // 2)[:, :, extra:]
        weight = c.weight[:, :, None].contiguous(memory_format=torch.channels_last)     # (F, D, 1, size)
        return lambda x: F.conv2d(x, weight, c.bias, padding=(0, size // 2))[:, :, 0, extra:]

    def _distances(self, position: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """(p, T) rows of a distance table: 0 inside the entity [start, end), -1 just before it, 1 just after it, clipped, shifted."""
        limit = self.model.config.max_distance
        return ((position - start).clamp(max=0) + (position - end + 1).clamp(min=0)).clamp(-limit, limit) + limit
