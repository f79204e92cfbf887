"""Typed markers in the text of every pair, each pair a pass of its own through a transformer: the reference, and slow.

Sources: Zhong & Chen, NAACL 2021 (PURE, "full"); Zhou & Chen, AACL 2022. The text of a pair has a marker of role and type before and after
its head and its tail; the states of the two first markers are normed, dropped out and classified.
Differs from the sources: a marker's vector is the sum of a role vector and a type vector, and type vectors start from the names of the
types; tags of the other entities can be added. A text that is too long for the transformer with its markers keeps the pieces that stand
nearest to the two entities; training counts such pairs.
Letters: P pairs, R pairs run at once, L pieces of the longest text, U pieces with markers, M pieces of all sentences, Q = 4 markers,
H states, E size of the transformer's embeddings, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from relsift.encoders.huggingface import HuggingFaceEncoder, read_subwords
from relsift.encoding.batch import Batch, Subwords
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.errors import ConfigError, require
from relsift.layers.recompute import recomputed
from relsift.layers.relation_classifier import PairScores
from relsift.layers.text_windows import entity_pieces
from relsift.layers.type_markers import MARKERS, PieceTags, TypeMarkers
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig

# Pieces of all pairs that run through the transformer at once: bounds the memory.
PIECES_AT_ONCE = 2**14  # in prediction
PIECES_KEPT = 2**13  # in training; of a batch with more, only the result of each chunk is kept, the backward pass computes the rest again
_STEP = 8  # room between the sort keys of two pieces: markers go before or behind a piece


@dataclass(frozen=True, kw_only=True)
class TypedMarkersConfig(PairClassifierConfig):
    """The defaults are PURE's values."""

    encoder: Literal["huggingface"] = "huggingface"
    tags: bool = False  # vectors of the tags of all entities, added to the pieces
    tag_dropout: float = 0.1  # share of sentences that training shows without tags
    dropout: float = 0.1  # of the two states

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = "none: this model reads the states of its markers, not those of tokens"
        require(not self.encoder_options, "model.encoder_options", expected=expected, got=self.encoder_options)
        self.require_shares("tag_dropout", "dropout")

    @classmethod
    def tiny(cls) -> TypedMarkersConfig:
        return cls(dropout=0.0, tag_dropout=0.0)


_TRAINING = {
    "optimiser": "adamw", "learning_rate": 1e-3, "encoder_learning_rate": 1e-4, "schedule": "linear", "warmup": 0.1, "weight_decay": 0.01,
    "gradient_clip": 1.0, "batch_pairs": 32, "batch_tokens": 4096, "epochs": 8, "patience": 8, "ema": 0.999, "freeze_embeddings": True,
}  # fmt: skip


class TypedMarkers(PairClassifier):
    config: TypedMarkersConfig
    Config = TypedMarkersConfig
    READS = frozenset({"subwords", "tags", "types", "spans"})
    SUMMARY = "transformer with typed markers in the text, one pass a pair (Zhong & Chen 2021): slow, the reference"
    PRESETS: ClassVar = {"paper": Preset("Zhong & Chen 2021, rates for small encoders chosen on development data", {}, _TRAINING)}

    def __init__(self, config: TypedMarkersConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        subwords = encoding.subwords
        if encoding.tags is None or subwords is None:
            raise ConfigError(f"typed_markers: expected an encoding of subwords and tags, got one of {', '.join(sorted(encoding.reads))}")
        self.embed = HuggingFaceEncoder(encoding, word_size=0, tag_size=None)
        width = self._words().embedding_dim                                             # E
        self.markers = TypeMarkers(encoding, width)
        self.tags = PieceTags(encoding, width, config.tag_dropout) if config.tags else None
        self.room = subwords.room - MARKERS  # pieces of text beside markers and special pieces
        self.before, self.after = subwords.around
        self.norm = nn.LayerNorm(2 * self.embed.word_size)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = self.make_classifier(2 * self.embed.word_size, len(encoding.labels))

    @property
    def encoder(self) -> HuggingFaceEncoder:
        return self.embed

    def _words(self) -> nn.Embedding:
        transformer: Any = self.embed.transformer
        table: nn.Embedding = transformer.get_input_embeddings()
        return table

    def start_from_encoder(self) -> None:
        """Give each type the mean vector of the pieces of its name."""
        self.markers.start_from(self._words().weight)

    def notes(self, examples: Sequence[Example]) -> list[str]:
        if not (cut := self.cut_pairs(examples)):
            return []
        count = sum(len(example.heads) for example in examples)
        return [f"{cut} of {count} training pairs have texts of more than {self.room} pieces: the model sees those nearest to the entities"]

    def cut_pairs(self, examples: Sequence[Example]) -> int:
        return sum(len(e.heads) for e in examples if e.pieces is not None and len(e.pieces.ids) > self.room)

    def forward(self, batch: Batch) -> PairScores:
        subwords = read_subwords(batch)
        words = self._words()(subwords.ids.flatten()[subwords.place])                   # (M, E)
        if self.tags is not None and batch.tags is not None:
            words = words + self.tags(batch.tags[batch.mask], subwords.token, subwords.counts)
        longest = int(subwords.counts.max()) + MARKERS + len(self.before) + len(self.after)
        training = torch.is_grad_enabled()
        size = max(1, (PIECES_KEPT if training else PIECES_AT_ONCE) // longest)
        chunks = [slice(start, start + size) for start in range(0, max(1, len(batch.pairs)), size)]
        again = training and len(chunks) > 1

        def states(chunk: slice) -> Tensor:
            run = partial(self._states, batch, subwords, chunk)
            return recomputed(run, words) if again else run(words)

        scores: PairScores = self.classifier(self.dropout(self.norm(torch.cat([states(chunk) for chunk in chunks]))))  # from (P, 2H)
        return scores

    def _states(self, batch: Batch, subwords: Subwords, pairs: slice, words: Tensor) -> Tensor:
        """(R, 2H): the states of the markers before head and tail. Args: words: (M, E) vectors of the pieces."""
        head, tail = batch.pairs.head[pairs], batch.pairs.tail[pairs]                   # (R,) each
        if not len(head):
            return words.new_zeros(0, 2 * self.embed.word_size)
        sentence = batch.pairs.sentence[pairs]                                          # (R,)
        low, high = entity_pieces(batch, subwords)                                      # (E,) each
        counts = subwords.counts[sentence]                                              # (R,)
        piece = torch.arange(int(counts.max()), device=head.device)                     # (L,)
        entities = torch.stack([head, tail], dim=1)                                     # (R, 2)
        kept = nearest(piece, counts, low[entities], high[entities], self.room)         # (R, L)
        rows = (subwords.first_piece[sentence][:, None] + piece).clamp(max=len(words) - 1)
        around = torch.tensor([*self.before, *self.after], device=head.device)
        markers = self.markers(
            batch.entities.type[entities].repeat_interleave(2, dim=1), torch.arange(MARKERS, device=head.device).expand(len(head), -1)
        )                                                                               # (R, Q, E)
        x = torch.cat([self._words()(around).expand(len(head), -1, -1), words[rows], markers], dim=1)  # in the order of the keys below
        keys = torch.cat([self._around_keys(len(piece), head), *_text_keys(piece, low[entities], high[entities])], dim=1)
        real = torch.ones_like(keys, dtype=torch.bool)                                  # (R, U)
        real[:, len(around) : len(around) + len(piece)] = kept
        order = keys.masked_fill(~real, torch.iinfo(keys.dtype).max).argsort(dim=1, stable=True)  # (R, U)
        length = real.sum(1)                                                            # (R,)
        order = order[:, : int(length.max())]
        mask = torch.arange(order.shape[1], device=head.device) < length[:, None]       # (R, U)
        row = torch.arange(len(head), device=head.device)
        output = self.embed.transformer(inputs_embeds=x[row[:, None], order], attention_mask=mask.long(), return_dict=True)
        y = output.last_hidden_state                                                    # (R, U, H)
        first = keys.shape[1] - MARKERS  # of the markers, before sorting
        places = [(order == first + marker).int().argmax(dim=1) for marker in (0, 2)]
        return torch.cat([y[row, place] for place in places], dim=1)

    def _around_keys(self, pieces: int, like: Tensor) -> Tensor:
        """(R, special pieces): sort keys before and behind all of the text."""
        keys = [*range(-len(self.before), 0), *range(_STEP * pieces, _STEP * pieces + len(self.after))]
        return torch.tensor(keys, device=like.device).expand(len(like), -1)


def _text_keys(piece: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """(R, L) and (R, Q): sort keys of the pieces and of the markers. Args: piece: (L,). low, high: (R, 2) of head and tail."""
    before, behind = low * _STEP, high * _STEP + _STEP // 2
    of_markers = [before[:, 0], behind[:, 0] + 2, before[:, 1] + 1, behind[:, 1] + 1]   # the head's stand outside on equal spans
    return (piece * _STEP + _STEP // 2).expand(len(low), -1), torch.stack(of_markers, dim=1)


def nearest(piece: Tensor, counts: Tensor, low: Tensor, high: Tensor, room: int) -> Tensor:
    """(R, L) bool: the `room` pieces that stand nearest to one of the two entities.

    Args: piece: (L,). counts: (R,) pieces of each text. low, high: (R, 2) first and last piece of head and tail.
    """
    real = piece < counts[:, None]                                                      # (R, L)
    if len(piece) <= room:
        return real
    outside = torch.maximum(low[:, :, None] - piece, piece - high[:, :, None]).clamp(min=0).amin(dim=1)  # (R, L)
    rank = outside.masked_fill(~real, len(piece)).argsort(dim=1, stable=True).argsort(dim=1)
    return real & (rank < room)
