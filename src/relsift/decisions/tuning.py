"""Tuning a decision on annotated, scored data: the common threshold, or one a relation.

*Common*: the best of all thresholds, with every other rule in force.
*One a relation*: coordinate ascent from the common one, each step exact over all values of one relation's threshold. Then each is
drawn towards the common one, since few examples say little: t_r = (n_r * t_r + m * t) / (n_r + m), with n_r gold relations of the type.
The strength m is chosen from STRENGTHS by cross-validation over documents (over sentences, where each is a document of its own). In this
second step `at_most`, and that two directions stand or fall together, are not in force; means over directions and constraints are.
Letters: P candidate pairs, K relation types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Direction
from relsift.decisions.aims import F1, Aim
from relsift.decisions.decision import Decision
from relsift.decisions.fitting import folds_of, group_of
from relsift.decisions.scored import Scored
from relsift.decisions.thresholds import best_threshold
from relsift.errors import DataError
from relsift.evaluation.facts import facts_of
from relsift.schema import Sentence

STRENGTHS = (0.0, 5.0, 20.0, 80.0, float("inf"))  # m; infinity is the common threshold
FEWEST = 2  # gold relations of a type that gets a threshold of its own
_MOST_ROUNDS = 10
_GAIN = 1e-9  # of the aim; less is rounding

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class TuningData:
    """Annotated sentences with their scores."""

    gold: Sequence[Sentence]  # as annotated
    scored: Sequence[Scored]  # of the same sentences, perhaps with other entities
    labels: tuple[str, ...]
    direction: Direction

    def gold_counts(self) -> list[Counter[str]]:
        """Of each sentence, its relations by type, as the evaluation counts them."""
        return [Counter(fact[-1] for fact in facts_of(sentence, self.direction)) for sentence in self.gold]

    def outcomes(self, decision: Decision) -> tuple[list[float], list[bool]]:
        """Of all that the decision could take: how far its score stands above the relation's own threshold, and whether it is right."""
        levels: list[float] = []
        right: list[bool] = []
        for sentence in self.scored:
            found = decision.choices(sentence, self.labels)
            levels += found.levels.tolist()
            places = zip(found.pairs.tolist(), found.columns.tolist())
            right += [self.labels[column] in sentence.pairs[pair].types for pair, column in places]
        return levels, right


@dataclass(frozen=True)
class Tuned:
    """A decision with new thresholds."""

    decision: Decision
    value: float  # of the aim, with the common threshold alone
    strength: float | None  # m, if there are thresholds of relations
    warnings: list[str]


def tuned(
    decision: Decision, data: TuningData, *, aim: Aim = F1, keep_common: bool = False, per_relation: bool = False
) -> Tuned:
    """The decision with thresholds that suit the data best; those of relations that it has are kept.

    Args: keep_common: the common threshold stays as it is. per_relation: tune one for each relation that has none yet.
    Raises: DataError if there is no candidate pair or no annotated relation.
    """
    num_gold = sum(counts.total() for counts in data.gold_counts())
    if not num_gold:
        raise DataError("data to tune on: expected annotated relations, got none")
    warnings: list[str] = []
    stacked = _Stacked.of(decision, data) if per_relation or decision.thresholds else None
    if not keep_common:
        if stacked is None or not decision.thresholds:
            threshold, _ = best_threshold(*data.outcomes(decision), num_gold, aim)
        else:  # the best relation of a pair may change with the common threshold
            threshold = stacked.common(decision, aim)
        decision = replace(decision, threshold=threshold)
    levels, right = data.outcomes(decision)
    taken = [is_right for level, is_right in zip(levels, right) if level >= decision.threshold]
    value = aim.value(sum(taken), len(taken), num_gold)
    if not aim.is_reached(sum(taken), len(taken)):
        warnings.append(f"{aim.name}: no common threshold reaches it; the nearest has a precision of {100 * value:.1f} %")
    if stacked is None or not per_relation:
        return Tuned(decision, value, None, warnings)
    few = [name for number, name in enumerate(data.labels) if stacked.support[number] < FEWEST and name not in decision.thresholds]
    if few:
        warnings.append(f"fewer than {FEWEST} examples, so the common threshold stands for {', '.join(few)}")
    decision, strength = stacked.per_relation(decision, aim, keep_common=keep_common)
    return Tuned(decision, value, strength, warnings)


@dataclass(frozen=True)
class _Stacked:
    """All pairs of the data as one matrix."""

    scores: Floats  # (P, K) -infinity where constraints forbid the relation
    right: Bools  # (P, K)
    folds: NDArray[np.int64]  # (P,) what is held out together
    gold: NDArray[np.int64]  # (folds, K + 1) gold relations by fold and type; the last column: types that the model does not know
    labels: tuple[str, ...]
    several: bool

    @classmethod
    def of(cls, decision: Decision, data: TuningData) -> _Stacked:
        column = {name: number for number, name in enumerate(data.labels)}
        fold_of_sentence = folds_of([group_of(sentence) for sentence in data.scored])
        rows, right, folds = [np.empty((0, len(column)))], [np.empty((0, len(column)), np.bool_)], [np.empty(0, np.int64)]
        gold = np.zeros((int(fold_of_sentence.max(initial=0)) + 1, len(column) + 1), np.int64)
        for sentence, counts, fold in zip(data.scored, data.gold_counts(), fold_of_sentence.tolist()):
            cells = decision.cells(sentence, data.labels)
            rows.append(np.where(cells.allowed, cells.scores, -np.inf))
            is_right = [[name in pair.types for name in data.labels] for pair in sentence.pairs]
            right.append(np.array(is_right, np.bool_).reshape(-1, len(column)))
            folds.append(np.full(len(sentence.pairs), fold))
            for name, count in counts.items():
                gold[fold, column.get(name, -1)] += count
        return cls(
            np.concatenate(rows), np.concatenate(right), np.concatenate(folds), gold, data.labels, decision.mode == "several"
        )  # fmt: skip

    @property
    def support(self) -> NDArray[np.int64]:
        """(K,) gold relations of each type."""
        totals: NDArray[np.int64] = self.gold[:, :-1].sum(axis=0)
        return totals

    def without(self, fold: int) -> _Stacked:
        others = np.arange(len(self.gold)) != fold
        return self._part(self.folds != fold, self.gold * others[:, None])

    def only(self, fold: int) -> _Stacked:
        this = np.arange(len(self.gold)) == fold
        return self._part(self.folds == fold, self.gold * this[:, None])

    def _part(self, mask: Bools, gold: NDArray[np.int64]) -> _Stacked:
        return replace(self, scores=self.scores[mask], right=self.right[mask], folds=self.folds[mask], gold=gold)

    def common(self, decision: Decision, aim: Aim) -> float:
        """The best common threshold of all relations that have none of their own."""
        free = [number for number, name in enumerate(self.labels) if name not in decision.thresholds]
        thresholds = self._vector(decision)
        return self._sweep(free, thresholds, aim)[0] if free else decision.threshold

    def per_relation(self, decision: Decision, aim: Aim, *, keep_common: bool) -> tuple[Decision, float]:
        """Thresholds of all relations with enough examples, and the strength with which they are drawn to the common one."""
        strength = self._strength(decision, aim, keep_common=keep_common)
        free = self._free(decision)
        vector = _shrunk(self._ascent(self._vector(decision), free, aim), decision.threshold, self.support, strength)
        own = {} if strength == float("inf") else {self.labels[number]: float(vector[number]) for number in free}
        return replace(decision, thresholds={**decision.thresholds, **own}), strength

    def _free(self, decision: Decision) -> list[int]:
        support = self.support
        return [number for number, name in enumerate(self.labels) if support[number] >= FEWEST and name not in decision.thresholds]

    def _vector(self, decision: Decision) -> Floats:
        return np.array([decision.threshold_of(name) for name in self.labels], np.float64)

    def _strength(self, decision: Decision, aim: Aim, *, keep_common: bool) -> float:
        """The m of the highest aim over held-out folds, all folds together; of equal ones the largest."""
        hits, taken = np.zeros(len(STRENGTHS), np.int64), np.zeros(len(STRENGTHS), np.int64)
        if len(self.gold) < 2:
            return float("inf")
        for fold in range(len(self.gold)):
            rest, held_out = self.without(fold), self.only(fold)
            if not rest.gold.sum() or not len(rest.scores):
                return float("inf")
            here = decision if keep_common else replace(decision, threshold=rest.common(decision, aim))
            free = rest._free(here)
            best = rest._ascent(rest._vector(here), free, aim)
            for number, strength in enumerate(STRENGTHS):
                vector = rest._vector(here)
                vector[free] = _shrunk(best, here.threshold, rest.support, strength)[free]
                hit, take = held_out.counts(vector)
                hits[number] += hit
                taken[number] += take
        values = np.asarray(aim.value(hits, taken, int(self.gold.sum())))
        return STRENGTHS[len(STRENGTHS) - 1 - int((values[::-1] >= values.max() - _GAIN).argmax())]

    def counts(self, thresholds: Floats) -> tuple[int, int]:
        """Relations that are taken and right, and all that are taken. Args: thresholds: (K,)."""
        if not len(self.scores):
            return 0, 0
        margins = self.scores - thresholds
        if self.several:
            return int((self.right & (margins >= 0)).sum()), int((margins >= 0).sum())
        best = margins.argmax(axis=1)
        rows = np.arange(len(best))
        taken = margins[rows, best] >= 0
        return int((self.right[rows, best] & taken).sum()), int(taken.sum())

    def _ascent(self, thresholds: Floats, free: Collection[int], aim: Aim) -> Floats:
        """(K,) One threshold after the other is set to its best value, until none gets better."""
        result, gold = thresholds.copy(), int(self.gold.sum())
        value = aim.value(*self.counts(result), gold)
        for _ in range(_MOST_ROUNDS):
            before = value
            for column in free:
                threshold, there = self._sweep([column], result, aim)
                if there > value + _GAIN:
                    result[column], value = threshold, there
            if value <= before:
                break
        return result

    def _sweep(self, columns: Sequence[int], thresholds: Floats, aim: Aim) -> tuple[float, float]:
        """The best threshold for these relations together, while all others keep theirs, and the value of the aim then.

        In mode single a pair goes to the best of `columns` from a threshold of `turn` downwards; above, it stays with the others, if
        one of them takes it. So one sort gives the counts at every threshold.
        """
        others = np.setdiff1d(np.arange(len(self.labels)), columns)
        scores, right = self.scores[:, columns], self.right[:, columns]
        if self.several:
            base_hits, base_taken = replace(self, scores=self.scores[:, others], right=self.right[:, others]).counts(thresholds[others])
            turn, hit, take = scores.ravel(), right.ravel().astype(np.int64), np.ones(scores.size, np.int64)
        else:
            rows = np.arange(len(scores))
            margins = self.scores[:, others] - thresholds[others] if len(others) else np.full((len(scores), 1), -np.inf)
            rival = margins.argmax(axis=1)
            is_taken = margins[rows, rival] >= 0
            is_hit = is_taken & (self.right[:, others][rows, rival] if len(others) else False)
            base_hits, base_taken = int(is_hit.sum()), int(is_taken.sum())
            own = scores.argmax(axis=1)
            turn = scores[rows, own] - np.maximum(margins[rows, rival], 0.0)
            hit, take = right[rows, own].astype(np.int64) - is_hit, 1 - is_taken.astype(np.int64)
        return _best_turn(turn, hit, take, (base_hits, base_taken), int(self.gold.sum()), aim)


def _best_turn(
    turn: Floats, hit: NDArray[np.int64], take: NDArray[np.int64], base: tuple[int, int], gold: int, aim: Aim
) -> tuple[float, float]:
    """The best threshold, half-way between two turns, and the value there.

    Args: turn: from which threshold downwards a relation is taken. hit, take: what that changes in the counts. base: hits and taken
        relations if none of these is taken.
    """
    possible = np.isfinite(turn)
    order = np.argsort(-turn[possible], kind="stable")
    ranked, hits, taken = turn[possible][order], hit[possible][order].cumsum() + base[0], take[possible][order].cumsum() + base[1]
    if not len(ranked):
        return 0.0, aim.value(*base, gold)
    cuts = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    values = np.append(aim.value(*base, gold), aim.value(hits[cuts], taken[cuts], gold))
    best = int(values.argmax())
    if best == 0:
        return float(ranked[0]) + 1.0, float(values[0])
    last = int(cuts[best - 1])
    return (float(ranked[last] + ranked[last + 1]) / 2 if last + 1 < len(ranked) else float(ranked[last]) - 1.0), float(values[best])


def _shrunk(thresholds: Floats, common: float, support: NDArray[np.int64], strength: float) -> Floats:
    """(K,) each drawn towards the common one."""
    if strength == float("inf"):
        return np.full(len(thresholds), common)
    own = support / np.maximum(support + strength, 1e-9)  # (K,) weights, not sums over examples: those of the largest thresholds overflow
    shrunk: Floats = own * thresholds + (1 - own) * common
    return shrunk
