"""How far the scores of one pass, or of one model, are from those of another, as distributions over relations.

Letters: P pairs, K relation types.
Scores are log-odds against "none". What distribution they mean depends on the loss that trained them:
- With losses that learn *several labels* of a pair, each relation is judged by itself against "none". A pair has K independent yes-or-no
  distributions, of probability sigmoid(score). A softmax would make relations rivals that may well hold together.
- With losses that learn *one label* of a pair, it has one of K relations or none: softmax over [scores, 0], since "none" has log-odds 0
  against itself. With cross-entropy this is exactly the model's distribution.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def divergence(target: Tensor, scores: Tensor, *, several_labels: bool) -> Tensor:
    """(P,) Kullback-Leibler divergence of each pair, KL(target || scores) >= 0; sums over the relations.

    Args: target, scores: (P, K) float32.
    """
    if several_labels:
        yes = target.sigmoid()                                                          # (P, K)
        gain = yes * (F.logsigmoid(target) - F.logsigmoid(scores))
        return (gain + (1 - yes) * (F.logsigmoid(-target) - F.logsigmoid(-scores))).sum(dim=1)
    log_target, log_scores = _with_none(target).log_softmax(dim=1), _with_none(scores).log_softmax(dim=1)  # (P, K + 1)
    return (log_target.exp() * (log_target - log_scores)).sum(dim=1)


def _with_none(scores: Tensor) -> Tensor:
    """(P, K) -> (P, K + 1): a last column of zeros."""
    return F.pad(scores, (0, 1))


def r_drop_loss(one: Tensor, other: Tensor, *, several_labels: bool) -> Tensor:
    """The mean of both directions of the divergence between two passes with different dropout: () float >= 0, a mean over P.

    It asks for the same scores whatever dropout leaves out.
    Args: one, other: (P, K) scores.
    Source: Liang et al., NeurIPS 2021, eq. 2-4. They add the losses of both passes, where training here takes their mean: a weight here
    is half of their alpha.
    """
    there, back = (divergence(*order, several_labels=several_labels) for order in ((one, other), (other, one)))
    return _mean((there + back) / 2)


def distillation_loss(scores: Tensor, taught: Tensor, *, temperature: float, several_labels: bool) -> Tensor:
    """The divergence of the student's scores from the teacher's, both divided by the temperature: () float >= 0, a mean over P.

    Args: scores: (P, K) of the student. taught: (P, K) of the teacher; not-a-number in rows of pairs that it does not score, which add 0.
    Source: Hinton et al. 2015; times temperature^2, as there, so that the gradient has the same size at every temperature.
    """
    known = ~taught.isnan().any(dim=1)                                                  # (P,)
    target = taught.where(known[:, None], 0.0)
    softened = divergence(target / temperature, scores / temperature, several_labels=several_labels)  # (P,)
    return temperature**2 * _mean(softened * known)


def _mean(values: Tensor) -> Tensor:
    """(P,) -> (); 0 for a batch without pairs, as a joint model may have."""
    return values.sum() / max(1, len(values))
