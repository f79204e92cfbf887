"""A bidirectional GRU over the sentence as every pair sees it: [token ++ distance to head ++ distance to tail], once per pair.

The recurrence has to run once a pair; the input projection, most of the arithmetic, has not. It is linear, so
    W x = W_token token + W_head distance to head + W_tail distance to tail
and each term is computed once a token of a sentence or once a distance, and only looked up for the pair. Exact to rounding.
Both directions run side by side, packed: step t holds the t-th token (from the left, and from the right) of the pairs that have one.
Letters: P pairs, T tokens of the longest sentence, N tokens of all sentences together, M tokens of all pairs together, H units a direction,
D token features, R distance features, L distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.layers.distance_contexts import distances


@dataclass(frozen=True)
class Packing:
    """Pairs of falling length, step by step: row m of the packed tensors is step `step[m]` of pair `pair[m]`."""

    lengths: Tensor  # (P,)
    pair: Tensor  # (M,)
    step: Tensor  # (M,)
    active: list[int]  # pairs at each step, falling

    @classmethod
    def of(cls, lengths: Tensor) -> Packing:
        """lengths: (P,) falling, each >= 1."""
        longest = int(lengths[0])
        real = torch.arange(longest, device=lengths.device)[:, None] < lengths          # (T, P)
        step, pair = real.nonzero(as_tuple=True)
        return cls(lengths, pair, step, real.sum(dim=1).tolist())

    @cached_property
    def tokens(self) -> Tensor:
        """(2, M): which token each row reads, forwards and backwards."""
        return torch.stack([self.step, self.lengths[self.pair] - 1 - self.step])

    @cached_property
    def places(self) -> Tensor:
        """(2, P, T): the row in which a pair's token was read, forwards and backwards; M beyond the pair's last token."""
        rows = len(self.pair)
        table = self.pair.new_full((2, len(self.lengths), len(self.active)), rows)
        direction = torch.arange(2, device=self.pair.device)[:, None]
        table[direction, self.pair, self.tokens] = torch.arange(rows, device=self.pair.device)
        return table


@dataclass(frozen=True)
class Projected:
    """What each token and each distance adds to the gates."""

    table: Tensor  # (2, N + 2L, 3H)  in each direction the tokens, then the distances to the head, then those to the tail
    heads: int  # row of the first distance to the head
    tails: int  # row of the first distance to the tail


class PairGRU(nn.Module):
    """Weights as in `nn.GRU`, both directions stacked: reset gate, update gate, candidate."""

    def __init__(self, token_size: int, distance_size: int, units: int) -> None:
        super().__init__()
        self.token_size, self.distance_size = token_size, distance_size
        self.size = 2 * units
        self.input_weight = nn.Parameter(torch.empty(2, 3 * units, token_size + 2 * distance_size))
        self.input_bias = nn.Parameter(torch.empty(2, 3 * units))
        self.state_weight = nn.Parameter(torch.empty(2, 3 * units, units))
        self.state_bias = nn.Parameter(torch.empty(2, 3 * units))
        self.initialise()

    def initialise(self) -> None:
        """As Keras does: inputs Glorot-uniform, recurrent weights orthogonal, biases zero."""
        for direction in range(2):
            nn.init.xavier_uniform_(self.input_weight[direction])
            for gate in self.state_weight[direction].chunk(3):
                nn.init.orthogonal_(gate)
        nn.init.zeros_(self.input_bias)
        nn.init.zeros_(self.state_bias)

    def project(self, tokens: Tensor, heads: Tensor, tails: Tensor) -> Projected:
        """(N, D) tokens of all sentences, in order; (L, R) distance tables: the input side of all gates, each row once."""
        weights = torch.split(self.input_weight, [self.token_size, self.distance_size, self.distance_size], dim=2)
        rows = [part @ weight.transpose(1, 2) for part, weight in zip((tokens, heads, tails), weights)]
        rows[0] = rows[0] + self.input_bias[:, None]
        return Projected(torch.cat(rows, dim=1), len(tokens), len(tokens) + len(heads))

    def forward(self, inputs: Projected, batch: Batch, pairs: Tensor, max_distance: int) -> tuple[Tensor, Tensor]:
        """Run some pairs of the batch, P >= 1.

        Args: pairs: (P,) by falling length of their sentence. max_distance: tokens; that of the distance tables.
        Returns: (P, T, 2H) states, 0 beyond a sentence's end; (P, T) mask, True = real token.
        """
        sentence = batch.pairs.sentence[pairs]                                           # (P,)
        packing = Packing.of(batch.lengths[sentence])
        token, pair = packing.tokens, packing.pair                                      # (2, M), (M,)
        rows = [batch.first[sentence][pair] + token]
        for ends, start in ((batch.pairs.head, inputs.heads), (batch.pairs.tail, inputs.tails)):
            span = batch.entities.span[ends[pairs]][pair]                                 # (M, 2)
            rows.append(distances(token, span[:, 0], span[:, 1], max_distance) + start)
        x = _sum_rows(inputs.table, torch.stack(rows, dim=2))                           # (2, M, 3H)
        states: Tensor = Recurrence.apply(x, self.state_weight, self.state_bias, packing)  # type: ignore[no-untyped-call]
        directions = [F.embedding(place, F.pad(direction, (0, 0, 0, 1))) for place, direction in zip(packing.places, states)]
        return torch.cat(directions, dim=2), packing.places[0] < len(pair)                    # (P, T, 2H), (P, T)


def _sum_rows(table: Tensor, rows: Tensor) -> Tensor:
    """(2, V, C) table, (2, M, 3) rows -> (2, M, C): in each direction the sum of three rows of its table."""
    start = torch.arange(2, device=rows.device)[:, None, None] * table.shape[1]
    summed = F.embedding_bag((rows + start).flatten(0, 1), table.flatten(0, 1), mode="sum")
    return summed.view(2, -1, table.shape[2])


class Recurrence(torch.autograd.Function):
    """Cho et al. 2014 in the form of `nn.GRU` (the reset gate acts after the recurrent projection), both directions at once.

    g = U h' + b;  r, z = sigmoid(x_rz + g_rz);  c = tanh(x_c + r g_c);  h = c + z (h' - c)
    By hand because autograd would keep a dozen tensors a step; here the weights' gradient is one product after the loop.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, packing: Packing) -> Tensor:
        """x: (2, M, 3H). Returns (2, M, H)."""
        units, keep = weight.shape[2], any(ctx.needs_input_grad)
        across, bias = weight.transpose(1, 2), bias[:, None]
        states = x.new_empty(2, x.shape[1], units)
        h = x.new_zeros(2, packing.active[0], units)
        steps = []
        low = 0
        for count in packing.active:
            now, before = x[:, low : low + count], h[:, :count]
            g = torch.baddbmm(bias, before, across)                                     # (2, count, 3H)
            rz = (now[:, :, : 2 * units] + g[:, :, : 2 * units]).sigmoid_()
            r, z = rz.chunk(2, dim=2)
            g_c = g[:, :, 2 * units :]
            c = torch.addcmul(now[:, :, 2 * units :], r, g_c).tanh_()
            h = torch.lerp(c, before, z, out=states[:, low : low + count])
            if keep:
                steps.append((r, z, c, g_c))
            low += count
        # The states before each step are parts of the output: kept here, they would keep their own graph alive for ever.
        ctx.packing, ctx.steps = packing, steps
        ctx.save_for_backward(weight, states)
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """gradient: (2, M, H)"""
        weight, states = ctx.saved_tensors
        packing, units = ctx.packing, weight.shape[2]
        dx = states.new_empty(2, states.shape[1], 3 * units)                            # of the gates before their activation
        dg = torch.empty_like(dx)
        carry = states.new_zeros(2, packing.active[0], units)                           # to the state before the step
        start = torch.zeros_like(carry)  # the state before the first step
        high = states.shape[1]
        for t in reversed(range(len(packing.active))):
            count, (r, z, c, g_c) = packing.active[t], ctx.steps[t]
            rows = slice(high - count, high)
            low = rows.start - packing.active[t - 1]
            before = states[:, low : low + count] if t else start                       # (2, count, H)
            dh = gradient[:, rows] + carry[:, :count]
            dc = dh * (1 - z) * (1 - c * c)
            dx[:, rows, :units] = dc * g_c * r * (1 - r)
            dx[:, rows, units : 2 * units] = dh * (before - c) * z * (1 - z)
            dx[:, rows, 2 * units :] = dc
            dg[:, rows, : 2 * units] = dx[:, rows, : 2 * units]
            dg[:, rows, 2 * units :] = dc * r
            torch.baddbmm(dh * z, dg[:, rows], weight, out=carry[:, :count])
            high -= count
        first = packing.active[0]
        first_rows = torch.tensor([0, *packing.active[:-1]], device=states.device).cumsum(0)  # (T,) first row of each step
        later = slice(first, None)
        previous = first_rows[packing.step[later] - 1] + packing.pair[later]
        dweight = dg[:, later].transpose(1, 2) @ states[:, previous]                    # (2, 3H, H)
        return dx, dweight, dg.sum(dim=1), None
