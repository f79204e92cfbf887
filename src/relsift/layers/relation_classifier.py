"""From the features of a pair to its scores and losses: the last layer of every model that makes one vector a pair.

Letters: P pairs, Z features, K relation types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.losses.base import LabelCounts, PairLoss, full_precision
from relsift.losses.identification import identification_loss
from relsift.losses.labels import first_label
from relsift.losses.ranking import Ranking

Classification: TypeAlias = str  # the name of a registered loss, or `both` (see `relsift.losses.base`)
AtPrediction = Literal["none", "product", "filter"]
FAR = 1000.0  # taken from the scores of a pair that the filter leaves out: below any threshold, and finite


class PairScores(NamedTuple):
    """The output of a model that classifies pairs; None for a part that the configuration does not have."""

    scores: Tensor  # (P, K)      ranking scores; without that loss, the scores that the loss makes of `logits`
    logits: Tensor | None  # (P, K), or (P, K + 1) with a last column "none"; with `back`: (P, 2K + 1), of (head, tail)
    identification: Tensor | None  # (P, 2)
    back: Tensor | None = None  # (P, 2K + 1)  logits of (tail, head), in models that read a pair in both orders


class RelationClassifier(nn.Module):
    """Up to three linear layers: `rank`, `choose` and `identify`.

    `rank` gives the scores of the ranking loss; `choose` the logits of any other loss, which says whether there is a column for "none";
    `identify` logits of "is there any relation?". The first of several losses decides: its scores are those of a pair. What `identify` says
    has a part in prediction if `at_prediction` is not *none* (see `predicted`).
    """

    floor: Tensor  # () with *filter*: the lowest log-odds of being related with which a pair is not left out

    def __init__(
        self, size: int, relations: int, losses: Mapping[str, PairLoss], *, identification: bool, score_bias: bool,
        at_prediction: AtPrediction = "none", recall: float = 1.0,
    ) -> None:  # fmt: skip
        """Args: losses: by name, at most one besides ranking. score_bias: whether `rank` has a bias; the other layers always have one.
        recall: the share of related pairs that *filter* is tuned to keep.
        """
        super().__init__()
        self.at_prediction, self.recall = at_prediction, recall
        self._only_identifies = False
        if at_prediction == "filter":
            self.register_buffer("floor", torch.full((), -FAR))
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

    def predicted(self, output: PairScores) -> Tensor:
        """(P, C): the scores that prediction takes. In training they are those of the loss alone.

        With i the log-odds of being related that `identify` gives, and s_r the scores of the loss:
        *product*: the log-odds of p(related) p(r | related). A loss of one label has p(r | related) = e^s_r / sum_k e^s_k, which makes the
        score i + s_r - log sum_k e^s_k. One of several labels has p(r | related) = 1 / (1 + e^-s_r), which makes it
        - log(e^-i + e^-s_r + e^(-i - s_r)).
        *filter*: s_r where i is at least `floor`, else s_r - FAR.
        """
        scores, identification = output.scores, output.identification
        if self.training or self.at_prediction == "none" or identification is None:
            return scores
        related = identification[:, 1:] - identification[:, :1]                         # (P, 1)
        if self._only_identifies:
            return related.expand_as(scores)
        if self.at_prediction == "filter":
            return torch.where(related >= self.floor, scores, scores - FAR)
        if not self.decisive.SEVERAL_LABELS:
            return related + F.log_softmax(scores, dim=1)
        related = related.expand_as(scores)
        return -torch.stack([-related, -scores, -related - scores]).logsumexp(dim=0)

    @contextmanager
    def only_identifying(self) -> Iterator[None]:
        """Within the block `predicted` gives the log-odds of being related in every column, to tune `floor` on."""
        self._only_identifies = True
        try:
            yield
        finally:
            self._only_identifies = False

    @property
    def needs_counts(self) -> bool:
        return any(loss.NEEDS_COUNTS for loss in self.losses.values())

    def tell_counts(self, labels: LabelCounts, first_labels: LabelCounts) -> None:
        """Tell the losses the frequencies of the training data: of all labels, and of the first label of each pair."""
        self.losses = {
            name: loss.with_counts(labels if loss.SEVERAL_LABELS else first_labels) for name, loss in self.losses.items()
        }
        self.decisive = next(iter(self.losses.values()))

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
