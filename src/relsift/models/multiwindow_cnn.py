"""Multi-window CNN: windows of several sizes, and a softmax in which "no relation" is a class like any other.

Source: Nguyen and Grishman, NAACL workshop on vector space modeling 2015 (W15-1506).
Differs from it: distances are to the entity's span, theirs to its head word, which our data does not mark. Word vectors are random unless
a file of trained ones is given (theirs: word2vec, 300 dimensions). BIO tags of all entities can be added (Ye et al. 2019).
Letters: P pairs, C features (filters of all windows), K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.initialise import initialise_for_tanh
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.convolved_pairs import MATCHED, MATCHED_TRAINING, ConvolvedPairClassifier, ConvolvedPairsConfig
from relsift.models.base.model import Preset


@dataclass(frozen=True, kw_only=True)
class MultiWindowCNNConfig(ConvolvedPairsConfig):
    """The defaults are the paper's values."""

    word_size: int = 300
    windows: tuple[int, ...] = (2, 3, 4, 5)  # tokens under each window
    filters: int = 150  # per window
    dropout: float = 0.5  # share of pooled features dropped
    max_norm: float | None = 3.0  # bound on the L2 norm of each class's weights; None: no bound

    def __post_init__(self) -> None:
        require(len(self.windows) > 0 and min(self.windows) >= 1, "model.windows", expected="one or more sizes >= 1", got=self.windows)
        super().__post_init__()
        require(self.max_norm is None or self.max_norm > 0, "model.max_norm", expected="a number > 0, or none", got=self.max_norm)
        self.require_shares("dropout")

    @property
    def window_sizes(self) -> tuple[int, ...]:
        return self.windows

    @classmethod
    def tiny(cls) -> MultiWindowCNNConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, windows=(2, 3), filters=4, dropout=0.0)


_PAPER_TRAINING = {
    "optimiser": "adadelta", "learning_rate": 1.0, "batch_pairs": 50, "epochs": 15, "patience": 4, "unknown_rate": 0.3,
}  # fmt: skip


class MultiWindowCNN(ConvolvedPairClassifier):
    config: MultiWindowCNNConfig
    Config = MultiWindowCNNConfig
    SUMMARY = 'multi-window CNN, softmax with "no relation" as a class (Nguyen and Grishman 2015)'
    PRESETS: ClassVar = {
        "paper": Preset("Nguyen and Grishman 2015, section 4.1", {}, _PAPER_TRAINING),
        "matched": Preset("sizes and optimiser of Ye et al. 2019", MATCHED, MATCHED_TRAINING),
    }

    def __init__(self, config: MultiWindowCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = self.make_classifier(self.convolved.size, len(encoding.labels))
        initialise_for_tanh(self, config.embedding_bound)

    def forward(self, batch: Batch) -> PairScores:
        pooled = self.convolved(batch).max(relu=False).tanh()                           # (P, C)  tanh never falls: it may be last
        scores: PairScores = self.classifier(self.dropout(pooled))
        return scores

    @torch.no_grad()
    def constrain(self) -> None:
        """Scale the weights of each class whose norm exceeds `max_norm` down to it."""
        if self.config.max_norm is None:
            return
        for layer in (self.classifier.choose, self.classifier.rank):
            if layer is not None:
                layer.weight.copy_(layer.weight.renorm(2, 0, self.config.max_norm))     # (K + 1, C) or (K, C): norms of rows
