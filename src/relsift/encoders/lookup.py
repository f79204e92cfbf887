"""What a model sees of each token: its word, and the BIO tags of all entities of the sentence.

Letters: S sentences, T tokens, N real tokens of all sentences, V different tokens, D token features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.vocabulary import Encoding
from relsift.layers.pair_convolution import Tokens


class LookupEncoder(nn.Module):
    """Word ++ tag embeddings. tag_size None: tags off. dropout: share of dimensions dropped, the same ones for all tokens of a row."""

    def __init__(self, encoding: Encoding, word_size: int, tag_size: int | None, dropout: float = 0.0) -> None:
        super().__init__()
        self.words = nn.Embedding(encoding.num_words, word_size)
        self.tags = nn.Embedding(encoding.num_tags, tag_size) if tag_size is not None else None
        self.size = word_size + (tag_size or 0)
        self.dropout = dropout

    def forward(self, words: Tensor, tags: Tensor) -> Tensor:
        """Ids of tokens of any shape (…,) -> (…, D); no dropout."""
        parts = [self.words(words)]
        if self.tags is not None:
            parts.append(self.tags(tags))
        return torch.cat(parts, dim=-1)

    def keyed(self, batch: Batch) -> Tokens:
        """For `PairConvolution`: tokens with the same word and tag share their embedding."""
        mask = batch.mask
        if self.dropout and self.training:  # every sentence has its own mask: nothing is shared
            rows = self.drop_dimensions(self(batch.tokens, batch.tags))[mask]           # (N, D)
            return Tokens(torch.arange(len(rows), device=rows.device), len(rows), lambda keys: rows[keys], [])
        if self.tags is None:
            return Tokens(batch.tokens[mask], len(self.words.weight), self.words, [self.words.weight])
        tags = len(self.tags.weight)
        return Tokens(
            batch.tokens[mask] * tags + batch.tags[mask],                               # (N,)
            len(self.words.weight) * tags,
            lambda keys: self(keys // tags, keys % tags),
            [self.words.weight, self.tags.weight],
        )

    def drop_dimensions(self, x: Tensor) -> Tensor:
        """(…, T, D), Keras's SpatialDropout1D: the same dimensions of every token of a row."""
        return F.dropout1d(x.transpose(1, 2), self.dropout, self.training).transpose(1, 2)
