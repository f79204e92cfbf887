"""Where pieces and entities stand in the windows of text that a transformer reads.

Letters: S sentences, N tokens and M pieces of all sentences, E entities, W windows, U pieces of the longest, X pieces to find.
"""

from __future__ import annotations

import torch
from torch import Tensor

from relsift.encoding.batch import Batch, Subwords


def entity_pieces(batch: Batch, subwords: Subwords) -> tuple[Tensor, Tensor]:
    """(E,) each: the first and the last piece of each entity, counted from the first piece of its sentence."""
    span, sentence = batch.entities.span, batch.entities.sentence                       # (E, 2), (E,)
    first_token = batch.first[sentence]                                                 # (E,)
    before = subwords.first_piece[sentence]                                             # (E,)
    return subwords.first[first_token + span[:, 0]] - before, subwords.last[first_token + span[:, 1] - 1] - before


def piece_rows(subwords: Subwords) -> Tensor:
    """(W, U) row of each place among the M pieces; -1 for special pieces and padding."""
    column = torch.arange(subwords.ids.shape[1], device=subwords.ids.device) - subwords.before  # (U,)
    rows = subwords.first_piece[subwords.sentence][:, None] + subwords.start[:, None] + column  # (W, U)
    return rows.masked_fill(subwords.special, -1)


def windows_of(subwords: Subwords, sentence: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(X,) the window in which each stretch of pieces stands most central; where none holds it all, the one nearest to its middle.

    Args: sentence: (X,) row of the batch. low, high: (X,) first and last piece, counted from the first of the sentence.
    """
    counts = torch.bincount(subwords.sentence, minlength=len(subwords.counts))          # (S,) windows of each sentence
    first = counts.cumsum(0) - counts                                                   # (S,)
    most = int(counts.max())
    if most == 1:
        return first[sentence]
    choice = first[sentence][:, None] + torch.arange(most, device=first.device)         # (X, most)
    is_own = torch.arange(most, device=first.device) < counts[sentence][:, None]
    choice = torch.where(is_own, choice, first[sentence][:, None])
    margin = torch.minimum(low[:, None] - subwords.start[choice], subwords.stop[choice] - 1 - high[:, None])
    return choice.gather(1, margin.argmax(dim=1, keepdim=True)).squeeze(1)


def marker_places(subwords: Subwords, sentence: Tensor, piece: Tensor) -> tuple[Tensor, Tensor]:
    """(X, Q) each: the window that each marker of a group reads, and its place there.

    All markers of a group read one window if there is one that holds their pieces, else each the one in which it stands most central.

    Args: sentence: (X,) row of the batch. piece: (X, Q) of each marker, counted from the first piece of its sentence.
    """
    common = windows_of(subwords, sentence, piece.amin(1), piece.amax(1))[:, None].expand_as(piece)
    holds_all = ((piece >= subwords.start[common]) & (piece < subwords.stop[common])).all(dim=1, keepdim=True)
    own = windows_of(subwords, sentence[:, None].expand_as(piece).flatten(), piece.flatten(), piece.flatten()).view_as(piece)
    window = torch.where(holds_all, common, own)
    return window, piece - subwords.start[window] + subwords.before
