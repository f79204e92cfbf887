"""BIO tags for a CRF: from the entities of a batch to tags, from tags back to entities, and how sure the CRF is of an entity.

Tags are numbered as in `relsift.encoding.tags`: 0 is O, 2n + 1 is B of type n, 2n + 2 is I of type n.
Letters: S sentences, T tokens of the longest, E entities, C = 2 * types + 1 tags.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.encoding.batch import Batch, Entities
from relsift.encoding.tags import OUTSIDE
from relsift.layers.crf import CRF

NUMBERS_AT_ONCE = 2**22  # entities x tokens x tags: bounds the memory of long sentences with many entities

def num_tags(num_types: int) -> int:
    """C"""
    return 2 * num_types + 1


def allowed_transitions(num_types: int) -> Tensor:
    """(C + 1, C) bool, for `CRF`: I of a type stands behind B or I of that type only, and never first."""
    allowed = torch.ones(num_tags(num_types) + 1, num_tags(num_types), dtype=torch.bool)
    for inside in range(2, num_tags(num_types), 2):
        allowed[:, inside] = False
        allowed[inside - 1 : inside + 1, inside] = True
    return allowed


def taught(spans: Sequence[Sequence[int]], types: Sequence[int]) -> list[int]:
    """Positions of the entities that tags can show. Of those that overlap it is the longest, then the first, as in `encoding.tags`.

    An entity of an unknown type (-1) is not shown, and hides no other one. Args: spans: half-open, of one sentence.
    """
    shown, taken = [], set[int]()
    for place in sorted(range(len(spans)), key=lambda place: (spans[place][0] - spans[place][1], spans[place][0])):
        tokens = range(*spans[place])
        if types[place] >= 0 and taken.isdisjoint(tokens):
            taken.update(tokens)
            shown.append(place)
    return shown


def tags_of(batch: Batch) -> Tensor:
    """(S, T) int64: the tags of the batch's entities, those that `taught` leaves; OUTSIDE in the padding."""
    rows = batch.entities.span + batch.first[batch.entities.sentence][:, None]          # (E, 2)  places among all N real tokens
    spans, types = rows.tolist(), batch.entities.type.tolist()
    tags = [OUTSIDE] * int(batch.lengths.sum())
    for place in taught(spans, types):
        start, end = spans[place]
        begin = 2 * types[place] + 1
        tags[start:end] = [begin] + [begin + 1] * (end - start - 1)
    mask = batch.mask
    return torch.full(mask.shape, OUTSIDE, device=mask.device).masked_scatter(mask, torch.tensor(tags, device=mask.device))


def entities_of(tags: Tensor, lengths: Tensor) -> Entities:
    """The entities that tags show, in the order of sentences and tokens.

    An I that continues nothing begins an entity, as in the scorer of CoNLL; the constraints above leave none.

    Args: tags: (S, T) int64, the padding is not read. lengths: (S,)
    """
    real = torch.arange(tags.shape[1], device=tags.device) < lengths[:, None]           # (S, T)
    tags = tags.where(real, OUTSIDE)
    before = F.pad(tags, (1, 0), value=OUTSIDE)[:, :-1]
    inside = tags != OUTSIDE
    continues = inside & (tags % 2 == 0) & ((before == tags) | (before == tags - 1))
    continued = torch.cat([continues[:, 1:], torch.zeros_like(continues[:, :1])], dim=1)
    sentence, start = (inside & ~continues).nonzero(as_tuple=True)                      # (E,) each
    end = (inside & ~continued).nonzero(as_tuple=True)[1] + 1                           # (E,)  in the same order
    return Entities(sentence, torch.stack([start, end], dim=1), (tags[sentence, start] - 1) // 2)


def entity_log_odds(crf: CRF, emissions: Tensor, lengths: Tensor, entities: Entities) -> Tensor:
    """(E,) float32: log-odds, under the CRF, that exactly these tokens are an entity of this type.

    It is the posterior of all sequences with B, then I up to the entity's last token, and no I of the type behind it. Their probability is
    computed as a whole; the marginals of single tokens would not say whether they occur together.

    Args: emissions: (S, T, C). lengths: (S,).
    """
    size = max(1, NUMBERS_AT_ONCE // emissions[0].numel())
    parts = zip(*(torch.split(part, size) for part in (entities.sentence, entities.span, entities.type)))
    log_p = torch.cat([_log_probability(crf, emissions, lengths, Entities(*part)) for part in parts])  # (E,)
    log_p = log_p.clamp(max=-torch.finfo(log_p.dtype).eps)  # rounding gives 1 for certain ones: their log-odds stay finite, at most 36
    return (log_p - torch.log(-torch.expm1(log_p))).float()


def _log_probability(crf: CRF, emissions: Tensor, lengths: Tensor, entities: Entities) -> Tensor:
    """(E,) float64"""
    step = torch.arange(emissions.shape[1], device=lengths.device)                      # (T,)
    start, end = entities.span[:, :1], entities.span[:, 1:]                             # (E, 1)
    begin = 2 * entities.type[:, None] + 1                                              # (E, 1)
    tag = torch.arange(emissions.shape[2], device=lengths.device)                       # (C,)
    own = tag == (begin + (step > start))[:, :, None]                                   # (E, T, C)
    goes_on = (tag == begin + 1)[:, None, :] & (step == end)[:, :, None]                # (E, T, C)
    possible = own.where(((step >= start) & (step < end))[:, :, None], ~goes_on)
    return crf.log_posterior(emissions, lengths, entities.sentence, possible)
