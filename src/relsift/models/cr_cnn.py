"""CR-CNN: a convolution with one window, and one score a relation, learned by ranking. "No relation" has no score of its own.

Source: dos Santos et al., ACL 2015 (P15-1061).
Differs from it: word vectors are random unless a file of trained ones is given (theirs: word2vec, 400 dimensions); BIO tags of all
entities can be added (Ye et al. 2019). Distances are to the entity's span, which for their single nominals is the same. A relation and
its reverse are two candidate pairs, not two labels of one. `between` pools over the tokens between the entities; where their window
would see padding it sees one more token on either side.
Letters: P pairs, T tokens, F filters, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.layers.initialise import initialise_for_tanh
from relsift.layers.relation_classifier import Classification, PairScores
from relsift.models.base.convolved_pairs import MATCHED, MATCHED_TRAINING, ConvolvedPairClassifier, ConvolvedPairsConfig
from relsift.models.base.model import Preset


@dataclass(frozen=True, kw_only=True)
class CRCNNConfig(ConvolvedPairsConfig):
    """The defaults are the paper's values."""

    classification: Classification = "ranking"
    word_size: int = 400
    distance_size: int = 70  # of each of the two distance embeddings
    window: int = 3  # tokens
    filters: int = 1000
    context: Literal["sentence", "between"] = "sentence"  # text pooled: all, or from the first entity to the second

    @property
    def window_sizes(self) -> tuple[int, ...]:
        return (self.window,)

    @classmethod
    def tiny(cls) -> CRCNNConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, filters=8)


# The source takes one instance a step; ten pairs a step are faster. The source's rate fits their mean loss; ten times that rate diverges.
_PAPER_TRAINING = {
    "optimiser": "sgd", "learning_rate": 0.025, "schedule": "inverse_epoch", "batch_pairs": 10,
    "weight_decay": 2e-3,  # the gradient of their penalty beta * |weights|^2, beta = 1e-3
    "epochs": 15, "patience": 4, "unknown_rate": 0.3,
}  # fmt: skip


class CRCNN(ConvolvedPairClassifier):
    config: CRCNNConfig
    Config = CRCNNConfig
    SUMMARY = "CNN with a ranking loss and no class for unrelated pairs (dos Santos et al. 2015)"
    PRESETS: ClassVar = {
        "paper": Preset("dos Santos et al. 2015, table 1", {}, _PAPER_TRAINING),
        "matched": Preset("sizes and optimiser of Ye et al. 2019", MATCHED, MATCHED_TRAINING),
    }

    def __init__(self, config: CRCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.classifier = self.make_classifier(self.convolved.size, len(encoding.labels))
        initialise_for_tanh(self, config.embedding_bound)  # of the scores' weights: U(±sqrt(6 / (K + F))), as the paper says

    def forward(self, batch: Batch) -> PairScores:
        values = self.convolved(batch)
        if self.config.context == "sentence":
            pooled = values.max(relu=False)                                             # (P, F)
        else:
            pooled = values.piecewise_max(between(batch)).squeeze(1)                    # (P, F)
        scores: PairScores = self.classifier(pooled.tanh())  # tanh never falls, so it may follow the maximum
        return scores


def between(batch: Batch) -> Tensor:
    """(P, 2): the tokens from the first entity to the second, both included."""
    span = batch.entities.span
    head, tail = span[batch.pairs.head], span[batch.pairs.tail]                         # (P, 2)
    return torch.stack([torch.minimum(head[:, 0], tail[:, 0]), torch.maximum(head[:, 1], tail[:, 1])], dim=1)
