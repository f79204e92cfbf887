"""The fused CPU kernel of `window_sum` (Numba)."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from relsift.kernels.compiled import arrays, kernel
from relsift.kernels.window_sum import Windows


def fused(projected: Tensor, seen: Tensor, windows: Windows) -> Tensor:
    """See `relsift.kernels.window_sum.window_sum`; float32 on the CPU."""
    total: Tensor = _Fused.apply(projected, seen, windows)  # type: ignore[no-untyped-call]
    return total


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, seen: Tensor, windows: Windows) -> Tensor:
        table, where = arrays(projected, seen)
        sizes, starts = np.array(windows.sizes), np.array(windows.starts)
        filters = projected.shape[1] // windows.places
        total = np.zeros((len(where), len(sizes) * filters), dtype=np.float32)
        _forward(table, where, sizes, starts, filters, total)
        ctx.rest = where, sizes, starts, filters, projected.shape
        return torch.from_numpy(total)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        where, sizes, starts, filters, shape = ctx.rest
        (gradient,) = arrays(gradients[0])
        table = np.zeros(shape, dtype=np.float32)
        _backward(gradient, where, sizes, starts, filters, table)
        return torch.from_numpy(table), None, None


@kernel
def _forward(table: Any, seen: Any, sizes: Any, starts: Any, filters: Any, total: Any) -> None:
    for m in numba.prange(seen.shape[0]):
        place = 0
        for w in range(len(sizes)):
            into = total[m, w * filters : (w + 1) * filters]
            for k in range(sizes[w]):
                row = seen[m, starts[w] + k]
                if row >= 0:
                    from_ = table[row, place * filters : (place + 1) * filters]
                    for f in range(filters):
                        into[f] += from_[f]
                place += 1


@kernel
def _backward(gradient: Any, seen: Any, sizes: Any, starts: Any, filters: Any, table: Any) -> None:
    # A window's columns belong to one thread, so the sums are deterministic whatever the number of threads.
    for w in numba.prange(len(sizes)):
        place = 0
        for before in range(w):
            place += sizes[before]
        for m in range(seen.shape[0]):
            from_ = gradient[m, w * filters : (w + 1) * filters]
            for k in range(sizes[w]):
                row = seen[m, starts[w] + k]
                if row >= 0:
                    into = table[row, (place + k) * filters : (place + k + 1) * filters]
                    for f in range(filters):
                        into[f] += from_[f]
