"""Base of the models that convolve word ++ tag ++ distance to head ++ distance to tail of every pair.

Letters: P pairs, T tokens, C channels (filters of all windows).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import nn

from relsift.encoders.base import TokenEncoder, make_encoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.initialise import EMBEDDING_BOUND, WORD2VEC_BOUND
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.layers.pair_convolution import PairConvolution, PairValues
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig

# The preset `matched` of these models: the sizes and the optimiser of Ye et al. 2019.
MATCHED = {"word_size": 200, "distance_size": 50, "embedding_bound": EMBEDDING_BOUND}
MATCHED_TRAINING = {"epochs": 15, "patience": 4, "unknown_rate": 0.3}


@dataclass(frozen=True, kw_only=True)
class ConvolvedPairsConfig(PairClassifierConfig, ABC):
    """Options of the input and of the convolution."""

    word_size: int
    tag_size: int = 50
    distance_size: int = 50  # of each of the two distance embeddings
    max_distance: int = 50  # tokens; farther ones share an embedding
    filters: int  # per window
    embedding_bound: float = WORD2VEC_BOUND  # initial embeddings are uniform in ± this

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.word_size, self.tag_size, self.distance_size, self.max_distance, self.filters, *self.window_sizes)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        require(self.embedding_bound > 0, "model.embedding_bound", expected="a number > 0", got=self.embedding_bound)

    @property
    @abstractmethod
    def window_sizes(self) -> tuple[int, ...]:
        """Tokens under each window; a subclass has an option for them."""


class ConvolvedPairs(nn.Module):
    """From a batch to the convolution of every pair at every token, before the activation.

    Distances are to the entity's span, 0 inside it.
    """

    def __init__(self, config: ConvolvedPairsConfig, encoding: Encoding) -> None:
        super().__init__()
        c = config
        self.embed = make_encoder(c.encoder, encoding, c.encoder_options, word_size=c.word_size, tag_size=c.tag_size if c.tags else None)
        self.head_distance = nn.Embedding(2 * c.max_distance + 1, c.distance_size)
        self.tail_distance = nn.Embedding(2 * c.max_distance + 1, c.distance_size)
        self.convolve = PairConvolution(
            self.embed.size, c.distance_size, windows=c.window_sizes, filters=c.filters, max_distance=c.max_distance
        )
        self.size = self.convolve.size

    def forward(self, batch: Batch) -> PairValues:
        """The (P, T, C) values as the parts of `PairValues`, whose methods pool them without storing the sum."""
        return self.of_tokens(self.embed.keyed(batch), batch)

    def of_tokens(self, tokens: KeyedTokens, batch: Batch) -> PairValues:
        """The same for token features that are there already."""
        values: PairValues = self.convolve(tokens, batch, self.head_distance.weight, self.tail_distance.weight)
        return values


class ConvolvedPairClassifier(PairClassifier):
    """A subclass derives its `Config` from `ConvolvedPairsConfig`, and pools `self.convolved(batch)` in `forward`."""

    READS = frozenset({"words", "tags", "spans"})

    config: Any

    def __init__(self, config: ConvolvedPairsConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.convolved = ConvolvedPairs(config, encoding)

    @property
    def encoder(self) -> TokenEncoder:
        return self.convolved.embed

    def limit_cache(self, megabytes: float) -> None:
        self.convolved.convolve.limit_cache(megabytes)
