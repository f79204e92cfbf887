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
        _initialise(self.lstm)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x: (S, T, D), lengths: (S,) -> (S, T, 2H); zeros in the padding, which no state reads."""
        return run_over_sentences(self.lstm, x, lengths)


class TwoLSTMs(nn.Module):
    """The same function as two LSTMs over padded sentences, one of which reads them backwards. On a CPU it trains three times as fast.

    No state of a real token depends on the padding: an LSTM meets it only behind them, and the other one reads each sentence from its own
    end.
    """

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.forth, self.back = (nn.LSTM(size, units, batch_first=True) for _ in range(2))
        self.size = 2 * units
        _initialise(self.forth)
        _initialise(self.back)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x: (S, T, D), lengths: (S,) -> (S, T, 2H); values in the padding have no meaning."""
        place = torch.arange(x.shape[1], device=x.device)                               # (T,)
        mirrored = (lengths[:, None] - 1 - place).where(place < lengths[:, None], place)[:, :, None]  # (S, T, 1)  its own inverse
        back, _ = self.back(x.gather(1, mirrored.expand_as(x)))                         # (S, T, H)
        return torch.cat([self.forth(x)[0], back.gather(1, mirrored.expand_as(back))], dim=2)


def _initialise(lstm: nn.LSTM) -> None:
    for name, weight in lstm.named_parameters():
        if name.startswith("weight"):
            for gate in weight.chunk(4):  # input, forget, cell, output
                (nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):  # torch has two biases and adds them
                with torch.no_grad():
                    weight[lstm.hidden_size : 2 * lstm.hidden_size] = FORGET_BIAS


def run_over_sentences(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """x: (S, T, D), lengths: (S,) -> the LSTM's states (S, T, …), batch first; zeros in the padding, which no state reads."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    states: Tensor
    states, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])
    return states
