"""R-drop and the softened scores of a teacher, against sums over distributions that are written out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from relsift.training.divergence import distillation_loss, divergence, r_drop_loss

ONE, OTHER = torch.tensor([[0.0, 2.0], [-1.0, 0.5]]), torch.tensor([[1.0, -2.0], [-1.0, 3.0]])
both_forms = pytest.mark.parametrize("several", [True, False])


def yes_or_no(score: float) -> tuple[float, float]:
    return 1 / (1 + math.exp(-score)), 1 / (1 + math.exp(score))


def one_of_all(row: list[float]) -> list[float]:
    weights = [math.exp(score) for score in [*row, 0.0]]
    return [weight / sum(weights) for weight in weights]


def literal(target: Tensor, scores: Tensor, *, several: bool) -> list[float]:
    """Sums of p log(p / q)."""
    result = []
    for row, other in zip(target.tolist(), scores.tolist()):
        if several:
            cases = [case for s, t in zip(row, other) for case in zip(yes_or_no(s), yes_or_no(t))]
        else:
            cases = list(zip(one_of_all(row), one_of_all(other)))
        result.append(sum(p * math.log(p / q) for p, q in cases))
    return result


@both_forms
def test_the_divergence_is_the_sum_over_the_outcomes(several):
    assert divergence(ONE, OTHER, several_labels=several).tolist() == pytest.approx(literal(ONE, OTHER, several=several), rel=1e-5)


def test_a_divergence_by_hand():
    # Scores ln 3 and 0: yes with 3/4 and 1/2. 3/4 ln (3/2) + 1/4 ln (1/2) = .3041 - .1733 = .1308; with K = 1 the softmax is the same.
    target, scores = torch.tensor([[math.log(3.0)]]), torch.zeros(1, 1)
    for several in (True, False):
        assert divergence(target, scores, several_labels=several).item() == pytest.approx(0.1308, abs=1e-4)


@both_forms
def test_the_divergence_of_sure_scores_is_finite(several):
    sure = torch.tensor([[300.0, -300.0]])
    assert divergence(sure, -sure, several_labels=several).isfinite().all()
    assert divergence(sure, sure, several_labels=several).tolist() == [0.0]


@both_forms
def test_r_drop_is_the_mean_of_both_directions_and_zero_for_equal_scores(several):
    there, back = literal(ONE, OTHER, several=several), literal(OTHER, ONE, several=several)
    assert r_drop_loss(ONE, OTHER, several_labels=several).item() == pytest.approx(sum(there + back) / 4, rel=1e-5)
    assert r_drop_loss(ONE, ONE, several_labels=several).item() == 0.0


@both_forms
def test_distillation_compares_softened_scores_and_is_zero_where_the_student_equals_the_teacher(several):
    wanted = 9 * sum(literal(OTHER / 3, ONE / 3, several=several)) / 2
    assert distillation_loss(ONE, OTHER, temperature=3.0, several_labels=several).item() == pytest.approx(wanted, rel=1e-5)
    assert distillation_loss(ONE, ONE, temperature=3.0, several_labels=several).item() == 0.0


@both_forms
def test_pairs_that_the_teacher_does_not_score_add_nothing(several):
    taught = OTHER.clone()
    taught[1] = torch.nan
    scores = ONE.clone().requires_grad_()
    loss = distillation_loss(scores, taught, temperature=1.0, several_labels=several)
    assert loss.item() == pytest.approx(literal(OTHER, ONE, several=several)[0] / 2, rel=1e-5)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad[0].abs().sum() > 0
    assert scores.grad[1].tolist() == [0.0, 0.0]


@both_forms
def test_the_gradient_of_distillation_at_a_high_temperature_stays_of_its_size(several):
    sizes = []
    for temperature in (10.0, 100.0):
        scores = ONE.clone().requires_grad_()
        distillation_loss(scores, OTHER, temperature=temperature, several_labels=several).backward()
        assert scores.grad is not None
        sizes.append(scores.grad.norm().item())
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)
