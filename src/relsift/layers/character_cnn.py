"""Features of a word from its characters: a convolution over them, its maximum over the word.

Source: Ma & Hovy, ACL 2016 (P16-1101), section 2.1.
Letters: W words, L characters of the longest, C features of a character, F filters.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.characters import PADDING

WINDOW = 3  # characters


class CharacterCNN(nn.Module):
    """Embedding, convolution, ReLU, maximum."""

    def __init__(self, num_rows: int, size: int, filters: int) -> None:
        """Args: num_rows: of the table of characters. size: C. filters: F."""
        super().__init__()
        self.characters = nn.Embedding(num_rows, size)
        self.convolution = nn.Conv1d(size, filters, WINDOW, padding=WINDOW // 2)
        self.size = filters

    def forward(self, ids: Tensor) -> Tensor:
        """(W, L) rows of characters, PADDING behind the last one -> (W, F); the padding changes nothing."""
        real = (ids != PADDING)[:, :, None]                                             # (W, L, 1)
        x = self.characters(ids) * real                                                 # (W, L, C)  zeros as beyond both ends
        h = F.relu(self.convolution(x.transpose(1, 2)))                                 # (W, F, L)
        return (h * real.transpose(1, 2)).amax(dim=2)                                   # (W, F)  ReLU: 0 is no maximum of a real place
