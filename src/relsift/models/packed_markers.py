"""Typed markers for all pairs of a sentence in one pass of a transformer.

Sources: "levitated" markers of Zhong & Chen, NAACL 2021 (PURE, approximation), which see the text and one another while the text sees
only itself. One group for both directions, and the scores of forward and inverse relations, are after Ye et al., ACL 2022 (PL-Marker).
A group stands for an *unordered* pair: markers before and after its first entity A and its second one B, in text order, each at the
position of the piece beside it, each with a vector of the entity's type. The text carries the BIO tags of all entities.
Differs from the sources: type vectors start from the names of the types. Distance and the pair of types are given to the last layers. The
loss has a threshold of its own for each pair (ATLOP) instead of a class "none".
Letters: S sentences, W windows, U pieces of the longest, M pieces of all sentences, G groups, Q = 4 markers, P pairs, H states of the
transformer, E size of its embeddings, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from relsift.encoders.huggingface import HuggingFaceEncoder, read_subwords
from relsift.encoding.batch import Batch, Subwords
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.errors import ConfigError, require
from relsift.layers.distance_buckets import BUCKETS, bucket, tokens_between
from relsift.layers.packed_attention import TextStates, read_markers, read_text
from relsift.layers.recompute import recomputed
from relsift.layers.relation_classifier import Classification, PairScores
from relsift.layers.text_windows import entity_pieces, marker_places, piece_rows
from relsift.layers.transformer_layers import opened
from relsift.layers.type_markers import MARKERS, SPREAD, PieceTags, TypeMarkers
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import ClassifierModel, PairClassifierConfig

# Groups that run through the transformer at once: bounds the memory of a sentence of hundreds of entities.
GROUPS_AT_ONCE = 1024  # in prediction
GROUPS_KEPT = 256  # in training; of a batch with more, only the result of each chunk is kept, and the backward pass computes the rest again


@dataclass(frozen=True, kw_only=True)
class PackedMarkersConfig(PairClassifierConfig):
    """Options of the markers and of the layers behind the transformer."""

    encoder: Literal["huggingface"] = "huggingface"
    classification: Classification = "atloss"
    identification: bool = True
    tag_dropout: float = 0.1  # share of sentences that training shows without tags
    marker_layers: int = 0  # so many of the last layers run the markers; 0: all
    distance_size: int = 32
    type_size: int = 64  # of the vector of the pair of types; 0: none
    hidden: int = 512
    dropout: float = 0.1  # of the pair's vector and of the hidden layer

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = "none: this model reads the states of its markers, not those of tokens"
        require(not self.encoder_options, "model.encoder_options", expected=expected, got=self.encoder_options)
        sizes = (self.distance_size, self.hidden)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        require(min(self.type_size, self.marker_layers) >= 0, "model.type_size, model.marker_layers", expected="numbers >= 0", got=self)
        self.require_shares("tag_dropout", "dropout")

    @classmethod
    def tiny(cls) -> PackedMarkersConfig:
        return cls(distance_size=3, type_size=3, hidden=8, dropout=0.0, tag_dropout=0.0)


class Groups(NamedTuple):
    """Unordered pairs, each once, and where each candidate pair finds its scores."""

    first: Tensor  # (G,) rows of the entity tensors: the entity that comes first in the text
    second: Tensor  # (G,)
    of_pair: Tensor  # (P,) the group of each pair
    inverse: Tensor  # (P,) bool: its head is the second entity


class GroupScores(NamedTuple):
    """The output of the model."""

    of_groups: PairScores  # over 2K columns: relations from first to second, then from second to first
    groups: Groups


_TRAINING = {
    "optimiser": "adamw", "learning_rate": 1e-3, "encoder_learning_rate": 1e-4, "schedule": "linear", "warmup": 0.1, "weight_decay": 0.01,
    "gradient_clip": 1.0, "batch_pairs": 64, "batch_tokens": 4096, "epochs": 15, "patience": 15, "ema": 0.999,
    "freeze_embeddings": True, "loss_weights": {"identification": 0.5},
}  # fmt: skip


class PackedMarkers(ClassifierModel[GroupScores]):
    config: PackedMarkersConfig
    Config = PackedMarkersConfig
    READS = frozenset({"subwords", "tags", "types", "spans"})
    SUMMARY = "transformer with typed markers of all pairs in one pass a sentence (after Zhong & Chen 2021 and Ye et al. 2022)"
    PRESETS: ClassVar = {"paper": Preset("no source: values chosen on development data", {}, _TRAINING)}

    def __init__(self, config: PackedMarkersConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        if encoding.tags is None or encoding.subwords is None:
            raise ConfigError(f"packed_markers: expected an encoding of subwords and tags, got one of {', '.join(sorted(encoding.reads))}")
        self.embed = HuggingFaceEncoder(encoding, word_size=0, tag_size=None)
        parts = opened(self.embed.transformer, "packed_markers")
        layers = len(parts.layers)
        expected = f"at most {layers}, the layers of the encoder"
        require(config.marker_layers <= layers, "model.marker_layers", expected=expected, got=config.marker_layers)
        self.marker_layers = config.marker_layers or layers
        width, size = parts.words.embedding_dim, self.embed.word_size                   # E, H
        self.markers = TypeMarkers(encoding, width)
        self.tags = PieceTags(encoding, width, config.tag_dropout) if config.tags else None
        self.num_types = len(encoding.types.names) + 1                                  # number 0: a type that training did not have
        self.norm = nn.LayerNorm(MARKERS * size + size)
        self.distances = nn.Embedding(BUCKETS, config.distance_size)
        self.type_pairs = nn.Embedding(self.num_types**2, config.type_size) if config.type_size else None
        self.dropout = nn.Dropout(config.dropout)
        self.trunk = nn.Sequential(nn.Linear(MARKERS * size + size + config.distance_size + config.type_size, config.hidden), nn.GELU())
        self.classifier = self.make_classifier(config.hidden, 2 * len(encoding.labels))
        for table in (self.distances, self.type_pairs):
            if table is not None:
                nn.init.normal_(table.weight, std=SPREAD)

    @property
    def encoder(self) -> HuggingFaceEncoder:
        return self.embed

    def start_from_encoder(self) -> None:
        """Give each type the mean vector of the pieces of its name."""
        self.markers.start_from(opened(self.embed.transformer, "packed_markers").words.weight)

    def notes(self, examples: Sequence[Example]) -> list[str]:
        lost = 0 if self.several_labels(self.config) else sum(map(_second_directions, examples))
        if not lost:
            return []
        return [
            f"{lost} pairs of training entities are related in both directions: model.classification={self.config.classification} learns "
            "one relation of two entities, atloss or multilabel_cross_entropy all of them"
        ]

    def forward(self, batch: Batch) -> GroupScores:
        subwords, groups = read_subwords(batch), groups_of(batch)
        text = self._text(batch, subwords)
        training = torch.is_grad_enabled()
        size = GROUPS_KEPT if training else GROUPS_AT_ONCE
        starts = range(0, max(1, len(groups.first)), size)

        def run(first: Tensor, second: Tensor, *states: Tensor) -> Tensor:
            read = TextStates(list(zip(states[::2], states[1::2])), text.real)
            h: Tensor = self.dropout(self.trunk(self.dropout(self._vectors(batch, subwords, read, first, second))))
            return h

        states = [each for layer in text.layers for each in layer]
        chunks = [(groups.first[start : start + size], groups.second[start : start + size], *states) for start in starts]
        again = training and len(chunks) > 1
        h = torch.cat([recomputed(run, *chunk) if again else run(*chunk) for chunk in chunks])  # (G, hidden)
        return GroupScores(self.classifier(h), groups)

    def _text(self, batch: Batch, subwords: Subwords) -> TextStates:
        parts = opened(self.embed.transformer, "packed_markers")
        words = parts.words(subwords.ids)                                               # (W, U, E)
        if self.tags is not None and batch.tags is not None:
            vectors = self.tags(batch.tags[batch.mask], subwords.token, subwords.counts)  # (M, E)
            words = words + vectors[piece_rows(subwords).clamp(min=0)] * ~subwords.special[:, :, None]
        return read_text(parts, words, subwords.real, marker_layers=self.marker_layers, training=self.embed.training)

    def _vectors(self, batch: Batch, subwords: Subwords, text: TextStates, first: Tensor, second: Tensor) -> Tensor:
        """(G, 5H + …): the vector of each group. Args: first, second: (G,) rows of the entity tensors."""
        parts = opened(self.embed.transformer, "packed_markers")
        low, high = entity_pieces(batch, subwords)                                      # (E,) each
        entities = torch.stack([first, first, second, second], dim=1)                   # (G, Q)
        piece = torch.where(torch.arange(MARKERS, device=low.device) % 2 == 0, low[entities], high[entities])
        window, position = marker_places(subwords, batch.entities.sentence[first], piece)
        words = self.markers(batch.entities.type[entities], torch.arange(MARKERS, device=low.device).expand_as(entities))  # (G, Q, E)
        states = read_markers(parts, text, words, window, position, training=self.embed.training)
        a, b = states[:, 0], states[:, 2]                                               # (G, H)
        vectors = [self.norm(torch.cat([states.flatten(1), a * b], dim=1)), self.distances(bucket(tokens_between(batch, first, second)))]
        if self.type_pairs is not None:
            kind = batch.entities.type + 1                                              # (E,)
            vectors.append(self.type_pairs(kind[first] * self.num_types + kind[second]))
        return torch.cat(vectors, dim=1)

    def loss(self, output: GroupScores, batch: Batch) -> dict[str, Tensor]:
        return self.classifier.loss(output.of_groups, labels_of(output.groups, batch.pairs.labels))

    def classified_labels(self, batch: Batch) -> Tensor:
        """(G, 2K)"""
        return labels_of(groups_of(batch), batch.pairs.labels)

    def scores(self, output: GroupScores) -> Tensor:
        groups, both = output.groups, self.classifier.predicted(output.of_groups)[output.groups.of_pair]  # (P, 2K)
        relations = both.shape[1] // 2
        return torch.where(groups.inverse[:, None], both[:, relations:], both[:, :relations])


def groups_of(batch: Batch) -> Groups:
    """The unordered pairs of a batch's candidates."""
    head, tail, count = batch.pairs.head, batch.pairs.tail, max(1, len(batch.entities))
    span = batch.entities.span                                                          # (E, 2)
    place = span[:, 0] * (span.max() + 1 if len(span) else 1) + span[:, 1]              # (E,)  rises in text order
    inverse = (place[head] > place[tail]) | ((place[head] == place[tail]) & (head > tail))  # (P,)
    key = torch.where(inverse, tail * count + head, head * count + tail)
    keys, of_pair = torch.unique(key, return_inverse=True)                              # (G,), (P,)
    return Groups(keys // count, keys % count, of_pair, inverse)


def labels_of(groups: Groups, labels: Tensor) -> Tensor:
    """(G, 2K) bool: relations from first to second, then from second to first. Args: labels: (P, K) of the pairs."""
    relations = labels.shape[1]
    of_groups = torch.zeros(len(groups.first), 2 * relations, dtype=torch.bool, device=labels.device)
    pair, column = labels.nonzero(as_tuple=True)
    of_groups[groups.of_pair[pair], column + relations * groups.inverse[pair]] = True
    return of_groups


def _second_directions(example: Example) -> int:
    """How many pairs of entities are related in both directions."""
    related = {(example.heads[pair], example.tails[pair]) for pair, _ in example.labels}
    return sum(head < tail and (tail, head) in related for head, tail in related)
