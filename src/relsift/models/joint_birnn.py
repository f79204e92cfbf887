"""Shared and task-specific BiRNNs: a CRF finds the entities, pairs of their last tokens are scored for every relation.

Source: Crone, "Deeper task-specificity improves joint entity and relation extraction", arXiv:2002.06424, 2020.
A sentence goes through shared BiRNN layers, then through further ones of each task:
    entities    feed-forward layer, BIO tags, linear-chain CRF
    relations   an entity is the state of its last token ++ an embedding of its type; a pair is both entities, made small, their cosine,
                and one bilinear form a relation (DistMult)
Types are those of the batch's entities: annotated ones in training, found ones in prediction.
Differs from the source:
- Its tokens are ELMo ++ GloVe ++ characters ++ case, ours those of any encoder ++ characters ++ case. Case has eight kinds, not seven.
- Its loss runs over all ordered pairs, ours over the candidate pairs of the batch (all of them with `direction=directed` and without the
  type filter).
- The CRF never allows an I without its B.
Not known and chosen here: 256 units are those of one direction, 32 character features those of both, initial weights, and that the CRF's
loss is a mean over sentences.
Letters: S sentences, T tokens of the longest, N real tokens of all, E entities, P pairs, K relation types, C tags, I token features,
D states of a layer, G features of an entity, F of an entity made small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.config import TRANSFORMER
from relsift.encoders.base import TokenEncoder, encoder_reads, make_encoder, side_by_side
from relsift.encoding.batch import Batch, Characters
from relsift.encoding.characters import CASES
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.errors import ConfigError, ShapeError, require
from relsift.layers.between import NUM_ENTITIES, NUM_TOKENS, between
from relsift.layers.bio import allowed_transitions, entities_of, entity_log_odds, num_tags, tags_of, taught
from relsift.layers.birnn import BiRNN, Cell, CharacterBiRNN
from relsift.layers.crf import CRF
from relsift.layers.initialise import EMBEDDING_BOUND, initialise_for_tanh
from relsift.layers.relation_classifier import Classification, PairScores
from relsift.layers.spans import RangeMaxima, range_maxima, stretch_between
from relsift.models.base.joint_model import Found, JointModel
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import ClassifierModel, PairClassifierConfig

MOST_LAYERS = 4  # of each kind; the source has up to 3, and four shared ones are as many as its own settings have together


@dataclass(frozen=True, kw_only=True)
class JointBiRNNConfig(PairClassifierConfig):
    """The defaults are the source's settings for CoNLL04; the last four options are ours."""

    tags: bool = False  # there is no tag input: the entities are to be found
    classification: Classification = "binary_cross_entropy"
    cell: Cell = "gru"
    units: int = 256  # of a direction, in every layer
    shared_layers: int = 1
    ner_layers: int = 1  # behind the shared ones, for entities
    re_layers: int = 2  # behind the shared ones, for relations
    word_size: int = 300
    character_size: int = 25
    character_units: int = 16  # of a direction of a BiRNN over the characters of a word; 0: not read
    case: bool = True  # whether a word's case is read, one number for each of CASES
    label_size: int = 25  # of an entity's type
    ner_hidden: int = 32
    re_hidden: int = 128  # F, and units of the last hidden layer
    dropout: float = 0.35  # share dropped of what every BiRNN layer reads
    re_dropout: float = 0.5  # of the features of an entity, and of those that a pair has beside them
    threshold: float = log(0.9 / 0.1)  # log-odds from which on the source takes a relation: a probability of 0.9
    spans: bool = False  # maxima of the states over an entity beside that of its last token
    context: bool = False  # maxima of the states over the tokens between the two entities
    type_size: int = 0  # of a pair of entity types; 0: not read
    between_size: int = 0  # of the number of tokens between the two entities, and of entities there; 0: not read

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.tags, "model.tags", expected="false: this model finds the entities and reads no tags of them", got=self.tags)
        self.require_shares("dropout", "re_dropout")
        for name in ("shared_layers", "ner_layers", "re_layers"):
            expected = f"a number from 0 to {MOST_LAYERS}"
            require(0 <= getattr(self, name) <= MOST_LAYERS, f"model.{name}", expected=expected, got=getattr(self, name))
        for name in ("units", "word_size", "character_size", "label_size", "ner_hidden", "re_hidden"):
            require(getattr(self, name) >= 1, f"model.{name}", expected="a number >= 1", got=getattr(self, name))
        for name in ("character_units", "type_size", "between_size"):
            require(getattr(self, name) >= 0, f"model.{name}", expected="a number >= 0", got=getattr(self, name))

    @classmethod
    def tiny(cls) -> JointBiRNNConfig:
        return cls(
            units=6, re_layers=1, word_size=6, character_size=3, character_units=2, label_size=3, ner_hidden=4, re_hidden=12, dropout=0.0,
            re_dropout=0.0, threshold=0.0, spans=True, context=True, type_size=3, between_size=2,
        )  # fmt: skip


class States(NamedTuple):
    """What the model makes of the text."""

    emissions: Tensor  # (S, T, C) scores of the tags
    relations: Tensor  # (N, D) states of the tokens, for relations


class JointScores(NamedTuple):
    """The output of the model."""

    pairs: PairScores
    emissions: Tensor  # (S, T, C)


_PAPER_TRAINING = {
    "optimiser": "adam", "learning_rate": 5e-4, "gradient_clip": 1.0, "batch_sentences": 2, "batch_pairs": 4096, "epochs": 30,
    "patience": 10, "unknown_rate": 0.3, "loss_weights": {"relations": 5.0},
}  # fmt: skip
_OURS = {
    "classification": "atloss", "identification": True, "threshold": 0.0, "cell": "lstm", "units": 128, "character_units": 0, "case": False,
    "re_layers": 1, "spans": True, "context": True, "type_size": 50, "between_size": 20, "re_hidden": 256, "ner_hidden": 128,
}  # fmt: skip
# The encoder `bilstm` has characters and case of its own, and is the shared layer.
_TUNED = {**_OURS, "encoder": "bilstm", "encoder_options": {"units": 128}, "shared_layers": 0, "word_size": 100}
_TUNED_TRAINING = {
    "optimiser": "adamw", "learning_rate": 1e-3, "schedule": "linear", "weight_decay": 0.01, "gradient_clip": 1.0, "batch_sentences": 16,
    "batch_pairs": 4096, "epochs": 30, "patience": 30, "unknown_rate": 0.3, "word_dropout": 0.1, "ema": 0.99,
    "loss_weights": {"identification": 0.5},
}  # fmt: skip
_ON_FROZEN = {**_OURS, "encoder": TRANSFORMER, "encoder_options": {"last_layers": 0, "character_filters": 32, "case_size": 8}}
_FROZEN_TRAINING = {
    **_TUNED_TRAINING, "freeze_encoder": True, "encoder_learning_rate": 1e-4, "freeze_embeddings": True,  # the last two if it is thawed
    "word_dropout": 0.0, "batch_tokens": 4096,
}  # fmt: skip


class JointBiRNN(ClassifierModel[JointScores], JointModel[States, JointScores]):
    config: JointBiRNNConfig
    Config = JointBiRNNConfig
    READS = frozenset({"words", "characters", "types", "spans"})
    SUMMARY = "joint: BiRNN layers for both tasks and for each, a CRF for entities, pairs of last tokens (Crone 2020)"
    PRESETS: ClassVar = {
        "paper": Preset("Crone 2020, settings for CoNLL04", {}, _PAPER_TRAINING),
        "tuned": Preset("LSTMs, more features of a pair, adaptive threshold, AdamW", _TUNED, _TUNED_TRAINING),
        "frozen": Preset("the same on a transformer that is not trained (--encoder FOLDER)", _ON_FROZEN, _FROZEN_TRAINING),
    }

    def __init__(self, config: JointBiRNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        c, types, relations = config, len(encoding.types.names), len(encoding.labels)
        self.embed = make_encoder(c.encoder, encoding, c.encoder_options, word_size=c.word_size, tag_size=None)
        self.characters = None
        if c.character_units:
            if encoding.characters is None:
                got = ", ".join(sorted(encoding.reads))
                raise ConfigError(f"joint_birnn: expected an encoding of characters for model.character_units, got one of {got}")
            self.characters = CharacterBiRNN(encoding.characters.num_rows, c.cell, c.character_size, c.character_units)
        size = self.embed.size + 2 * c.character_units + len(CASES) * c.case            # I
        self.shared, size = self._layers(c.shared_layers, size)
        self.ner, ner_size = self._layers(c.ner_layers, size)
        self.re, re_size = self._layers(c.re_layers, size)
        self.drop = nn.Dropout(c.dropout)
        self.tag = nn.Sequential(nn.Linear(ner_size, c.ner_hidden), nn.Tanh(), nn.Linear(c.ner_hidden, num_tags(types)))
        self.crf = CRF(num_tags(types), allowed_transitions(types))
        self.num_types = types + 1                                                      # the last one: a type that training did not have
        self.labels = nn.Embedding(self.num_types, c.label_size)
        entity_size = re_size * (1 + c.spans) + c.label_size                            # G
        self.drop_features = nn.Dropout(c.re_dropout)
        self.narrow = nn.Sequential(nn.Linear(entity_size, c.re_hidden), nn.ReLU())
        self.product = nn.Linear(entity_size, relations, bias=False)                    # its row of a relation is the diagonal of DistMult
        self.type_pairs = nn.Embedding(self.num_types**2, c.type_size) if c.type_size else None
        self.tokens_between = nn.Embedding(NUM_TOKENS, c.between_size) if c.between_size else None
        self.entities_between = nn.Embedding(NUM_ENTITIES, c.between_size) if c.between_size else None
        pair_size = 2 * c.re_hidden + 1 + relations + re_size * c.context + c.type_size + 2 * c.between_size
        self.trunk = nn.Sequential(nn.Linear(pair_size, c.re_hidden), nn.ReLU())
        self.classifier = self.make_classifier(c.re_hidden, relations)
        initialise_for_tanh(self, EMBEDDING_BOUND)

    def _layers(self, count: int, size: int) -> tuple[nn.ModuleList, int]:
        """`count` BiRNN layers on features of this size, and the size of what the last one gives."""
        sizes = [size, *[2 * self.config.units] * count]
        return nn.ModuleList(BiRNN(self.config.cell, below, self.config.units) for below in sizes[:-1]), sizes[-1]

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        own: set[Input] = {"characters"} if config.character_units or config.case else set()
        return cls.READS - {"words", "characters"} | encoder_reads(config.encoder, config.encoder_options) | own

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    @property
    def paper_threshold(self) -> float:
        return super().paper_threshold if self.config.identification_at_prediction == "product" else self.config.threshold

    def notes(self, examples: Sequence[Example]) -> list[str]:
        lost = sum(sum(kind >= 0 for kind in e.types) - len(taught(e.spans, e.types)) for e in examples)
        if not lost:
            return []
        return [
            f"{lost} training entities overlap another one that is longer or stands first: a token has one tag, so the model does not "
            "learn to find them; it learns the relations of their pairs"
        ]

    def read(self, batch: Batch) -> States:
        shared = self._through(self.shared, self._tokens(batch), batch)                 # (N, D)
        tags = self.tag(self._through(self.ner, shared, batch))                         # (N, C)
        return States(side_by_side(tags, batch.mask), self._through(self.re, shared, batch))

    def _tokens(self, batch: Batch) -> Tensor:
        """(N, I): the features of the encoder ++ characters ++ case."""
        parts = [self.embed.features(batch)]
        if self.characters is not None:
            parts.append(F.embedding(_looks(batch).place, self.characters(_looks(batch).ids)))  # once for each different word
        if self.config.case:
            parts.append(F.one_hot(_looks(batch).case[_looks(batch).place], len(CASES)).to(parts[0].dtype))
        return torch.cat(parts, dim=1)

    def _through(self, layers: nn.ModuleList, x: Tensor, batch: Batch) -> Tensor:
        """(N, features) -> (N, D)"""
        for layer in layers:
            x = layer(self.drop(x), batch.lengths)
        return x

    def find(self, states: States, batch: Batch) -> Found:
        entities = entities_of(self.crf.best(states.emissions, batch.lengths), batch.lengths)
        return Found(entities, entity_log_odds(self.crf, states.emissions, batch.lengths, entities))

    def relate(self, states: States, batch: Batch) -> JointScores:
        rows, head, tail = states.relations, batch.pairs.head, batch.pairs.tail         # (N, D), (P,), (P,)
        maxima = range_maxima(rows, batch.num_tokens) if self.config.spans or self.config.context else None
        entities = self._entities(rows, maxima, batch)                                  # (E, G)
        small = self.narrow(entities)                                                   # (E, F)
        heads, tails = F.embedding(head, small), F.embedding(tail, small)               # (P, F)
        product = F.embedding(head, entities) * F.embedding(tail, entities)             # (P, G)
        parts = [heads, tails, F.cosine_similarity(heads, tails)[:, None], self.product(product)]
        parts += [self.drop_features(part) for part in self._beside(maxima, batch)]
        return JointScores(self.classifier(self.trunk(torch.cat(parts, dim=1))), states.emissions)

    def _entities(self, rows: Tensor, maxima: RangeMaxima | None, batch: Batch) -> Tensor:
        """(E, G): the state of an entity's last token, the maxima over all of its tokens, its type."""
        start, end = _rows(batch).unbind(1)                                             # (E,)
        parts = [F.embedding(end - 1, rows)]
        if self.config.spans and maxima is not None:
            parts.append(maxima.over(start, end))
        parts.append(self.labels(self._kind(batch)))
        entities: Tensor = self.drop_features(torch.cat(parts, dim=1))
        return entities

    def _kind(self, batch: Batch) -> Tensor:
        """(E,) rows of the table of types."""
        return batch.entities.type.where(batch.entities.type >= 0, self.num_types - 1)

    def _beside(self, maxima: RangeMaxima | None, batch: Batch) -> list[Tensor]:
        """(P, …) each: the features of a pair that are not those of its two entities."""
        head, tail, parts = batch.pairs.head, batch.pairs.tail, []
        if self.config.context and maxima is not None:
            rows = _rows(batch)
            parts.append(maxima.over(*stretch_between(rows[head], rows[tail])))         # (P, D)
        if self.type_pairs is not None:
            kind = self._kind(batch)
            parts.append(self.type_pairs(kind[head] * self.num_types + kind[tail]))
        if self.tokens_between is not None and self.entities_between is not None:
            places = between(batch)
            parts += [self.tokens_between(places.tokens), self.entities_between(places.entities)]
        return parts

    def loss(self, output: JointScores, batch: Batch) -> dict[str, Tensor]:
        """`entities`: of the CRF, a mean over sentences. `relations`: of the classification. Without pairs the last two are 0."""
        parts = {"entities": self.crf.negative_log_likelihood(output.emissions, tags_of(batch), batch.lengths).mean()}
        if not len(batch.pairs):
            nothing = output.pairs.scores.sum()
            return parts | {"relations": nothing} | ({"identification": nothing} if self.config.identification else {})
        of_pairs = self.classifier.loss(output.pairs, batch.pairs.labels)
        parts["relations"] = torch.stack([loss for name, loss in of_pairs.items() if name != "identification"]).sum()
        return parts | {name: loss for name, loss in of_pairs.items() if name == "identification"}

    def scores(self, output: JointScores) -> Tensor:
        return self.classifier.predicted(output.pairs)


def _rows(batch: Batch) -> Tensor:
    """(E, 2) the entities' spans as rows among the N tokens of all sentences."""
    return batch.first[batch.entities.sentence][:, None] + batch.entities.span


def _looks(batch: Batch) -> Characters:
    """Raises ShapeError for a batch without characters."""
    if batch.characters is None:
        raise ShapeError("batch.characters", expected="the characters that this model reads", got=None)
    return batch.characters
