"""SpERT.MT: SpERT with further tasks for spans and pairs, and with the entity logits among the features of a pair. Partly a reconstruction.

Source: the SpERT.MT of arXiv:2309.09713, of which no code is published. Known of it are the ideas: several tasks for both classifiers
against their negatives, the overlap with entities (IoU, intersection over union) to teach span boundaries, entity logits for pairs.
Everything below those ideas is ours: the form of each head, its target, and the weights of the losses (1, but in our presets for
identification). So each part has a switch of its own:
    boundary               "is this span an entity?", binary cross-entropy
    iou                    the highest IoU of the span with any annotated entity, smooth L1
    overlapping_negatives  the share of the negative spans that is drawn among those that touch an entity, where most IoUs are above 0
    entity_logits          logits of the types of head and tail for the pair
    identification         "is this pair related?" (see `relsift.losses.identification`)
    tag_loss               BIO tags of the tokens, cross-entropy; not of the source, off by default
Only the types of spans and the relations of pairs are used in prediction; the other heads change what training makes of the encoder.
Letters: those of `relsift.models.spert`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.bio import num_tags, tags_of
from relsift.layers.spans import Spans, best_overlap, choose, touches_any
from relsift.losses.base import full_precision
from relsift.models.base.model import Preset
from relsift.models.spert import SpERT, SpERTConfig, SpERTOutput, SpERTStates, initialise_as_bert, limits, no_entities, spans_of

# With the weight 1 the loss of "related or not", several times as large as the others, takes the layers that all share from the spans:
# on CoNLL04's development part, frozen transformer, entity F1 fell by seven points and relation F1 by ten.
_WEIGHTS = {"identification": 0.1}


def _with_all_parts(name: str, preset: Preset) -> Preset:
    training = preset.training
    if name != "paper":
        training = training | {"loss_weights": training.get("loss_weights", {}) | _WEIGHTS}
    return replace(preset, summary=f"{preset.summary}, with all parts of SpERT.MT", training=training)


@dataclass(frozen=True, kw_only=True)
class SpERTMTConfig(SpERTConfig):
    """Options of SpERT, and a switch for each part."""

    identification: bool = True
    boundary: bool = True
    iou: bool = True
    overlapping_negatives: float = 0.5  # of the negative spans; 0: all are drawn alike
    entity_logits: Literal["none", "detached", "trained"] = "detached"  # detached: pairs do not train the classifier of spans
    tag_loss: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        share = self.overlapping_negatives
        require(0 <= share <= 1, "model.overlapping_negatives", expected="a number in [0, 1]", got=share)


class SpERTMT(SpERT):
    config: SpERTMTConfig
    Config = SpERTMTConfig
    SUMMARY = "joint: spert with further tasks and entity logits for pairs (after SpERT.MT 2023, partly a reconstruction)"
    PRESETS: ClassVar[dict[str, Preset]] = {name: _with_all_parts(name, preset) for name, preset in SpERT.PRESETS.items()}

    def __init__(self, config: SpERTMTConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        span = self.types.in_features
        self.boundary = nn.Linear(span, 1) if config.boundary else None
        self.iou = nn.Linear(span, 1) if config.iou else None
        self.tags = nn.Linear(self.embed.size, num_tags(self.num_types)) if config.tag_loss else None
        initialise_as_bert(*(head for head in (self.boundary, self.iou, self.tags) if head is not None))

    @property
    def entity_size(self) -> int:
        return super().entity_size + (0 if self.config.entity_logits == "none" else self.num_types + 1)

    def span_outputs(self, vectors: Tensor) -> Tensor:
        heads = [head for head in (self.types, self.boundary, self.iou) if head is not None]
        return torch.cat([head(vectors) for head in heads], dim=1)

    def entity_features(self, states: SpERTStates, batch: Batch) -> Tensor:
        features = super().entity_features(states, batch)                               # (E, F without logits)
        if self.config.entity_logits == "none":
            return features
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.entity_logits == "trained"):
            logits = self.classified(states, spans_of(batch), batch)[:, : self.num_types + 1]  # (E, T + 1)
        return torch.cat([features, logits], dim=1)

    def negative_spans(self, batch: Batch) -> Spans:
        others = no_entities(batch, self.config.max_width)                              # (X,)
        limit = limits(batch, self.config.negative_spans)                               # (S,)
        near = touches_any(others, spans_of(batch), batch.lengths).nonzero().flatten()
        share = round(self.config.overlapping_negatives * self.config.negative_spans)
        drawn = near[choose(others.sentence[near], torch.full_like(limit, share))]
        left = torch.ones_like(others.start, dtype=torch.bool).index_fill(0, drawn, False).nonzero().flatten()
        limit = limit - torch.bincount(others.sentence[drawn], minlength=len(limit))
        return others.at(torch.cat([drawn, left[choose(others.sentence[left], limit)]]))

    def span_losses(self, rows: Tensor, column: Tensor, spans: Spans, batch: Batch) -> dict[str, Tensor]:
        losses, count = dict(super().span_losses(rows, column, spans, batch)), max(1, len(column))
        further = list(rows[:, self.num_types + 1 :].unbind(1))                         # (X,) each
        if self.boundary is not None:
            is_entity = (column < self.num_types).to(rows.dtype)
            losses["boundary"] = F.binary_cross_entropy_with_logits(further.pop(0), is_entity, reduction="sum") / count
        if self.iou is not None:
            target = best_overlap(spans, spans_of(batch), len(batch.lengths)).to(rows.dtype)
            losses["iou"] = F.smooth_l1_loss(further.pop(0), target, reduction="sum") / count
        return losses

    def loss(self, output: SpERTOutput, batch: Batch) -> dict[str, Tensor]:
        losses = super().loss(output, batch)
        if self.tags is not None:
            logits = full_precision(self.tags(output.states.tokens))                    # (N, 2T + 1)
            losses["tags"] = F.cross_entropy(logits, tags_of(batch)[batch.mask])
        return losses
