"""Vectors of markers: one for the role of the marker, one for the type of the entity that it stands beside.

Letters: … any dimensions, E size of a transformer's embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from relsift.encoding.encoding import Encoding

MARKERS = 4  # of a pair: before and after each of its two entities
SPREAD = 0.02  # of the random vectors, that of the embeddings of BERT


class TypeMarkers(nn.Module):
    """Role vector + type vector. The type vectors can start from the names of the types, as the transformer's own embeddings have them."""

    def __init__(self, encoding: Encoding, size: int) -> None:
        """Args: size: E."""
        super().__init__()
        subwords = encoding.subwords
        self.names = [] if subwords is None else [subwords.ids(name.replace("_", " ")) for name in encoding.types.names]
        self.types = nn.Embedding(len(encoding.types.names) + 1, size)                  # row 0: a type that training did not have
        self.roles = nn.Embedding(MARKERS, size)
        for table in (self.types, self.roles):
            nn.init.normal_(table.weight, std=SPREAD)

    def forward(self, types: Tensor, roles: Tensor) -> Tensor:
        """(…,) numbers of types, -1: unknown, and of roles -> (…, E)"""
        vectors: Tensor = self.types(types + 1) + self.roles(roles)
        return vectors

    def start_from(self, words: Sequence[Tensor] | Tensor) -> None:
        """Give each type the mean vector of the pieces of its name. Args: words: the transformer's table of pieces."""
        with torch.no_grad():
            for number, pieces in enumerate(self.names, start=1):
                if pieces:
                    self.types.weight[number] = torch.stack([words[piece] for piece in pieces]).mean(0)


class PieceTags(nn.Module):
    """A vector to add to each piece: that of the tag of its token. It starts at zero, so that a transformer begins as it was trained."""

    def __init__(self, encoding: Encoding, size: int, dropout: float) -> None:
        """Args: size: E. dropout: share of sentences that training shows without tags."""
        super().__init__()
        assert encoding.tags is not None
        self.tags = nn.Embedding(encoding.tags.num_rows, size)
        self.dropout = dropout
        nn.init.zeros_(self.tags.weight)

    def forward(self, tags: Tensor, token: Tensor, counts: Tensor) -> Tensor:
        """(M, E)

        Args: tags: (N,) of the real tokens. token: (M,) row of the token of each piece, -1: a blank. counts: (S,) pieces of each sentence.
        """
        of_piece = torch.where(token < 0, 0, tags[token.clamp(min=0)])                  # (M,)  a blank is outside all entities
        vectors: Tensor = self.tags(of_piece)                                           # (M, E)
        if not self.training or not self.dropout:
            return vectors
        kept = torch.rand(len(counts), device=counts.device) >= self.dropout            # (S,)
        return vectors * kept.repeat_interleave(counts)[:, None]
