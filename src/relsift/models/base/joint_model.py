"""The contract of a joint model, which finds the entities of a sentence and scores the pairs between them.

    read     what the model sees of a sentence's text, computed once
    find     the entities in it
    relate   the scores of the pairs between given entities: annotated ones in training, those that `find` returned in prediction

Letters: S sentences, E entities, P pairs, K relation types.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

from torch import Tensor

from relsift.encoding.batch import Batch, Entities
from relsift.models.base.model import Output, RelationModel
from relsift.registry import find

States = TypeVar("States")


class Found(NamedTuple):
    """The entities that a model found in the sentences of a batch."""

    entities: Entities  # grouped by sentence, in its order; their types are those of training
    score: Tensor  # (E,) float, log-odds of the entity and its type against anything else


class JointModel(RelationModel[Output], Generic[States, Output]):
    """A subclass reads neither tags nor types of annotated entities in `read`: prediction has none at that point.

    A batch of training holds the annotated entities. Pairs may be missing: sentences without a pair are trained on and predicted too.
    """

    LEARNS_FROM_FOUND: ClassVar[bool] = False  # whether `loss` learns no entities where `batch.annotated` is False, only the pairs there

    @abstractmethod
    def read(self, batch: Batch) -> States:
        """What `find` and `relate` need of the text. Does not depend on the batch's entities, pairs and tags."""

    @abstractmethod
    def find(self, states: States, batch: Batch) -> Found:
        """The entities, without those of the batch. No two of a sentence have the same span and type."""

    @abstractmethod
    def relate(self, states: States, batch: Batch) -> Output:
        """What `loss` and `scores` need, for the entities and pairs of the batch."""

    def forward(self, batch: Batch) -> Output:
        return self.relate(self.read(batch), batch)


def finds_entities(name: str) -> bool:
    """Whether the models of a registered architecture find entities themselves. Raises ConfigError for an unknown name."""
    return issubclass(find("model", name), JointModel)
