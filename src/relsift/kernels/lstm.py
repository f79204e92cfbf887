"""Two LSTMs over the tokens of many sentences, one of which reads them backwards; for prediction, so without gradients.

A row of features is multiplied by the input weights once, however many tokens have it. There is no padding: a step goes on with the
sentences that are so long.
Letters: V rows, N tokens of all sentences, S sentences, T steps, H units of an LSTM, G columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.kernels.switch import fused_kernel

WHOLE = 64  # columns; the fused kernel adds up so many at once


class LSTMTables(NamedTuple):
    """What the steps read. The G columns are gates, in the order input, forget, output, cell, H each, and zeros up to a multiple of 64."""

    inputs: Tensor  # (V, 2, G) rows times input weights, both biases added; the second one for the LSTM that reads backwards
    recurrent: Tensor  # (2, H, G)


def lstm_tables(rows: Tensor, lstms: Sequence[Sequence[Tensor]]) -> LSTMTables:
    """Args: rows: (V, D). lstms: of each of the two, torch's input weights, recurrent weights and both biases."""
    units = lstms[0][1].shape[1]
    gates = torch.arange(4 * units, device=rows.device).view(4, units)[[0, 1, 3, 2]].flatten()  # torch has the output gate last
    more = -4 * units % WHOLE
    w, u = (torch.stack([F.pad(lstm[n][gates].T, (0, more)) for lstm in lstms]) for n in (0, 1))  # (2, D, G), (2, H, G)
    bias = torch.cat([F.pad((lstm[2] + lstm[3])[gates], (0, more)) for lstm in lstms])  # (2 * G,)
    inputs = torch.addmm(bias, rows, w.transpose(0, 1).flatten(1))                      # (V, 2 * G)
    return LSTMTables(inputs.view(len(rows), 2, -1), u)


def lstm_states(tables: LSTMTables, place: Tensor, lengths: Tensor) -> Tensor:
    """(N, 2H) states of the tokens, forwards and backwards.

    Args: place: (N,) the row of each token. lengths: (S,) of the sentences, whose tokens follow one another.
    """
    if fused_kernel(tables.inputs) == "numba":
        from relsift.kernels.lstm_cpu import fused  # compiles on first use

        return fused(*tables, place, lengths)
    return reference(tables, place, lengths)


def reference(tables: LSTMTables, place: Tensor, lengths: Tensor) -> Tensor:
    """The same in plain torch, both directions at once."""
    units, columns = tables.recurrent.shape[1:]
    token, active = _steps(lengths)                                                     # (2N,), one number a step
    direction = torch.cat([torch.arange(2, device=place.device).repeat_interleave(count) for count in active])  # (2N,)
    read = 2 * place[token] + direction                                                 # (2N,)
    inputs = tables.inputs.flatten(0, 1)                                                # (2V, G)
    states = []
    h = c = tables.inputs.new_zeros(2, active[0], units)
    for count, row in zip(active, torch.split(read, [2 * count for count in active])):
        x = torch.baddbmm(F.embedding(row, inputs).view(2, count, columns), h[:, :count], tables.recurrent)  # (2, count, G)
        enter, forget, leave = torch.split(x[:, :, : 3 * units].sigmoid(), units, dim=2)
        c = torch.addcmul(forget * c[:, :count], enter, x[:, :, 3 * units : 4 * units].tanh())
        h = leave * c.tanh()                                                            # (2, count, H)
        states.append(h.flatten(0, 1))
    side_by_side = torch.empty_like(token)
    side_by_side[2 * token + direction] = torch.arange(len(token), device=token.device)
    return F.embedding(side_by_side, torch.cat(states)).view(len(place), 2 * units)


def _steps(lengths: Tensor) -> tuple[Tensor, list[int]]:
    """Which tokens two LSTMs read at each step: (2N,) numbers of tokens, and for each step how many sentences are so long.

    Of a step, first those that are read forwards, then those that are read backwards, one a sentence, longest sentence first.
    """
    sizes, order = lengths.sort(descending=True)
    first = (lengths.cumsum(0) - lengths)[order]                                        # (S,)
    step = torch.arange(int(sizes[0]), device=lengths.device)[:, None]                  # (T, 1)
    reads = step < sizes                                                                # (T, S)
    token = torch.stack([first + step, first + sizes - 1 - step], dim=1)                # (T, 2, S)
    return token[reads[:, None].expand_as(token)], reads.sum(dim=1).tolist()
