"""The evaluator against scikit-learn on the shipped corpus, with guesses that are wrong in every way there is."""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from relsift.candidates import Candidates, Direction
from relsift.evaluation.scores import evaluate
from relsift.readers.base import ReadReport
from relsift.registry import find
from relsift.schema import Relation, Sentence, sentences_of

NONE = "no relation"


@cache
def corpus(language: str) -> list[Sentence]:
    folder = Path(str(files("relsift").joinpath("corpora/gazette", language)))
    return list(sentences_of(find("reader", "gazette").read(folder, ReadReport())))


def guesses(gold: list[Sentence], rule: Candidates, seed: int) -> list[Sentence]:
    """Of the related candidates most are found, some get another type; of the others a few are called related."""
    draw = random.Random(seed)
    kinds = sorted({relation.type for sentence in gold for relation in sentence.relations or ()})
    predicted = []
    for sentence in gold:
        relations = []
        for head, tail, types in rule.pairs(sentence):
            chance = draw.random()
            if types and chance < 0.7:
                relations.append(Relation(head, tail, types[0]))
            elif (types and chance < 0.8) or (not types and chance < 0.03):
                relations.append(Relation(head, tail, draw.choice(kinds)))
        predicted.append(sentence.with_relations(relations))
    return predicted


def decisions(sentences: list[Sentence], direction: Direction) -> list[str]:
    """One label for every pair of entities, related or not."""
    labels = []
    for sentence in sentences:
        by_pair: dict[tuple[int, ...], set[str]] = {}
        for r in sentence.relations or ():
            pair = (r.head, r.tail) if direction == "directed" else tuple(sorted((r.head, r.tail)))
            by_pair.setdefault(pair, set()).add(r.type)
        size = len(sentence.entities)
        for i in range(size):
            for j in range(size) if direction == "directed" else range(i + 1, size):
                kinds = by_pair.get((i, j), {NONE})
                assert len(kinds) == 1, "the corpus has one relation a pair"
                labels += kinds
    return labels


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("direction", ["directed", "undirected"])
@pytest.mark.parametrize("type_filter", [True, False])
def test_averages_and_errors_are_those_of_scikit_learn(language: str, direction: Direction, type_filter: bool):
    gold = corpus(language)
    # Fitted on a third, so that the filter loses gold relations of the rest: they must count as missed.
    rule = Candidates.fit(gold[: len(gold) // 3], direction=direction, type_filter=type_filter)
    predicted = guesses(gold, rule, seed=7)
    truth, guess = decisions(gold, direction), decisions(predicted, direction)
    kinds = sorted({*truth, *guess} - {NONE})
    result = evaluate(gold, predicted, direction=direction)

    assert min(result.errors.false_negative, result.errors.false_positive, result.errors.wrong_class) > 0
    for average, ours in result.averages.items():
        *theirs, _ = precision_recall_fscore_support(truth, guess, labels=kinds, average=average, zero_division=0)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(tuple(theirs), abs=1e-12)
    precision, recall, f1, support = precision_recall_fscore_support(truth, guess, labels=kinds, zero_division=0)
    for row, kind in enumerate(kinds):
        ours = result.per_type[kind]
        assert (*vars_of(ours.prf), ours.support) == pytest.approx((precision[row], recall[row], f1[row], support[row]))

    matrix = confusion_matrix(truth, guess, labels=[*kinds, NONE])
    inner = matrix[:-1, :-1]
    assert result.errors.false_negative == matrix[:-1, -1].sum()
    assert result.errors.false_positive == matrix[-1, :-1].sum()
    assert result.errors.wrong_class == inner.sum() - inner.trace()
    assert sum(result.confusion.values()) == inner.sum()
    assert all(matrix[kinds.index(g), kinds.index(p)] == count for (g, p), count in result.confusion.items())


def vars_of(prf) -> tuple[float, float, float]:
    return prf.precision, prf.recall, prf.f1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_perfect_classifier_scores_what_its_candidates_leave_it(language: str):
    gold = corpus(language)
    rule = Candidates.fit(gold[: len(gold) // 3], direction="directed")
    predicted = [s.with_relations(Relation(pair.head, pair.tail, kind) for pair in rule.pairs(s) for kind in pair.types) for s in gold]
    result = evaluate(gold, predicted, direction="directed")
    hits = sum(len(s.relations or ()) for s in predicted)
    assert 0 < hits < sum(len(s.relations or ()) for s in gold)  # the filter did lose some
    assert result.micro.precision == 1
    assert result.micro.recall == pytest.approx(hits / sum(len(s.relations or ()) for s in gold))
