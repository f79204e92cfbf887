"""The windows of a multi-window convolution, and the tokens that they cover together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Windows:
    """Sizes of the windows. A window of size w at token i covers tokens i - (w - 1) // 2 .. i + w // 2 ("same", as Keras and torch)."""

    sizes: tuple[int, ...]

    @cached_property
    def left(self) -> int:
        """Most tokens that a window covers before its position."""
        return max((size - 1) // 2 for size in self.sizes)

    @cached_property
    def right(self) -> int:
        """Most tokens that a window covers after its position."""
        return max(size // 2 for size in self.sizes)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First place of each window among the left + 1 + right places around a position."""
        return tuple(self.left - (size - 1) // 2 for size in self.sizes)

    @cached_property
    def places(self) -> int:
        """Sum of the sizes of all windows."""
        return sum(self.sizes)
