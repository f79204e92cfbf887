"""From the features of a pair to its scores and losses: the last layer of every model that makes one vector a pair.

Letters: P pairs, Z features, K relation types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn

from relsift.losses.base import PairLoss, full_precision
from relsift.losses.identification import identification_loss
from relsift.losses.labels import first_label
from relsift.losses.ranking import Ranking

Classification: TypeAlias = str  # the name of a registered loss, or `both` (see `relsift.losses.base`)


class PairScores(NamedTuple):
    """The output of a model that classifies pairs; None for a part that the configuration does not have."""

    scores: Tensor  # (P, K)      ranking scores; without that loss, the scores that the loss makes of `logits`
    logits: Tensor | None  # (P, K), or (P, K + 1) with a last column "none"; with `back`: (P, 2K + 1), of (head, tail)
    identification: Tensor | None  # (P, 2)
    back: Tensor | None = None  # (P, 2K + 1)  logits of (tail, head), in models that read a pair in both orders


class RelationClassifier(nn.Module):
    """Up to three linear layers: `rank`, `choose` and `identify`.

    `rank` gives the scores of the ranking loss; `choose` the logits of any other loss, which says whether there is a column for "none";
    `identify` logits of "is there any relation?", for training only. The first of several losses decides: its scores are those of a pair.
    """

    def __init__(self, size: int, relations: int, losses: Mapping[str, PairLoss], *, identification: bool, score_bias: bool) -> None:
        """Args: losses: by name, at most one besides ranking. score_bias: whether `rank` has a bias; the other layers always have one."""
        super().__init__()
        self.losses = dict(losses)
        self.decisive = next(iter(self.losses.values()))
        self.rank = self.choose = None
        for loss in self.losses.values():
            if isinstance(loss, Ranking):
                self.rank = nn.Linear(size, relations, bias=score_bias)
            else:
                self.choose = nn.Linear(size, relations + loss.NONE_COLUMN)
        self.identify = nn.Linear(size, 2) if identification else None

    def forward(self, h: Tensor) -> PairScores:
        """h: (P, Z)"""
        # In this order: it is the one in which gradients of `h` are added, so another one changes their last bits.
        logits, rank, identification = (
            None if layer is None else full_precision(layer(h)) for layer in (self.choose, self.rank, self.identify)
        )
        decisive = logits if rank is None else rank                                     # (P, K) or (P, K + 1)
        assert decisive is not None
        return PairScores(self.decisive.scores(decisive), logits, identification)

    def loss(self, output: PairScores, labels: Tensor) -> dict[str, Tensor]:
        """() each, by the names of the losses. Args: labels: (P, K) bool."""
        parts = {}
        for name, loss in self.losses.items():
            logits = output.scores if isinstance(loss, Ranking) else output.logits
            assert logits is not None
            parts[name] = loss.loss(logits, labels)
        if output.identification is not None:
            parts["identification"] = identification_loss(output.identification, first_label(labels))
        return parts
