"""A convolution over few different rows: project each row once for every place in a window, then add up the rows of each window.

Letters: R different rows, L places of the widest window, M positions, W windows, F filters a window.
Words of a sentence and distances repeat, so R is much smaller than M, and additions replace most products.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.kernels.switch import fused_kernel
from relsift.kernels.windows import Windows


def window_sum(projected: Tensor, context_rows: Tensor, windows: Windows, bias: Tensor | None = None) -> Tensor:
    """For every position and window the sum of the projected rows in the window, plus the bias.

    Args:
        projected: (R, places * F) float, window by window, place by place, F values each.
        context_rows: (M, L) int64, the row at each of the left + 1 + right places around a position; -1 (zeros) beyond the text.
        bias: (W * F,).
    Returns: (M, W * F).
    """
    if bias is None:
        bias = projected.new_zeros(projected.shape[1] // windows.places * len(windows.sizes))
    if fused_kernel(projected) == "numba":
        from relsift.kernels.window_sum_cpu import fused  # compiles on first use

        return fused(projected, context_rows, windows, bias)
    return reference(projected, context_rows, windows, bias)


def reference(projected: Tensor, context_rows: Tensor, windows: Windows, bias: Tensor) -> Tensor:
    """The same in plain torch, on any device and in any precision."""
    places = windows.places
    filters = projected.shape[1] // places
    rows = projected.view(len(projected) * places, filters)                             # (R * places, F)
    zero_row = len(rows)  # a further row, of zeros
    rows = torch.cat([rows, rows.new_zeros(1, filters)])
    window_rows, offset = [], 0
    for size, start in zip(windows.sizes, windows.starts):
        window_rows.append(context_rows[:, start : start + size] * places + offset + torch.arange(size, device=context_rows.device))
        offset += size
    index = torch.cat(window_rows, dim=1)                                                      # (M, places)  negative beyond the text
    index = index.where(index >= 0, zero_row)
    sizes = torch.tensor(windows.sizes, device=context_rows.device)
    starts = torch.arange(len(index), device=context_rows.device)[:, None] * places + sizes.cumsum(0) - sizes  # (M, W)
    bags = F.embedding_bag(index.view(-1), rows, starts.view(-1), mode="sum")           # (M * W, F)
    return bags.view(len(context_rows), len(windows.sizes) * filters) + bias                    # (M, W * F)
