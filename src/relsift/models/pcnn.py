"""PCNN, supervised: the maximum over each of three pieces of the sentence, which the two entities cut.

Source: Zeng et al., EMNLP 2015 (D15-1203), with bags of one sentence: every pair has a label of its own, so there is nothing to choose
from a bag.
Which token belongs to which piece: let a <= b be the ends (exclusive) of the pair's two entities, whichever is head or tail. The pieces
are the tokens 0 to a, a to b, and b to the sentence's end, each without its last number: up to and with the entity that ends first; what
follows, up to and with the other one; the rest. Nested and overlapping entities are cut the same way. Entities that end together leave the
middle piece empty, one at the sentence's end the last; an empty piece's features are 0. Padding belongs to no piece. The convolution
runs over the whole sentence, so a window near a cut sees over it.
Differs from the paper: entities are spans, theirs single tokens; word vectors are random unless a file of trained ones is given (theirs:
skip-gram, 50 dimensions); BIO tags of all entities can be added (Ye et al. 2019).
Letters: P pairs, Q = 3 pieces, F filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.vocabulary import Encoding
from relsift.errors import require
from relsift.layers.initialise import EMBEDDING_BOUND, WORD2VEC_BOUND, initialise_for_tanh
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.convolved_pairs import ConvolvedPairs
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig

PIECES = 3


@dataclass(frozen=True, kw_only=True)
class PCNNConfig(PairClassifierConfig):
    """The defaults are the paper's values."""

    word_size: int = 50
    tag_size: int = 50
    distance_size: int = 5  # of each of the two distance embeddings
    max_distance: int = 50  # tokens; farther ones share an embedding
    window: int = 3  # tokens
    filters: int = 230
    dropout: float = 0.5  # share of pooled features dropped
    embedding_bound: float = WORD2VEC_BOUND  # first embeddings are uniform in ± this

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.word_size, self.tag_size, self.distance_size, self.max_distance, self.window, self.filters)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        require(self.embedding_bound > 0, "model.embedding_bound", expected="a number > 0", got=self.embedding_bound)
        self.require_shares("dropout")

    @classmethod
    def tiny(cls) -> PCNNConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, filters=8, dropout=0.0)


_PAPER_TRAINING = {
    "optimiser": "adadelta", "learning_rate": 1.0, "batch_pairs": 50, "epochs": 25, "patience": 5, "unknown_rate": 0.3,
}  # fmt: skip
_MATCHED = {"word_size": 200, "distance_size": 50, "embedding_bound": EMBEDDING_BOUND}


class PCNN(PairClassifier):
    config: PCNNConfig
    Config = PCNNConfig
    SUMMARY = "piecewise CNN: the maximum before, between and after the two entities (Zeng et al. 2015)"
    PRESETS: ClassVar = {
        "paper": Preset("Zeng et al. 2015, table 1", {}, _PAPER_TRAINING),
        "matched": Preset("sizes and optimiser of Ye et al. 2019", _MATCHED, {"epochs": 15, "patience": 4, "unknown_rate": 0.3}),
    }

    def __init__(self, config: PCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.convolved = ConvolvedPairs(
            encoding,
            word_size=config.word_size,
            tag_size=config.tag_size if config.tags else None,
            distance_size=config.distance_size,
            max_distance=config.max_distance,
            windows=(config.window,),
            filters=config.filters,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = self.make_head(PIECES * self.convolved.size, len(encoding.labels))
        initialise_for_tanh(self, config.embedding_bound)

    def forward(self, batch: Batch) -> PairScores:
        pooled = self.convolved(batch).piecewise_max(cuts(batch))                       # (P, Q, F)  0 for an empty piece
        h = pooled.flatten(1).tanh()                                                    # (P, Q * F)  after the maximum: tanh(0) = 0
        scores: PairScores = self.head(self.dropout(h))
        return scores


def cuts(batch: Batch) -> Tensor:
    """(P, Q + 1): where the pieces of each pair's sentence begin and end; they never fall."""
    end = batch.entity_span[:, 1]                                                       # (E,)
    head, tail = end[batch.pair_head], end[batch.pair_tail]                             # (P,)
    length = batch.lengths[batch.pair_sentence]                                         # (P,)
    return torch.stack([torch.zeros_like(length), torch.minimum(head, tail), torch.maximum(head, tail), length], dim=1)
