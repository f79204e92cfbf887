"""A convolution over few different rows: project every row once for every place under a window, then add up what each window sees.

Letters: R different rows, L places that the widest window sees, M positions, W windows, F filters a window.
A sentence repeats its words and a distance its neighbours, so R is much smaller than M, and additions replace most products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.kernels.switch import fused_kernel


@dataclass(frozen=True)
class Windows:
    """Sizes of the windows. A window of size w at token i covers tokens i - (w - 1) // 2 .. i + w // 2 ("same", as Keras and torch)."""

    sizes: tuple[int, ...]

    @cached_property
    def left(self) -> int:
        """Tokens that the widest reach sees before its own."""
        return max((size - 1) // 2 for size in self.sizes)

    @cached_property
    def right(self) -> int:
        return max(size // 2 for size in self.sizes)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First place that each window covers, of the left + 1 + right places seen."""
        return tuple(self.left - (size - 1) // 2 for size in self.sizes)

    @cached_property
    def places(self) -> int:
        """Places under all windows together."""
        return sum(self.sizes)


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
