"""Base of the models that read a pair as (first, second), in one order or in both.

Letters: P pairs, R readings, Z features of a reading, K relation types.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.errors import require
from relsift.layers.relation_classifier import PairScores
from relsift.layers.two_directions import Readings, both_readings, merged_scores, one_reading, two_direction_loss
from relsift.losses.base import full_precision
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig


@dataclass(frozen=True, kw_only=True)
class TwoDirectionConfig(PairClassifierConfig):
    """Options of a pair classifier, and the number of readings."""

    directions: Literal["one", "two"] = "two"  # one: read (head, tail) only; two: also (tail, head) (see `relsift.layers.two_directions`)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.directions == "one" or (self.classification == "cross_entropy" and not self.identification),
            "model.directions",
            expected="one with identification or any classification but cross_entropy (two is one softmax over both directions)",
            got=f"{self.directions}, classification={self.classification}, identification={self.identification}",
        )


class TwoDirectionClassifier(PairClassifier):
    """Classifies one or two readings of each pair.

    A subclass derives its `Config` from `TwoDirectionConfig`, makes `self.classifier` by `make_classifier`, and returns the vectors of the
    readings from `read`.
    """

    classifier: Any  # a RelationClassifier; with two directions a linear layer with 2K + 1 outputs

    def make_classifier(self, size: int, relations: int) -> Any:
        if self.config.directions == "one":
            return super().make_classifier(size, relations)
        expected = f"one for {type(self).__name__}, which reads a sentence once a head: a pair and its reverse have different readings"
        require(self.UNIT != "head", "model.directions", expected=expected, got="two")
        return nn.Linear(size, 2 * relations + 1)

    @property
    def paper_threshold(self) -> float:
        return 0.0 if self.config.directions == "two" else super().paper_threshold

    @abstractmethod
    def read(self, batch: Batch, readings: Readings) -> Tensor:
        """(R, Z): the vector of each reading."""

    def forward(self, batch: Batch) -> PairScores:
        if self.config.directions == "one":
            scores: PairScores = self.classifier(self.read(batch, one_reading(batch)))
            return scores
        readings = both_readings(batch)
        logits = full_precision(self.classifier(self.read(batch, readings)))            # (R, 2K + 1)
        forth, back = logits[readings.forth], logits[readings.back]                     # (P, 2K + 1)
        return PairScores(merged_scores(forth, back), forth, None, back)

    def loss(self, output: PairScores, batch: Batch) -> dict[str, Tensor]:
        if output.logits is None or output.back is None:
            return super().loss(output, batch)
        c = self.config
        return two_direction_loss(output.logits, output.back, batch, other_weight=c.other_weight, none_smoothing=c.none_smoothing)
