"""Are the probabilities right? Of the relations found with a probability of 0.8, eight in ten should be.

Judged are the relations that a model gives out, each by its probability to be right. Relations that it misses have no probability and do
not count here: recall tells of them.

| measure | what | best |
|---|---|---|
| Brier score | mean squared difference of the probability from 1 (right) or 0 (wrong) | 0 |
| log loss | mean negative logarithm of the probability of what was the case | 0 |
| expected calibration error | mean difference of mean probability and share of right ones over 15 bins of equally many relations | 0 |

The expected calibration error of few relations is above 0 even for perfect probabilities, since shares of small bins vary by chance.
Sources: Brier 1950; Naeini et al., AAAI 2015 (calibration error); Nguyen and O'Connor, EMNLP 2015 (bins of equal mass).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from relsift.candidates import Direction
from relsift.errors import DataError
from relsift.evaluation.facts import annotated_sentences, fact_of, facts_of
from relsift.evaluation.scores import Entities, Match
from relsift.schema import Sentence

BINS = 15
_LEAST = 1e-15  # probability in a logarithm, as scikit-learn has it for 64-bit numbers up to rounding


@dataclass(frozen=True, slots=True)
class Bin:
    """Relations of neighbouring probabilities.

    >>> [low, high] = calibration_scores([0.9, 0.8, 0.3, 0.1], [True, True, False, False], bins=2).bins
    >>> low.count, low.high, round(high.probability, 2), high.right
    (2, 0.3, 0.85, 1.0)
    """

    count: int
    low: float  # the lowest probability
    high: float
    probability: float  # the mean
    right: float  # share of right relations


@dataclass(frozen=True)
class CalibrationScores:
    """The result of `calibration_scores`.

    >>> scores = calibration_scores([0.9, 0.6], [True, False])
    >>> scores.relations, scores.right, round(scores.log_loss, 4)
    (2, 1, 0.5108)
    """

    relations: int  # with a probability
    right: int  # of them
    brier: float
    log_loss: float
    expected_error: float  # the expected calibration error
    bins: tuple[Bin, ...]  # from low to high probabilities

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"bins": [asdict(part) for part in self.bins]}


def calibration_scores(probabilities: Sequence[float], right: Sequence[bool], bins: int = BINS) -> CalibrationScores:
    """Judge probabilities by what was the case.

    Equal probabilities count as right in equal shares, so that their order does not matter where a bin ends among them.

    Args: bins: of equally many relations each, up to one; fewer if there are fewer relations.
    Raises: DataError if there are none, or a number is no probability.

    See also: `found_probabilities`, `relsift.decisions.calibration.Calibration`.

    >>> scores = calibration_scores([0.9, 0.6, 0.2], [True, False, False], bins=3)
    >>> round(scores.brier, 4), round(scores.expected_error, 4)
    (0.1367, 0.3)
    """
    p, truth = np.asarray(probabilities, np.float64), np.asarray(right, np.float64)
    if not len(p) or p.shape != truth.shape or not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"calibration: expected probabilities from 0 to 1, each with right or wrong, got {len(p)} and {len(truth)}")
    case = np.where(truth > 0, p, 1 - p)
    _, group, sizes = np.unique(p, return_inverse=True, return_counts=True)
    shared = (np.bincount(group, truth) / sizes)[group]
    order = np.argsort(p, kind="stable")
    parts = [
        Bin(len(one), float(p[one].min()), float(p[one].max()), float(p[one].mean()), float(shared[one].mean()))
        for one in np.array_split(order, min(bins, len(p)))
    ]
    return CalibrationScores(
        len(p), int(truth.sum()), float(((p - truth) ** 2).mean()), float(-np.log(np.maximum(case, _LEAST)).mean()),
        sum(part.count * abs(part.probability - part.right) for part in parts) / len(p), tuple(parts),
    )  # fmt: skip


def found_probabilities(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, direction: Direction, entities: Entities = "gold", match: Match = "strict"
) -> tuple[list[float], list[bool]]:
    """The probability of each predicted relation of annotated sentences, and whether it is right; without those that have none.

    Args and errors: as of `relsift.evaluation.scores.evaluate`.

    See also: `calibration_scores`, which judges them.

    >>> from relsift.schema import Entity, Relation
    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> found = gold.with_relations((Relation(0, 1, "founder", probability=0.9), Relation(1, 0, "owner", probability=0.3)))
    >>> found_probabilities([gold], [found], direction="directed")
    ([0.9, 0.3], [True, False])
    """
    probabilities: list[float] = []
    right: list[bool] = []
    for _, annotated, sentence in annotated_sentences(gold, predicted, entities, match):
        facts = facts_of(annotated, direction, entities, match)
        for relation in sentence.relations or ():
            if relation.probability is not None:
                probabilities.append(relation.probability)
                right.append(fact_of(sentence, relation, direction, entities, match) in facts)
    return probabilities, right
