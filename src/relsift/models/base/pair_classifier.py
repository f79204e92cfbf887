"""What models have in common that make a vector of each pair and classify that: losses, scores, and the options of both.

Letters: P pairs, Z features of a pair, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from relsift.encoding.batch import Batch
from relsift.errors import require
from relsift.layers.relation_classifier import Classification, PairScores, RelationClassifier
from relsift.models.base.model import ModelConfig, RelationModel


@dataclass(frozen=True, kw_only=True)
class PairClassifierConfig(ModelConfig):
    encoder: str = "lookup"  # what the model sees of each token (see `relsift.encoders`)
    tags: bool = True  # BIO tags of all entities as input
    classification: Classification = "cross_entropy"
    identification: bool = False  # train an "is there a relation?" head too
    score_bias: bool = False  # of the ranking scores
    gamma: float = 2.0  # of the ranking loss, as are the margins
    margin_pos: float = 2.5
    margin_neg: float = 0.5
    threshold: float = 0.0  # the source's decision threshold for ranking scores
    other_weight: float = 1.0  # weight of an unrelated pair in the cross-entropy; a related one weighs 1

    def __post_init__(self) -> None:
        require(self.gamma > 0, "model.gamma", expected="a number > 0", got=self.gamma)
        require(self.other_weight > 0, "model.other_weight", expected="a number > 0", got=self.other_weight)

    def require_shares(self, *names: str) -> None:
        """Raises ConfigError unless each of these options is a share in [0, 1)."""
        for name in names:
            require(0 <= getattr(self, name) < 1, f"model.{name}", expected="a number in [0, 1)", got=getattr(self, name))


class PairClassifier(RelationModel[PairScores]):
    """A subclass has a `Config` of these options, makes a vector of each pair in `forward`, and ends with `self.classifier`."""

    config: Any
    classifier: RelationClassifier

    def make_classifier(self, size: int, relations: int) -> RelationClassifier:
        """For pair vectors of this size, as the options say."""
        c: PairClassifierConfig = self.config
        return RelationClassifier(
            size, relations, classification=c.classification, identification=c.identification, score_bias=c.score_bias
        )

    @property
    def paper_threshold(self) -> float:
        return 0.0 if self.classifier.rank is None else float(self.config.threshold)  # arg-max over K + 1 is log-odds 0

    def loss(self, output: PairScores, batch: Batch) -> dict[str, Tensor]:
        c: PairClassifierConfig = self.config
        return self.classifier.loss(
            output, batch.pairs.labels, gamma=c.gamma, margin_pos=c.margin_pos, margin_neg=c.margin_neg, other_weight=c.other_weight
        )

    def scores(self, output: PairScores) -> Tensor:
        return output.scores
