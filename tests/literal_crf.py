"""The sequences of tags of one sentence with their scores, one by one. Nothing of the fast form."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from relsift.layers.crf import CRF


def sequences(crf: CRF, emissions: Tensor) -> dict[tuple[int, ...], float]:
    """The score of every allowed sequence. emissions: (tokens, tags)"""
    follow, end, at, allowed = (part.tolist() for part in (crf.transitions, crf.end, emissions, crf.allowed))
    scores = {}
    for tags in product(range(emissions.shape[1]), repeat=len(emissions)):
        steps = list(zip((emissions.shape[1], *tags), tags))  # from the row "first" on
        if all(allowed[before][tag] for before, tag in steps):
            scores[tags] = sum(follow[before][tag] + at[t][tag] for t, (before, tag) in enumerate(steps)) + end[tags[-1]]
    return scores


def log_sum(scores: list[float]) -> float:
    return torch.tensor(scores, dtype=torch.double).logsumexp(0).item()
