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
from relsift.layers.relation_classifier import AtPrediction, Classification, PairScores, RelationClassifier
from relsift.losses.base import loss_classes, make_losses
from relsift.models.base.model import ModelConfig, Output, RelationModel
from relsift.registry import find


@dataclass(frozen=True, kw_only=True)
class PairClassifierConfig(ModelConfig):
    """Options of the input, the losses and the scores.

    >>> PairClassifierConfig(classification="ranking", gamma=1.0).margin_pos
    2.5
    >>> PairClassifierConfig(gamma=0.0)
    Traceback (most recent call last):
    relsift.errors.ConfigError: model.gamma: expected a number > 0, got 0.0
    """

    encoder: str = "lookup"  # makes the features of each token (see `relsift.encoders`)
    encoder_options: dict[str, Any] = field(default_factory=dict)  # its own
    tags: bool = True  # BIO tags of all entities as input
    classification: Classification = "cross_entropy"  # the loss of pairs (see `relsift.losses`), or both: ranking and cross-entropy
    identification: bool = False  # also train on "is there a relation?"
    identification_at_prediction: AtPrediction = "none"  # what that answer does to scores (see `RelationClassifier.predicted`)
    identification_recall: float = 0.98  # of *filter*: share of the related development pairs that it keeps
    score_bias: bool = False  # whether ranking scores have a bias
    gamma: float = 2.0  # steepness of the ranking loss
    margin_pos: float = 2.5  # of the ranking loss, in units of the scores
    margin_neg: float = 0.5  # of the ranking loss, in units of the scores
    threshold: float = 0.0  # the source's decision threshold, in units of the ranking scores
    other_weight: float = 1.0  # weight of an unrelated pair in the cross-entropy and in `focal`; a related one weighs 1
    none_smoothing: float = 0.0  # of the cross-entropy: the part of an unrelated pair's target that all relations share
    focal_gamma: float = 2.0  # exponent of `focal` and `adaptive_focal`
    focal_gamma_pos: float = 0.0  # exponent of `asymmetric` for relations that hold
    focal_gamma_neg: float = 4.0  # exponent of `asymmetric` for relations that do not
    probability_margin: float = 0.05  # of `asymmetric` and `ncrl`: a wrong relation below this probability costs nothing
    balance_beta: float = 0.999  # of `class_balanced`: 0 is the cross-entropy, near 1 weighs classes by 1 / their pairs
    adjustment_tau: float = 1.0  # of `logit_adjustment`: 0 is the cross-entropy
    pu_prior_factor: float = 1.5  # of `ssr_pu`: how many pairs have a relation, for each one that is annotated
    pu_margin: float = 1.0  # of `ssr_pu`, in units of the scores

    def __post_init__(self) -> None:
        find("encoder", self.encoder).Options.from_dict(self.encoder_options)
        loss_classes(self.classification)
        require(
            self.identification or self.identification_at_prediction == "none",
            "model.identification_at_prediction",
            expected="none, or model.identification=true, which trains what it reads",
            got=self.identification_at_prediction,
        )
        recall = self.identification_recall
        require(0 < recall <= 1, "model.identification_recall", expected="a number above 0, at most 1", got=recall)
        require(self.gamma > 0, "model.gamma", expected="a number > 0", got=self.gamma)
        require(self.other_weight > 0, "model.other_weight", expected="a number > 0", got=self.other_weight)
        require(self.pu_margin > 0, "model.pu_margin", expected="a number > 0", got=self.pu_margin)
        require(self.pu_prior_factor >= 1, "model.pu_prior_factor", expected="a number >= 1", got=self.pu_prior_factor)
        for name in ("focal_gamma", "focal_gamma_pos", "focal_gamma_neg", "adjustment_tau"):
            require(getattr(self, name) >= 0, f"model.{name}", expected="a number >= 0", got=getattr(self, name))
        self.require_shares("none_smoothing", "probability_margin", "balance_beta")

    def require_shares(self, *names: str) -> None:
        """Raises ConfigError unless each of these options is a share in [0, 1)."""
        for name in names:
            require(0 <= getattr(self, name) < 1, f"model.{name}", expected="a number in [0, 1)", got=getattr(self, name))


class ClassifierModel(RelationModel[Output], Generic[Output]):
    """A model with a `RelationClassifier`, whose losses the configuration names.

    >>> from relsift.models.pcnn import PCNN
    >>> ranking, several = (PCNN.Config(classification=loss) for loss in ("ranking", "atloss"))
    >>> PCNN.several_labels(ranking), PCNN.several_labels(several)
    (False, True)
    """

    config: Any
    classifier: RelationClassifier

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        return cls.READS - {"words"} | encoder_reads(config.encoder, config.encoder_options) if "words" in cls.READS else cls.READS

    def make_classifier(self, size: int, relations: int) -> RelationClassifier:
        """A classifier of pair vectors (P, size), as the options say. Args: relations: K."""
        c: PairClassifierConfig = self.config
        losses = make_losses(c.classification, c.to_dict())
        return RelationClassifier(
            size, relations, losses, identification=c.identification, score_bias=c.score_bias,
            at_prediction=c.identification_at_prediction, recall=c.identification_recall,
        )  # fmt: skip

    @classmethod
    def several_labels(cls, config: PairClassifierConfig) -> bool:
        return cls.SEVERAL_LABELS or all(loss.SEVERAL_LABELS for loss in loss_classes(config.classification).values())

    @property
    def paper_threshold(self) -> float:
        return 0.0 if self.config.identification_at_prediction == "product" else float(self.classifier.decisive.threshold)


class PairClassifier(ClassifierModel[PairScores]):
    """A subclass derives its `Config` from `PairClassifierConfig`. Its `forward` ends with a classifier made by `make_classifier`.

    See also: `relsift.encoding.batch.collate`, which makes batches.

    >>> from relsift.bundle import build
    >>> from relsift.candidates import Candidates
    >>> from relsift.encoding.batch import collate
    >>> from relsift.encoding.encoding import Encoding
    >>> from relsift.encoding.example import examples_of
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> encoding = Encoding.fit([sentence])
    >>> model, batch = build("type_prior", {}, encoding), collate(examples_of(sentence, Candidates().pairs(sentence), encoding), encoding)
    >>> model.scores(model(batch)).shape, list(model.loss(model(batch), batch))  # two pairs, one relation type
    (torch.Size([2, 1]), ['cross_entropy'])
    """

    def loss(self, output: PairScores, batch: Batch) -> dict[str, Tensor]:
        return self.classifier.loss(output, batch.pairs.labels)

    def scores(self, output: PairScores) -> Tensor:
        return output.scores if self.config.identification_at_prediction == "none" else self.classifier.predicted(output)
