"""A linear-chain conditional random field: which sequences of tags are likely, given scores of each tag at each token.

Sources: Lafferty, McCallum & Pereira, ICML 2001; on top of a neural network: Lample et al., NAACL 2016 (N16-1030), section 2.2.
Letters: S sentences, T tokens of the longest, C tags, X questions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.errors import ShapeError
from relsift.losses.base import full_precision


class CRF(nn.Module):
    """The score of a sequence is the sum of its tags' scores, of its transitions, and of its last tag at the end.

    A transition that is not allowed counts as -inf everywhere, in training too: then no probability is learned that decoding would throw
    away, and the posteriors are those of the sequences that decoding chooses from.
    Sums run over logarithms, so that no score is too large for float32.
    """

    allowed: Tensor

    def __init__(self, num_tags: int, allowed: Tensor | None = None) -> None:
        """Args: allowed: (C + 1, C) bool, whether a tag may follow another one; last row: may stand first. None: everything may.

        Raises: ShapeError for another shape. Every tag must be allowed behind one that can be reached: gradients would be NaN otherwise.
        """
        super().__init__()
        allowed = torch.ones(num_tags + 1, num_tags, dtype=torch.bool) if allowed is None else allowed
        if allowed.shape != (num_tags + 1, num_tags):
            raise ShapeError("allowed", expected=f"(C + 1, C) for C = {num_tags} tags", got=tuple(allowed.shape))
        self.register_buffer("allowed", allowed, persistent=False)
        self.transitions = nn.Parameter(torch.zeros(num_tags + 1, num_tags))  # last row: of a first tag
        self.end = nn.Parameter(torch.zeros(num_tags))

    def negative_log_likelihood(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """(S,) float >= 0, in nats a sentence; inf for tags that the constraints forbid.

        Args: emissions: (S, T, C) scores. tags: (S, T) int64. lengths: (S,) real tokens, >= 1. The padding of both is not read.
        """
        emissions = full_precision(emissions)
        loss = self._log_total(emissions, lengths) - self._score(emissions, tags, lengths)
        return loss.clamp(min=0.0)  # rounding may leave a little less for a sentence known by heart

    @torch.no_grad()
    def best(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """(S, T) int64: the most likely tags of each sentence (Viterbi); 0 in the padding. Args: as above."""
        emissions = full_precision(emissions)
        follow = self._follow(emissions)                                                # (C + 1, C)
        same = torch.arange(len(self.end), device=lengths.device)                       # (C,)
        total = follow[-1] + emissions[:, 0]                                            # (S, C)  of the best sequence up to each tag
        pointers = []
        for step in range(1, emissions.shape[1]):
            value, pointer = (total[:, :, None] + follow[:-1]).max(dim=1)               # (S, C) each
            real = step < lengths[:, None]                                              # (S, 1)
            total = torch.where(real, value + emissions[:, step], total)
            pointers.append(torch.where(real, pointer, same))
        tag = (total + self.end).argmax(dim=1)                                          # (S,)
        tags = [tag]
        for pointer in reversed(pointers):
            tag = pointer.gather(1, tag[:, None]).squeeze(1)
            tags.append(tag)
        found = torch.stack(tags[::-1], dim=1)                                          # (S, T)
        return found.where(_real(found, lengths), 0)

    @torch.no_grad()
    def log_posterior(self, emissions: Tensor, lengths: Tensor, sentence: Tensor, possible: Tensor) -> Tensor:
        """(X,) float64 <= 0: log probability that every token of a sentence has one of the tags that the question names for it.

        The posterior of one tag at one token is the question that names that tag there, and all tags elsewhere.

        Args: emissions, lengths: as above. sentence: (X,) of each question. possible: (X, T, C) bool.
        """
        emissions = emissions.double()  # the difference of two sums over the sentence: of likely tags, float32 keeps few digits
        asked = emissions[sentence].masked_fill(~possible, -torch.inf)                  # (X, T, C)
        log_p = self._log_total(asked, lengths[sentence]) - self._log_total(emissions, lengths)[sentence]
        return log_p.clamp(max=0.0)

    def _follow(self, emissions: Tensor) -> Tensor:
        """(C + 1, C): the transitions that hold, in the type of the emissions."""
        return self.transitions.to(emissions.dtype).masked_fill(~self.allowed, -torch.inf)

    def _log_total(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """(S,): log of the sum of exp(score) over all sequences."""
        follow = self._follow(emissions)                                                # (C + 1, C)
        total = follow[-1] + emissions[:, 0]                                            # (S, C)  of all sequences up to each tag
        for step in range(1, emissions.shape[1]):
            longer = torch.logsumexp(total[:, :, None] + follow[:-1], dim=1) + emissions[:, step]
            total = torch.where(step < lengths[:, None], longer, total)
        return torch.logsumexp(total + self.end.to(emissions.dtype), dim=1)

    def _score(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """(S,): the score of one sequence a sentence."""
        before = F.pad(tags[:, :-1], (1, 0), value=len(self.end))                       # (S, T)
        steps = self._follow(emissions)[before, tags] + emissions.gather(2, tags[:, :, None]).squeeze(2)  # (S, T)
        last = tags.gather(1, lengths[:, None] - 1).squeeze(1)                          # (S,)
        return steps.where(_real(tags, lengths), 0.0).sum(dim=1) + self.end[last]


def _real(tags: Tensor, lengths: Tensor) -> Tensor:
    """(S, T) bool, True = real token."""
    return torch.arange(tags.shape[1], device=lengths.device) < lengths[:, None]
