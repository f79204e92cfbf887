"""Base of the models that make one vector of each pair and classify it: losses, scores, and their options.

Letters: P pairs, Z features of a pair, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic

from torch import Tensor

from relsift.encoders.base import encoder_reads
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Input
from relsift.errors import require
from relsift.layers.relation_classifier import Classification, PairScores, RelationClassifier
from relsift.losses.base import loss_classes, make_losses
from relsift.models.base.model import ModelConfig, Output, RelationModel
from relsift.registry import find


@dataclass(frozen=True, kw_only=True)
class PairClassifierConfig(ModelConfig):
    """Options of the input, the losses and the scores."""

    encoder: str = "lookup"  # makes the features of each token (see `relsift.encoders`)
    encoder_options: dict[str, Any] = field(default_factory=dict)  # its own
    tags: bool = True  # BIO tags of all entities as input
    classification: Classification = "cross_entropy"  # the loss of pairs (see `relsift.losses`), or both: ranking and cross-entropy
    identification: bool = False  # also train on "is there a relation?"
    score_bias: bool = False  # whether ranking scores have a bias
    gamma: float = 2.0  # steepness of the ranking loss
    margin_pos: float = 2.5  # of the ranking loss, in units of the scores
    margin_neg: float = 0.5  # of the ranking loss, in units of the scores
    threshold: float = 0.0  # the source's decision threshold, in units of the ranking scores
    other_weight: float = 1.0  # weight of an unrelated pair in the cross-entropy; a related one weighs 1

    def __post_init__(self) -> None:
        find("encoder", self.encoder).Options.from_dict(self.encoder_options)
        loss_classes(self.classification)
        require(self.gamma > 0, "model.gamma", expected="a number > 0", got=self.gamma)
        require(self.other_weight > 0, "model.other_weight", expected="a number > 0", got=self.other_weight)

    def require_shares(self, *names: str) -> None:
        """Raises ConfigError unless each of these options is a share in [0, 1)."""
        for name in names:
            require(0 <= getattr(self, name) < 1, f"model.{name}", expected="a number in [0, 1)", got=getattr(self, name))


class ClassifierModel(RelationModel[Output], Generic[Output]):
    """A model with a `RelationClassifier`, whose losses the configuration names."""

    config: Any
    classifier: RelationClassifier

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        return cls.READS - {"words"} | encoder_reads(config.encoder, config.encoder_options) if "words" in cls.READS else cls.READS

    def make_classifier(self, size: int, relations: int) -> RelationClassifier:
        """A classifier of pair vectors (P, size), as the options say. Args: relations: K."""
        c: PairClassifierConfig = self.config
        losses = make_losses(c.classification, c.to_dict())
        return RelationClassifier(size, relations, losses, identification=c.identification, score_bias=c.score_bias)

    @classmethod
    def several_labels(cls, config: PairClassifierConfig) -> bool:
        return cls.SEVERAL_LABELS or all(loss.SEVERAL_LABELS for loss in loss_classes(config.classification).values())

    @property
    def paper_threshold(self) -> float:
        return float(self.classifier.decisive.threshold)


class PairClassifier(ClassifierModel[PairScores]):
    """A subclass derives its `Config` from `PairClassifierConfig`. Its `forward` ends with a classifier made by `make_classifier`."""

    def loss(self, output: PairScores, batch: Batch) -> dict[str, Tensor]:
        return self.classifier.loss(output, batch.pairs.labels)

    def scores(self, output: PairScores) -> Tensor:
        return output.scores
