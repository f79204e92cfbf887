"""The contract of token features: what a model sees of each token, whatever makes it.

Letters: S sentences, T tokens of the longest, N real tokens of all sentences, V different tokens, D token features, W of them of the word.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.registry import find


class TokenEncoder(nn.Module, ABC):
    """size: D. word_size: W, the features that the word alone has, without its tag; they come first."""

    size: int
    word_size: int

    def __init__(self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0) -> None:
        """Every encoder takes these arguments.

        Args:
            word_size: features of a word, where the encoder is free to choose them. tag_size: of a tag; None: tags are not read.
            dropout: share of features that training drops, the same ones for all tokens of a sentence.
        """
        super().__init__()

    @abstractmethod
    def features(self, batch: Batch) -> Tensor:
        """(N, D): the real tokens of all sentences, in order; without dropout."""

    def keyed(self, batch: Batch) -> KeyedTokens:
        """The real tokens as keys, equal tokens sharing one; dropout applied in training.

        Features that depend on the sentence share nothing: every token is a key of its own.
        """
        return distinct(self.features(batch))

    def padded(self, batch: Batch) -> Tensor:
        """(S, T, D) without dropout; what stands in the padding means nothing."""
        rows = self.features(batch)
        mask = batch.mask[:, :, None]
        return rows.new_zeros(*batch.mask.shape, rows.shape[1]).masked_scatter(mask, rows)

    def word_table(self) -> nn.Embedding | None:
        """The embedding that word vectors from a file may fill; None for an encoder that has none."""
        return None


def distinct(rows: Tensor) -> KeyedTokens:
    """(N, D) features of tokens that share nothing."""
    return KeyedTokens(torch.arange(len(rows), device=rows.device), len(rows), lambda keys: rows[keys], [])


def drop_dimensions(x: Tensor, share: float, training: bool) -> Tensor:
    """(…, T, D), Keras's SpatialDropout1D: the same dimensions of every token of a row."""
    return F.dropout1d(x.transpose(1, 2), share, training).transpose(1, 2)


def make_encoder(name: str, encoding: Encoding, **sizes: Any) -> TokenEncoder:
    """A fresh encoder of a registered kind. Args: sizes: as `TokenEncoder` takes them. Raises: ConfigError for an unknown name."""
    encoder: TokenEncoder = find("encoder", name)(encoding, **sizes)
    return encoder
