"""Losses made for few related pairs, against numbers that can be redone by hand, and what class frequencies do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from relsift.errors import ConfigError
from relsift.losses.adaptive_focal import AdaptiveFocal
from relsift.losses.asymmetric import Asymmetric
from relsift.losses.atloss import ATLoss
from relsift.losses.base import LabelCounts, PairLoss, make_losses
from relsift.losses.class_balanced import ClassBalanced
from relsift.losses.cross_entropy import CrossEntropy
from relsift.losses.focal import Focal
from relsift.losses.logit_adjustment import LogitAdjustment
from relsift.losses.ncrl import NoneClassRanking
from relsift.losses.ssr_pu import ShiftedPositiveUnlabelled
from relsift.models.base.pair_classifier import PairClassifierConfig

COUNTS = LabelCounts(8, (1, 2))  # and five unrelated pairs


def odds(*rows: tuple[float, ...]) -> Tensor:
    """Logits whose exponentials are these numbers."""
    return torch.tensor(rows, dtype=torch.float64).log()


def labels(*rows: tuple[int, ...]) -> Tensor:
    return torch.tensor(rows).bool()


def value(loss: PairLoss, logits: Tensor, gold: Tensor) -> float:
    return loss.loss(logits, gold).item()


def test_focal_weighs_a_pair_by_what_is_missing_to_certainty():
    # Softmax 1/8, 2/8, 5/8; the first pair has relation 1, the second none: (6/8)^2 log 4 and (3/8)^2 log 8/5.
    logits, gold = odds((1, 2, 5), (1, 2, 5)), labels((0, 1), (0, 0))
    one, other = 36 / 64 * math.log(4), 9 / 64 * math.log(8 / 5)
    assert value(Focal(), logits, gold) == pytest.approx((one + other) / 2, rel=1e-12)
    assert value(Focal(other_weight=0.5), logits, gold) == pytest.approx((one + 0.5 * other) / 1.5, rel=1e-12)
    assert value(Focal(focal_gamma=0.0), logits, gold) == pytest.approx(value(CrossEntropy(), logits, gold), rel=1e-12)


def test_adaptive_focal_compares_each_relation_with_the_threshold_alone():
    # Exponentials 3 and 1, the threshold's 2: p = 3/5 and 1/3.
    logits = odds((3, 1, 2))
    first = (1 + 4 / 25) * math.log(5 / 3)
    assert value(AdaptiveFocal(), logits, labels((1, 0))) == pytest.approx(first + math.log(3 / 2), rel=1e-12)
    assert value(AdaptiveFocal(), logits, labels((1, 1))) == pytest.approx(first + (1 + 4 / 9) * math.log(3), rel=1e-12)
    assert value(AdaptiveFocal(), logits, labels((0, 0))) == value(ATLoss(), logits, labels((0, 0)))


def test_asymmetric_shifts_and_weighs_the_relations_that_do_not_hold():
    # Probabilities 3/4, which holds, and 1/4, which does not: 1/4 - 0.05 = 0.2.
    logits, gold = odds((3, 1 / 3)), labels((1, 0))
    push = 0.2**4 * -math.log(0.8)
    assert value(Asymmetric(), logits, gold) == pytest.approx(math.log(4 / 3) + push, rel=1e-9)
    assert value(Asymmetric(focal_gamma_pos=1.0), logits, gold) == pytest.approx(math.log(4 / 3) / 4 + push, rel=1e-9)
    plain = Asymmetric(focal_gamma_neg=0.0, probability_margin=0.0)
    assert value(plain, logits, gold) == pytest.approx(2 * math.log(4 / 3), rel=1e-12)
    assert value(Asymmetric(), odds((3, 4 / 96)), gold) == pytest.approx(math.log(4 / 3), rel=1e-9)  # 0.04 costs nothing


def test_none_class_ranking_adds_the_margin_of_none_to_the_mean_of_all():
    # Exponentials 3 and 1, that of none 2: margins of odds 3/2, 1/2, and 2/sqrt 3 for none, whose probability is 2/(2 + sqrt 3).
    logits, root = odds((3, 1, 2)), math.sqrt(3)
    related = [3 / 5, 2 / 3 + 0.05, root / (2 + root) + 0.05]
    unrelated = [2 / 5 + 0.05, 2 / 3 + 0.05, 2 / (2 + root)]
    for gold, probabilities in (((1, 0), related), ((0, 0), unrelated)):
        assert value(NoneClassRanking(), logits, labels(gold)) == pytest.approx(-sum(map(math.log, probabilities)), rel=1e-12)
    without = NoneClassRanking(probability_margin=0.0)
    assert value(without, logits, labels((0, 0))) == pytest.approx(-math.log(2 / 5 * 2 / 3 * 2 / (2 + root)), rel=1e-12)


def test_class_balanced_weighs_by_the_effective_number_of_pairs():
    # beta 1/2 and 1, 2, 5 pairs: (1/2) / (1 - 1/2^n) is 1, 2/3 and 16/31, made to sum up to 3.
    loss = ClassBalanced(balance_beta=0.5, counts=COUNTS)
    inverse = [1, 2 / 3, 16 / 31]
    assert loss.weights(3) == pytest.approx([3 * each / sum(inverse) for each in inverse], rel=1e-12)
    gold = labels((1, 0), (0, 0))
    wanted = (loss.weights(3)[0] + loss.weights(3)[2]) * math.log(3) / 2
    assert value(loss, torch.zeros(2, 3), gold) == pytest.approx(wanted, rel=1e-6)
    assert ClassBalanced(balance_beta=0.0, counts=COUNTS).weights(3) == [1, 1, 1]
    assert ClassBalanced(counts=LabelCounts(3, (0, 3))).weights(3)[0] == ClassBalanced(counts=LabelCounts(4, (1, 3))).weights(3)[0]


def test_logit_adjustment_learns_what_frequency_does_not_say_and_scores_without_it():
    loss, zero = LogitAdjustment(counts=COUNTS), torch.zeros(1, 3)
    for gold, share in (((1, 0), 1 / 8), ((0, 1), 2 / 8), ((0, 0), 5 / 8)):
        assert value(loss, zero, labels(gold)) == pytest.approx(-math.log(share), rel=1e-6)
    # tau 2: the softmax of 1/64, 4/64, 25/64
    assert value(replace(loss, adjustment_tau=2.0), zero, labels((0, 1))) == pytest.approx(math.log(30 / 4), rel=1e-6)
    assert loss.scores(zero).tolist() == [[0, 0]]


def test_positive_unlabelled_takes_some_of_the_rest_for_related():
    # 2 of 10 pairs are annotated: pi_l = 0.2, pi = 0.3, pi_u = 0.1 / 0.8. Scores 0.5 (annotated), -0.5 and 1.
    loss = ShiftedPositiveUnlabelled(counts=LabelCounts(10, (2,)))
    logits, gold = torch.tensor([[0.5, 0.0], [0.0, 0.5], [1.0, 0.0]], dtype=torch.float64), labels((1,), (0,), (0,))
    lift = 0.3 * math.sqrt(0.7 / 0.3) * 0.25 / 4
    rest, missed = (0.25 / 4 + 4 / 4) / 2, 0.125 * 2.25 / 4
    assert value(loss, logits, gold) == pytest.approx(lift + 0.7 / 0.875 * (rest - missed), rel=1e-6)
    # With scores of -1 the rest has no risk, and what is estimated for it would be below 0: it counts as 0.
    sure = torch.tensor([[0.5, 0.0], [-1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert value(loss, sure, gold) == pytest.approx(lift, rel=1e-6)
    # A factor of 1: the rest is unrelated.
    complete = 0.2 * math.sqrt(0.8 / 0.2) * 0.25 / 4 + 0.8 * rest
    assert value(replace(loss, pu_prior_factor=1.0), logits, gold) == pytest.approx(complete, rel=1e-6)


def test_smoothing_of_none_leaves_related_pairs_alone():
    logits = odds((1, 2, 5), (1, 2, 5))
    unrelated = 0.8 * math.log(8 / 5) + 0.2 * (math.log(8) + math.log(4)) / 2
    loss = CrossEntropy(none_smoothing=0.2, other_weight=0.5)
    assert value(loss, logits, labels((0, 1), (0, 0))) == pytest.approx((math.log(4) + 0.5 * unrelated) / 1.5, rel=1e-12)
    assert value(loss, logits[:1], labels((0, 1))) == pytest.approx(math.log(4), rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        ClassBalanced(counts=COUNTS), LogitAdjustment(counts=COUNTS), LogitAdjustment(counts=LabelCounts(8, (0, 0))),
        ShiftedPositiveUnlabelled(counts=COUNTS), ShiftedPositiveUnlabelled(counts=LabelCounts(8, (0, 8))),
        CrossEntropy(none_smoothing=0.1),
        Focal(focal_gamma=0.5), AdaptiveFocal(focal_gamma=0.5), Asymmetric(focal_gamma_neg=0.5, probability_margin=0.0),
        NoneClassRanking(probability_margin=0.0),
    ],
    ids=lambda loss: type(loss).__name__,
)  # fmt: skip
@pytest.mark.parametrize("size", [0.0, 1.0, 80.0, 1e4])
def test_with_counts_and_at_the_ends_of_their_options_losses_and_gradients_are_finite(loss, size):
    rows = torch.tensor([[1.0, -1, -1], [-1, 1, 1], [1, 1, 1], [-1, -1, -1]])[:, : 2 + loss.NONE_COLUMN]
    for gold in (torch.zeros(4, 2), torch.ones(4, 2), torch.eye(4, 2)):
        logits = (size * rows).requires_grad_()
        result = loss.loss(logits, gold.bool())
        result.backward()
        assert result.isfinite() and result >= 0
        assert logits.grad is not None and logits.grad.isfinite().all()
        if loss.NEEDS_COUNTS:  # scores do not depend on what training counted
            assert torch.equal(loss.scores(logits), replace(loss, counts=None).scores(logits))


def test_options_of_the_model_reach_them():
    config = PairClassifierConfig(focal_gamma=1.0, none_smoothing=0.1, balance_beta=0.9, adjustment_tau=0.5, pu_prior_factor=3.0)
    for name, loss in (
        ("focal", Focal(focal_gamma=1.0)), ("cross_entropy", CrossEntropy(none_smoothing=0.1)), ("class_balanced", ClassBalanced(0.9)),
        ("logit_adjustment", LogitAdjustment(0.5)), ("ssr_pu", ShiftedPositiveUnlabelled(3.0)),
    ):  # fmt: skip
        assert make_losses(name, config.to_dict()) == {name: loss}


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("focal_gamma", -1), ("none_smoothing", 1), ("probability_margin", -0.1), ("balance_beta", 1), ("pu_prior_factor", 0.5),
        ("pu_margin", 0),
    ],
)  # fmt: skip
def test_options_out_of_bounds_are_refused(option, wrong):
    with pytest.raises(ConfigError, match=f"model.{option}: expected a number"):
        PairClassifierConfig.from_dict({option: wrong})
