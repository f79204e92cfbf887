"""BiLSTM and piecewise CNN: a BiLSTM reads each sentence once; its pairs are convolved, pooled and classified on top of it.

Sources: the three pieces are those of `relsift.models.pcnn` (Zeng et al., EMNLP 2015); types and distance of a pair as features of their
own are as old as the task (Zhou et al., ACL 2005). The architecture as a whole is ours; there is no paper to differ from.
The BiLSTM does not depend on the pair. So the convolution still splits into a part of the sentence and parts of the distances, and all
pairs of a sentence share it, exactly (see `relsift.layers.pair_convolution`).
A pair has these features:
    the maxima of the convolution over the three pieces
    the maxima of the token features over either entity
    a row of a table for its two entity types
    a row for how many tokens stand between the two and on which side the head is, and one for how many other entities begin there
Letters: P pairs, E entities, Q = 3 pieces, C filters, D token features, Z hidden units, K relation types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.config import TRANSFORMER
from relsift.encoders.base import encoder_reads
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding, Input
from relsift.errors import require
from relsift.layers.between import NUM_ENTITIES, NUM_TOKENS, between
from relsift.layers.character_cnn import maxima
from relsift.layers.initialise import initialise_for_tanh
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.convolved_pairs import ConvolvedPairClassifier, ConvolvedPairsConfig
from relsift.models.base.model import Preset
from relsift.models.pcnn import PIECES, cuts


@dataclass(frozen=True, kw_only=True)
class BiLSTMPCNNConfig(ConvolvedPairsConfig):
    """Every part can be switched off."""

    encoder: str = "bilstm"
    classification: str = "atloss"
    identification: bool = True
    word_size: int = 100
    tag_size: int = 30
    distance_size: int = 20  # of each of the two distance embeddings
    window: int = 3  # tokens
    filters: int = 128
    activation: Literal["relu", "tanh"] = "relu"  # of the convolution
    spans: bool = True  # maxima of the token features over either entity
    type_size: int = 50  # of a pair of entity types; 0: not read
    between_size: int = 20  # of the number of tokens between the two entities, and of entities there; 0: not read
    hidden: int = 256
    dropout: float = 0.5  # share dropped of a pair's features
    hidden_dropout: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares("dropout", "hidden_dropout")
        for name, least in (("type_size", 0), ("between_size", 0), ("hidden", 1)):
            require(getattr(self, name) >= least, f"model.{name}", expected=f"a number >= {least}", got=getattr(self, name))

    @property
    def window_sizes(self) -> tuple[int, ...]:
        return (self.window,)

    @classmethod
    def tiny(cls) -> BiLSTMPCNNConfig:
        options = {"units": 4, "character_size": 3, "character_filters": 4, "case_size": 2, "dropout": 0.0}
        return cls(
            encoder_options=options, word_size=6, tag_size=3, distance_size=3, max_distance=5, filters=12, type_size=3, between_size=2,
            hidden=12, dropout=0.0, hidden_dropout=0.0,
        )  # fmt: skip


_TRAINING = {
    "optimiser": "adamw", "learning_rate": 1e-3, "schedule": "linear", "weight_decay": 0.01, "gradient_clip": 1.0, "batch_pairs": 64,
    "epochs": 12, "patience": 12, "unknown_rate": 0.3, "word_dropout": 0.1, "ema": 0.99,
}  # fmt: skip
# The mean of all layers was better on development data of CoNLL04 than that of the last one, two or four.
_ON_FROZEN = {"encoder": TRANSFORMER, "encoder_options": {"last_layers": 0, "units": 96, "dropout": 0.5}}
_FROZEN_TRAINING = {
    **_TRAINING, "freeze_encoder": True, "encoder_learning_rate": 1e-4, "freeze_embeddings": True,  # the last two if it is thawed
    "word_dropout": 0.0, "epochs": 15, "patience": 15, "batch_tokens": 4096,
}  # fmt: skip
_TUNED_TRAINING = {**{name: value for name, value in _FROZEN_TRAINING.items() if name != "freeze_encoder"}, "encoder_learning_rate": 3e-5}


class BiLSTMPCNN(ConvolvedPairClassifier):
    config: BiLSTMPCNNConfig
    Config = BiLSTMPCNNConfig
    READS = frozenset({"words", "characters", "tags", "types", "spans"})
    SUMMARY = "a BiLSTM below a piecewise CNN, with types, distance and spans of the two entities"
    PRESETS: ClassVar = {
        "paper": Preset("ours, chosen on development data", {}, _TRAINING),
        "frozen": Preset("the same on a transformer that is not trained (--encoder FOLDER)", _ON_FROZEN, _FROZEN_TRAINING),
        "tuned": Preset("the same on a transformer that is trained too, slowly (--encoder FOLDER)", _ON_FROZEN, _TUNED_TRAINING),
    }

    def __init__(self, config: BiLSTMPCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        c = config
        self.num_types = len(encoding.types.names) + 1  # the last one stands for types that training did not have
        self.types = nn.Embedding(self.num_types**2, c.type_size) if c.type_size else None
        self.tokens_between = nn.Embedding(NUM_TOKENS, c.between_size) if c.between_size else None
        self.entities_between = nn.Embedding(NUM_ENTITIES, c.between_size) if c.between_size else None
        size = PIECES * self.convolved.size + 2 * self.convolved.embed.size * c.spans + c.type_size + 2 * c.between_size
        self.trunk = nn.Sequential(nn.Dropout(c.dropout), nn.Linear(size, c.hidden), nn.GELU(), nn.Dropout(c.hidden_dropout))
        self.classifier = self.make_classifier(c.hidden, len(encoding.labels))
        initialise_for_tanh(self, c.embedding_bound)

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        return cls.READS - {"words", "characters"} | encoder_reads(config.encoder, config.encoder_options)

    def forward(self, batch: Batch) -> PairScores:
        scores: PairScores = self.classifier(self.trunk(self.pairs(batch)))
        return scores

    def pairs(self, batch: Batch) -> Tensor:
        """The features of every pair, (P, sum of the sizes of its parts)."""
        tokens = self.convolved.embed.keyed(batch)
        pooled = self.convolved.of_tokens(tokens, batch).piecewise_max(cuts(batch)).flatten(1)  # (P, Q * C)  0 for an empty piece
        parts = [pooled.relu() if self.config.activation == "relu" else pooled.tanh()]  # neither changes the 0
        head, tail = batch.pairs.head, batch.pairs.tail                                 # (P,)
        if self.config.spans:
            spans = span_maxima(tokens, batch)                                          # (E, D)
            parts += [F.embedding(head, spans), F.embedding(tail, spans)]
        if self.types is not None:
            kind = batch.entities.type.where(batch.entities.type >= 0, self.num_types - 1)  # (E,)
            parts.append(self.types(kind[head] * self.num_types + kind[tail]))
        if self.tokens_between is not None and self.entities_between is not None:
            rows = between(batch)
            parts += [self.tokens_between(rows.tokens), self.entities_between(rows.entities)]
        return torch.cat(parts, dim=1)


def span_maxima(tokens: KeyedTokens, batch: Batch) -> Tensor:
    """(E, D): of each entity, the maxima of the token features over its tokens."""
    start, end = batch.entities.span.unbind(1)                                          # (E,)
    length = end - start
    shift = batch.first[batch.entities.sentence] + start - (length.cumsum(0) - length)
    rows = torch.arange(int(length.sum()), device=length.device) + shift.repeat_interleave(length)
    return maxima(tokens.features(tokens.keys[rows]), length)
