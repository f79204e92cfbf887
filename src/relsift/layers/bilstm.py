"""A bidirectional LSTM over whole sentences, run once a sentence for all of its pairs.

Letters: S sentences, T tokens, D token features, H units a direction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FORGET_BIAS = 1.0  # an untrained LSTM forgets little


class BiLSTM(nn.Module):
    """An LSTM initialised as in Keras: Glorot-uniform input weights, orthogonal recurrent ones, zero biases except the forget gate's."""

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(size, units, batch_first=True, bidirectional=True)
        self.size = 2 * units
        for name, weight in self.lstm.named_parameters():
            if name.startswith("weight"):
                for gate in weight.chunk(4):  # input, forget, cell, output
                    (nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)
            else:
                nn.init.zeros_(weight)
                if name.startswith("bias_ih"):  # torch has two biases and adds them
                    with torch.no_grad():
                        weight[units : 2 * units] = FORGET_BIAS

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x: (S, T, D), lengths: (S,) -> (S, T, 2H); zeros in the padding, which no state reads."""
        return run_over_sentences(self.lstm, x, lengths)


def run_over_sentences(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """x: (S, T, D), lengths: (S,) -> the LSTM's states (S, T, …), batch first; zeros in the padding, which no state reads."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    states: Tensor
    states, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])
    return states
