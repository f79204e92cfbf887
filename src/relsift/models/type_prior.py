"""Type prior: relations from the types of the two entities, without a word of the sentence.

A baseline of ours, without a source: multinomial logistic regression on the head's type, the tail's type and their combination. It reads no
words, distances, tags or other entities. The score of another model above this one measures what that model reads in the sentence.
With `interaction`, the converged model gives each combination of types the shares of the relations among its training pairs. All weights
start at 0 and the loss is convex, so seeds differ only in the order of batches. A type or combination that training data does not have
adds nothing.
Letters: P pairs, N types (row 0: a type never seen in training), C combinations of types in the batch, Z features, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig


@dataclass(frozen=True, kw_only=True)
class TypePriorConfig(PairClassifierConfig):
    """The options of a pair classifier, without tags."""

    tags: bool = False  # there is no tag input: nothing of the sentence is read
    interaction: bool = True  # a weight for every combination of types, not only for the head's and the tail's by themselves

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.tags, "model.tags", expected="false: this model reads the types of the two entities and no tags", got=self.tags)


class TypePrior(PairClassifier):
    config: TypePriorConfig
    Config = TypePriorConfig
    SUMMARY = "logistic regression on the types of the two entities alone, a baseline without words"
    READS = frozenset({"types"})
    PRESETS: ClassVar = {
        "paper": Preset(
            "no source: values with which it converges",
            {},
            {"optimiser": "adam", "learning_rate": 0.05, "epochs": 30, "patience": 30},
        ),
    }

    def __init__(self, config: TypePriorConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.types = len(encoding.types.names) + 1                                      # N
        self.classifier = self.make_classifier(2 * self.types + config.interaction * self.types**2, len(encoding.labels))
        for weight in self.parameters():
            nn.init.zeros_(weight)

    def forward(self, batch: Batch) -> PairScores:
        row = batch.entities.type + 1                                                   # (E,)  0: never seen
        pairs = row[batch.pairs.head] * self.types + row[batch.pairs.tail]              # (P,)
        combinations, place = torch.unique(pairs, return_inverse=True)                  # (C,), (P,)  few: each is scored once
        scores, logits, identification, _ = self.classifier(self.features(combinations))
        return PairScores(scores[place], *(None if part is None else part[place] for part in (logits, identification)))

    def features(self, combinations: Tensor) -> Tensor:
        """(C,) head type · N + tail type -> (C, Z): a 1 for each of head, tail and combination."""
        blocks = [F.one_hot(combinations // self.types, self.types), F.one_hot(combinations % self.types, self.types)]
        if self.config.interaction:
            blocks.append(F.one_hot(combinations, self.types**2))
        return torch.cat(blocks, dim=1).to(next(self.parameters()).dtype)
