"""Bidirectional GRU with attention whose query is the entity pair: which tokens matter for these two entities?

Source: Qin et al., "Designing an adaptive attention mechanism for relation classification", IJCNN 2017 (10.1109/IJCNN.2017.7966407), named
EAtt-BiGRU by Ye et al. (ACL 2019), whose +Tag variant of it is here too.
**A reconstruction.** From the abstract and the description of its figure: the attention weights are the dot product of an entity-pair
embedding with the word-level outputs of a bidirectional GRU, and no external features are used. Without a source, ours: the pair embedding
is tanh(W_q [e1; e2] + b) with e the mean word embedding of an entity. There are 100 units a direction, and dropout .5 before a softmax
over K + 1 classes; the sizes of word and tag embeddings are ours too. From the authors' public code of a CNN, not of this model: distances
are clipped at 30 tokens, with 10 features each. It trains by Adadelta at rate .5, L2 1e-6, 30 pairs a batch, 15 epochs, with class weights
1 : 5 for unrelated : related (preset `weighted`). From Ye et al.: the tags (into the GRU only, not into the query).
Letters: P pairs, T tokens, N tokens of all sentences together, E entities, D token features, H units a direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoders.base import TokenEncoder, make_encoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.initialise import initialise_like_keras
from relsift.layers.pair_gru import PairGRU
from relsift.layers.relation_classifier import PairScores
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig


@dataclass(frozen=True, kw_only=True)
class EAttBiGRUConfig(PairClassifierConfig):
    """The defaults are those of the preset `paper`; the header says which of them have a source."""

    word_size: int = 200
    tag_size: int = 50
    distance_size: int = 10  # of each of the two distance embeddings
    max_distance: int = 30  # tokens; farther ones share an embedding
    units: int = 100  # a direction
    dropout: float = 0.5  # of the attended vector

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.word_size, self.tag_size, self.distance_size, self.max_distance, self.units)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        self.require_shares("dropout")

    @classmethod
    def tiny(cls) -> EAttBiGRUConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, units=5, dropout=0.0)


TOKENS_AT_ONCE = 4096  # tokens of all pairs that prediction runs through the GRU at once: bounds the memory, and fits the processor's cache

_TRAINING = {
    "optimiser": "adadelta", "learning_rate": 0.5, "weight_decay": 1e-6, "batch_pairs": 30,
    "epochs": 15, "patience": 5, "unknown_rate": 0.3,
}  # fmt: skip
# RMSprop as for multitask_cnn, but small batches: with its 256 pairs development F1 on CoNLL04 was 6 points lower.
_MATCHED_TRAINING = {"batch_pairs": 30, "epochs": 15, "patience": 4, "unknown_rate": 0.3}
_MATCHED = {"word_size": 200, "tag_size": 50, "distance_size": 50, "max_distance": 50}


class EAttBiGRU(PairClassifier):
    config: EAttBiGRUConfig
    Config = EAttBiGRUConfig
    READS = frozenset({"words", "tags", "spans"})
    SUMMARY = "BiGRU with entity-pair attention, BIO tags of all entities (Qin et al. 2017, reconstructed)"
    PRESETS: ClassVar = {
        "paper": Preset("a reconstruction of Qin et al. 2017, with the habits of the authors' public code", {}, _TRAINING),
        "matched": Preset("the sizes and optimiser of Ye et al. 2019", _MATCHED, _MATCHED_TRAINING),
        "weighted": Preset("as paper, unrelated to related pairs weighted 1 : 5", {"other_weight": 0.2}, _TRAINING),
    }

    def __init__(self, config: EAttBiGRUConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.embed = make_encoder(
            config.encoder, encoding, config.encoder_options, word_size=config.word_size, tag_size=config.tag_size if config.tags else None
        )
        num_distances = 2 * config.max_distance + 1
        self.head_distance = nn.Embedding(num_distances, config.distance_size)
        self.tail_distance = nn.Embedding(num_distances, config.distance_size)
        self.gru = PairGRU(self.embed.size, config.distance_size, config.units)
        self.ask = nn.Linear(2 * self.embed.word_size, self.gru.size)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = self.make_classifier(self.gru.size, len(encoding.labels))
        initialise_like_keras(self)

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    def forward(self, batch: Batch) -> PairScores:
        scores: PairScores = self.classifier(self.dropout(self.attended(batch)))
        return scores

    def attended(self, batch: Batch) -> Tensor:
        """(P, 2H): the attended GRU states of each pair."""
        tokens = self.embed.features(batch)                                             # (N, D)
        query = self.queries(tokens[:, : self.embed.word_size], batch)                  # (P, 2H)
        projected = self.gru.project(tokens, self.head_distance.weight, self.tail_distance.weight)
        lengths = batch.lengths[batch.pairs.sentence]                                   # (P,)
        order = lengths.argsort(descending=True, stable=True)                           # (P,)
        result = []
        for pairs in self._chunks(order, lengths):
            h, real = self.gru(projected, batch, pairs, self.config.max_distance)       # (p, t, 2H), (p, t)
            match = (h @ query[pairs, :, None]).squeeze(2)                              # (p, t)
            weight = match.masked_fill(~real, float("-inf")).softmax(dim=1)
            result.append((weight[:, None] @ h).squeeze(1))                             # (p, 2H)
        return torch.cat(result)[order.argsort()]

    def queries(self, words: Tensor, batch: Batch) -> Tensor:
        """(N, word_size) features of words -> (P, 2H): the attention query of each pair, from the words of its two entities."""
        start, end = batch.entities.span.unbind(1)                                      # (E,) each
        length = end - start
        first = length.cumsum(0) - length                                               # (E,) the entity's first token among those of all
        entity = torch.arange(len(length), device=length.device).repeat_interleave(length)
        position = start[entity] + torch.arange(len(entity), device=length.device) - first[entity]
        row = batch.first[batch.entities.sentence[entity]] + position
        means = F.embedding_bag(row, words.contiguous(), first, mode="mean")            # (E, word_size)
        return torch.tanh(self.ask(torch.cat([means[batch.pairs.head], means[batch.pairs.tail]], dim=1)))

    def _chunks(self, order: Tensor, lengths: Tensor) -> Sequence[Tensor]:
        """The pairs, longest sentence first; in prediction a bounded number of tokens at once (a single pair may have more)."""
        if torch.is_grad_enabled() or not len(order):
            return [order]
        number = (lengths[order].cumsum(0) - 1) // TOKENS_AT_ONCE                       # (P,)
        return torch.split(order, [count for count in torch.bincount(number.cpu()).tolist() if count])
