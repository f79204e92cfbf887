"""Features from two tables: a word's vector and a tag's vector, the same in every sentence.

Letters: N real tokens of all sentences, D token features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relsift.encoders.base import EncoderOptions, TokenEncoder, distinct, drop_dimensions
from relsift.encoding.batch import Batch, required
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError
from relsift.layers.keyed_tokens import KeyedTokens


class LookupEncoder(TokenEncoder):
    """Word embedding ++ tag embedding. Raises ConfigError if the encoding has no words, or no tags where they are to be read."""

    def __init__(
        self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0, options: EncoderOptions | None = None
    ) -> None:
        super().__init__(encoding, word_size=word_size, tag_size=tag_size, dropout=dropout, options=options)
        if encoding.words is None or (tag_size is not None and encoding.tags is None):
            raise ConfigError(f"encoder lookup: expected an encoding of words and tags, got one of {', '.join(sorted(encoding.reads))}")
        self.words = nn.Embedding(encoding.words.num_rows, word_size)
        self.tags = nn.Embedding(encoding.tags.num_rows, tag_size) if encoding.tags is not None and tag_size is not None else None
        self.size, self.word_size = word_size + (tag_size or 0), word_size
        self.dropout = dropout

    def features(self, batch: Batch) -> Tensor:
        mask = batch.mask
        return self._look_up(required(batch.words, "words")[mask], None if self.tags is None else required(batch.tags, "tags")[mask])

    def padded(self, batch: Batch) -> Tensor:
        return self._look_up(required(batch.words, "words"), None if self.tags is None else required(batch.tags, "tags"))

    def keyed(self, batch: Batch) -> KeyedTokens:
        """Tokens with the same word and tag share a key, except in training with dropout, where every sentence has its own mask."""
        mask, words = batch.mask, required(batch.words, "words")
        if self.dropout and self.training:
            return distinct(drop_dimensions(self.padded(batch), self.dropout, self.training)[mask])
        if self.tags is None:
            return KeyedTokens(words[mask], len(self.words.weight), self.words, [self.words.weight])
        num_tags = len(self.tags.weight)
        return KeyedTokens(
            words[mask] * num_tags + required(batch.tags, "tags")[mask],                # (N,)
            len(self.words.weight) * num_tags,
            lambda keys: self._look_up(keys // num_tags, keys % num_tags),
            [self.words.weight, self.tags.weight],
        )

    def word_table(self) -> nn.Embedding:
        return self.words

    def _look_up(self, words: Tensor, tags: Tensor | None) -> Tensor:
        """Ids of tokens of any shape (…,) -> (…, D)."""
        parts = [self.words(words)]
        if self.tags is not None and tags is not None:
            parts.append(self.tags(tags))
        return torch.cat(parts, dim=-1)
