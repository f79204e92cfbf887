"""Text and marker pieces through a transformer, where text sees text only and a group of markers sees the text and itself.

The keys and values of the text are then the same for all groups and are computed once a sentence; each group adds four pieces. This gives
what the transformer gives for text and all groups in one sequence under a mask, with work that grows with groups × pieces, not with the
square of the groups.
Source: the "approximation" of Zhong & Chen, NAACL 2021 (PURE), which builds that sequence and mask.
Letters: W windows of text, U pieces of the longest, N real pieces of all windows, G groups, Q = 4 markers of a group, R = 4G, V rows of
B markers that read one window, H states, h heads, d = H / h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from relsift.layers.dropout import drop
from relsift.layers.transformer_layers import OpenedTransformer, TransformerLayer, as_mask, heads_of, without_heads
from relsift.layers.type_markers import MARKERS

PIECES_KEPT = 8192  # from more pieces on, training keeps the states between layers only, and computes the rest again: bounds the memory


@dataclass(frozen=True)
class TextStates:
    """What markers need of the text of a batch. Its states behind the last layer are not among it, and are not computed."""

    layers: Sequence[tuple[Tensor, Tensor]]  # keys and values of each layer that markers run through, (W, h, U, d) each
    real: Tensor  # (W, U) bool


def read_text(parts: OpenedTransformer, words: Tensor, real: Tensor, *, marker_layers: int, training: bool) -> TextStates:
    """Run the text through all layers, of the last one up to its keys and values.

    Args: words: (W, U, E) vectors of pieces. real: (W, U) bool. marker_layers: so many of the last layers keep keys and values.
    """
    width = real.shape[1]
    positions = torch.arange(width, device=real.device)                                 # (U,)
    rows = real.flatten().nonzero().squeeze(1)                                          # (N,)
    x = parts.embed(words.flatten(0, 1)[rows], positions.repeat(len(real))[rows], training=training)  # (N, H)  padding is left out
    mask = as_mask(real, x)[:, None, None, :]                                           # (W, 1, 1, U)
    bias = parts.bias(positions, positions)                                             # (h, U, U) or None
    mask = mask if bias is None else mask + bias
    kept: list[tuple[Tensor, Tensor]] = []
    again = torch.is_grad_enabled() and real.numel() > PIECES_KEPT
    before_last = len(parts.layers) - 1
    for number, layer in enumerate(parts.layers[:before_last]):
        arguments = parts, layer, x, rows, real.shape, mask, training
        x, k, v = checkpoint(_text_layer, *arguments, use_reentrant=False) if again else _text_layer(*arguments)
        if number >= len(parts.layers) - marker_layers:
            kept.append((k, v))
    last = parts.layers[before_last]
    k, v = (heads_of(_padded(project(x), rows, real.shape), parts.heads) for project in (last.key, last.value))
    return TextStates([*kept, (k, v)], real)


def _text_layer(
    parts: OpenedTransformer, layer: TransformerLayer, x: Tensor, rows: Tensor, shape: torch.Size, mask: Tensor, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The output of a layer (N, H), its keys and its values (W, h, U, d).

    Args: x: (N, H). rows: (N,) places of the real pieces. shape: W, U. mask: added to the scores of the attention.
    """
    q, k, v = (heads_of(_padded(project(x), rows, shape), parts.heads) for project in (layer.query, layer.key, layer.value))
    attended = attention(q, k, v, mask, parts.attention_dropout, training=training)             # (W, h, U, d)
    return layer.behind_attention(x, without_heads(attended).flatten(0, 1)[rows], training=training), k, v


def read_markers(
    parts: OpenedTransformer, text: TextStates, words: Tensor, window: Tensor, position: Tensor, *, training: bool
) -> Tensor:
    """(G, Q, H): the states of the markers behind the last layer.

    Args: words: (G, Q, E) vectors of the markers. window: (G, Q) row of the text that each marker reads. position: (G, Q) its place there.
    """
    if not len(words):
        return words.new_zeros(0, MARKERS, parts.size)
    x = parts.embed(words, position, training=training)                                 # (G, Q, H)
    slots = _Slots.of(window.flatten(), len(text.real))
    text_mask = slots.beside(as_mask(text.real, x))[:, None, None, :]                   # (V, 1, 1, U)
    places = torch.arange(text.real.shape[1], device=x.device)
    bias = parts.bias(slots.padded(position.flatten()[:, None]).squeeze(-1), places.expand(len(text_mask), -1))  # (V, h, B, U) or None
    own_bias = parts.bias(position, position)                                           # (G, h, Q, Q) or None
    text_mask = text_mask if bias is None else text_mask + bias
    for layer, of_text in zip(parts.layers[len(parts.layers) - len(text.layers) :], text.layers):
        keys, values = map(slots.beside, of_text)                                       # (V, h, U, d) each
        attended = _attend(parts, layer, x, keys, values, slots, text_mask, own_bias, training)
        x = layer.behind_attention(x, attended, training=training)
    return x


def _attend(
    parts: OpenedTransformer, layer: TransformerLayer, x: Tensor, keys: Tensor, values: Tensor, slots: _Slots,
    text_mask: Tensor, own_bias: Tensor | None, training: bool,
) -> Tensor:  # fmt: skip
    """(G, Q, H): each marker's mean of the values of the text and of its own group, by one softmax over both."""
    heads, width = parts.heads, keys.shape[2]
    q, own_keys, own_values = (project(x) for project in (layer.query, layer.key, layer.value))      # (G, Q, H) each
    q = q * (q.shape[-1] // heads) ** -0.5
    to_text = heads_of(slots.padded(q.flatten(0, 1)), heads) @ keys.transpose(2, 3)     # (V, h, B, U)
    to_own = heads_of(q, heads) @ heads_of(own_keys, heads).transpose(2, 3)             # (G, h, Q, Q)
    if own_bias is not None:
        to_own = to_own + own_bias
    own_rows = to_own.transpose(1, 2).flatten(0, 1).flatten(1)                          # (R, h * Q)
    to_own = slots.padded(own_rows).view(*slots.shape, heads, -1).transpose(1, 2)        # (V, h, B, Q)
    to_both = torch.cat([to_text + text_mask.to(to_text.dtype), to_own], dim=3)         # (V, h, B, U + Q)
    share = drop(to_both.softmax(dim=3), parts.attention_dropout, training)             # (V, h, B, U + Q)
    share = share.to(values.dtype)
    of_text = slots.flat(without_heads(share[..., :width] @ values))                    # (R, H)
    own_share = slots.flat(share[..., width:].transpose(1, 2).flatten(2))               # (R, h * Q)
    own_share = own_share.view(len(x), MARKERS, heads, MARKERS).transpose(1, 2)         # (G, h, Q, Q)
    return of_text.view_as(x) + without_heads(own_share @ heads_of(own_values, heads))


@dataclass(frozen=True)
class _Slots:
    """Markers side by side with the window that they read, in rows of equal length.

    A window that many markers read has several rows. So there are at most three times as many slots as markers, and one more a window, even
    if one sentence has nearly all of the markers.
    """

    place: Tensor  # (R,) int64, of each marker among the V * B slots
    window: Tensor  # (V,) int64, of each row
    shape: tuple[int, int]  # V, B
    is_plain: bool  # each window has one row, in order

    @classmethod
    def of(cls, window: Tensor, windows: int) -> _Slots:
        """Args: window: (R,) of each marker, R >= 1."""
        counts = torch.bincount(window, minlength=windows)                              # (W,)
        order = window.argsort(stable=True)
        first = counts.cumsum(0) - counts
        rank = torch.empty_like(window)
        rank[order] = torch.arange(len(window), device=window.device) - first[window[order]]
        used = int((counts > 0).sum())
        width = min(int(counts.max()), -(-2 * len(window) // used))                     # B: twice the mean
        rows = (counts + width - 1) // width                                            # (W,)
        of_row = torch.arange(windows, device=window.device).repeat_interleave(rows)    # (V,)
        place = ((rows.cumsum(0) - rows)[window] + rank // width) * width + rank % width
        return cls(place, of_row, (len(of_row), width), used == windows == len(of_row))

    def beside(self, of_windows: Tensor) -> Tensor:
        """(W, …) of windows -> (V, …) of rows."""
        return of_windows if self.is_plain else of_windows[self.window]

    def padded(self, rows: Tensor) -> Tensor:
        """(R, X) -> (V, B, X), zeros in the slots that no marker has."""
        count, width = self.shape
        return rows.new_zeros(count * width, rows.shape[1]).index_copy(0, self.place, rows).view(count, width, -1)

    def flat(self, padded: Tensor) -> Tensor:
        """(V, B, X) -> (R, X)"""
        return padded.flatten(0, 1)[self.place]


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, dropout: float, *, training: bool) -> Tensor:
    """Scaled dot-product attention. q, k, v: (W, h, U, d); mask: added to the scores. Returns: (W, h, U, d)."""
    if not training:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(2, 3)                              # (W, h, U, U)
    share = drop((scores + mask.to(scores.dtype)).softmax(dim=3), dropout, training)
    return share.to(v.dtype) @ v


def _padded(rows: Tensor, place: Tensor, shape: torch.Size) -> Tensor:
    """(N, X) -> (W, U, X), zeros in the padding."""
    return rows.new_zeros(shape[0] * shape[1], rows.shape[1]).index_copy(0, place, rows).view(shape[0], shape[1], -1)
