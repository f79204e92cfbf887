"""The tokens of a batch as keys, so that the features of equal tokens are computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class KeyedTokens:
    """Letters: N real tokens of all sentences, V different keys, D token features."""

    keys: Tensor  # (N,) int64, in the order of the tokens; 0 <= key < count; tokens with the same key have the same features
    count: int  # of possible keys
    features: Callable[[Tensor], Tensor]  # (V,) different keys -> (V, D)
    weights: Sequence[Tensor]  # from which alone the features are computed; empty: they also depend on the batch and cannot be cached
    distinct: bool = False  # no two tokens share a key: the keys are 0, 1, … N - 1
