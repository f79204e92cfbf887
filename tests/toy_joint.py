"""A joint model of a few weights, for tests of what stands above models: a word decides whether its token is an entity of which type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch, Entities, required
from relsift.encoding.encoding import Encoding
from relsift.encoding.words import UNKNOWN_WORD
from relsift.models.base.joint_model import Found, JointModel
from relsift.models.base.model import ModelConfig, Preset


@dataclass(frozen=True, kw_only=True)
class ToyJointConfig(ModelConfig):
    pass


class Output(NamedTuple):
    kinds: Tensor  # (N, types + 1), the last column: no entity
    relations: Tensor  # (P, K)


class ToyJoint(JointModel[Tensor, Output]):
    """Entities of one token. Entities of several tokens are learned by their first token, and found as that."""

    Config = ToyJointConfig
    READS = frozenset({"words", "types", "spans"})
    SUMMARY = "a toy"
    PRESETS: ClassVar = {"paper": Preset("none", {}, {"learning_rate": 0.05, "optimiser": "adam", "epochs": 30, "patience": 30})}

    def __init__(self, config: Any, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        assert encoding.words is not None
        self.types = len(encoding.types.names)
        self.words = nn.Embedding(encoding.words.num_rows, self.types + 1)
        nn.init.zeros_(self.words.weight)
        self.words.weight.data[UNKNOWN_WORD, -1] = 5.0  # a word that training did not have is no entity
        self.pairs = nn.Embedding(self.types**2, len(encoding.labels))
        self.middle = nn.Embedding(encoding.words.num_rows, len(encoding.labels))

    @property
    def paper_threshold(self) -> float:
        return 0.0

    def read(self, batch: Batch) -> Tensor:
        return self.words(required(batch.words, "words")[batch.mask])                   # (N, types + 1)

    def find(self, states: Tensor, batch: Batch) -> Found:
        sentence, token = batch.mask.nonzero(as_tuple=True)                             # (N,) each
        best = states.log_softmax(1).max(dim=1)
        is_entity = best.indices < self.types
        start = token[is_entity]
        span = torch.stack([start, start + 1], dim=1)
        return Found(Entities(sentence[is_entity], span, best.indices[is_entity]), torch.logit(best.values[is_entity].exp(), 1e-6))

    def relate(self, states: Tensor, batch: Batch) -> Output:
        kind, (head, tail) = batch.entities.type.clamp(min=0), (batch.pairs.head, batch.pairs.tail)
        between = torch.minimum(batch.entities.span[head, 1], batch.entities.span[tail, 1]) if len(head) else head
        words = required(batch.words, "words")[batch.pairs.sentence, between.clamp(max=batch.num_tokens - 1)]
        return Output(states, self.pairs(kind[head] * self.types + kind[tail]) + self.middle(words))

    def loss(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        target = torch.full((len(output.kinds),), self.types, dtype=torch.int64)
        target[batch.first[batch.entities.sentence] + batch.entities.span[:, 0]] = batch.entities.type
        relations = F.binary_cross_entropy_with_logits(output.relations, batch.pairs.labels.float(), reduction="sum")
        return {"entities": F.cross_entropy(output.kinds, target), "relations": relations / max(1, len(batch.pairs))}

    def scores(self, output: Output) -> Tensor:
        return output.relations
