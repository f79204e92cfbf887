"""The path between two tokens through their lowest common ancestor (LCA) in a dependency tree, for many token pairs at once.

Letters: S sentences, T tokens, U token pairs, D levels of the deepest tree, L tokens of the longest arm.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class TreePaths(NamedTuple):
    """A path is two arms that meet at the LCA, which belongs to neither. An arm has no token if its end is the LCA itself."""

    top: Tensor  # (U,)      token of the LCA; -1: the two tokens are in different trees, and both arms are empty
    arms: Tensor  # (2U, L)  tokens from the end upwards, first tokens' arms before second tokens'; beyond an arm's length: any token
    lengths: Tensor  # (2U,)


def tree_paths(head: Tensor, sentence: Tensor, first: Tensor, second: Tensor) -> TreePaths:
    """The paths between tokens `first` and `second` in the trees of their sentences.

    Args:
        head: (S, T) int64, each token's head, -1 for a root; without cycles. sentence, first, second: (U,) row of `head`, and two tokens.
    """
    rows = torch.cat([sentence, sentence])                                              # (2U,)
    token = torch.cat([first, second])
    levels: list[Tensor] = []  # a token, its head, that one's head, …; -1 past the root
    while not levels or bool((token >= 0).any()):
        levels.append(token)
        token = torch.where(token >= 0, head[rows, token.clamp(min=0)], token)
    chain = torch.stack(levels, dim=1)                                                  # (2U, D)
    depth = (chain >= 0).sum(dim=1)                                                     # (2U,)    tokens up to the root, both counted
    level = depth[:, None] - 1 - torch.arange(chain.shape[1], device=chain.device)      # (2U, D)
    from_root = torch.where(level >= 0, chain.gather(1, level.clamp(min=0)), -1)        # (2U, D)  the root first
    first_chain, second_chain = from_root.chunk(2)
    num_shared = ((first_chain == second_chain) & (first_chain >= 0)).sum(dim=1)        # (U,)     common ancestors, counted from the root
    top = torch.where(num_shared > 0, first_chain.gather(1, (num_shared - 1).clamp(min=0)[:, None]).squeeze(1), -1)
    lengths = torch.where(num_shared > 0, depth.view(2, -1) - num_shared, 0).flatten()  # (2U,)
    longest = int(lengths.max()) if len(lengths) else 0
    return TreePaths(top, chain[:, :longest].clamp(min=0), lengths)
