"""PCNN, supervised: the maximum over each of three pieces of the sentence, which is cut after each of the two entities.

Source: Zeng et al., EMNLP 2015 (D15-1203), with bags of one sentence: every pair has a label of its own, so there is nothing to choose
from a bag.
The pieces: let a <= b be the ends (exclusive) of the pair's two entities, whichever is head or tail. The pieces are the token spans [0, a),
[a, b) and [b, length). Nested and overlapping entities are cut the same way. If both entities end together, the middle piece is empty; if
one ends with the sentence, the last piece is. The features of an empty piece are 0. Padding belongs to no piece. The convolution runs over
the whole sentence, so a window near a cut sees beyond it.
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
from relsift.encoding.encoding import Encoding
from relsift.layers.initialise import initialise_for_tanh
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.convolved_pairs import MATCHED, MATCHED_TRAINING, ConvolvedPairClassifier, ConvolvedPairsConfig
from relsift.models.base.model import Preset

PIECES = 3


@dataclass(frozen=True, kw_only=True)
class PCNNConfig(ConvolvedPairsConfig):
    """The defaults are the paper's values."""

    word_size: int = 50
    distance_size: int = 5  # of each of the two distance embeddings
    window: int = 3  # tokens
    filters: int = 230
    dropout: float = 0.5  # share of pooled features dropped

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares("dropout")

    @property
    def window_sizes(self) -> tuple[int, ...]:
        return (self.window,)

    @classmethod
    def tiny(cls) -> PCNNConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, filters=8, dropout=0.0)


_PAPER_TRAINING = {
    "optimiser": "adadelta", "learning_rate": 1.0, "batch_pairs": 50, "epochs": 25, "patience": 5, "unknown_rate": 0.3,
}  # fmt: skip


class PCNN(ConvolvedPairClassifier):
    config: PCNNConfig
    Config = PCNNConfig
    SUMMARY = "piecewise CNN: the maximum before, between and after the two entities (Zeng et al. 2015)"
    PRESETS: ClassVar = {
        "paper": Preset("Zeng et al. 2015, table 1", {}, _PAPER_TRAINING),
        "matched": Preset("sizes and optimiser of Ye et al. 2019", MATCHED, MATCHED_TRAINING),
    }

    def __init__(self, config: PCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = self.make_classifier(PIECES * self.convolved.size, len(encoding.labels))
        initialise_for_tanh(self, config.embedding_bound)

    def forward(self, batch: Batch) -> PairScores:
        pooled = self.convolved(batch).piecewise_max(cuts(batch))                       # (P, Q, F)  0 for an empty piece
        h = pooled.flatten(1).tanh()                                                    # (P, Q * F)  after the maximum: tanh(0) = 0
        scores: PairScores = self.classifier(self.dropout(h))
        return scores


def cuts(batch: Batch) -> Tensor:
    """(P, Q + 1) int64, never falling: piece q of a pair's sentence is the tokens from cut q to cut q + 1, exclusive."""
    end = batch.entities.span[:, 1]                                                     # (E,)
    head, tail = end[batch.pairs.head], end[batch.pairs.tail]                           # (P,)
    length = batch.lengths[batch.pairs.sentence]                                        # (P,)
    return torch.stack([torch.zeros_like(length), torch.minimum(head, tail), torch.maximum(head, tail), length], dim=1)
