"""The layers of a transformer one by one, for models that do not run it as a whole.

Hugging Face names the parts of equal layers differently; here they have one name. The families below norm after each block ("post-norm"):
BERT, ELECTRA, RoBERTa, XLM-R, CamemBERT, DistilBERT, MPNet. The weights stay those of the transformer, whatever is trained.
Letters: H states, h heads, d = H / h, … any dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from relsift.errors import ConfigError
from relsift.layers.dropout import drop

BERT_LIKE = ("bert", "electra", "roberta", "xlm-roberta", "camembert")
FAMILIES = (*BERT_LIKE, "distilbert", "mpnet")


@dataclass(frozen=True)
class TransformerLayer:
    """One layer: attention, then a feed-forward block, each added to its input and normed."""

    query: nn.Module  # H -> H, as are the next three
    key: nn.Module
    value: nn.Module
    out: nn.Module  # behind the attention
    attention_norm: nn.Module
    up: nn.Module
    down: nn.Module
    output_norm: nn.Module
    activation: Callable[[Tensor], Tensor]
    dropout: float  # of the two blocks' outputs

    def behind_attention(self, x: Tensor, attended: Tensor, *, training: bool) -> Tensor:
        """(…, H) input of the layer, (…, H) what attention found -> (…, H) output of the layer."""
        x = self.attention_norm(x + drop(self.out(attended), self.dropout, training))
        y: Tensor = self.output_norm(x + drop(self.down(self.activation(self.up(x))), self.dropout, training))
        return y


@dataclass(frozen=True)
class OpenedTransformer:
    """A transformer taken apart."""

    words: nn.Embedding
    positions: nn.Embedding
    first_position: int  # number of the first piece's position
    segment: nn.Embedding | None  # its row 0 is added to every piece
    norm: nn.Module
    project: nn.Module | None  # from the size of the embeddings to H, where they differ
    layers: tuple[TransformerLayer, ...]
    heads: int
    size: int  # H
    attention_dropout: float
    dropout: float  # of the embeddings
    relative: Any = None  # MPNet: the module that holds its table of relative positions

    def embed(self, words: Tensor, positions: Tensor, *, training: bool) -> Tensor:
        """(…, E) vectors of pieces, (…,) their positions, counted from 0 -> (…, H) input of the first layer."""
        x = words + self.positions(positions + self.first_position)
        if self.segment is not None:
            x = x + self.segment.weight[0]
        x = drop(self.norm(x), self.dropout, training)
        return x if self.project is None else self.project(x)

    def bias(self, queries: Tensor, keys: Tensor) -> Tensor | None:
        """What the relative positions of queries (…, Q) and keys (…, U) add to the attention, (…, h, Q, U); None if they add nothing."""
        if self.relative is None:
            return None
        table: nn.Embedding = self.relative.relative_attention_bias
        bucket = self.relative.relative_position_bucket(keys[..., None, :] - queries[..., :, None], num_buckets=table.num_embeddings)
        added: Tensor = table(bucket).movedim(-1, -3)
        return added


def opened(transformer: nn.Module, who: str) -> OpenedTransformer:
    """Args: who: needs the layers, for the message. Raises ConfigError for an architecture of no known family."""
    t: Any = transformer
    c = t.config
    if c.model_type not in FAMILIES:
        raise ConfigError(
            f"{who}: expected an encoder of one of the families {', '.join(FAMILIES)}, got {c.model_type}; take --model typed_markers, "
            "which runs any encoder"
        )
    e = t.embeddings
    offset = 0
    if c.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        offset = e.padding_idx + 1
    if c.model_type == "distilbert":
        layers = tuple(_distilbert(layer, c) for layer in t.transformer.layer)
        return OpenedTransformer(
            e.word_embeddings, e.position_embeddings, 0, None, e.LayerNorm, None, layers, c.n_heads, c.dim, c.attention_dropout, c.dropout
        )
    read = _mpnet if c.model_type == "mpnet" else _bert
    return OpenedTransformer(
        e.word_embeddings, e.position_embeddings, offset, getattr(e, "token_type_embeddings", None), e.LayerNorm,
        getattr(t, "embeddings_project", None), tuple(read(layer, c) for layer in t.encoder.layer), c.num_attention_heads,
        c.hidden_size, c.attention_probs_dropout_prob, c.hidden_dropout_prob, t.encoder if c.model_type == "mpnet" else None,
    )  # fmt: skip


def _bert(layer: Any, config: Any) -> TransformerLayer:
    inner, behind = layer.attention.self, layer.attention.output
    return TransformerLayer(
        inner.query, inner.key, inner.value, behind.dense, behind.LayerNorm, layer.intermediate.dense, layer.output.dense,
        layer.output.LayerNorm, layer.intermediate.intermediate_act_fn, config.hidden_dropout_prob,
    )  # fmt: skip


def _mpnet(layer: Any, config: Any) -> TransformerLayer:
    inner = layer.attention.attn
    return TransformerLayer(
        inner.q, inner.k, inner.v, inner.o, layer.attention.LayerNorm, layer.intermediate.dense, layer.output.dense,
        layer.output.LayerNorm, layer.intermediate.intermediate_act_fn, config.hidden_dropout_prob,
    )  # fmt: skip


def _distilbert(layer: Any, config: Any) -> TransformerLayer:
    inner, block = layer.attention, layer.ffn
    return TransformerLayer(
        inner.q_lin, inner.k_lin, inner.v_lin, inner.out_lin, layer.sa_layer_norm, block.lin1, block.lin2, layer.output_layer_norm,
        block.activation, config.dropout,
    )  # fmt: skip


def heads_of(x: Tensor, heads: int) -> Tensor:
    """(…, T, H) -> (…, h, T, d)"""
    return x.view(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(-2, -3)


def without_heads(x: Tensor) -> Tensor:
    """(…, h, T, d) -> (…, T, H)"""
    return x.transpose(-2, -3).flatten(-2)


def as_mask(real: Tensor, like: Tensor) -> Tensor:
    """(…, U) bool -> the same with 0 where True and the lowest number where False, to add to attention scores."""
    return torch.zeros(real.shape, dtype=like.dtype, device=real.device).masked_fill(~real, torch.finfo(like.dtype).min)
