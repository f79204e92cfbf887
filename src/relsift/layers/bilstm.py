"""A bidirectional LSTM over whole sentences, run once a sentence for all of its pairs.

Letters: S sentences, T tokens, D token features, H units a direction.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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
    the sentence, and the second one reads each sentence from its own end. Prediction pads nothing (see `_without_gradient`).
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
            return self._without_gradient(rows, place, lengths)
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

    def _without_gradient(self, rows: Tensor, place: Tensor, lengths: Tensor) -> Tensor:
        """The same step by step, both directions at once, for the sentences that are so long, longest first.

        A row is multiplied by the input weights once, however many tokens have it; and there is no padding. Gates are in the order input,
        forget, output, cell here, so that one call is the sigmoid of three.
        """
        units = self.forth.hidden_size
        gates = torch.arange(4 * units).view(4, units)[[0, 1, 3, 2]].flatten()
        weights = [[weight[gates] for weight in lstm.all_weights[0]] for lstm in (self.forth, self.back)]
        table = torch.cat([F.linear(rows, w, b + d) for w, _, b, d in weights])         # (2V, 4H)
        recurrent = torch.stack([u.T for _, u, _, _ in weights])                        # (2, H, 4H)
        token, active = _steps(lengths)                                                 # (2N,), one number a step
        direction = torch.cat([torch.arange(2).repeat_interleave(count) for count in active])  # (2N,)
        read = place[token] + direction * len(rows)                                     # (2N,) rows of the table
        states = rows.new_empty(len(token), units)                                      # (2N, H)
        h = c = rows.new_zeros(2, active[0], units)
        sizes = [2 * count for count in active]
        for count, row, those in zip(active, torch.split(read, sizes), torch.split(states, sizes)):
            x = torch.baddbmm(F.embedding(row, table).view(2, count, 4 * units), h[:, :count], recurrent)  # (2, count, 4H)
            enter, forget, leave = torch.split(x[:, :, : 3 * units].sigmoid_(), units, dim=2)
            c = torch.addcmul(forget * c[:, :count], enter, x[:, :, 3 * units :].tanh_())
            h = torch.mul(leave, c.tanh(), out=those.view(2, count, units))
        side_by_side = torch.empty_like(token)
        side_by_side[2 * token + direction] = torch.arange(len(token))
        return F.embedding(side_by_side, states).view(len(place), 2 * units)


def _steps(lengths: Tensor) -> tuple[Tensor, list[int]]:
    """Which tokens two LSTMs read at each step: (2N,) numbers of tokens, and for each step how many sentences are so long.

    Of a step, first those that are read forwards, then those that are read backwards, one a sentence, longest sentence first.
    """
    sizes, order = lengths.sort(descending=True)
    first = (lengths.cumsum(0) - lengths)[order]                                        # (S,)
    step = torch.arange(int(sizes[0]))[:, None]                                         # (T, 1)
    reads = step < sizes                                                                # (T, S)
    token = torch.stack([first + step, first + sizes - 1 - step], dim=1)                # (T, 2, S)
    return token[reads[:, None].expand_as(token)], reads.sum(dim=1).tolist()


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
