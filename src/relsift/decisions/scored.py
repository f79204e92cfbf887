"""The scores of a sentence's candidate pairs, before any decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Pair
from relsift.schema import Sentence

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """Letters: P candidate pairs, K relation types.

    >>> from relsift.schema import Entity
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> scored = Scored(sentence, [Pair(0, 1), Pair(1, 0)], np.array([[2.0, -1.0], [-3.0, -0.5]], np.float32))
    >>> columns, scores = scored.best()
    >>> columns.tolist(), scores.tolist()
    ([0, 1], [2.0, -0.5])
    """

    sentence: Sentence  # with the entities that `pairs` refer to: those it came with, or those that a joint model found
    pairs: list[Pair]
    scores: Scores  # (P, K) log-odds of each relation against "none"

    def best(self) -> tuple[NDArray[np.int64], Scores]:
        """(P,) column of each pair's best relation (the first of equal ones), and (P,) its score."""
        if not len(self.pairs):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        columns = self.scores.argmax(axis=1)
        return columns, self.scores[np.arange(len(columns)), columns]
