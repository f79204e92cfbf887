"""The multi-window convolution of every pair of a sentence, max-pooled, without a convolution per pair.

Letters: S sentences, T tokens, N rows of all sentences one after the other, U different stretches of distances, E entities, P pairs, D token features, R distance features, W windows, F filters a window, C = W * F.
A window of size w at token i covers tokens i - (w-1)//2 .. i + w//2 ("same" padding with zeros, as in Keras and torch).
The parameters are those of W ordinary Conv1d over D + R + R features; `forward` splits each into its sentence, head and tail parts:
    conv(pair)[i] = sentence part[i] (words, tags, bias) + head part[i] (distance to the head) + tail part[i] (distance to the tail)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.kernels.pair_pool import PairIndex, pair_max


class PairConvolution(nn.Module):
    """W Conv1d over [token features ++ distance to head ++ distance to tail], ReLU, max over the sentence; exact, shared between pairs."""

    def __init__(self, token_size: int, distance_size: int, *, windows: tuple[int, ...], filters: int, max_distance: int) -> None:
        super().__init__()
        self.token_size, self.distance_size, self.max_distance = token_size, distance_size, max_distance
        self.convolutions = nn.ModuleList(nn.Conv1d(token_size + 2 * distance_size, filters, window) for window in windows)
        self.left = max((window - 1) // 2 for window in windows)  # tokens that the widest window sees before and after its own
        self.right = max(window // 2 for window in windows)
        self.size = len(windows) * filters

    def forward(self, tokens: Tensor, batch: Batch, head_table: Tensor, tail_table: Tensor) -> Tensor:
        """Pooled features of every pair.

        Args:
            tokens: (S, T, D), zero at padding.
            head_table, tail_table: (2 * max_distance + 1, R), the embeddings of distances -max_distance .. max_distance.
        Returns: (P, C), >= 0.
        """
        sentence, first = self._sentence_part(tokens, batch)                            # (N, C), (S,)
        windows, place = distinct_windows(batch, self.left, self.right, self.max_distance)  # (U, left+1+right), (E, T)
        head = self._distance_part(windows, head_table, self.token_size)                # (U, C)
        tail = self._distance_part(windows, tail_table, self.token_size + self.distance_size)  # (U, C)
        index = PairIndex(first, batch.lengths, place, batch.pair_sentence, batch.pair_head, batch.pair_tail)
        pooled = pair_max(sentence, head, tail, index)
        return F.relu(pooled)                                                           # (P, C)  ReLU is monotone: it may follow the maximum

    def literal(self, features: Tensor) -> Tensor:
        """The same convolutions run per pair, (P, T, D + 2R) -> (P, T, C), ReLU applied: for texts cropped differently for every pair."""
        padded = F.pad(features.transpose(1, 2), (self.left, self.right))               # (P, D + 2R, left + T + right)
        return F.relu(torch.cat([self._same(c, c.weight, c.bias, padded) for c in self._each()], dim=1)).transpose(1, 2)

    def _sentence_part(self, tokens: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """All sentences as one long row with a window's width of zeros between them: what padding would compute is never computed."""
        gap = max(self.left, self.right)
        ends = (batch.lengths + gap).cumsum(0)                                          # (S,)
        first = ends - batch.lengths - gap                                              # (S,)
        row = first[:, None] + torch.arange(tokens.shape[1], device=tokens.device)      # (S, T)
        mask = batch.mask
        x = tokens.new_zeros(int(ends[-1]), self.token_size).index_copy(0, row[mask], tokens[mask])  # (N, D)
        padded = F.pad(x.T[None], (self.left, self.right))                              # (1, D, left + N + right)
        parts = [self._same(c, c.weight[:, : self.token_size], c.bias, padded) for c in self._each()]
        return torch.cat([part[0].T for part in parts], dim=1), first                   # (N, C)

    def _distance_part(self, windows: Tensor, table: Tensor, offset: int) -> Tensor:
        """Every distance is projected once for every place under every window; a stretch is then a sum of a few table rows."""
        rows, places, each = len(table), 0, []
        projected = []
        for c in self._each():
            width = c.kernel_size[0]
            weight = c.weight[:, offset : offset + self.distance_size]                  # (F, R, w)
            projected.append((table @ weight.permute(1, 2, 0).flatten(1)).view(rows, width, -1))  # (2 * limit + 1, w, F)
            start = self.left - (width - 1) // 2
            each.append(windows[:, start : start + width] * self._places() + places + torch.arange(width, device=windows.device))
            places += width
        everything = torch.cat(projected, dim=1).flatten(0, 1)                          # (rows * all w, F)
        beyond = len(everything)  # one more row, of zeros: beyond the sentence
        everything = torch.cat([everything, everything.new_zeros(1, everything.shape[1])])
        index = torch.cat(each, dim=1)                                                  # (U, all w)
        index = index.where(index >= 0, beyond)
        sizes = torch.tensor([part.shape[1] for part in each], device=index.device)
        starts = (torch.arange(len(index), device=index.device)[:, None] * places + sizes.cumsum(0) - sizes).view(-1)
        bags = F.embedding_bag(index.view(-1), everything, starts, mode="sum")          # (U * W, F)
        return bags.view(len(index), self.size)                                         # (U, C)

    def _places(self) -> int:
        """Places under all windows together."""
        return sum(c.kernel_size[0] for c in self._each())

    def _same(self, convolution: nn.Conv1d, weight: Tensor, bias: Tensor | None, padded: Tensor) -> Tensor:
        """One window's convolution over input that carries padding for the widest window."""
        width = convolution.kernel_size[0]
        start, stop = self.left - (width - 1) // 2, padded.shape[2] - (self.right - width // 2)
        return F.conv1d(padded[:, :, start:stop], weight, bias)                         # (S, F, T)

    def _each(self) -> list[nn.Conv1d]:
        return [c for c in self.convolutions if isinstance(c, nn.Conv1d)]


def distances(position: Tensor, start: Tensor, end: Tensor, limit: int) -> Tensor:
    """Row of a distance table: tokens from the span [start, end), 0 inside, negative before it; clipped to +-limit, shifted to be >= 0."""
    before = (position - start).clamp(max=0)
    after = (position - end + 1).clamp(min=0)
    return (before + after).clamp(-limit, limit) + limit


def distinct_windows(batch: Batch, left: int, right: int, limit: int) -> tuple[Tensor, Tensor]:
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
