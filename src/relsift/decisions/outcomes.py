"""What a decision is tuned and judged on: the best score of every candidate pair, and whether that relation is right."""

from __future__ import annotations

from collections.abc import Iterable

from relsift.decisions.scored import Scored


def best_outcomes(scored: Iterable[Scored], labels: tuple[str, ...]) -> tuple[list[float], list[bool]]:
    """Of every pair of annotated sentences: the score of its best relation, and whether the pair is annotated with it."""
    scores: list[float] = []
    correct: list[bool] = []
    for sentence in scored:
        columns, best = sentence.best()
        scores += best.tolist()
        correct += [labels[column] in pair.types for pair, column in zip(sentence.pairs, columns.tolist())]
    return scores, correct
