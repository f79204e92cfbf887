"""The contract of a loss of pairs, and how a configuration names one.

Letters: P pairs, C columns with a score each, as a rule one a relation type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from relsift.errors import ShapeError
from relsift.registry import find, table, unknown_name

BOTH = "both"  # names two losses, each with its own linear layer; pairs are decided by the scores of the first one
OF_BOTH = ("ranking", "cross_entropy")


class LabelCounts(NamedTuple):
    """How often each class occurs among the pairs of the training data, as a loss sees their labels.

    >>> LabelCounts(pairs=10, of_columns=(2, 3)).of_classes()
    (2, 3, 5)
    """

    pairs: int  # P, of the whole training data
    of_columns: tuple[int, ...]  # of each of the C columns, the pairs for which it holds; with one label a pair, their first one

    def of_classes(self) -> tuple[int, ...]:
        """With one label a pair: of each column, and last of "none"."""
        return (*self.of_columns, self.pairs - sum(self.of_columns))


@dataclass(frozen=True)
class PairLoss(ABC):
    """What a model learns from the labels of its pairs, and how its logits become scores.

    A subclass is a frozen dataclass. Its fields are its options, each with a default; a field that has the name of an option of
    `PairClassifierConfig`, such as `gamma`, gets that option's value. Logits are float32 or float64: half a precision is not enough for a
    sum of exponentials (see `full_precision`).

    See also: `make_losses`, `full_precision`.

    >>> from relsift.losses.atloss import ATLoss
    >>> loss = ATLoss()
    >>> logits = torch.tensor([[2.0, -1.0, 0.5]])           # one pair, C = 2, the last column is the threshold
    >>> [round(score, 4) for score in loss.scores(logits)[0].tolist()]
    [1.5, -1.5]
    >>> round(loss.loss(logits, torch.tensor([[True, False]])).item(), 4)
    0.4028
    """

    SUMMARY: ClassVar[str]  # one line for `relsift models`
    SEVERAL_LABELS: ClassVar[bool]  # whether it learns from every label of a pair, or from the first one only
    NONE_COLUMN: ClassVar[bool]  # whether the logits have one more column, the last one, for "none" or for the threshold
    NEEDS_COUNTS: ClassVar[bool] = False  # whether it has a field `counts: LabelCounts | None`, which training fills before it starts

    @abstractmethod
    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Args: logits: (P, C + NONE_COLUMN). labels: (P, C) bool. Returns: () float >= 0, a mean over P. Raises: ShapeError."""

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """(P, C + NONE_COLUMN) -> (P, C): log-odds of each column against "none", or what stands for them."""

    def with_counts(self, counts: LabelCounts) -> PairLoss:
        """The same loss, told how often each class occurs in the training data. `scores` never depends on that."""
        return replace(self, **{"counts": counts}) if self.NEEDS_COUNTS else self

    @property
    def threshold(self) -> float:
        """The score from which on the source decides for a column; 0 for log-odds."""
        return 0.0

    def require_shapes(self, logits: Tensor, labels: Tensor) -> None:
        """Raises ShapeError unless `labels` fit `logits` and there is a pair: the mean over none is not a number."""
        if logits.dim() != 2 or len(logits) == 0 or labels.shape != (len(logits), logits.shape[1] - self.NONE_COLUMN):
            columns = "(P, C + 1), its last column none or threshold" if self.NONE_COLUMN else "(P, C)"
            raise ShapeError(
                "labels",
                expected=f"(P, C) with P >= 1 for logits {columns}",
                got=f"labels {tuple(labels.shape)} and logits {tuple(logits.shape)}",
            )


def classifications() -> tuple[str, ...]:
    """All values of `model.classification`: the registered losses, those of plug-ins too, and `both`.

    >>> "ranking" in classifications(), "both" in classifications()
    (True, True)
    """
    return (*table("loss"), BOTH)


def loss_classes(classification: str) -> dict[str, type[PairLoss]]:
    """The losses that a value of `model.classification` names, by their names; the first one decides.

    Raises: ConfigError with similar names for an unknown one.

    >>> list(loss_classes("both"))
    ['ranking', 'cross_entropy']
    """
    if classification not in classifications():
        raise unknown_name("model.classification", classification, classifications())
    return {name: find("loss", name) for name in (OF_BOTH if classification == BOTH else (classification,))}


def make_losses(classification: str, options: Mapping[str, Any]) -> dict[str, PairLoss]:
    """The losses of a classifier, by their names.

    Args: classification: as of `loss_classes`. options: of the model; a loss takes those that it has a field for.

    >>> make_losses("ranking", {"gamma": 1.0, "filters": 100})["ranking"].gamma
    1.0
    """
    return {
        name: loss(**{field.name: options[field.name] for field in fields(loss) if field.name in options})
        for name, loss in loss_classes(classification).items()
    }


def full_precision(logits: Tensor) -> Tensor:
    """(…) float16 and bfloat16, which autocast makes, as float32; float32 and float64 as they are.

    >>> full_precision(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
