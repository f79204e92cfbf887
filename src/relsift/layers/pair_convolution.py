"""The multi-window convolution of every pair of a sentence, max-pooled, without a convolution per pair.

Letters: S sentences, T tokens, N tokens of all sentences together, V different tokens (word and tag), U different stretches of distances,
E entities, P pairs, D token features, R distance features, W windows, F filters a window, C = W * F.
The parameters are those of W ordinary Conv1d over D + R + R features; `forward` splits each into its sentence, head and tail parts:
    conv(pair)[i] = sentence part[i] (words, tags, bias) + head part[i] (distance to the head) + tail part[i] (distance to the tail)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.kernels.pair_pool import PairIndex, pair_max
from relsift.kernels.window_sum import Windows, window_sum


class PairConvolution(nn.Module):
    """W Conv1d over [token ++ distance to head ++ distance to tail], ReLU, max over the sentence; exact, and shared between pairs."""

    def __init__(
        self, token_size: int, distance_size: int, *, windows: tuple[int, ...], filters: int, max_distance: int
    ) -> None:
        super().__init__()
        self.token_size, self.distance_size, self.max_distance = token_size, distance_size, max_distance
        self.convolutions = nn.ModuleList(nn.Conv1d(token_size + 2 * distance_size, filters, window) for window in windows)
        self.windows = Windows(windows)
        self.size = len(windows) * filters

    def forward(self, rows: Tensor, symbols: Tensor, batch: Batch, head_table: Tensor, tail_table: Tensor) -> Tensor:
        """Pooled features of every pair.

        Args:
            rows: (V, D), the features of the different tokens.
            symbols: (S, T) int64, the row of each token, -1 at padding.
            head_table, tail_table: (2 * max_distance + 1, R), the embeddings of distances -max_distance .. max_distance.
        Returns: (P, C), >= 0.
        """
        left, right = self.windows.left, self.windows.right
        seen = F.pad(symbols, (left, right), value=-1).unfold(1, left + 1 + right, 1)[batch.mask]  # (N, left+1+right)
        bias = torch.cat([c.bias for c in self._each() if c.bias is not None])          # (C,)
        sentence = self._part(rows, seen, 0) + bias                                     # (N, C)
        stretches, place = distinct_stretches(batch, left, right, self.max_distance)    # (U, left+1+right), (E, T)
        head = self._part(head_table, stretches, self.token_size)                       # (U, C)
        tail = self._part(tail_table, stretches, self.token_size + self.distance_size)  # (U, C)
        first = batch.lengths.cumsum(0) - batch.lengths                                 # (S,)
        index = PairIndex(first, batch.lengths, place, batch.pair_sentence, batch.pair_head, batch.pair_tail)
        # ReLU is monotone: it may follow the maximum.
        return F.relu(pair_max(sentence, head, tail, index))                            # (P, C)

    def literal(self, features: Tensor) -> Tensor:
        """The same convolutions run per pair, ReLU applied: for texts that are cropped differently for every pair.

        Args: features (P, T, D + 2R). Returns: (P, T, C).
        """
        x = features.transpose(1, 2)                                                    # (P, D + 2R, T)
        each = []
        for c, size in zip(self._each(), self.windows.sizes):
            each.append(c(F.pad(x, ((size - 1) // 2, size // 2))))                      # (P, F, T)
        return F.relu(torch.cat(each, dim=1)).transpose(1, 2)

    def _part(self, rows: Tensor, seen: Tensor, offset: int) -> Tensor:
        """The convolution's value from the input columns at `offset` alone, at every position of `seen`."""
        columns = slice(offset, offset + rows.shape[1])
        weights = [c.weight[:, columns].permute(1, 2, 0).flatten(1) for c in self._each()]  # (D or R, w * F) each
        return window_sum(rows @ torch.cat(weights, dim=1), seen, self.windows)         # (M, C)

    def _each(self) -> list[nn.Conv1d]:
        return [c for c in self.convolutions if isinstance(c, nn.Conv1d)]


def distances(position: Tensor, start: Tensor, end: Tensor, limit: int) -> Tensor:
    """Row of a distance table: tokens from the span [start, end), 0 inside, negative before it; clipped to +-limit, shifted to be >= 0."""
    before = (position - start).clamp(max=0)
    after = (position - end + 1).clamp(min=0)
    return (before + after).clamp(-limit, limit) + limit


def distinct_stretches(batch: Batch, left: int, right: int, limit: int) -> tuple[Tensor, Tensor]:
    """The different stretches of distances that a window can see in this batch; most (entity, token) places share one.

    Returns:
        (U, left + 1 + right) rows of a distance table, -1 beyond the sentence; (E, T) which of the U stretches surrounds each token.
    """
    size = batch.tokens.shape[1]
    device = batch.tokens.device
    i = torch.arange(size, device=device)[None, :]                                      # (1, T)
    start, end = batch.entity_span[:, :1], batch.entity_span[:, 1:]                     # (E, 1)
    length = batch.lengths[batch.entity_sentence][:, None]                              # (E, 1)
    # A stretch is known by four small numbers: where the span starts and ends from here, and how near the sentence's edges are.
    reach = limit + left + right + 1
    numbers = (
        ((start - i).clamp(-reach, reach) + reach, 2 * reach + 1),
        ((end - i).clamp(-reach, reach) + reach, 2 * reach + 1),
        (i.clamp(max=left).expand(len(start), -1), left + 1),
        ((length - i).clamp(0, right + 1), right + 2),
    )
    key = torch.zeros(len(start), size, dtype=torch.int64, device=device)               # (E, T)
    for number, count in numbers:
        key = key * count + number
    kept, place = torch.unique(key, return_inverse=True)                                # (U,), (E, T)
    source = torch.empty_like(kept).scatter_(0, place.view(-1), torch.arange(place.numel(), device=device))  # (U,) any place that has it
    entity, at = source // max(size, 1), source % max(size, 1)
    position = at[:, None] + torch.arange(-left, right + 1, device=device)              # (U, left + 1 + right)
    rows = distances(position, start[entity], end[entity], limit)
    outside = (position < 0) | (position >= length[entity])
    return rows.masked_fill(outside, -1), place
