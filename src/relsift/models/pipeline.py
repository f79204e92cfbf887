"""A tagger, and behind it any model of pairs: the entities that the tagger finds are related as annotated ones are.

The tagger classifies each token from the features of an encoder, and a CRF makes a sequence of BIO tags of that. The model of pairs has
an encoder of its own and sees the found entities as tags and types, in training the annotated ones. No weight that is trained is shared:
Zhong & Chen (NAACL 2021) found two encoders better than one. Both parts are trained in one run, each with its own losses. On a
transformer that is not trained (`relation_preset` frozen) both read its states, which are computed once.
Sources: Lample et al., NAACL 2016, for the tagger; Zhong & Chen, NAACL 2021 (PURE), for two parts that share nothing.
Letters: S sentences, T tokens of the longest, N real tokens of all sentences, H states of the transformer, D token features, C tags, P
pairs, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from relsift.config import AUTO, AUTO_WITH_ENCODER, AUTO_WITHOUT, TRANSFORMER
from relsift.encoders.base import TokenEncoder, encoder_reads, make_encoder, side_by_side
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.errors import ConfigError, require
from relsift.layers.bio import allowed_transitions, entities_of, entity_log_odds, num_tags, tags_of, taught
from relsift.layers.crf import CRF
from relsift.losses.base import full_precision
from relsift.models.base.joint_model import Found, JointModel
from relsift.models.base.model import ModelConfig, Preset, RelationModel
from relsift.registry import find


@dataclass(frozen=True, kw_only=True)
class PipelineConfig(ModelConfig):
    """Options of the tagger, and which model relates the entities."""

    encoder: str = "bilstm"  # of the tagger
    encoder_options: dict[str, Any] = field(default_factory=dict)
    word_size: int = 100  # of an encoder with a table of words
    hidden: int = 128
    dropout: float = 0.3  # share dropped of the token features and of the hidden units
    relations: str = AUTO  # model of pairs; auto: packed_markers where the tagger reads a transformer, else bilstm_pcnn
    relation_preset: str | None = "paper"  # options of that model, by the name of one of its presets
    relation_options: dict[str, Any] = field(default_factory=dict)  # further ones

    def __post_init__(self) -> None:
        find("encoder", self.encoder).Options.from_dict(self.encoder_options)
        sizes = (self.word_size, self.hidden)
        require(min(sizes) >= 1, "model.word_size, model.hidden", expected="numbers >= 1", got=sizes)
        require(0 <= self.dropout < 1, "model.dropout", expected="a number in [0, 1)", got=self.dropout)
        architecture = self.architecture
        by_sentence = architecture.UNIT == "sentence" and "trees" not in architecture.READS
        expected = "a model of pairs that reads no dependency trees, and words that do not depend on the pair"
        require(by_sentence and not issubclass(architecture, JointModel), "model.relations", expected=expected, got=self.relations)
        expected = f"one of null, {', '.join(architecture.PRESETS)}"
        is_known = self.relation_preset is None or self.relation_preset in architecture.PRESETS
        require(is_known, "model.relation_preset", expected=expected, got=self.relation_preset)
        try:
            self.config_of_relations()
        except ConfigError as error:
            raise ConfigError(f"model.relation_options: {error}") from error

    @property
    def architecture(self) -> type[RelationModel[Any]]:
        """The class of the model of pairs."""
        chosen = AUTO_WITH_ENCODER if self.encoder == TRANSFORMER else AUTO_WITHOUT
        try:
            architecture: type[RelationModel[Any]] = find("model", chosen if self.relations == AUTO else self.relations)
        except ConfigError as error:
            expected = "auto or the name of a model of pairs, such as bilstm_pcnn (`relsift models`)"
            raise ConfigError(f"model.relations: expected {expected}, got {self.relations!r}") from error
        return architecture

    def config_of_relations(self) -> Any:
        preset = {} if self.relation_preset is None else self.architecture.PRESETS[self.relation_preset].model
        return self.architecture.Config.from_dict({**preset, **self.relation_options})

    @classmethod
    def tiny(cls) -> PipelineConfig:
        options = {"units": 4, "character_size": 3, "character_filters": 4, "case_size": 2, "dropout": 0.0}
        relations = find("model", AUTO_WITHOUT).Config.tiny().to_dict()
        return cls(
            encoder_options=options, word_size=6, hidden=8, dropout=0.0, relations=AUTO_WITHOUT, relation_preset=None,
            relation_options=relations,
        )  # fmt: skip


class PipelineStates(NamedTuple):
    """What the tagger made of the text."""

    emissions: Tensor  # (S, T, C)
    base: Tensor | None  # (N, H) states of a transformer that both parts share


class PipelineOutput(NamedTuple):
    """The states, and the output of the model of pairs; None for a batch without pairs."""

    states: PipelineStates
    relations: Any


_TRAINING = {
    "optimiser": "adamw", "learning_rate": 1e-3, "schedule": "linear", "weight_decay": 0.01, "gradient_clip": 1.0, "batch_pairs": 64,
    "epochs": 15, "patience": 15, "unknown_rate": 0.3, "word_dropout": 0.1, "ema": 0.99,
}  # fmt: skip
_LOOKS = {"character_filters": 32, "case_size": 8}  # small transformers often read lower case alone, and names are capitalised
_ON_FROZEN = {"encoder": TRANSFORMER, "encoder_options": {"last_layers": 0, "units": 96, "dropout": 0.5, **_LOOKS}}
_FROZEN_TRAINING = {
    **_TRAINING, "freeze_encoder": True, "encoder_learning_rate": 1e-4, "freeze_embeddings": True,  # the last two if it is thawed
    "word_dropout": 0.0, "batch_tokens": 4096, "epochs": 20, "patience": 20,
}  # fmt: skip


class Pipeline(JointModel[PipelineStates, PipelineOutput]):
    Config = PipelineConfig
    READS = frozenset({"words", "characters", "tags", "types", "spans"})
    LEARNS_FROM_FOUND = True
    SUMMARY = "joint: a tagger with a CRF, then a model of pairs between the entities that it finds (after Zhong & Chen 2021)"
    PRESETS: ClassVar = {
        "paper": Preset("ours: BiLSTM and bilstm_pcnn, or with --encoder FOLDER a transformer and packed_markers", {}, _TRAINING),
        "frozen": Preset(
            "both parts on a transformer that is not trained (--encoder FOLDER)",
            {**_ON_FROZEN, "relations": AUTO_WITHOUT, "relation_preset": "frozen"}, _FROZEN_TRAINING,
        ),
    }  # fmt: skip

    config: PipelineConfig

    def __init__(self, config: PipelineConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        c = config
        self.embed = make_encoder(c.encoder, encoding, c.encoder_options, word_size=c.word_size, tag_size=None)
        types = len(encoding.types.names)
        tags = num_tags(types)                                                          # C
        self.tagger = nn.Sequential(
            nn.Dropout(c.dropout), nn.Linear(self.embed.size, c.hidden), nn.GELU(), nn.Dropout(c.dropout), nn.Linear(c.hidden, tags)
        )
        self.crf = CRF(tags, allowed_transitions(types))
        self.relations = c.architecture(c.config_of_relations(), encoding)
        self.shared = self._share()

    def _share(self) -> HuggingFaceEncoder | None:
        """Give the model of pairs the tagger's transformer, if both read it untrained and alike; returns its encoder then."""
        other = self.relations.encoder
        both = isinstance(self.embed, HuggingFaceEncoder) and isinstance(other, HuggingFaceEncoder)
        if self.config.relation_preset != "frozen" or not both:
            return None
        assert isinstance(self.embed, HuggingFaceEncoder) and isinstance(other, HuggingFaceEncoder)
        if (other.options.pooling, other.last_layers) != (self.embed.options.pooling, self.embed.last_layers):
            return None
        other.transformer = self.embed.transformer
        return other

    @classmethod
    def reads(cls, config: PipelineConfig) -> frozenset[Input]:
        own = encoder_reads(config.encoder, config.encoder_options)
        return own | config.architecture.reads(config.config_of_relations()) | {"types", "spans"}

    @classmethod
    def several_labels(cls, config: PipelineConfig) -> bool:
        return config.architecture.several_labels(config.config_of_relations())

    @property
    def paper_threshold(self) -> float:
        return self.relations.paper_threshold

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    @property
    def encoders(self) -> tuple[TokenEncoder, ...]:
        return (self.embed, *self.relations.encoders)

    def start_from_encoder(self) -> None:
        start = getattr(self.relations, "start_from_encoder", None)
        if start is not None:
            start()

    def notes(self, examples: Sequence[Example]) -> list[str]:
        lost = sum(sum(kind >= 0 for kind in e.types) - len(taught(e.spans, e.types)) for e in examples)
        overlaps = (
            f"{lost} training entities overlap another one that is longer or stands first: the tagger gives a token one tag, and does not "
            "learn to find them"
        )
        return [*([overlaps] if lost else []), *self.relations.notes(examples)]

    def cut_pairs(self, examples: Sequence[Example]) -> int:
        return self.relations.cut_pairs(examples)

    def limit_cache(self, megabytes: float) -> None:
        self.relations.limit_cache(megabytes)

    def classified_labels(self, batch: Batch) -> Tensor:
        return self.relations.classified_labels(batch)

    def constrain(self) -> None:
        self.relations.constrain()

    def read(self, batch: Batch) -> PipelineStates:
        base = None
        if self.shared is not None:
            assert isinstance(self.embed, HuggingFaceEncoder)
            base = self.embed.base(batch)                                               # (N, H)
            features = self.embed.above(base, batch)                                    # (N, D)
        else:
            features = self.embed.features(batch)                                       # (N, D)
        emissions = full_precision(self.tagger(features))                               # (N, C)
        return PipelineStates(side_by_side(emissions, batch.mask), base)

    def find(self, states: PipelineStates, batch: Batch) -> Found:
        entities = entities_of(self.crf.best(states.emissions, batch.lengths), batch.lengths)
        return Found(entities, entity_log_odds(self.crf, states.emissions, batch.lengths, entities))

    def relate(self, states: PipelineStates, batch: Batch) -> PipelineOutput:
        if not len(batch.pairs):
            return PipelineOutput(states, None)
        if self.shared is None:
            return PipelineOutput(states, self.relations(batch))
        self.shared.given = states.base
        try:
            return PipelineOutput(states, self.relations(batch))
        finally:
            self.shared.given = None

    def loss(self, output: PipelineOutput, batch: Batch) -> dict[str, Tensor]:
        """The tagger's loss is a mean over tokens, of the sentences whose entities are annotated."""
        of_sentences = self.crf.negative_log_likelihood(output.states.emissions, tags_of(batch), batch.lengths)  # (S,)
        learned = torch.ones_like(batch.mask[:, 0]) if batch.annotated is None else batch.annotated              # (S,)
        parts = {"entities": of_sentences[learned].sum() / batch.lengths[learned].sum().clamp(min=1)}
        return parts if output.relations is None else parts | self.relations.loss(output.relations, batch)

    def scores(self, output: PipelineOutput) -> Tensor:
        return self.relations.scores(output.relations)
