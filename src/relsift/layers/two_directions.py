"""A pair classified twice, once in each order of reading, over both directions of every relation: targets, loss, decision.

Source: Miwa & Bansal, ACL 2016, and the walk-based model of Christopoulou et al., ACL 2018, which took it over.
A *reading* is an ordered pair of entities (first, second) with 2K + 1 logits: columns 0..K-1 say "relation k from the first to the
second", K..2K-1 "relation k from the second to the first", 2K "none". A candidate pair has two readings: *forth* is (head, tail), *back*
(tail, head).
Differs from the sources: they make one decision for two entities (an answer beats "none", of two answers the more probable one stands).
Here every *ordered* pair has a score of its own, so that a threshold can be tuned: in the surer of its two readings, the log-odds of its
relation against the best column that denies it, "none" or any relation in the other direction. At threshold 0 a relation is found if either
reading has it as its answer, as theirs is; only where the two readings name both directions, or two relations of one direction, may it
differ: both directions are found, and of two relations the one with the larger odds, not the more probable one.
Letters: P pairs, R readings, E entities, K relation types.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.candidates import NO_RELATION
from relsift.encoding.batch import Batch
from relsift.losses.labels import first_label


class Readings(NamedTuple):
    """Ordered pairs to classify, each once, and where the candidates find theirs."""

    sentence: Tensor  # (R,)
    first: Tensor  # (R,)  rows of the entity tensors
    second: Tensor  # (R,)
    forth: Tensor  # (P,)  each pair's reading (head, tail)
    back: Tensor | None  # (P,)  and (tail, head); None if nobody asked


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
    """The right column of the reading forth and of the reading back, each (P,) int64 in 0..2K.

    An unlabelled pair whose reverse is a labelled candidate of the batch is that relation in the other direction. A pair that is labelled
    itself follows its own label, whatever its reverse says.
    """
    label = first_label(batch.pairs.labels)                                                   # (P,)
    reverse = _label_of_reverse(batch, label)
    none = torch.full_like(label, 2 * relations)
    forth = torch.where(reverse != NO_RELATION, relations + reverse, none)
    back = torch.where(reverse != NO_RELATION, reverse, none)
    related = label != NO_RELATION
    return torch.where(related, label, forth), torch.where(related, relations + label, back)


def two_direction_loss(forth: Tensor, back: Tensor, batch: Batch, *, other_weight: float = 1.0) -> dict[str, Tensor]:
    """Cross-entropy of either reading, each the weighted mean over P.

    Args:
        forth, back: (P, 2K + 1) logits. other_weight: > 0, of a target "none"; any other target weighs 1.
    """
    target_columns = targets(batch, forth.shape[1] // 2)
    weight = None
    if other_weight != 1.0:
        weight = forth.new_ones(forth.shape[1])                                               # (2K + 1,)
        weight[-1] = other_weight
    return {name: F.cross_entropy(logits, column, weight) for name, logits, column in zip(("forth", "back"), (forth, back), target_columns)}


def merged_scores(forth: Tensor, back: Tensor) -> Tensor:
    """(P, 2K + 1) logits of both readings -> (P, K): log-odds of "k from head to tail" against what denies it, the surer reading's.

    Against "none" alone the score would not tell directions apart: training only asks that the right column beats all others, so that
    the opposite direction of a clear relation is beaten, but still far above "none".
    """
    k = forth.shape[1] // 2
    surest = forth[:, :k] - forth[:, k:].amax(dim=1, keepdim=True)                            # (P, K)
    return torch.maximum(surest, back[:, k:-1] - torch.cat([back[:, :k], back[:, -1:]], dim=1).amax(dim=1, keepdim=True))


def _keys(batch: Batch) -> tuple[Tensor, Tensor]:
    """One number an ordered pair of entities: of each candidate, and of its reverse."""
    entities = max(1, len(batch.entities))
    head, tail = batch.pairs.head, batch.pairs.tail
    return head * entities + tail, tail * entities + head


def _label_of_reverse(batch: Batch, label: Tensor) -> Tensor:
    """(P,) labels -> (P,) those of each pair's reverse; NO_RELATION where that is unlabelled or no candidate."""
    forth, back = _keys(batch)
    keys, order = forth.sort()
    at = order[torch.searchsorted(keys, back).clamp(max=max(0, len(keys) - 1))]               # (P,)  a pair that may be the reverse
    return torch.where(forth[at] == back, label[at], NO_RELATION)
