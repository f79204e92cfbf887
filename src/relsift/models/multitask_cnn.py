"""Multi-task CNN with BIO-tag embeddings: one vector a pair, two tasks ("is there a relation?", "which one?").

Source: Ye et al., ACL 2019 (P19-1130), and for the preset `released` the authors' public code, which differs from the paper.
Differs from the paper: the tags of overlapping entities show the outermost one (one tag row a sentence cannot hold both). The 128-unit
layer of the paper's text stands between the pooled features and both tasks, as in the authors' code (equation 4 leaves it out).
Differs from the released code (`released`): distances are 0 inside the entity only (theirs also beside it). A crop keeps tokens and
distances aligned (theirs does not beyond 16 tokens), and its padding takes no part in pooling. Negative distances have embeddings of their
own (theirs read out of range).
Letters: S sentences, T tokens, P pairs, D token features, R distance features, C pooled features, Z hidden units, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoders.base import TokenEncoder, drop_dimensions, make_encoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.errors import require
from relsift.layers.distance_contexts import distances
from relsift.layers.initialise import initialise_like_keras
from relsift.layers.pair_convolution import PairConvolution
from relsift.layers.relation_classifier import Classification, PairScores
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig

LONGEST_CONTEXT = 1000  # tokens; every pair takes memory for so many


@dataclass(frozen=True, kw_only=True)
class MultiTaskCNNConfig(PairClassifierConfig):
    """The defaults are the paper's values for English."""

    classification: Classification = "ranking"
    identification: bool = True
    word_size: int = 200
    tag_size: int = 50
    distance_size: int = 50  # of each of the two distance embeddings
    max_distance: int = 50  # tokens; farther ones share an embedding
    shared_distances: bool = False  # one table for head and tail
    windows: tuple[int, ...] = (4, 5, 6, 7, 8, 9, 10)  # tokens under each window
    filters: int = 64  # per window
    context: Literal["sentence", "between"] = "sentence"  # text seen: all, or from the first entity to the second
    context_size: int = 16  # tokens; of a longer text `between` sees only the last ones
    pooling: Literal["max", "max_average"] = "max"
    hidden: int = 128
    input_dropout: float = 0.0  # share of embedding dimensions dropped, the same ones for all tokens of a sentence
    pooled_dropout: float = 0.0
    hidden_dropout: float = 0.2
    normalise: bool = False  # batch normalisation before and after the hidden layer

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.word_size, self.tag_size, self.distance_size, self.max_distance, self.filters, self.hidden, self.context_size)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        require(len(self.windows) > 0 and min(self.windows) >= 1, "model.windows", expected="one or more sizes >= 1", got=self.windows)
        longest = f"at most {LONGEST_CONTEXT} tokens"
        require(self.context_size <= LONGEST_CONTEXT, "model.context_size", expected=longest, got=self.context_size)
        self.require_shares("input_dropout", "pooled_dropout", "hidden_dropout")

    @classmethod
    def tiny(cls) -> MultiTaskCNNConfig:
        return cls(word_size=6, tag_size=3, distance_size=3, max_distance=5, windows=(2, 3), filters=4, hidden=8, hidden_dropout=0.0)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation with Keras's defaults, in torch's convention of momentum.

    torch refuses to train on a single pair, which has no variance. Such a pair is normalised by the running statistics, which it leaves
    unchanged.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size, momentum=0.01, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


# The paper gives no number of epochs and no treatment of unknown words: ours are set by computing time, and on development data.
_TRAINING = {"epochs": 15, "patience": 4, "unknown_rate": 0.3}
_CHINESE = {"margin_pos": 4.5, "margin_neg": -0.5, "threshold": 1.0}
_RELEASED = {
    "windows": (1, 2, 3), "context": "between", "pooling": "max_average", "max_distance": 8, "shared_distances": True,
    "input_dropout": 0.2, "pooled_dropout": 0.5, "normalise": True, "score_bias": True, "threshold": 0.5,
}  # fmt: skip
PAIRS_AT_ONCE = 1024  # pairs that prediction convolves at once with `between`: bounds the memory of a sentence of hundreds of entities


class MultiTaskCNN(PairClassifier):
    config: MultiTaskCNNConfig
    Config = MultiTaskCNNConfig
    READS = frozenset({"words", "tags", "spans"})
    SUMMARY = "multi-window CNN, BIO tags of all entities, relation identification + classification (Ye et al. 2019)"
    PRESETS: ClassVar = {
        "paper": Preset("Ye et al. 2019, section 3.1, English", {}, _TRAINING),
        "paper_zh": Preset("Ye et al. 2019, section 3.1, Chinese", _CHINESE, _TRAINING),
        "released": Preset("the authors' released code, English", _RELEASED, _TRAINING | {"epochs": 30, "patience": 5}),
    }

    def __init__(self, config: MultiTaskCNNConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        self.embed = make_encoder(
            config.encoder, encoding, config.encoder_options, word_size=config.word_size, tag_size=config.tag_size if config.tags else None,
            dropout=config.input_dropout,
        )  # fmt: skip
        num_distances = 2 * config.max_distance + 1
        self.head_distance = nn.Embedding(num_distances, config.distance_size)
        self.tail_distance = self.head_distance if config.shared_distances else nn.Embedding(num_distances, config.distance_size)
        self.convolve = PairConvolution(
            self.embed.size, config.distance_size, windows=config.windows, filters=config.filters, max_distance=config.max_distance
        )
        pooled_size = self.convolve.size * (2 if config.pooling == "max_average" else 1)
        self.trunk = nn.Sequential(
            BatchNorm(pooled_size) if config.normalise else nn.Identity(),
            nn.Dropout(config.pooled_dropout),
            nn.Linear(pooled_size, config.hidden),
            nn.ReLU(),
            BatchNorm(config.hidden) if config.normalise else nn.Identity(),
            nn.Dropout(config.hidden_dropout),
        )
        self.classifier = self.make_classifier(config.hidden, len(encoding.labels))
        initialise_like_keras(self)

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    def limit_cache(self, megabytes: float) -> None:
        self.convolve.limit_cache(megabytes)

    def notes(self, examples: Sequence[Example]) -> list[str]:
        if self.config.context == "sentence":
            return []
        size = self.config.context_size
        spans = [(e.spans[head], e.spans[tail]) for e in examples for head, tail in zip(e.heads, e.tails)]
        num_longer = sum(max(h[1], t[1]) - min(h[0], t[0]) > size for h, t in spans)
        if not num_longer:
            return []
        return [f"{num_longer} of {len(spans)} training pairs are more than {size} tokens long: the model sees the last {size}"]

    def forward(self, batch: Batch) -> PairScores:
        h = self.trunk(self.pooled(batch))                                              # (P, Z)
        scores: PairScores = self.classifier(h)
        return scores

    def pooled(self, batch: Batch) -> Tensor:
        """(P, C), or (P, 2C) with averages: the features of every pair, >= 0."""
        if self.config.context == "sentence":
            return self._pool_sentence(batch)
        tokens = self.embed.features(batch)                                             # (N, D)
        size = max(1, len(batch.pairs) if torch.is_grad_enabled() else PAIRS_AT_ONCE)
        starts = range(0, max(1, len(batch.pairs)), size)
        return torch.cat([self._pool_between(tokens, batch, slice(start, start + size)) for start in starts])

    def _pool_sentence(self, batch: Batch) -> Tensor:
        values = self.convolve(self.embed.keyed(batch), batch, self.head_distance.weight, self.tail_distance.weight)
        pooled: Tensor = values.max(relu=True)                                          # (P, C)
        if self.config.pooling == "max_average":
            pooled = torch.cat([pooled, values.relu_average()], dim=1)                  # (P, 2C)
        return pooled

    def _pool_between(self, tokens: Tensor, batch: Batch, pairs: slice) -> Tensor:
        """Each pair sees its own part of the text, at most `context_size` tokens, so the convolution runs per pair."""
        size = self.config.context_size
        span = batch.entities.span
        head, tail = span[batch.pairs.head[pairs]], span[batch.pairs.tail[pairs]]       # (P, 2)
        end = torch.maximum(head[:, 1], tail[:, 1])                                     # (P,)
        start = torch.maximum(torch.minimum(head[:, 0], tail[:, 0]), end - size)        # (P,)
        position = start[:, None] + torch.arange(size, device=start.device)             # (P, size)
        real = (position < end[:, None])[:, :, None]                                    # (P, size, 1)
        row = batch.first[batch.pairs.sentence[pairs]][:, None] + torch.minimum(position, end[:, None] - 1)
        parts = [F.embedding(row, tokens)] + [                                          # (P, size, D), then (P, size, R) twice
            table(distances(position, entity[:, :1], entity[:, 1:], self.config.max_distance))
            for table, entity in ((self.head_distance, head), (self.tail_distance, tail))
        ]
        parts = [drop_dimensions(part, self.config.input_dropout, self.training) for part in parts]
        h = self.convolve.literal(torch.cat(parts, dim=2) * real)                       # (P, size, C)  >= 0
        h = h * real
        pooled = h.amax(dim=1)
        if self.config.pooling == "max_average":
            pooled = torch.cat([pooled, h.sum(dim=1) / real.sum(dim=1)], dim=1)         # (P, 2C)
        return pooled
