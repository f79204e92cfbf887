"""Features of a word from its characters: a convolution over them, its maximum over the word.

Source: Ma & Hovy, ACL 2016 (P16-1101), section 2.1.
There are few different characters. So each is multiplied by the weights once, for every place in a window, and a window adds up its rows.
Letters: W words, L characters of the longest, M characters of all words, V rows of the table of characters, C features of a character,
F filters.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.characters import PADDING
from relsift.kernels.window_sum import window_sum
from relsift.kernels.windows import Windows

WINDOW = 3  # characters
WHOLE = 64  # filters; the kernel of `window_sum` is eight times as fast for multiples of this as for 32


class CharacterCNN(nn.Module):
    """Embedding, convolution, ReLU, maximum."""

    def __init__(self, num_rows: int, size: int, filters: int) -> None:
        """Args: num_rows: V. size: C. filters: F."""
        super().__init__()
        self.characters = nn.Embedding(num_rows, size)
        self.convolution = nn.Conv1d(size, filters, WINDOW)
        self.windows = Windows((WINDOW,))
        self.size = filters

    def forward(self, ids: Tensor) -> Tensor:
        """(W, L) rows of characters, PADDING behind the last one, no word empty -> (W, F)."""
        more = -self.size % WHOLE                                                       # columns of zeros, with which the sum is faster
        weight = F.pad(self.convolution.weight, (0, 0, 0, 0, 0, more))                  # (F + more, C, 3)
        rows = self.characters.weight @ weight.permute(1, 2, 0).flatten(1)              # (V, 3 * (F + more))
        real = ids != PADDING                                                           # (W, L)
        around = F.pad(ids.masked_fill(~real, -1), (1, 1), value=-1)                    # (W, L + 2)  -1: zeros beyond both ends
        bias = None if self.convolution.bias is None else F.pad(self.convolution.bias, (0, more))
        values = window_sum(rows, around.unfold(1, WINDOW, 1)[real], self.windows, bias)[:, : self.size]  # (M, F)
        lengths = real.sum(dim=1)                                                       # (W,)
        return F.relu(maxima(values.contiguous(), lengths))                             # (W, F)  ReLU never falls


def maxima(rows: Tensor, lengths: Tensor) -> Tensor:
    """(M, F) rows of groups one after the other, of these lengths (W,), none 0 -> (W, F): the maximum of each group."""
    if not torch.is_grad_enabled():
        return torch.segment_reduce(rows, "max", lengths=lengths, unsafe=True)          # faster, without a gradient that we could use
    if rows.is_cuda:  # where torch has no repeatable gradient of `embedding_bag`
        return padded_maxima(rows, lengths)
    return F.embedding_bag(torch.arange(len(rows), device=rows.device), rows, lengths.cumsum(0) - lengths, mode="max")


def padded_maxima(rows: Tensor, lengths: Tensor) -> Tensor:
    """As `maxima`, by way of all groups padded to the longest."""
    real = torch.arange(int(lengths.max()), device=rows.device) < lengths[:, None]      # (W, L)
    padded = rows.new_full((*real.shape, rows.shape[1]), -torch.inf).masked_scatter(real[:, :, None], rows)  # (W, L, F)
    return padded.max(dim=1).values
