"""All spans of the sentences of a batch, maxima over stretches of tokens, random choices among spans, and how far they overlap.

Letters: S sentences, N real tokens of all sentences, X spans or stretches, Y further spans, D token features, L levels of a table.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS_AT_ONCE = 2**22  # pairs of spans whose overlap is computed at once: bounds the memory


class Spans(NamedTuple):
    """Half-open, in tokens of the sentence; all int64."""

    sentence: Tensor  # (X,)
    start: Tensor  # (X,)
    end: Tensor  # (X,)

    @property
    def width(self) -> Tensor:
        """(X,) tokens of each"""
        return self.end - self.start

    def at(self, chosen: Tensor) -> Spans:
        """Those for which `chosen` is True, (X,) bool, or those at these positions, int64."""
        return Spans(self.sentence[chosen], self.start[chosen], self.end[chosen])


def all_spans(lengths: Tensor, max_width: int) -> Spans:
    """Every span of at most `max_width` tokens, ordered by sentence, start and end. Args: lengths: (S,) real tokens, >= 1."""
    sentence = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)  # (N,)
    position = _number_in_group(lengths)                                                # (N,)
    widths = (lengths[sentence] - position).clamp(max=max_width)                        # (N,) spans that start at each token
    start = position.repeat_interleave(widths)                                          # (X,)
    return Spans(sentence.repeat_interleave(widths), start, start + 1 + _number_in_group(widths))


class RangeMaxima(NamedTuple):
    """The maxima of all stretches of 1, 2, 4, 8 … tokens; any stretch is the union of two of them, which may overlap."""

    table: Tensor  # (sum of the rows of all levels, D)  a row for each stretch, level by level
    offset: Tensor  # (L,) int64, first row of each level

    def over(self, start: Tensor, end: Tensor) -> Tensor:
        """(X, D): the maxima over stretches of tokens, zeros for an empty one.

        Args: start, end: (X,) int64, half-open, rows among the N tokens; end <= start: an empty stretch.
        """
        empty = end <= start                                                            # (X,)
        start, end = start.masked_fill(empty, 0), end.masked_fill(empty, 1)
        level = torch.frexp((end - start).double()).exponent.long() - 1                 # (X,)  2^level <= tokens < 2^(level + 1)
        first, last = self.offset[level] + start, self.offset[level] + end - 2**level   # (X,)
        # Not `table[first]`: the gradient of an embedding is faster.
        found = torch.maximum(F.embedding(first, self.table), F.embedding(last, self.table))  # (X, D)
        return found.masked_fill(empty[:, None], 0)


def range_maxima(tokens: Tensor, longest: int) -> RangeMaxima:
    """A sparse table. It takes about log2(longest) times the memory of the tokens.

    Args: tokens: (N, D) features, sentence after sentence. longest: tokens of the longest stretch to ask for, >= 1.
    """
    levels = [tokens]
    while 2 ** len(levels) <= min(longest, len(tokens)):
        half = 2 ** (len(levels) - 1)
        levels.append(torch.maximum(levels[-1][:-half], levels[-1][half:]))             # (N + 1 - 2 * half, D)
    rows = torch.tensor([len(level) for level in levels], device=tokens.device)
    return RangeMaxima(torch.cat(levels), rows.cumsum(0) - rows)


def stretch_between(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """(X,) each: start and end of the tokens between two spans (X, 2); end <= start where they touch or overlap."""
    return torch.minimum(one[:, 1], other[:, 1]), torch.maximum(one[:, 0], other[:, 0])


def choose(group: Tensor, limit: Tensor) -> Tensor:
    """(X,) bool: at most `limit[g]` members of every group g, drawn by torch's generator, all choices equally likely.

    Args: group: (X,) int64, >= 0. limit: (G,) int64, of every group.
    """
    order = torch.rand(len(group), device=group.device).argsort()                       # (X,)
    order = order[group[order].argsort(stable=True)]                                    # by group, at random inside each
    rank = _number_in_group(torch.bincount(group, minlength=len(limit)))                # (X,)
    chosen = torch.zeros_like(group, dtype=torch.bool)
    chosen[order] = rank < limit[group[order]]
    return chosen


def same_as_any(spans: Spans, others: Spans) -> Tensor:
    """(X,) bool: whether a span is one of the others (Y)."""
    size = 1 + int(max((part.max() for part in (spans.end, others.end) if len(part)), default=0))
    one, other = ((part.sentence * size + part.start) * size + part.end for part in (spans, others))
    return torch.isin(one, other)


def touches_any(spans: Spans, others: Spans, lengths: Tensor) -> Tensor:
    """(X,) bool: whether a span shares a token with one of the others (Y). Args: lengths: (S,)."""
    first = lengths.cumsum(0) - lengths                                                 # (S,)
    steps = lengths.new_zeros(int(lengths.sum()) + 1)                                   # (N + 1,) where others begin and end
    one = torch.ones_like(others.start)
    steps = steps.index_add(0, first[others.sentence] + others.start, one).index_add(0, first[others.sentence] + others.end, -one)
    covered = F.pad((steps.cumsum(0)[:-1] > 0).long().cumsum(0), (1, 0))                # (N + 1,) covered tokens before each place
    return covered[first[spans.sentence] + spans.end] > covered[first[spans.sentence] + spans.start]


def best_overlap(spans: Spans, others: Spans, sentences: int) -> Tensor:
    """(X,) float in [0, 1]: the highest share of common tokens, |s and g| / |s or g|, of a span s with any g of the others (Y).

    Args: others: grouped by sentence, in its order. sentences: S.
    """
    counts = torch.bincount(others.sentence, minlength=sentences)                       # (S,)
    place = _number_in_group(counts)                                                    # (Y,)
    most = int(counts.max())
    start, end = (counts.new_zeros(sentences, most).index_put((others.sentence, place), part) for part in others[1:])  # (S, most)
    best, size = [], max(1, CELLS_AT_ONCE // max(1, most))
    for begin in range(0, max(1, len(spans.start)), size):
        chunk = Spans(*(part[begin : begin + size] for part in spans))                  # (x,)
        low, high = start[chunk.sentence], end[chunk.sentence]                          # (x, most)  0 to 0: no span, nothing in common
        common = (torch.minimum(high, chunk.end[:, None]) - torch.maximum(low, chunk.start[:, None])).clamp(min=0)
        shares = common / (high - low + chunk.width[:, None] - common)
        best.append(F.pad(shares, (0, 1)).amax(dim=1))                                  # 0 in a sentence without others
    return torch.cat(best)


def without_overlaps(spans: Spans, score: Tensor) -> Tensor:
    """(X,) bool: the spans that remain if each takes its tokens, the highest score first; of equal ones the first. Args: score: (X,)."""
    taken: set[tuple[int, int]] = set()
    kept = torch.zeros_like(spans.start, dtype=torch.bool)
    rows = list(zip(*(part.tolist() for part in spans)))
    for number in score.argsort(descending=True, stable=True).tolist():
        sentence, start, end = rows[number]
        tokens = {(sentence, token) for token in range(start, end)}
        if taken.isdisjoint(tokens):
            taken |= tokens
            kept[number] = True
    return kept


def _number_in_group(sizes: Tensor) -> Tensor:
    """(G,) sizes of groups, one after the other -> of each member, its number in its group, from 0."""
    return torch.arange(int(sizes.sum()), device=sizes.device) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
