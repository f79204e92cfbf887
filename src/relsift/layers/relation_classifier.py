"""From the features of a pair to its scores and losses: the last layer of every model that makes one vector a pair.

Letters: P pairs, Z features, K relation types.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor, nn

from relsift.losses.cross_entropy import other_cross_entropy
from relsift.losses.identification import identification_loss
from relsift.losses.labels import first_label
from relsift.losses.ranking import ranking_loss

Classification = Literal["ranking", "cross_entropy", "both"]


class PairScores(NamedTuple):
    """The output of a model that classifies pairs; None for a part that the configuration does not have."""

    scores: Tensor  # (P, K)      ranking scores; with cross-entropy alone, log-odds against "no relation"
    logits: Tensor | None  # (P, K + 1)  of the cross-entropy, the last column "no relation"; with `back`: (P, 2K + 1), of (head, tail)
    identification: Tensor | None  # (P, 2)
    back: Tensor | None = None  # (P, 2K + 1)  logits of (tail, head), in models that read a pair in both orders


class RelationClassifier(nn.Module):
    """Up to three linear layers: `rank`, `choose` and `identify`.

    `rank` gives one ranking score a relation type; `choose` logits with "no relation" as a class; `identify` logits of "is there any
    relation?". The scores of a pair are those of `rank` if there is that layer, else the log-odds of `choose` against "no relation".
    `identify` is for training only.
    """

    def __init__(self, size: int, relations: int, *, classification: Classification, identification: bool, score_bias: bool) -> None:
        super().__init__()
        self.rank = nn.Linear(size, relations, bias=score_bias) if classification != "cross_entropy" else None
        self.choose = nn.Linear(size, relations + 1) if classification != "ranking" else None
        self.identify = nn.Linear(size, 2) if identification else None

    def forward(self, h: Tensor) -> PairScores:
        """h: (P, Z)"""
        logits = None if self.choose is None else self.choose(h)                        # (P, K + 1)
        if self.rank is not None:
            scores = self.rank(h)                                                       # (P, K)
        else:
            assert logits is not None
            scores = logits[:, :-1] - logits[:, -1:]                                    # (P, K)
        return PairScores(scores, logits, None if self.identify is None else self.identify(h))

    def loss(
        self, output: PairScores, labels: Tensor, *, gamma: float, margin_pos: float, margin_neg: float, other_weight: float
    ) -> dict[str, Tensor]:
        """Args: labels: (P, K) bool. other_weight: of an unrelated pair in the cross-entropy; a related one weighs 1."""
        label = first_label(labels)                                                     # (P,)
        parts = {}
        if self.rank is not None:
            parts["ranking"] = ranking_loss(output.scores, label, gamma=gamma, margin_pos=margin_pos, margin_neg=margin_neg)
        if output.logits is not None:
            parts["cross_entropy"] = other_cross_entropy(output.logits, label, other_weight=other_weight)
        if output.identification is not None:
            parts["identification"] = identification_loss(output.identification, label)
        return parts
