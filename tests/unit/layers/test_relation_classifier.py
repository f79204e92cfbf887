"""The last layer of the pair classifiers: the loss decides which linear layers there are, their columns, and the scores."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.layers.relation_classifier import AtPrediction, PairScores, RelationClassifier
from relsift.losses.base import make_losses
from relsift.losses.identification import identification_loss
from relsift.losses.labels import first_label
from relsift.losses.ranking import ranking_loss

LABELS = torch.tensor([[True, False, True], [False, False, False], [False, True, False]])


def classifier(classification: str, *, identification: bool = False, score_bias: bool = False, **options: Any) -> RelationClassifier:
    """Of 4 features and 3 relation types."""
    torch.manual_seed(0)
    losses = make_losses(classification, options)
    return RelationClassifier(4, 3, losses, identification=identification, score_bias=score_bias)


@pytest.mark.parametrize(
    ("classification", "weights"),
    [
        ("ranking", {"rank.weight": (3, 4)}),
        ("cross_entropy", {"choose.weight": (4, 4), "choose.bias": (4,)}),
        ("both", {"rank.weight": (3, 4), "choose.weight": (4, 4), "choose.bias": (4,)}),
        ("atloss", {"choose.weight": (4, 4), "choose.bias": (4,)}),
        ("multilabel_cross_entropy", {"choose.weight": (3, 4), "choose.bias": (3,)}),
    ],
)
def test_the_loss_decides_on_the_layers_and_their_columns(classification, weights):
    assert {name: tuple(weight.shape) for name, weight in classifier(classification).named_parameters()} == weights
    biased = classifier(classification, score_bias=True, identification=True).state_dict()
    assert ("rank.bias" in biased) is ("rank.weight" in biased)
    assert biased["identify.weight"].shape == (2, 4)


@pytest.mark.parametrize("classification", ["cross_entropy", "atloss"])
def test_with_a_column_for_none_scores_are_differences_to_it(classification):
    layer = classifier(classification)
    output = layer(torch.randn(5, 4))
    assert output.logits is not None
    for scores, logits in zip(output.scores.tolist(), output.logits.tolist()):
        assert scores == pytest.approx([value - logits[3] for value in logits[:3]], abs=1e-6)


def test_without_one_the_logits_are_the_scores():
    output = classifier("multilabel_cross_entropy")(torch.randn(5, 4))
    assert output.logits is not None and torch.equal(output.scores, output.logits)
    output = classifier("ranking")(torch.randn(5, 4))
    assert output.logits is None


def test_both_is_decided_by_ranking_and_trains_the_two_layers():
    layer = classifier("both", identification=True, gamma=1.5, threshold=0.7)
    h = torch.randn(3, 4)
    output = layer(h)
    assert layer.rank is not None and torch.equal(output.scores, layer.rank(h))
    assert layer.decisive.threshold == 0.7
    parts = layer.loss(output, LABELS)
    assert [*parts] == ["ranking", "cross_entropy", "identification"]
    assert torch.equal(parts["ranking"], ranking_loss(output.scores, first_label(LABELS), gamma=1.5))


def test_the_second_task_is_trained_beside_a_loss_of_several_labels():
    layer = classifier("atloss", identification=True)
    output = layer(torch.randn(3, 4))
    parts = layer.loss(output, LABELS)
    assert [*parts] == ["atloss", "identification"]
    assert output.identification is not None
    assert torch.equal(parts["identification"], identification_loss(output.identification, torch.tensor([0, -1, 1])))


def test_the_threshold_of_the_ranking_option_is_no_threshold_of_log_odds():
    for name in ("cross_entropy", "atloss", "multilabel_cross_entropy"):
        assert classifier(name, threshold=0.7).decisive.threshold == 0


def test_half_precision_becomes_float32_and_double_stays_double():
    h = torch.randn(3, 4)
    for dtype, wanted in ((torch.bfloat16, torch.float32), (torch.float16, torch.float32), (torch.float64, torch.float64)):
        output: PairScores = classifier("atloss", identification=True).to(dtype)(h.to(dtype))
        assert [part.dtype for part in output if part is not None] == [wanted] * 3


# ---- the second task at prediction


def at_prediction(way: AtPrediction, classification: str = "cross_entropy") -> RelationClassifier:
    losses = make_losses(classification, {})
    return RelationClassifier(4, 3, losses, identification=True, score_bias=False, at_prediction=way).eval()


def test_product_gives_the_log_odds_of_being_related_times_being_this_relation():
    # p(related) = 3/4, p(r | related) = 1/8, 2/8, 5/8: probabilities 3/32, 6/32, 15/32, and none 8/32.
    identification = torch.tensor([[0.0, math.log(3)]])
    scores = torch.tensor([[1.0, 2.0, 5.0]]).log()
    odds = at_prediction("product").predicted(PairScores(scores, None, identification)).exp()
    assert odds[0].tolist() == pytest.approx([3 / 8, 6 / 8, 15 / 8], rel=1e-5)


def test_product_decides_each_relation_by_itself_where_the_loss_does():
    # p(related) = 3/4 and p(r | related) = 1/2, 2/3, 5/6: probabilities 3/8, 1/2, 5/8.
    identification = torch.tensor([[0.0, math.log(3)]])
    scores = torch.tensor([[1.0, 2.0, 5.0]]).log()
    odds = at_prediction("product", "atloss").predicted(PairScores(scores, None, identification)).exp()
    assert odds[0].tolist() == pytest.approx([3 / 5, 1, 5 / 3], rel=1e-5)
    huge = torch.tensor([[80.0, -80.0, 0.0]])
    for sign in (1, -1):
        extreme = PairScores(sign * huge, None, sign * torch.tensor([[-80.0, 80.0]]))
        assert all(at_prediction("product", loss).predicted(extreme).isfinite().all() for loss in ("atloss", "ranking"))


def test_filter_puts_pairs_below_its_floor_under_all_others_in_the_same_order():
    layer = at_prediction("filter")
    scores, identification = torch.tensor([[1.0, 3.0, 2.0]]).repeat(2, 1), torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    output = PairScores(scores, None, identification)
    assert torch.equal(layer.predicted(output), scores)  # before it is tuned nothing is left out
    layer.floor.fill_(0.0)
    kept, left_out = layer.predicted(output)
    assert torch.equal(kept, scores[0]) and left_out.max() < -100 and left_out.argmax() == 1
    assert layer.state_dict()["floor"] == 0  # it is saved with the model


def test_in_training_scores_are_those_of_the_loss():
    output = PairScores(torch.randn(2, 3), None, torch.randn(2, 2))
    for way in ("product", "filter"):
        layer = at_prediction(way).train()
        assert layer.predicted(output) is output.scores
        layer.eval()
    assert at_prediction("none").predicted(output) is output.scores


def test_the_second_task_at_prediction_needs_the_second_task():
    with pytest.raises(ConfigError, match=r"model.identification_at_prediction: expected none, or .*=true.*got 'product'"):
        load_config(model="pcnn", overrides=["model.identification_at_prediction=product"])
    assert load_config(overrides=["model.identification_at_prediction=filter"]).model.options["identification_at_prediction"] == "filter"
