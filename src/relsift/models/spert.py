"""SpERT: every span of a few tokens is an entity of a type or none, and every pair of entities is classified from three maxima.

Source: Eberts & Ulges, "Span-based joint entity and relation extraction with transformer pre-training", ECAI 2020 (arXiv:1909.07755), and
their code. A span has these features:
    the context vector: the state of [CLS], or the maxima of the token features over the sentence
    the maxima of the token features over its tokens
    a vector of its width
A pair has those of head and tail, without the context, and the maxima over the tokens between the two; zeros if there are none.
In training, spans are the annotated entities and random other ones, drawn anew in each pass; pairs are those of annotated entities. In
prediction, all spans are classified, and the pairs are those of the entities found.
Differs from the source: candidate pairs are those of `relsift.candidates`, so a type filter may leave some out; the AdamW of torch corrects
its bias. By option: any encoder and loss, a hidden layer, entities that do not overlap.
Letters: S sentences, N real tokens of all sentences, X spans, E entities, P pairs, D token features, C of the context vector, F of an
entity, T entity types, K relation types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.config import TRANSFORMER
from relsift.encoders.base import TokenEncoder, make_encoder
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.encoding.batch import Batch, Entities
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.errors import ConfigError, require
from relsift.layers.recompute import in_chunks
from relsift.layers.relation_classifier import Classification, PairScores
from relsift.layers.spans import RangeMaxima, Spans, all_spans, choose, range_maxima, same_as_any, stretch_between, without_overlaps
from relsift.layers.type_markers import SPREAD
from relsift.losses.base import full_precision
from relsift.models.base.joint_model import Found, JointModel
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import ClassifierModel, PairClassifierConfig

# Rows that are classified at once: bounds the memory. In training, only the result of each chunk is kept if there are several.
SPANS_AT_ONCE = 8192
PAIRS_AT_ONCE = 4096
PAPER_THRESHOLD = math.log(0.4 / 0.6)  # the source's probability of 0.4, as log-odds


@dataclass(frozen=True, kw_only=True)
class SpERTConfig(PairClassifierConfig):
    """Options of spans, pairs and what is drawn of them. The defaults are the source's, but for the context vector."""

    encoder: str = TRANSFORMER
    tags: bool = False
    classification: Classification = "binary_cross_entropy"
    word_size: int = 100  # of an encoder with a table of words
    context_vector: Literal["cls", "maximum"] = "maximum"  # cls: the state of the transformer's first piece
    max_width: int = 10  # tokens of a span; wider entities are not found
    width_size: int = 25  # of the vector of a span's width
    negative_spans: int = 100  # spans that are no entity, in training, at most, a sentence; 0: all
    negative_pairs: int = 100  # unrelated pairs likewise; 0: all
    hidden: int = 0  # units before either classifier; 0: none
    dropout: float = 0.1  # share dropped of the features of spans and pairs, and of the hidden units
    overlap: bool = True  # whether entities that are found may overlap; if not, the highest score goes first

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.tags, "model.tags", expected="false: this model finds the entities that tags would show", got=self.tags)
        expected = f"maximum, or the encoder {TRANSFORMER}, which alone has a first piece"
        require(self.context_vector == "maximum" or self.encoder == TRANSFORMER, "model.context_vector", expected=expected, got="cls")
        sizes = {"word_size": 1, "max_width": 1, "width_size": 1, "negative_spans": 0, "negative_pairs": 0, "hidden": 0}
        for name, least in sizes.items():
            require(getattr(self, name) >= least, f"model.{name}", expected=f"a number >= {least}", got=getattr(self, name))
        self.require_shares("dropout")

    @classmethod
    def tiny(cls) -> SpERTConfig:
        return cls(word_size=8, max_width=3, width_size=3, dropout=0.0)


class SpERTStates(NamedTuple):
    """What is read of the text."""

    tokens: Tensor  # (N, D)
    maxima: RangeMaxima  # of the tokens
    context: Tensor  # (S, C)


class SpERTOutput(NamedTuple):
    """Spans are classified by `loss`, which alone needs to know which of them are entities."""

    pairs: PairScores
    states: SpERTStates


_TRAINING = {
    "optimiser": "adamw", "learning_rate": 5e-5, "encoder_learning_rate": 5e-5, "schedule": "linear", "warmup": 0.1, "weight_decay": 0.01,
    "gradient_clip": 1.0, "batch_sentences": 2, "batch_pairs": 4096, "epochs": 20, "patience": 20,
}  # fmt: skip
_TUNED = {
    **_TRAINING, "learning_rate": 1e-3, "encoder_learning_rate": 1e-4, "batch_sentences": 8, "ema": 0.999, "freeze_embeddings": True,
}  # fmt: skip
# Spans train slower than pairs: with equal weights, three points of relation F1 less on CoNLL04's development part.
_FROZEN = {**_TUNED, "freeze_encoder": True, "ema": 0.99, "loss_weights": {"entities": 5.0}}
_MAXIMA = {"encoder_options": {"pooling": "max"}}  # so that the maxima over tokens are those over their pieces
_SMALL = {**_MAXIMA, "hidden": 256}
_LOOKS = {"character_filters": 32, "case_size": 8}  # small transformers often read lower case alone, and names are capitalised
_ON_FROZEN = {"encoder_options": {"last_layers": 0, "units": 96, "dropout": 0.5, **_LOOKS}, "hidden": 256, "dropout": 0.3}


class SpERT(ClassifierModel[SpERTOutput], JointModel[SpERTStates, SpERTOutput]):
    config: SpERTConfig
    Config = SpERTConfig
    READS = frozenset({"words", "types", "spans"})
    SUMMARY = "joint: every span an entity or none, pairs from maxima over both and over what is between (Eberts & Ulges 2020)"
    PRESETS: ClassVar = {
        "paper": Preset("Eberts & Ulges 2020", {**_MAXIMA, "context_vector": "cls"}, _TRAINING),
        "tuned": Preset("for a small transformer: higher rates, a hidden layer", _SMALL, _TUNED),
        "frozen": Preset("on a transformer that is not trained", _ON_FROZEN, _FROZEN),
    }

    def __init__(self, config: SpERTConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        c = config
        self.embed = make_encoder(c.encoder, encoding, c.encoder_options, word_size=c.word_size, tag_size=None)
        subwords = encoding.subwords
        if c.context_vector == "cls" and (subwords is None or not subwords.around[0]):
            raise ConfigError(
                "model.context_vector: expected a tokenizer that puts a piece before the text, for cls, got one that puts none; use maximum"
            )
        self.num_types = len(encoding.types.names)                                      # T
        tokens = self.embed.size                                                        # D
        context = self.embed.word_size if c.context_vector == "cls" else tokens         # C
        self.widths = nn.Embedding(c.max_width + 1, c.width_size)  # the last row: annotated entities that are wider
        self.span_trunk = self._trunk(context + tokens + c.width_size)
        self.pair_trunk = self._trunk(tokens + 2 * self.entity_size)
        self.types = nn.Linear(c.hidden or context + tokens + c.width_size, self.num_types + 1)  # the last column: no entity
        self.pair_size = c.hidden or tokens + 2 * self.entity_size  # of what the classifier of pairs reads
        self.classifier = self.make_classifier(self.pair_size, len(encoding.labels))
        initialise_as_bert(self.widths, self.span_trunk, self.pair_trunk, self.types, self.classifier)

    @property
    def entity_size(self) -> int:
        """F"""
        return self.embed.size + int(self.config.width_size)

    def _trunk(self, size: int) -> nn.Sequential:
        """From (X, size) to what a classifier reads: (X, hidden), or the same without hidden units."""
        hidden, dropout = self.config.hidden, self.config.dropout
        return nn.Sequential(nn.Dropout(dropout), *([nn.Linear(size, hidden), nn.GELU(), nn.Dropout(dropout)] if hidden else []))

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    @property
    def paper_threshold(self) -> float:
        of_source = self.config.classification == "binary_cross_entropy" and self.config.identification_at_prediction != "product"
        return PAPER_THRESHOLD if of_source else super().paper_threshold

    def notes(self, examples: Sequence[Example]) -> list[str]:
        total, most = sum(len(example.spans) for example in examples), self.config.max_width
        wide = sum(end - start > most for example in examples for start, end in example.spans)
        unknown = sum(kind < 0 for example in examples for kind in example.types)
        twice = sum(len(example.spans) - len(set(example.spans)) for example in examples)
        reasons = (
            (wide, f"have more tokens than {most}: the model does not learn to find them (model.max_width)"),
            (unknown, "have a type that the model does not know: it does not learn to find them"),
            (twice, "have the span of another one: the model finds one entity a span"),
        )
        return [f"{count} of {total} training entities {reason}" for count, reason in reasons if count]

    # ---- from text to entities and pairs

    def read(self, batch: Batch) -> SpERTStates:
        context = None
        if self.config.context_vector == "cls":
            assert isinstance(self.embed, HuggingFaceEncoder)
            tokens, context = self.embed.features_and_first(batch)                      # (N, D), (S, C)
        else:
            tokens = self.embed.features(batch)                                         # (N, D)
        maxima = range_maxima(tokens, int(batch.lengths.max()))
        return SpERTStates(tokens, maxima, maxima.over(batch.first, batch.first + batch.lengths) if context is None else context)

    def classified(self, states: SpERTStates, spans: Spans, batch: Batch) -> Tensor:
        """(X, T + 1) float32: logits of the types and of "no entity"; a subclass may have further columns."""
        first = batch.first[spans.sentence]                                             # (X,)

        def run(sentence: Tensor, start: Tensor, end: Tensor, table: Tensor, context: Tensor) -> Tensor:
            maxima = states.maxima._replace(table=table).over(start, end)               # (x, D)
            parts = [F.embedding(sentence, context), maxima, self.width_vectors(end - start)]
            return self.span_outputs(self.span_trunk(torch.cat(parts, dim=1)))

        rows = (spans.sentence, first + spans.start, first + spans.end)
        return full_precision(in_chunks(run, rows, (states.maxima.table, states.context), size=SPANS_AT_ONCE))

    def span_outputs(self, vectors: Tensor) -> Tensor:
        """(X, hidden) -> (X, columns of `classified`)"""
        logits: Tensor = self.types(vectors)
        return logits

    def width_vectors(self, width: Tensor) -> Tensor:
        """(X,) tokens -> (X, width_size)"""
        vectors: Tensor = self.widths(width.clamp(max=self.config.max_width + 1) - 1)
        return vectors

    def find(self, states: SpERTStates, batch: Batch) -> Found:
        spans = all_spans(batch.lengths, self.config.max_width)
        logits = self.classified(states, spans, batch)[:, : self.num_types + 1]         # (X, T + 1)
        value, column = logits.max(dim=1)                                               # (X,)
        score = value - logits.scatter(1, column[:, None], -torch.inf).logsumexp(dim=1)  # (X,)
        found = (column < self.num_types).nonzero().flatten()                           # (E,)
        if not self.config.overlap:
            found = found[without_overlaps(spans.at(found), score[found])]
        entities = spans.at(found)
        return Found(Entities(entities.sentence, torch.stack(entities[1:], dim=1), column[found]), score[found])

    def relate(self, states: SpERTStates, batch: Batch) -> SpERTOutput:
        pairs, span = batch.pairs, batch.entities.span
        features = self.entity_features(states, batch)                                  # (E, F)
        first = batch.first[pairs.sentence]                                             # (P,)
        start, end = stretch_between(span[pairs.head], span[pairs.tail])                # (P,) each

        def run(head: Tensor, tail: Tensor, start: Tensor, end: Tensor, table: Tensor, features: Tensor) -> Tensor:
            between = states.maxima._replace(table=table).over(start, end)              # (p, D)
            parts = [between, F.embedding(head, features), F.embedding(tail, features)]
            scores: PairScores = self.classifier(self.pair_trunk(torch.cat(parts, dim=1)))
            return torch.cat([part for part in scores if part is not None], dim=1)

        rows = (pairs.head, pairs.tail, first + start, first + end)
        joined = in_chunks(run, rows, (states.maxima.table, features), size=PAIRS_AT_ONCE)  # (P, columns of all parts)
        like: PairScores = self.classifier(states.tokens.new_zeros(1, self.pair_size))
        parts = iter(torch.split(joined, [part.shape[1] for part in like if part is not None], dim=1))
        return SpERTOutput(PairScores(*(None if part is None else next(parts) for part in like)), states)  # type: ignore[arg-type]

    def entity_features(self, states: SpERTStates, batch: Batch) -> Tensor:
        """(E, F): what a pair sees of the batch's entities."""
        spans = spans_of(batch)
        first = batch.first[spans.sentence]                                             # (E,)
        maxima = states.maxima.over(first + spans.start, first + spans.end)             # (E, D)
        return torch.cat([maxima, self.width_vectors(spans.width)], dim=1)

    def scores(self, output: SpERTOutput) -> Tensor:
        return self.classifier.predicted(output.pairs)

    # ---- training

    def loss(self, output: SpERTOutput, batch: Batch) -> dict[str, Tensor]:
        entities = spans_of(batch)
        known = (batch.entities.type >= 0) & (entities.width <= self.config.max_width)  # (E,)
        negative = self.negative_spans(batch)
        spans = Spans(*(torch.cat(parts) for parts in zip(entities.at(known), negative)))  # (X,)  those that are taught
        column = F.pad(batch.entities.type[known], (0, len(negative.start)), value=self.num_types)  # (X,)
        rows = self.classified(output.states, spans, batch)
        return self.span_losses(rows, column, spans, batch) | self.pair_losses(output.pairs, batch)

    def negative_spans(self, batch: Batch) -> Spans:
        """Spans that are no annotated entity, drawn anew in each call."""
        others = no_entities(batch, self.config.max_width)
        return others.at(choose(others.sentence, limits(batch, self.config.negative_spans)))

    def span_losses(self, rows: Tensor, column: Tensor, spans: Spans, batch: Batch) -> dict[str, Tensor]:
        """Args: rows: (X, …) as `classified` gives them, of the spans taught. column: (X,) the type of each; T: no entity."""
        loss = F.cross_entropy(rows[:, : self.num_types + 1], column, reduction="sum")
        return {"entities": loss / max(1, len(column))}  # a mean over no spans would be no number

    def pair_losses(self, output: PairScores, batch: Batch) -> dict[str, Tensor]:
        labels, sentence = batch.pairs.labels, batch.pairs.sentence                     # (P, K), (P,)
        taught = labels.any(dim=1)                                                      # (P,)
        unrelated = (~taught).nonzero().flatten()
        taught[unrelated] = choose(sentence[unrelated], limits(batch, self.config.negative_pairs))
        if not len(labels):
            names = (*self.classifier.losses, *(["identification"] if self.config.identification else []))
            return {name: output.scores.sum() for name in names}  # 0
        return self.classifier.loss(PairScores(*(None if part is None else part[taught] for part in output)), labels[taught])  # type: ignore[arg-type]


def spans_of(batch: Batch) -> Spans:
    """The spans of the batch's entities, (E,)."""
    return Spans(batch.entities.sentence, *batch.entities.span.unbind(1))


def no_entities(batch: Batch, max_width: int) -> Spans:
    """All spans of at most `max_width` tokens that are no annotated entity, whatever its type."""
    spans = all_spans(batch.lengths, max_width)
    return spans.at(~same_as_any(spans, spans_of(batch)))


def limits(batch: Batch, most: int) -> Tensor:
    """(S,) so many for each sentence; 0 stands for all."""
    return torch.full_like(batch.lengths, most or torch.iinfo(torch.int64).max)


def initialise_as_bert(*parts: nn.Module) -> None:
    """Small random weights and no biases, as the source takes over from BERT."""
    for part in parts:
        for layer in part.modules():
            if isinstance(layer, (nn.Linear, nn.Embedding)):
                nn.init.normal_(layer.weight, std=SPREAD)
            if isinstance(layer, nn.Linear) and layer.bias is not None:
                nn.init.zeros_(layer.bias)
