"""The fused CPU kernel of `window_sum` (Numba): the sums of `VECTOR_SIZE` filters stay in registers while a window is added up."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, kernel
from relsift.kernels.simd import CACHE_LINE, VECTOR_SIZE, add, broadcast, load, prefetch, store
from relsift.kernels.windows import Windows


def fused(projected: Tensor, context_rows: Tensor, windows: Windows, bias: Tensor) -> Tensor:
    """See `relsift.kernels.window_sum.window_sum`; float32 on the CPU."""
    total: Tensor = _Fused.apply(projected, context_rows, windows, bias)  # type: ignore[no-untyped-call]
    return total


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, context_rows: Tensor, windows: Windows, bias: Tensor) -> Tensor:
        sizes, starts = np.array(windows.sizes), np.array(windows.starts)
        filters = projected.shape[1] // windows.places
        total = projected.new_empty(len(context_rows), len(sizes) * filters)
        rows = context_rows.contiguous().numpy()
        _forward(*arrays(projected), rows, sizes, starts, filters, *arrays(bias, total))
        ctx.arguments = rows, sizes, starts, filters
        ctx.shape = projected.shape
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0].contiguous()
        table = gradient.new_zeros(ctx.shape)
        _backward(*arrays(gradient), *ctx.arguments, *arrays(table))
        return table, None, None, gradient.sum(dim=0)


@kernel
def _forward(table: Any, context_rows: Any, sizes: Any, starts: Any, filters: Any, bias: Any, total: Any) -> None:
    columns = table.shape[1]
    in_vectors = filters // VECTOR_SIZE * VECTOR_SIZE  # filters that fill whole vectors
    for number in numba.prange(context_rows.shape[0]):
        m = np.int64(number)
        if m + 1 < len(context_rows) and context_rows[m + 1, -1] >= 0:
            # Hardware does not prefetch across pages, and rows are pages apart. The next ten positions read all of this row.
            for f in range(0, columns, CACHE_LINE):
                prefetch(table, context_rows[m + 1, -1] * columns + f)
        place = 0
        for w in range(len(sizes)):
            rows = context_rows[m, starts[w] : starts[w] + sizes[w]]
            output = m * total.shape[1] + w * filters
            for f in range(0, in_vectors, VECTOR_SIZE):
                value = broadcast(np.float32(0))
                for k in range(sizes[w]):
                    if rows[k] >= 0:
                        value = add(value, load(table, rows[k] * columns + (place + k) * filters + f))
                store(total, output + f, add(value, load(bias, w * filters + f)))
            for f in range(in_vectors, filters):
                single = np.float32(0)
                for k in range(sizes[w]):
                    if rows[k] >= 0:
                        single += table[rows[k], (place + k) * filters + f]
                total[m, w * filters + f] = single + bias[w * filters + f]
            place += sizes[w]


@kernel
def _backward(gradient: Any, context_rows: Any, sizes: Any, starts: Any, filters: Any, table: Any) -> None:
    # The columns of a window belong to one thread, so the sums do not depend on the number of threads.
    columns = table.shape[1]
    in_vectors = filters // VECTOR_SIZE * VECTOR_SIZE
    for window in numba.prange(len(sizes)):
        w = np.int64(window)
        place = sizes[:w].sum()
        for m in range(context_rows.shape[0]):
            for k in range(sizes[w]):
                row = context_rows[m, starts[w] + k]
                if row < 0:
                    continue
                for f in range(0, in_vectors, VECTOR_SIZE):
                    output = row * columns + (place + k) * filters + f
                    store(table, output, add(load(table, output), load(gradient, m * gradient.shape[1] + w * filters + f)))
                for f in range(in_vectors, filters):
                    table[row, (place + k) * filters + f] += gradient[m, w * filters + f]
