"""Bidirectional recurrent layers over the tokens of sentences, and over the characters of words: GRU or LSTM.

Letters: S sentences, N tokens of all sentences, D token features, W words, L characters of the longest, C features of a character,
H units a direction.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

from relsift.encoding.characters import PADDING
from relsift.layers.bilstm import TwoLSTMs

Cell = Literal["gru", "lstm"]


class BiRNN(nn.Module):
    """One layer, both directions. Initialised as in Keras: input weights Glorot-uniform, recurrent ones orthogonal, biases zero."""

    def __init__(self, cell: Cell, size: int, units: int) -> None:
        super().__init__()
        self.size = 2 * units
        self.lstms = TwoLSTMs(size, units) if cell == "lstm" else None
        self.gru = nn.GRU(size, units, bidirectional=True) if cell == "gru" else None
        if self.gru is not None:
            for name, weight in self.gru.named_parameters():
                if name.startswith("bias"):
                    nn.init.zeros_(weight)
                else:
                    for gate in weight.data.chunk(3):
                        (nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)

    def forward(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """(N, D) features of the tokens, sentence by sentence, and (S,) lengths, none 0 -> (N, 2H) states."""
        if self.lstms is not None:
            states: Tensor = self.lstms(rows, torch.arange(len(rows), device=rows.device), lengths)
            return states
        assert self.gru is not None
        packed, _ = self.gru(pack_sequence(list(torch.split(rows, lengths.tolist())), enforce_sorted=False))
        return torch.cat(unpack_sequence(packed))


class CharacterBiRNN(nn.Module):
    """A word as the last state of each direction over its characters (Lample et al., NAACL 2016, section 4.1)."""

    def __init__(self, num_rows: int, cell: Cell, size: int, units: int) -> None:
        """Args: num_rows: of the table of characters. size: C."""
        super().__init__()
        self.characters = nn.Embedding(num_rows, size)
        self.run = BiRNN(cell, size, units)
        self.size = self.run.size

    def forward(self, ids: Tensor) -> Tensor:
        """(W, L) rows of characters, PADDING behind the last one, no word empty -> (W, 2H)."""
        real = ids != PADDING                                                           # (W, L)
        lengths = real.sum(dim=1)                                                       # (W,)
        forth, back = self.run(self.characters(ids[real]), lengths).chunk(2, dim=1)     # all characters of all words, H each
        last = lengths.cumsum(0) - 1                                                    # (W,)
        return torch.cat([F.embedding(last, forth), F.embedding(last + 1 - lengths, back)], dim=1)
