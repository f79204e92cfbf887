"""The fused CPU kernel of `window_sum` (Numba): the sum of a strip of filters stays in registers while a window is walked through."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, kernel
from relsift.kernels.simd import LINE, WIDTH, add, fetch, fill, load, store
from relsift.kernels.windows import Windows


def fused(projected: Tensor, seen: Tensor, windows: Windows, bias: Tensor) -> Tensor:
    """See `relsift.kernels.window_sum.window_sum`; float32 on the CPU."""
    total: Tensor = _Fused.apply(projected, seen, windows, bias)  # type: ignore[no-untyped-call]
    return total


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, seen: Tensor, windows: Windows, bias: Tensor) -> Tensor:
        sizes, starts = np.array(windows.sizes), np.array(windows.starts)
        filters = projected.shape[1] // windows.places
        total = projected.new_empty(len(seen), len(sizes) * filters)
        where = seen.contiguous().numpy()
        _forward(*arrays(projected), where, sizes, starts, filters, *arrays(bias, total))
        ctx.rest = where, sizes, starts, filters
        ctx.shape = projected.shape
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0].contiguous()
        table = gradient.new_zeros(ctx.shape)
        _backward(*arrays(gradient), *ctx.rest, *arrays(table))
        return table, None, None, gradient.sum(dim=0)


@kernel
def _forward(table: Any, seen: Any, sizes: Any, starts: Any, filters: Any, bias: Any, total: Any) -> None:
    columns = table.shape[1]
    whole = filters // WIDTH * WIDTH  # filters of whole strips
    for number in numba.prange(seen.shape[0]):
        m = np.int64(number)
        if m + 1 < len(seen) and seen[m + 1, -1] >= 0:
            # A row is a few pages away from the last one, where no hardware looks ahead; the next ten positions read all of it.
            for f in range(0, columns, LINE):
                fetch(table, seen[m + 1, -1] * columns + f)
        place = 0
        for w in range(len(sizes)):
            rows = seen[m, starts[w] : starts[w] + sizes[w]]
            into = m * total.shape[1] + w * filters
            for f in range(0, whole, WIDTH):
                value = fill(np.float32(0))
                for k in range(sizes[w]):
                    if rows[k] >= 0:
                        value = add(value, load(table, rows[k] * columns + (place + k) * filters + f))
                store(total, into + f, add(value, load(bias, w * filters + f)))
            for f in range(whole, filters):
                one = np.float32(0)
                for k in range(sizes[w]):
                    if rows[k] >= 0:
                        one += table[rows[k], (place + k) * filters + f]
                total[m, w * filters + f] = one + bias[w * filters + f]
            place += sizes[w]


@kernel
def _backward(gradient: Any, seen: Any, sizes: Any, starts: Any, filters: Any, table: Any) -> None:
    # A window's columns belong to one thread, so the sums are deterministic whatever the number of threads.
    columns = table.shape[1]
    whole = filters // WIDTH * WIDTH
    for window in numba.prange(len(sizes)):
        w = np.int64(window)
        place = sizes[:w].sum()
        for m in range(seen.shape[0]):
            for k in range(sizes[w]):
                row = seen[m, starts[w] + k]
                if row < 0:
                    continue
                for f in range(0, whole, WIDTH):
                    into = row * columns + (place + k) * filters + f
                    store(table, into, add(load(table, into), load(gradient, m * gradient.shape[1] + w * filters + f)))
                for f in range(whole, filters):
                    table[row, (place + k) * filters + f] += gradient[m, w * filters + f]
