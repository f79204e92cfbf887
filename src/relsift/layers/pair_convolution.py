"""The multi-window convolution of every pair of a sentence, pooled over the tokens, without a convolution per pair.

Letters: S sentences, T tokens, N tokens of all sentences together, V different tokens (word and tag), U different distance contexts,
A entities that pairs refer to, P pairs, D token features, R distance features, W windows, F filters a window, C = W * F, Q pieces of a
sentence.
The parameters are those of W ordinary Conv1d over D + R + R features; each is split into its sentence, head and tail parts:
    conv(pair)[i] = sentence part[i] (words, tags, bias) + head part[i] (distance to the head) + tail part[i] (distance to the tail)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool import pair_average, pair_max, piecewise_max
from relsift.kernels.window_sum import window_sum
from relsift.kernels.windows import Windows
from relsift.layers.distance_contexts import DistanceContexts, referred_entities
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.layers.row_cache import Compute, RowCache, Rows, each_once

CACHE_MEGABYTES = 256


@dataclass(frozen=True)
class PairValues:
    """The convolution of every pair at every token, before the activation. It is the sum of three parts, which is never stored."""

    sentence: Tensor  # (N, C)
    head: Tensor  # (U, C)
    tail: Tensor  # (U, C)
    index: PairIndex
    finite: bool  # no part holds infinity or not-a-number; False: the kernel has to check

    def max(self, *, relu: bool) -> Tensor:
        """(P, C): the maximum over the tokens, after ReLU or without an activation. One that never falls may follow the maximum."""
        return pair_max(self.sentence, self.head, self.tail, self.index, relu=relu, finite=self.finite)

    def piecewise_max(self, cuts: Tensor) -> Tensor:
        """(P, Q, C): the maximum over each piece of the sentence, for cuts (P, Q + 1); 0 for a piece without tokens."""
        return piecewise_max(self.sentence, self.head, self.tail, self.index, cuts, finite=self.finite)

    def relu_average(self) -> Tensor:
        """(P, C): the mean over the tokens after ReLU."""
        return pair_average(self.sentence, self.head, self.tail, self.index, finite=self.finite)


class PairConvolution(nn.Module):
    """W Conv1d over [token ++ distance to head ++ distance to tail] of every pair; exact, and shared between pairs."""

    def __init__(
        self, token_size: int, distance_size: int, *, windows: tuple[int, ...], filters: int, max_distance: int
    ) -> None:
        super().__init__()
        self.token_size, self.distance_size = token_size, distance_size
        self.convolutions = nn.ModuleList(nn.Conv1d(token_size + 2 * distance_size, filters, window) for window in windows)
        self.windows = Windows(windows)
        self.contexts = DistanceContexts(self.windows.left, self.windows.right, max_distance)
        self.size = len(windows) * filters
        self.limit_cache(CACHE_MEGABYTES)

    def limit_cache(self, megabytes: float) -> None:
        """Bound the memory in which prediction caches words and distances between batches; 0 switches the cache off."""
        token_share = 3 / 4  # of the memory: words are more than distance contexts, and have longer rows
        self._token_cache = RowCache(int(megabytes * token_share * 2**20))
        self._distance_cache = RowCache(int(megabytes * (1 - token_share) * 2**20))

    def forward(self, tokens: KeyedTokens, batch: Batch, head_table: Tensor, tail_table: Tensor) -> PairValues:
        """Args: head_table, tail_table: (2 * max_distance + 1, R), the embeddings of distances -max_distance .. max_distance."""
        windows = self.windows
        weights = [c.weight for c in self._convolutions()]
        bias = torch.cat([c.bias for c in self._convolutions() if c.bias is not None])  # (C,)

        def project_tokens(keys: Tensor) -> tuple[Tensor, ...]:
            return (self._project(tokens.features(keys), 0),)                           # (V, places * F)

        def sum_contexts(keys: Tensor) -> tuple[Tensor, ...]:
            distance_rows = self.contexts.rows(keys)                                    # (U, left+1+right)
            heads = self._project(head_table, self.token_size)
            tails = self._project(tail_table, self.token_size + self.distance_size)
            return window_sum(heads, distance_rows, windows), window_sum(tails, distance_rows, windows)  # (U, C) each

        projected_size = windows.places * self.size // len(windows.sizes)
        cache_weights = [*tokens.weights, *weights] if tokens.weights else None
        if tokens.distinct:
            token_rows = Rows(project_tokens(tokens.keys), tokens.keys, False)
        else:
            token_rows = self._rows(self._token_cache, tokens.keys, tokens.count, [projected_size], project_tokens, cache_weights)
        entities, pair_head, pair_tail = referred_entities(batch)                       # (A,), (P,), (P,)
        keys = self.contexts.keys(batch, entities, merge=not self.training)             # (A, T)
        tables = [head_table, tail_table, *weights]
        context_rows = self._rows(self._distance_cache, keys, self.contexts.count, [self.size] * 2, sum_contexts, tables)
        mask = batch.mask
        row_ids = torch.full(mask.shape, -1, device=mask.device).masked_scatter(mask, token_rows.place)  # (S, T)
        padded = F.pad(row_ids, (windows.left, windows.right), value=-1)
        window_rows = padded.unfold(1, windows.left + 1 + windows.right, 1)[mask]       # (N, left+1+right)
        sentence = window_sum(token_rows.tables[0], window_rows, windows, bias)         # (N, C)
        head, tail = context_rows.tables                                                # (U, C) each
        index = PairIndex(batch.first, batch.lengths, context_rows.place, batch.pairs.sentence, pair_head, pair_tail)
        finite = token_rows.finite and context_rows.finite and bool(bias.isfinite().all())
        return PairValues(sentence, head, tail, index, finite)

    def literal(self, features: Tensor) -> Tensor:
        """The same convolutions run for every pair, with ReLU, for text that is cropped differently for every pair.

        Args: features: (P, T, D + 2R).
        Returns: (P, T, C).
        """
        x = features.transpose(1, 2)                                                    # (P, D + 2R, T)
        outputs = []
        for c, size in zip(self._convolutions(), self.windows.sizes):
            outputs.append(c(F.pad(x, ((size - 1) // 2, size // 2))))                   # (P, F, T)
        return F.relu(torch.cat(outputs, dim=1)).transpose(1, 2)

    def _rows(
        self, cache: RowCache, keys: Tensor, count: int, widths: list[int], compute: Compute, weights: list[Tensor] | None
    ) -> Rows:
        """Rows of the keys, cached in prediction. weights: None if the rows also depend on this batch, so that they cannot be cached."""
        if weights is None or self.training or torch.is_grad_enabled():
            return each_once(keys, compute)
        return cache.rows(keys, count, widths, compute, weights)

    def _project(self, rows: Tensor, offset: int) -> Tensor:
        """What each row adds to the convolution at every place of every window, if it is the input columns from `offset` on.

        The product may be computed in bfloat16 (`torch.autocast`); the sums and maxima that follow are those of the weights' precision.
        """
        columns = slice(offset, offset + rows.shape[1])
        weights = [c.weight[:, columns].permute(1, 2, 0).flatten(1) for c in self._convolutions()]  # (D or R, w * F) each
        return (rows @ torch.cat(weights, dim=1)).to(weights[0].dtype)                  # (rows, places * F)

    def _convolutions(self) -> list[nn.Conv1d]:
        return [c for c in self.convolutions if isinstance(c, nn.Conv1d)]
