"""Features from a BiLSTM over each sentence: what a word means where it stands, for all pairs of the sentence at once.

The BiLSTM reads of each token the word's vector ++ the tag's vector ++ features of the characters ++ a vector of the case. A word that
training never saw still has the last two. Its states are the features, with what it read beside them.
With `fixed_vectors` the vectors of words stay as they were at first, from a file or at random. Training learns what to add to them, in a
table of its own. Weight decay draws that to zero, so a word stays near its vector in the file, and near further words of the file, which
training does not have.
Sources: Huang, Xu & Yu 2015 (arXiv:1508.01991) for the BiLSTM with features of a word's case; Ma & Hovy, ACL 2016, for its characters.
Letters: S sentences, T tokens, N real tokens of all sentences, W different tokens, I features read, H units a direction, D token features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoders.base import EncoderOptions, TokenEncoder
from relsift.encoding.batch import Batch, Characters, required
from relsift.encoding.characters import CASES
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, ShapeError, require
from relsift.layers.bilstm import TwoLSTMs
from relsift.layers.character_cnn import CharacterCNN


@dataclass(frozen=True, kw_only=True)
class BiLSTMOptions(EncoderOptions):
    """What is read of a token, and the sizes."""

    units: int = 96  # H; multiples of 16 are fastest
    layers: int = 1
    dropout: float = 0.5  # share dropped of the features read, and of the states between layers
    character_size: int = 25
    character_filters: int = 32  # 0: characters are not read
    case_size: int = 8  # 0: the case is not read
    fixed_vectors: bool = False  # learn what to add to the words' vectors, not the vectors themselves
    keep_input: bool = False  # whether what the BiLSTM read is among the features, beside its states

    def __post_init__(self) -> None:
        section = "model.encoder_options"
        for name in ("units", "layers", "character_size"):
            require(getattr(self, name) >= 1, f"{section}.{name}", expected="a number >= 1", got=getattr(self, name))
        for name in ("character_filters", "case_size"):
            require(getattr(self, name) >= 0, f"{section}.{name}", expected="a number >= 0", got=getattr(self, name))
        require(0 <= self.dropout < 1, f"{section}.dropout", expected="a number in [0, 1)", got=self.dropout)


class BiLSTMEncoder(TokenEncoder):
    """States of the BiLSTM ++ what it read. Raises ConfigError if the encoding lacks words, characters, or tags that are to be read."""

    READS = frozenset({"words", "characters"})
    Options = BiLSTMOptions

    def __init__(
        self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0, options: EncoderOptions | None = None
    ) -> None:
        super().__init__(encoding, word_size=word_size, tag_size=tag_size, dropout=dropout, options=options)
        if encoding.words is None or encoding.characters is None or (tag_size is not None and encoding.tags is None):
            expected, got = "an encoding of words, characters and tags", ", ".join(sorted(encoding.reads))
            raise ConfigError(f"encoder bilstm: expected {expected}, got one of {got}")
        o = cast(BiLSTMOptions, options or BiLSTMOptions())
        self.options = o
        self.words = nn.Embedding(encoding.words.num_rows, word_size)
        self.added = nn.Parameter(torch.zeros(encoding.words.num_trained, word_size)) if o.fixed_vectors else None
        self.words.weight.requires_grad_(not o.fixed_vectors)
        self.tags = nn.Embedding(encoding.tags.num_rows, tag_size) if encoding.tags is not None and tag_size is not None else None
        self.characters = (
            CharacterCNN(encoding.characters.num_rows, o.character_size, o.character_filters) if o.character_filters else None
        )
        self.cases = nn.Embedding(len(CASES), o.case_size) if o.case_size else None
        sizes = [word_size + (tag_size or 0) + o.character_filters + o.case_size, *[2 * o.units] * o.layers]  # I, then 2H
        self.layers = nn.ModuleList(TwoLSTMs(size, o.units) for size in sizes[:-1])
        self.drop = nn.Dropout(o.dropout)
        self.dropout = dropout
        self.word_size = sizes[-1]  # the states, of which no part is free of the tags
        self.size = sizes[-1] + (sizes[0] if o.keep_input else 0)

    def features(self, batch: Batch) -> Tensor:
        tokens, place = self._different(batch)                                          # (V,), (N,)
        read = self._read(batch, tokens)                                                # (V, I)
        states = self._states(read, place, batch)                                       # (N, 2H)
        return torch.cat([states, F.embedding(place, read)], dim=1) if self.options.keep_input else states  # (N, D)

    def word_table(self) -> nn.Embedding:
        return self.words

    def freeze_words(self) -> None:
        super().freeze_words()
        if self.added is not None:
            self.added.requires_grad_(False)

    def _different(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(V,) tokens among the N that differ in what is read of them, and (N,) the number of each token's like among them.

        With dropout all tokens differ.
        """
        looks = _looks(batch).place                                                     # (N,)
        every = torch.arange(len(looks), device=looks.device)
        if torch.is_grad_enabled():
            return every, every
        key = looks * len(self.words.weight) + required(batch.words, "words")[batch.mask]
        if self.tags is not None:
            key = key * len(self.tags.weight) + required(batch.tags, "tags")[batch.mask]
        keys, place = torch.unique(key, return_inverse=True)
        like: Tensor = every.new_zeros(len(keys)).scatter_(0, place, every)             # any of the tokens with a key will do
        return like, place

    def _read(self, batch: Batch, tokens: Tensor) -> Tensor:
        """(V, I): what the BiLSTM reads of these tokens, (V,) among the N."""
        looks = _looks(batch)
        parts = [self._vectors(required(batch.words, "words")[batch.mask][tokens])]
        if self.tags is not None:
            parts.append(self.tags(required(batch.tags, "tags")[batch.mask][tokens]))
        if self.characters is not None:
            parts.append(F.embedding(looks.place[tokens], self.characters(looks.ids)))  # (W, F): once for each different word
        if self.cases is not None:
            parts.append(self.cases(looks.case[looks.place[tokens]]))
        return torch.cat(parts, dim=1)

    def _vectors(self, words: Tensor) -> Tensor:
        """(V,) rows of words -> (V, word_size)."""
        vectors: Tensor = self.words(words)
        if self.added is None:
            return vectors
        trained = words < len(self.added)                                               # (V,)
        added = F.embedding(words.where(trained, 0), self.added) * trained[:, None]
        return vectors + added

    def _states(self, read: Tensor, place: Tensor, batch: Batch) -> Tensor:
        """(V, I) and (N,) -> (N, 2H)"""
        x: Tensor = self.drop(read)
        for number, layer in enumerate(self.layers):
            x = layer(self.drop(x) if number else x, place, batch.lengths)              # (N, 2H)
            place = torch.arange(len(x), device=x.device)
        return x


def _looks(batch: Batch) -> Characters:
    """Raises ShapeError for a batch without characters."""
    if batch.characters is None:
        raise ShapeError("batch.characters", expected="the characters that this model reads", got=None)
    return batch.characters
