"""Base of the models that make one vector of each pair and classify it: losses, scores, and their options.

Letters: P pairs, Z features of a pair, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from relsift.encoders.base import encoder_reads
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Input
from relsift.errors import require
from relsift.layers.relation_classifier import Classification, PairScores, RelationClassifier
from relsift.models.base.model import ModelConfig, RelationModel
from relsift.registry import find


@dataclass(frozen=True, kw_only=True)
class PairClassifierConfig(ModelConfig):
    """Options of the input, the losses and the scores."""

    encoder: str = "lookup"  # makes the features of each token (see `relsift.encoders`)
    encoder_options: dict[str, Any] = field(default_factory=dict)  # its own
    tags: bool = True  # BIO tags of all entities as input
    classification: Classification = "cross_entropy"
    identification: bool = False  # also train on "is there a relation?"
    score_bias: bool = False  # whether ranking scores have a bias
    gamma: float = 2.0  # steepness of the ranking loss
    margin_pos: float = 2.5  # of the ranking loss, in units of the scores
    margin_neg: float = 0.5  # of the ranking loss, in units of the scores
    threshold: float = 0.0  # the source's decision threshold, in units of the ranking scores
    other_weight: float = 1.0  # weight of an unrelated pair in the cross-entropy; a related one weighs 1

    def __post_init__(self) -> None:
        find("encoder", self.encoder).Options.from_dict(self.encoder_options)
        require(self.gamma > 0, "model.gamma", expected="a number > 0", got=self.gamma)
        require(self.other_weight > 0, "model.other_weight", expected="a number > 0", got=self.other_weight)

    def require_shares(self, *names: str) -> None:
        """Raises ConfigError unless each of these options is a share in [0, 1)."""
        for name in names:
            require(0 <= getattr(self, name) < 1, f"model.{name}", expected="a number in [0, 1)", got=getattr(self, name))


class PairClassifier(RelationModel[PairScores]):
    """A subclass derives its `Config` from `PairClassifierConfig`. Its `forward` ends with a classifier made by `make_classifier`."""

    config: Any
    classifier: RelationClassifier

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        return cls.READS - {"words"} | encoder_reads(config.encoder) if "words" in cls.READS else cls.READS

    def make_classifier(self, size: int, relations: int) -> RelationClassifier:
        """A classifier of pair vectors (P, size), as the options say. Args: relations: K."""
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
