"""A bidirectional LSTM over whole sentences, run once a sentence for all of its pairs.

Letters: S sentences, T tokens, D token features, H units a direction.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from relsift.kernels.lstm import lstm_states, lstm_tables

FORGET_BIAS = 1.0  # an untrained LSTM forgets little
SIMILAR, SMALLEST_GROUP = 0.75, 16  # shares of the longest length of a group; sentences


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
    """The same function as two LSTMs, one of which reads the sentences backwards. On a CPU it is three times as fast.

    Training pads sentences of similar lengths to one length. No state of a real token depends on the padding: an LSTM meets it only behind
    the sentence, and the second one reads each sentence from its own end. Prediction pads nothing (see `relsift.kernels.lstm`).
    """

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.forth, self.back = (nn.LSTM(size, units, batch_first=True) for _ in range(2))
        self.size = 2 * units
        _initialise(self.forth)
        _initialise(self.back)

    def forward(self, rows: Tensor, place: Tensor, lengths: Tensor) -> Tensor:
        """(N, 2H) states of the tokens of all sentences, one sentence after the other.

        Args: rows: (V, D) features. place: (N,) the row of each token. lengths: (S,) of the sentences.
        """
        if rows.device.type == "cpu" and not torch.is_grad_enabled():
            weights = [lstm.all_weights[0] for lstm in (self.forth, self.back)]
            return lstm_states(lstm_tables(rows, weights), place, lengths)
        rows = F.embedding(place, rows)                                                 # (N, D)
        first = lengths.cumsum(0) - lengths                                             # (S,)
        order, states = [], []
        for group in _similar(lengths):
            length, start = lengths[group, None], first[group, None]                    # (G, 1)
            step = torch.arange(int(length.max()), device=rows.device)                  # (T,)
            real = step < length                                                        # (G, T)
            forth = start + torch.minimum(step, length - 1)                             # (G, T)  the padding repeats the last token
            back = start + (length - 1 - step).clamp(min=0)
            forth_states, _ = self.forth(F.embedding(forth, rows))                      # (G, T, H)
            back_states, _ = self.back(F.embedding(back, rows))
            mirrored = (back - start)[:, :, None].expand_as(back_states)
            states.append(torch.cat([forth_states, back_states.gather(1, mirrored)], dim=2)[real])
            order.append(forth[real])
        return F.embedding(torch.cat(order).argsort(), torch.cat(states))               # (N, 2H)

def _similar(lengths: Tensor) -> Iterator[Tensor]:
    """(G,) sentences of similar lengths, longest first; every sentence is in one group. Small groups would waste the matrix products."""
    values, order = lengths.sort(descending=True)
    sizes, start = values.tolist(), 0
    for number, size in enumerate(sizes):
        if number - start >= SMALLEST_GROUP and size < SIMILAR * sizes[start]:
            yield order[start:number]
            start = number
    yield order[start:]


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
