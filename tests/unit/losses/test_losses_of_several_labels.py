"""ATLOSS, multi-label and binary cross-entropy against numbers that can be redone by hand, literal loops, and what holds for any logits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from relsift.errors import ShapeError
from relsift.losses.atloss import ATLoss
from relsift.losses.base import PairLoss
from relsift.losses.binary_cross_entropy import BinaryCrossEntropy
from relsift.losses.multilabel_cross_entropy import MultilabelCrossEntropy

LOSSES = (ATLoss(), MultilabelCrossEntropy(), BinaryCrossEntropy())
each = pytest.mark.parametrize("loss", LOSSES, ids=["atloss", "multilabel_cross_entropy", "binary_cross_entropy"])


def columns(*odds: float) -> Tensor:
    """(1, C + 1) logits whose exponentials are these numbers."""
    return torch.tensor([odds], dtype=torch.float64).log()


def random_problem(pairs: int, relations: int, *, none_column: bool, scale: float = 3.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (P, C or C + 1) float64 and labels (P, C) with none, some and all columns."""
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(pairs, relations + none_column, generator=generator, dtype=torch.float64)
    share = torch.rand(pairs, 1, generator=generator) * 1.4 - 0.2  # some pairs have no label, some have all
    return logits, torch.rand(pairs, relations, generator=generator) < share


# ---- by hand


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ((True, False), 5 / 2),  # -log 3/(3 + 2) - log 2/(1 + 2) = log 5/3 · 3/2
        ((True, True), 12.0),  # -log 3/6 - log 1/6, and no column to push: log 2 · 6
        ((False, False), 3.0),  # -log 2/(3 + 1 + 2)
        ((False, True), 15 / 2),  # -log 1/(1 + 2) - log 2/(3 + 2)
    ],
)
def test_atloss_by_hand(labels, wanted):
    # Exponentials 3 and 1, that of the threshold 2.
    assert ATLoss().loss(columns(3, 1, 2), torch.tensor([labels])).item() == pytest.approx(math.log(wanted), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ((True, False), 4.0),  # (1 + 2) (1 + 1/3)
        ((True, True), 11 / 6),  # 1 · (1 + 1/3 + 1/2)
        ((False, False), 6.0),  # (1 + 3 + 2) · 1
        ((False, True), 6.0),  # (1 + 3) (1 + 1/2)
    ],
)
def test_multilabel_cross_entropy_by_hand(labels, wanted):
    # Exponentials 3 and 2.
    assert MultilabelCrossEntropy().loss(columns(3, 2), torch.tensor([labels])).item() == pytest.approx(math.log(wanted), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ((True, False), 4.0),  # (1 + 1/3) (1 + 2)
        ((True, True), 2.0),  # (1 + 1/3) (1 + 1/2)
        ((False, False), 12.0),  # (1 + 3) (1 + 2)
        ((False, True), 6.0),  # (1 + 3) (1 + 1/2)
    ],
)
def test_binary_cross_entropy_by_hand(labels, wanted):
    # Exponentials 3 and 2: the mean of two columns.
    assert BinaryCrossEntropy().loss(columns(3, 2), torch.tensor([labels])).item() == pytest.approx(math.log(wanted) / 2, abs=1e-12)


def test_the_loss_is_the_mean_over_pairs():
    labels = torch.tensor([[True, False], [True, True], [False, False]])
    # log 5/2, log 12 and log 3 from above
    assert ATLoss().loss(columns(3, 1, 2).expand(3, 3), labels).item() == pytest.approx(math.log(90) / 3, abs=1e-12)
    # half of log 4, log 2 and log 12 from above
    assert BinaryCrossEntropy().loss(columns(3, 2).expand(3, 2), labels).item() == pytest.approx(math.log(96) / 6, abs=1e-12)
    # log 4, log 11/6 and log 6
    assert MultilabelCrossEntropy().loss(columns(3, 2).expand(3, 2), labels).item() == pytest.approx(math.log(44) / 3, abs=1e-12)


def test_scores_are_against_the_threshold_or_zero():
    assert ATLoss().scores(torch.tensor([[2.0, -1.0, 0.5]])).tolist() == [[1.5, -1.5]]
    for loss in (MultilabelCrossEntropy(), BinaryCrossEntropy()):
        assert loss.scores(torch.tensor([[2.0, -1.0]])).tolist() == [[2.0, -1.0]]
    assert {loss.threshold for loss in LOSSES} == {0}


def test_the_gradient_by_hand():
    # ATLOSS, exponentials 3 (holds), 1, threshold 2: softmax over {3, 2} is .6, .4; over {1, 2} it is 1/3, 2/3.
    logits = columns(3, 1, 2).requires_grad_()
    ATLoss().loss(logits, torch.tensor([[True, False]])).backward()
    assert logits.grad is not None
    assert logits.grad[0].tolist() == pytest.approx([0.6 - 1, 1 / 3, 0.4 + 2 / 3 - 1], abs=1e-12)
    # Multi-label: d log(1 + 2) = 2/3 for the column with 2; d log(1 + 1/3) = -(1/3)/(4/3) = -1/4 for the one with 3.
    logits = columns(3, 2).requires_grad_()
    MultilabelCrossEntropy().loss(logits, torch.tensor([[True, False]])).backward()
    assert logits.grad is not None
    assert logits.grad[0].tolist() == pytest.approx([-1 / 4, 2 / 3], abs=1e-12)


# ---- literal loops


def atlop(logits: list[list[float]], labels: list[list[bool]]) -> float:
    """The formula of ATLOP as it stands, a sum over the relations that hold and one more term."""
    total = 0.0
    for f, holds in zip(logits, labels):
        threshold = math.exp(f[-1])
        positive = [math.exp(value) for value, true in zip(f, holds) if true]
        negative = [math.exp(value) for value, true in zip(f, holds) if not true]
        for value in positive:
            total -= math.log(value / (sum(positive) + threshold))
        total -= math.log(threshold / (sum(negative) + threshold))
    return total / len(logits)


def zlpr(logits: list[list[float]], labels: list[list[bool]]) -> float:
    total = 0.0
    for f, holds in zip(logits, labels):
        total += math.log(1 + sum(math.exp(value) for value, true in zip(f, holds) if not true))
        total += math.log(1 + sum(math.exp(-value) for value, true in zip(f, holds) if true))
    return total / len(logits)


def sigmoids(logits: list[list[float]], labels: list[list[bool]]) -> float:
    terms = [1 / (1 + math.exp(-value if true else value)) for f, holds in zip(logits, labels) for value, true in zip(f, holds)]
    return -sum(map(math.log, terms)) / len(terms)


@pytest.mark.parametrize(("pairs", "relations"), [(60, 5), (1, 1), (20, 1), (1, 12)])
def test_all_equal_a_literal_loop_over_pairs_and_columns(pairs, relations):
    logits, labels = random_problem(pairs, relations, none_column=True)
    assert ATLoss().loss(logits, labels).item() == pytest.approx(atlop(logits.tolist(), labels.tolist()), rel=1e-12)
    logits, labels = random_problem(pairs, relations, none_column=False)
    assert MultilabelCrossEntropy().loss(logits, labels).item() == pytest.approx(zlpr(logits.tolist(), labels.tolist()), rel=1e-12)
    assert BinaryCrossEntropy().loss(logits, labels).item() == pytest.approx(sigmoids(logits.tolist(), labels.tolist()), rel=1e-12)


def test_the_problems_of_these_tests_have_pairs_without_labels_and_pairs_with_all():
    _, labels = random_problem(60, 5, none_column=True)
    assert {0, 5} < set(labels.sum(dim=1).tolist())


# ---- limits


@each
def test_without_any_label_only_the_highest_columns_are_pushed_and_with_all_only_lifted(loss: PairLoss):
    logits = torch.tensor([[1.0, -1.0, 0.0, 0.0][: 3 + loss.NONE_COLUMN]] * 2, requires_grad=True)
    loss.loss(logits, torch.tensor([[False] * 3, [True] * 3])).backward()
    assert logits.grad is not None
    none, every = logits.grad[:, :3]
    assert (none > 0).all() and none[0] == none.max()  # most at the highest column
    assert every.sum() < 0 and every[1] == every.min()  # most at the lowest column


@each
def test_a_right_and_clear_decision_costs_nothing(loss: PairLoss):
    labels = torch.tensor([[True, False, False], [False, False, False]])
    logits = torch.where(labels, 1e4, -1e4)
    logits = torch.cat([logits, torch.zeros(2, loss.NONE_COLUMN)], dim=1)
    assert loss.loss(logits, labels).item() == 0
    assert loss.loss(-logits, labels).item() >= 1e4


def test_three_relations_share_one_softmax_in_atloss_and_none_in_multilabel_cross_entropy():
    labels, logits = torch.ones(1, 3, dtype=torch.bool), torch.full((1, 3), 50.0, dtype=torch.float64)
    assert ATLoss().loss(torch.cat([logits, 0 * logits[:, :1]], dim=1), labels).item() == pytest.approx(3 * math.log(3))
    assert MultilabelCrossEntropy().loss(logits, labels).item() == pytest.approx(0, abs=1e-20)


@each
@pytest.mark.parametrize("shape", [(2, 4), (3, 3), (2,), (2, 3, 1), (0, 3)])
def test_labels_that_do_not_fit_the_logits_are_refused_with_both_shapes(loss: PairLoss, shape):
    logits = torch.zeros(shape[0] and 2, 3 + loss.NONE_COLUMN)
    with pytest.raises(ShapeError, match=r"labels: expected \(P, C\) with P >= 1 for logits \(P, C.*got labels .* and logits \("):
        loss.loss(logits, torch.zeros(shape, dtype=torch.bool))


# ---- any logits


@st.composite
def problems(draw: st.DrawFn, size: float = 1e4) -> tuple[Tensor, Tensor]:
    """Logits (P, C + 1) float32, and labels (P, C)."""
    pairs, relations = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    numbers = st.lists(st.floats(-size, size, width=32), min_size=relations + 1, max_size=relations + 1)
    switches = st.lists(st.booleans(), min_size=relations, max_size=relations)
    rows = draw(st.lists(st.tuples(numbers, switches), min_size=pairs, max_size=pairs))
    return torch.tensor([row for row, _ in rows]), torch.tensor([row for _, row in rows])


def fitting(loss: PairLoss, logits: Tensor) -> Tensor:
    return logits if loss.NONE_COLUMN else logits[:, :-1]


@each
@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_never_negative_and_finite_with_its_gradient(loss: PairLoss, problem):
    logits, labels = fitting(loss, problem[0]).clone().requires_grad_(), problem[1]
    value = loss.loss(logits, labels)
    value.backward()
    assert value.isfinite() and value >= 0
    assert logits.grad is not None and logits.grad.isfinite().all()


@each
@settings(max_examples=40, deadline=None)
@given(problem=problems(20), data=st.data())
def test_the_order_of_columns_and_of_pairs_changes_nothing(loss: PairLoss, problem, data):
    logits, labels = fitting(loss, problem[0]).double(), problem[1]
    order = data.draw(st.permutations(range(labels.shape[1])))
    pairs = data.draw(st.permutations(range(len(labels))))
    last = [labels.shape[1]] * loss.NONE_COLUMN
    shuffled = loss.loss(logits[pairs][:, [*order, *last]], labels[pairs][:, order])
    torch.testing.assert_close(shuffled, loss.loss(logits, labels))


@each
@settings(max_examples=40, deadline=None)
@given(problem=problems(20), further=problems(20))
def test_it_is_convex_in_the_logits(loss: PairLoss, problem, further):
    # So every way down ends at the least loss, wherever it starts.
    logits, labels = fitting(loss, problem[0]).double(), problem[1]
    other = torch.zeros_like(logits)
    rows, width = min(len(logits), len(further[0])), min(logits.shape[1], further[0].shape[1])
    other[:rows, :width] = further[0][:rows, :width]
    middle = loss.loss((logits + other) / 2, labels)
    assert middle <= (loss.loss(logits, labels) + loss.loss(other, labels)) / 2 + 1e-9


@each
@settings(max_examples=40, deadline=None)
@given(problem=problems(20))
def test_the_right_answer_moved_further_from_the_threshold_costs_less(loss: PairLoss, problem):
    logits, labels = fitting(loss, problem[0]).double(), problem[1]
    step = torch.cat([torch.where(labels, 1.0, -1.0).double(), torch.zeros(len(labels), loss.NONE_COLUMN).double()], dim=1)
    assert loss.loss(logits + step, labels) < loss.loss(logits, labels) + 1e-12


@settings(max_examples=40, deadline=None)
@given(problem=problems(20), shift=st.floats(-20, 20))
def test_atloss_sees_differences_to_the_threshold_only(problem, shift):
    logits, labels = problem[0].double(), problem[1]
    torch.testing.assert_close(ATLoss().loss(logits + shift, labels), ATLoss().loss(logits, labels))


@each
def test_gradients_are_those_of_the_equation(loss: PairLoss):
    logits, labels = random_problem(12, 4, none_column=loss.NONE_COLUMN)
    assert torch.autograd.gradcheck(lambda x: loss.loss(x, labels), logits.requires_grad_())
