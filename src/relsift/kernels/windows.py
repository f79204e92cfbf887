"""The windows of a multi-window convolution, and the tokens that they see together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


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
