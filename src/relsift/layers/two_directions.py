"""A pair classified twice, once in each order of reading, over both directions of every relation: targets, loss, scores.

Source: Miwa & Bansal, ACL 2016, and the walk-based model of Christopoulou et al., ACL 2018, which took it over.
A *reading* is an ordered pair of entities (first, second) with 2K + 1 logits: columns 0..K-1 say "relation k from the first to the
second", K..2K-1 "relation k from the second to the first", 2K "none". A candidate pair has two readings: *forth* is (head, tail), *back*
(tail, head).
Differs from the sources: they make one decision for two entities. There an answer beats "none", and of two answers the more probable one
stands. Here every *ordered* pair has scores, so that a threshold can be tuned. The score of a relation is its log-odds against the best
column that denies it: "none", or any relation in the other direction. Of the two readings the larger score counts.
At threshold 0 a pair has a relation if it is the answer of either reading, as in the sources. The result differs in two cases: if the
readings name both directions, both are decided for; if they name two relations of one direction, the one with the larger odds stands, not
the more probable one.
Letters: P pairs, R readings, E entities, K relation types.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from relsift.candidates import NO_RELATION
from relsift.encoding.batch import Batch
from relsift.losses.cross_entropy import weighted_cross_entropy
from relsift.losses.labels import first_label


class Readings(NamedTuple):
    """Ordered pairs to classify, each once, and the readings of each candidate pair."""

    sentence: Tensor  # (R,)  rows of the batch
    first: Tensor  # (R,)  rows of the entity tensors
    second: Tensor  # (R,)
    forth: Tensor  # (P,)  each pair's reading (head, tail)
    back: Tensor | None  # (P,)  each pair's reading (tail, head); None if only one order is read


def one_reading(batch: Batch) -> Readings:
    """(head, tail) of every candidate, in their order."""
    pairs = batch.pairs
    return Readings(pairs.sentence, pairs.head, pairs.tail, torch.arange(len(pairs), device=pairs.head.device), None)


def both_readings(batch: Batch) -> Readings:
    """Both orders of every candidate. Where both are candidates they share their two readings: R <= 2P."""
    entities = max(1, len(batch.entities))
    forth, back = _keys(batch)                                                                # (P,)
    keys, rows = torch.unique(torch.cat([forth, back]), return_inverse=True)                  # (R,), (2P,)
    first, second = keys // entities, keys % entities
    return Readings(batch.entities.sentence[first], first, second, *rows.split(len(forth)))


def targets(batch: Batch, relations: int) -> tuple[Tensor, Tensor]:
    """The correct column of the reading forth and of the reading back, each (P,) int64 in 0..2K.

    A related pair has its own relation as target. An unrelated pair whose reverse is a related candidate of the batch has the reverse's
    relation, in the other direction.

    Args: relations: K.
    """
    label = first_label(batch.pairs.labels)                                                   # (P,)
    reverse = _label_of_reverse(batch, label)
    none = torch.full_like(label, 2 * relations)
    forth = torch.where(reverse != NO_RELATION, relations + reverse, none)
    back = torch.where(reverse != NO_RELATION, reverse, none)
    related = label != NO_RELATION
    return torch.where(related, label, forth), torch.where(related, relations + label, back)


def two_direction_loss(
    forth: Tensor, back: Tensor, batch: Batch, *, other_weight: float = 1.0, none_smoothing: float = 0.0
) -> dict[str, Tensor]:
    """Cross-entropy of either reading, each the weighted mean over P.

    Args:
        forth, back: (P, 2K + 1) logits. other_weight: > 0, of a target "none"; any other target weighs 1.
        none_smoothing: as of `weighted_cross_entropy`.
    """
    forth_column, back_column = targets(batch, forth.shape[1] // 2)                            # (P,) each
    return {
        "forth": weighted_cross_entropy(forth, forth_column, other_weight, none_smoothing),
        "back": weighted_cross_entropy(back, back_column, other_weight, none_smoothing),
    }


def merged_scores(forth: Tensor, back: Tensor) -> Tensor:
    """(P, 2K + 1) logits of both readings -> (P, K): log-odds of "k from head to tail" against the best column that denies it.

    The larger one of the two readings. Log-odds against "none" alone would not tell directions apart: training only asks that the correct
    column has the highest logit, so the opposite direction of a clear relation has a lower one, which is still far above that of "none".
    """
    k = forth.shape[1] // 2
    forth_scores = forth[:, :k] - forth[:, k:].amax(dim=1, keepdim=True)                      # (P, K)
    denying_back = torch.cat([back[:, :k], back[:, -1:]], dim=1)                              # (P, K + 1)
    return torch.maximum(forth_scores, back[:, k:-1] - denying_back.amax(dim=1, keepdim=True))


def _keys(batch: Batch) -> tuple[Tensor, Tensor]:
    """(P,) each: a number for the ordered pair of entities of each candidate, and for its reverse."""
    entities = max(1, len(batch.entities))
    head, tail = batch.pairs.head, batch.pairs.tail
    return head * entities + tail, tail * entities + head


def _label_of_reverse(batch: Batch, label: Tensor) -> Tensor:
    """(P,) labels -> (P,) the label of each pair's reverse; NO_RELATION if that is unrelated or no candidate."""
    forth, back = _keys(batch)
    keys, order = forth.sort()
    row = order[torch.searchsorted(keys, back).clamp(max=max(0, len(keys) - 1))]              # (P,)  the reverse, if it is a candidate
    return torch.where(forth[row] == back, label[row], NO_RELATION)
