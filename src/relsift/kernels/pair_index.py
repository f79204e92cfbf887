"""The rows of the three parts of every pair's convolution, for all forms of pair pooling.

Letters: S sentences, T tokens of the longest sentence, A entities that pairs refer to, P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PairIndex:
    """The rows of each pair's sentence, head and tail parts. All int64."""

    first: Tensor  # (S,)    row of each sentence's first token among the N
    lengths: Tensor  # (S,)    its tokens, >= 1
    place: Tensor  # (A, T)  row of the distance parts for each entity and token
    pair_sentence: Tensor  # (P,)
    pair_head: Tensor  # (P,)    rows of `place`
    pair_tail: Tensor  # (P,)

    def whole(self) -> Tensor:
        """(P, 2) cuts of one piece, the whole sentence."""
        stop = self.lengths[self.pair_sentence]
        return torch.stack([torch.zeros_like(stop), stop], dim=1)
