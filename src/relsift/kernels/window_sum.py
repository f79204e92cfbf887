"""A convolution over few different rows: project every row once for every place under a window, then add up what each window sees.

Letters: R different rows, L places that the widest window sees, M positions, W windows, F filters a window.
A sentence repeats its words and a distance its neighbours, so R is much smaller than M, and additions replace most products.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.kernels.switch import fused_kernel
from relsift.kernels.windows import Windows


def window_sum(projected: Tensor, seen: Tensor, windows: Windows, bias: Tensor | None = None) -> Tensor:
    """For every position and window the sum of the projected rows under it, plus the bias.

    Args:
        projected: (R, places * F) float, window by window, place by place, F values each.
        seen: (M, L) int64, the row at each of the left + 1 + right places around a position; -1 beyond the text counts as zeros.
        bias: (W * F,).
    Returns: (M, W * F).
    """
    if bias is None:
        bias = projected.new_zeros(projected.shape[1] // windows.places * len(windows.sizes))
    if fused_kernel(projected) == "numba":
        from relsift.kernels.window_sum_cpu import fused  # compiles on first use

        return fused(projected, seen, windows, bias)
    return reference(projected, seen, windows, bias)


def reference(projected: Tensor, seen: Tensor, windows: Windows, bias: Tensor) -> Tensor:
    """The same in plain torch, on any device and in any precision."""
    places = windows.places
    filters = projected.shape[1] // places
    rows = projected.view(len(projected) * places, filters)                             # (R * places, F)
    nothing = len(rows)  # one more row, of zeros
    rows = torch.cat([rows, rows.new_zeros(1, filters)])
    each, before = [], 0
    for size, start in zip(windows.sizes, windows.starts):
        each.append(seen[:, start : start + size] * places + before + torch.arange(size, device=seen.device))
        before += size
    index = torch.cat(each, dim=1)                                                      # (M, places)  negative beyond the text
    index = index.where(index >= 0, nothing)
    sizes = torch.tensor(windows.sizes, device=seen.device)
    starts = torch.arange(len(index), device=seen.device)[:, None] * places + sizes.cumsum(0) - sizes  # (M, W)
    bags = F.embedding_bag(index.view(-1), rows, starts.view(-1), mode="sum")           # (M * W, F)
    return bags.view(len(seen), len(windows.sizes) * filters) + bias                    # (M, W * F)
