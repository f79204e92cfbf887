"""The convolution of every pair, pooled over the tokens, without a convolution per pair (see `relsift.layers.pair_convolution`).

    conv(pair)[i] = sentence part[i] + head part[i] + tail part[i]

Letters: N tokens of all sentences, T tokens of the longest, V different tokens, U different distance contexts, A entities that pairs refer
to, P pairs, D token features, R distance features, F filters a window, C channels (filters of all windows), L places of the widest window.
"""

from __future__ import annotations

import numpy as np

from relsift.encoding.arrays import IntArray
from relsift.errors import CheckpointError
from relsift.exported.functions import relu, window_sum
from relsift.exported.inputs import Inputs
from relsift.exported.pooling import PairParts, average, maxima
from relsift.exported.spec import ConvolutionSpec
from relsift.exported.weights import FloatArray, Weights
from relsift.kernels.windows import Windows

PAIRS_AT_ONCE = 256  # of `crop`, where every pair has a convolution of its own


class Convolution:
    """Made of the weights; a call gives the pooled values of every pair."""

    def __init__(self, spec: ConvolutionSpec, weights: Weights, token_size: int) -> None:
        """Args: token_size: D."""
        if (spec.over == "crop") != (spec.crop is not None):
            raise CheckpointError(f"model.json: options: convolution: expected a size of the crop with over=crop alone, got {spec.crop}")
        self.spec, self.windows = spec, Windows(tuple(spec.windows))
        tables = [weights.take(f"convolution.{side}", 2 * spec.max_distance + 1, None) for side in ("head", "tail")]
        sizes = [table.shape[1] for table in tables]                                    # R each
        kernels = [
            weights.take(f"convolution.{number}.kernel", spec.filters, token_size + sum(sizes), width)
            for number, width in enumerate(spec.windows)
        ]
        self.bias = weights.take("convolution.bias", spec.filters * len(spec.windows))  # (C,)
        # What a row of features adds at every place of every window: (D or R, places * F)
        columns = [kernel.transpose(1, 2, 0).reshape(kernel.shape[1], -1) for kernel in kernels]
        whole = np.concatenate(columns, axis=1)
        self.of_tokens = np.ascontiguousarray(whole[:token_size])
        stop = token_size + sizes[0]
        self.heads, self.tails = tables[0] @ whole[token_size:stop], tables[1] @ whole[stop:]  # (2 * max_distance + 1, places * F)
        pooled = len(self.bias) * (3 if spec.over == "pieces" else 1)
        self.size = pooled + len(self.bias) * spec.average

    def __call__(self, features: FloatArray, place: IntArray, inputs: Inputs) -> FloatArray:
        """(P, size). Args: features: (V, D). place: (N,) the row of each token."""
        projected = features @ self.of_tokens                                           # (V, places * F)
        if self.spec.over == "crop":
            return self._cropped(projected, place, inputs)
        parts = self._parts(projected, place, inputs)
        pooled = maxima(parts, self._cuts(inputs))                                      # (P, Q, C)
        result = np.tanh(pooled) if self.spec.activation == "tanh" else relu(pooled)
        flat = result.reshape(len(result), -1)
        return np.concatenate([flat, average(parts)], axis=1) if self.spec.average else flat

    def _parts(self, projected: FloatArray, place: IntArray, inputs: Inputs) -> PairParts:
        windows = self.windows
        left, right = windows.left, windows.right
        rows = np.full((inputs.mask.shape[0], inputs.mask.shape[1] + left + right), -1)
        rows[:, left : left + inputs.mask.shape[1]][inputs.mask] = place
        around = np.lib.stride_tricks.sliding_window_view(rows, left + 1 + right, axis=1)[inputs.mask]  # (N, L)
        sentence = self._sum(projected, around) + self.bias                             # (N, C)
        used, positions = np.unique(np.concatenate([inputs.pairs.head, inputs.pairs.tail]), return_inverse=True)  # (A,), (2P,)
        head, tail = np.split(positions, 2)
        keys = self._contexts(inputs, used)                                             # (A, T)
        contexts, context = np.unique(keys, return_inverse=True)
        distances = self._distance_rows(contexts)                                       # (U, L)
        return PairParts(
            sentence, self._sum(self.heads, distances), self._sum(self.tails, distances), inputs.first, inputs.lengths,
            context.reshape(keys.shape), inputs.pairs.sentence, head, tail,
        )  # fmt: skip

    def _sum(self, projected: FloatArray, rows: IntArray) -> FloatArray:
        return window_sum(projected, rows, self.windows.sizes, self.windows.starts)

    def _cuts(self, inputs: Inputs) -> IntArray:
        """(P, Q + 1): piece q is the tokens from cut q to cut q + 1, exclusive."""
        head, tail = inputs.entities.span[inputs.pairs.head], inputs.entities.span[inputs.pairs.tail]  # (P, 2)
        length = inputs.lengths[inputs.pairs.sentence]                                  # (P,)
        first_end, last_end = np.minimum(head[:, 1], tail[:, 1]), np.maximum(head[:, 1], tail[:, 1])
        if self.spec.over == "pieces":
            return np.stack([np.zeros_like(length), first_end, last_end, length], axis=1)
        if self.spec.over == "between":
            return np.stack([np.minimum(head[:, 0], tail[:, 0]), last_end], axis=1)
        return np.stack([np.zeros_like(length), length], axis=1)

    def _contexts(self, inputs: Inputs, entities: IntArray) -> IntArray:
        """(A, T): a number for the distances that the windows around a token see (see `relsift.layers.distance_contexts`)."""
        left, right = self.windows.left, self.windows.right
        reach, number = self._reach, 2 * self._reach + 1
        i = np.arange(inputs.mask.shape[1])
        span = inputs.entities.span[entities]                                           # (A, 2)
        length = inputs.lengths[inputs.entities.sentence[entities]][:, None]            # (A, 1)
        start, end = np.clip(span[:, :1] - i, -reach, reach), np.clip(span[:, 1:] - i, -reach, reach)
        key = (start + reach) * number + end + reach
        key = key * (left + 1) + np.minimum(i, left)
        key = key * (right + 2) + np.clip(length - i, 0, right + 1)
        return np.asarray(np.where(i < length, key, key[:, :1]), np.int64)              # padding: the context of the first token

    def _distance_rows(self, keys: IntArray) -> IntArray:
        """(U,) -> (U, L) rows of a distance table, -1 beyond the sentence."""
        left, right, number = self.windows.left, self.windows.right, 2 * self._reach + 1
        rest, after = keys // (right + 2), keys % (right + 2)
        rest, before = rest // (left + 1), rest % (left + 1)
        start, end = rest // number - self._reach, rest % number - self._reach
        step = np.arange(-left, right + 1)                                              # (L,)
        seen = self._distances(step, start[:, None], end[:, None])
        return np.where((step < -before[:, None]) | (step >= after[:, None]), -1, seen)

    @property
    def _reach(self) -> int:
        """From this distance on, the entity is at least `max_distance` away from every token that a window sees."""
        return self.spec.max_distance + self.windows.left + self.windows.right + 1

    def _distances(self, position: IntArray, start: IntArray, end: IntArray) -> IntArray:
        """Row of a distance table: tokens from the span [start, end), 0 inside, negative before it; clipped and shifted to be >= 0."""
        limit = self.spec.max_distance
        seen = np.minimum(position - start, 0) + np.maximum(position - end + 1, 0)
        return np.asarray(np.clip(seen, -limit, limit) + limit, np.int64)

    def _cropped(self, projected: FloatArray, place: IntArray, inputs: Inputs) -> FloatArray:
        """(P, size): each pair sees its own part of the text, so nothing is shared."""
        count = len(inputs.pairs.head)
        parts = [self._crop(projected, place, inputs, slice(start, start + PAIRS_AT_ONCE)) for start in range(0, count, PAIRS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, self.size), np.float32)

    def _crop(self, projected: FloatArray, place: IntArray, inputs: Inputs, pairs: slice) -> FloatArray:
        size, windows = self.spec.crop or 1, self.windows
        head, tail = inputs.entities.span[inputs.pairs.head[pairs]], inputs.entities.span[inputs.pairs.tail[pairs]]  # (P, 2)
        end = np.maximum(head[:, 1], tail[:, 1])[:, None]                               # (P, 1)
        start = np.maximum(np.minimum(head[:, :1], tail[:, :1]), end - size)            # (P, 1)
        position = start + np.arange(-windows.left, size + windows.right)               # (P, left + size + right)
        inside = (position >= start) & (position < end)
        token = inputs.first[inputs.pairs.sentence[pairs]][:, None] + np.clip(position, start, end - 1)
        rows = (place[token], *(self._distances(position, entity[:, :1], entity[:, 1:]) for entity in (head, tail)))
        total = np.tile(self.bias, (len(end) * size, 1))                                # (P * size, C)
        for table, row in zip((projected, self.heads, self.tails), rows):
            seen = np.lib.stride_tricks.sliding_window_view(np.where(inside, row, -1), windows.left + 1 + windows.right, axis=1)
            total += self._sum(table, seen.reshape(len(total), -1))
        real = inside[:, windows.left : windows.left + size, None]                      # (P, size, 1)
        values = relu(total).reshape(len(end), size, -1) * real                         # (P, size, C)
        pooled: FloatArray = values.max(axis=1)
        if not self.spec.average:
            return pooled
        return np.concatenate([pooled, values.sum(axis=1) / real.sum(axis=1, dtype=np.float32)], axis=1)
