"""The losses of one label a pair against numbers that can be redone by hand, and against literal loops."""

from __future__ import annotations

import math

import pytest
import torch

from relsift.candidates import NO_RELATION
from relsift.errors import ShapeError
from relsift.losses.cross_entropy import other_cross_entropy
from relsift.losses.identification import identification_loss
from relsift.losses.labels import first_label
from relsift.losses.ranking import ranking_loss

# softplus(x) = log(1 + e^x): softplus of 2, 1, 0, -1 is 2.1269, 1.3133, 0.6931, 0.3133


def test_ranking_loss_matches_hand_computation():
    # gamma 1, no margins: softplus(rival) + softplus(-gold); gold 1, rival 0: 0.6931 + 0.3133; unrelated, best column 1: 1.3133
    scores = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = ranking_loss(scores, torch.tensor([0, NO_RELATION]), gamma=1.0, margin_pos=0.0, margin_neg=0.0)
    assert loss.item() == pytest.approx(((0.6931 + 0.3133) + 1.3133) / 2, abs=1e-4)


def test_ranking_loss_defaults_are_the_papers_margins_and_steepness():
    # gold column 1: gamma (2.5 - 3) = -1; rivals 0.0 and -2.0, the better one is 0.0: gamma (0.5 + 0) = 1
    loss = ranking_loss(torch.tensor([[0.0, 3.0, -2.0]]), torch.tensor([1]))
    assert loss.item() == pytest.approx(0.3133 + 1.3133, abs=1e-4)


def test_ranking_loss_of_an_unrelated_pair_pushes_its_best_column_only():
    scores = torch.tensor([[0.0, 0.5, -3.0]], requires_grad=True)
    loss = ranking_loss(scores, torch.tensor([NO_RELATION]))
    assert loss.item() == pytest.approx(2.1269, abs=1e-4)  # gamma (0.5 + 0.5) = 2
    loss.backward()
    assert scores.grad is not None
    # d softplus(2 (0.5 + s)) / ds at s = 0.5 is 2 / (1 + e^-2) = 1.7616
    assert scores.grad[0].tolist() == pytest.approx([0.0, 1.7616, 0.0], abs=1e-4)


def test_ranking_loss_never_takes_the_gold_column_for_its_own_rival():
    scores = torch.tensor([[9.0, -9.0]], requires_grad=True)
    ranking_loss(scores, torch.tensor([0]), gamma=1.0).backward()
    assert scores.grad is not None
    assert scores.grad[0, 0] < 0 < scores.grad[0, 1]  # the gold score is still lifted, the rival still pushed


def test_with_one_relation_type_a_related_pair_has_no_rival_and_an_unrelated_one_is_pushed_down():
    scores = torch.tensor([[2.0], [0.0]], requires_grad=True)
    loss = ranking_loss(scores, torch.tensor([0, NO_RELATION]))
    # related: 2 (2.5 - 2) = 1, and nothing for a rival; unrelated: 2 (0.5 + 0) = 1
    assert loss.item() == pytest.approx((1.3133 + 1.3133) / 2, abs=1e-4)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert scores.grad[0] < 0 < scores.grad[1]


def test_huge_scores_give_a_finite_loss_and_gradient():
    scores = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = ranking_loss(scores, torch.tensor([1, NO_RELATION]))
    loss.backward()
    assert scores.grad is not None
    assert loss.isfinite()
    assert scores.grad.isfinite().all()


def test_ranking_loss_equals_the_equations_row_by_row():
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(50, 6, generator=generator, dtype=torch.float64)
    label = torch.randint(-1, 6, (50,), generator=generator)
    total = 0.0
    for row, gold in zip(scores.tolist(), label.tolist()):
        rivals = [score for column, score in enumerate(row) if column != gold]
        total += math.log(1 + math.exp(1.5 * (-0.5 + max(rivals))))
        if gold != NO_RELATION:
            total += math.log(1 + math.exp(1.5 * (4.5 - row[gold])))
    loss = ranking_loss(scores, label, gamma=1.5, margin_pos=4.5, margin_neg=-0.5)
    assert loss.item() == pytest.approx(total / 50, rel=1e-12)


@pytest.mark.parametrize("label", [torch.tensor([0]), torch.tensor([[0], [1]]), torch.tensor(0)])
def test_labels_that_do_not_fit_the_scores_are_refused(label):
    with pytest.raises(ShapeError, match="label"):
        ranking_loss(torch.zeros(2, 3), label)


def test_no_pairs_at_all_are_refused_because_their_mean_is_not_a_number():
    with pytest.raises(ShapeError, match="P >= 1"):
        ranking_loss(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))


def test_cross_entropy_counts_unrelated_pairs_in_the_last_column():
    # Softmax of (log 1, log 2, log 5) is 1/8, 2/8, 5/8.
    logits = torch.log(torch.tensor([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0]]))
    loss = other_cross_entropy(logits, torch.tensor([1, NO_RELATION]))
    assert loss.item() == pytest.approx(-(math.log(2 / 8) + math.log(5 / 8)) / 2, abs=1e-6)


def test_cross_entropy_equals_a_literal_softmax():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    label = torch.randint(-1, 4, (40,), generator=generator)
    total = 0.0
    for row, gold in zip(logits.tolist(), label.tolist()):
        powers = [math.exp(value) for value in row]
        total -= math.log(powers[4 if gold == NO_RELATION else gold] / sum(powers))
    assert other_cross_entropy(logits, label).item() == pytest.approx(total / 40, rel=1e-12)


def test_identification_asks_whether_there_is_any_relation():
    # Column 1 is "related". Softmax of (log 1, log 3) is 1/4, 3/4: labels 0 and 2 are related, -1 is not.
    logits = torch.log(torch.tensor([[1.0, 3.0]])).expand(3, 2)
    loss = identification_loss(logits, torch.tensor([0, 2, NO_RELATION]))
    assert loss.item() == pytest.approx(-(2 * math.log(3 / 4) + math.log(1 / 4)) / 3, abs=1e-6)


def test_the_first_label_of_a_pair_is_the_first_column_that_holds():
    labels = torch.tensor([[True, False, True], [False, False, False], [False, False, True], [False, True, True]])
    first = first_label(labels)
    assert first.tolist() == [0, NO_RELATION, 2, 1]
    assert first.dtype == torch.int64


def test_without_pairs_there_are_no_labels():
    assert first_label(torch.zeros(0, 3, dtype=torch.bool)).tolist() == []
