"""The last layer of the pair classifiers: the loss decides which linear layers there are, their columns, and the scores."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from relsift.layers.relation_classifier import PairScores, RelationClassifier
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
