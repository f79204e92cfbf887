"""What holds for every registered loss of pairs, plug-ins included."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from model_cases import KNOWN, MODELS, Case, default, parameter
from relsift.candidates import NO_RELATION
from relsift.errors import ShapeError
from relsift.layers.relation_classifier import RelationClassifier
from relsift.losses.base import LabelCounts, PairLoss, classifications, make_losses
from relsift.losses.labels import first_label
from relsift.models.base.pair_classifier import PairClassifierConfig
from relsift.registry import find, table
from toy import batch_of, randomise, sentences


@pytest.fixture(params=sorted(table("loss")))
def loss(request) -> PairLoss:
    made: PairLoss = find("loss", request.param)()
    return made


def problem(loss: PairLoss, pairs: int = 24, relations: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random logits (P, C + NONE_COLUMN) float32, and labels (P, C): as many pairs with none, one, two … and all columns."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(pairs, relations + loss.NONE_COLUMN, generator=generator)
    order = torch.rand(pairs, relations, generator=generator).argsort(dim=1)
    return logits, order < torch.arange(pairs)[:, None] % (relations + 1)


def decided(loss: PairLoss, logits: Tensor) -> Tensor:
    """(P, C) bool if the loss takes several labels, else (P,) the best column, or NO_RELATION: what the scores say at its threshold."""
    scores = loss.scores(logits)
    if loss.SEVERAL_LABELS:
        return scores >= loss.threshold
    value, column = scores.max(dim=1)
    return torch.where(value >= loss.threshold, column, NO_RELATION)


def wanted(loss: PairLoss, labels: Tensor) -> Tensor:
    return labels if loss.SEVERAL_LABELS else first_label(labels)


def test_says_what_it_is_and_needs_no_options(loss: PairLoss):
    assert loss.SUMMARY and "\n" not in loss.SUMMARY
    assert isinstance(loss.SEVERAL_LABELS, bool) and isinstance(loss.NONE_COLUMN, bool)
    assert all(field.default is not MISSING for field in fields(loss))


def test_its_options_have_the_defaults_of_the_models(loss: PairLoss):
    defaults = PairClassifierConfig().to_dict()
    assert all(field.default == defaults[field.name] for field in fields(loss) if field.name in defaults)


@pytest.mark.parametrize(("pairs", "relations"), [(1, 1), (1, 4), (7, 1), (30, 3), (5, 40)])
def test_gives_a_finite_scalar_that_is_not_negative_and_one_score_a_column(loss: PairLoss, pairs, relations):
    logits, labels = problem(loss, pairs, relations)
    value = loss.loss(logits, labels)
    assert value.shape == () and value.dtype == logits.dtype
    assert value.isfinite() and value >= 0
    assert loss.scores(logits).shape == (pairs, relations)


@pytest.mark.parametrize("labels", [torch.zeros, torch.ones], ids=["no-label", "all-labels"])
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_no_label_all_labels_and_huge_logits_give_a_finite_loss_and_gradient(loss: PairLoss, labels, size):
    logits = size * torch.tensor([[1.0, -1, -1, 1], [-1, 1, 1, -1], [1, 1, 1, 1], [-1, -1, -1, -1]])[:, : 3 + loss.NONE_COLUMN]
    logits.requires_grad_()
    value = loss.loss(logits, labels(4, 3).bool())
    value.backward()
    assert value.isfinite() and value >= 0
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_gradients_are_those_of_the_equation(loss: PairLoss):
    logits, labels = problem(loss, 10)
    assert torch.autograd.gradcheck(lambda x: loss.loss(x, labels), logits.double().requires_grad_())


def test_a_way_down_from_any_start_ends_at_the_right_decision(loss: PairLoss):
    for seed in range(3):
        logits, labels = problem(loss, seed=seed)
        logits.requires_grad_()
        optimiser = torch.optim.Adam([logits], lr=0.1)
        before = loss.loss(logits, labels).item()
        for _ in range(300):
            optimiser.zero_grad()
            loss.loss(logits, labels).backward()
            optimiser.step()
        assert loss.loss(logits, labels).item() < before
        assert torch.equal(decided(loss, logits), wanted(loss, labels))


def test_a_linear_layer_learns_to_separate_a_toy(loss: PairLoss):
    # Feature r says that relation r holds; a last one is 1 for all pairs.
    generator = torch.Generator().manual_seed(1)
    labels = torch.rand(40, 3, generator=generator) < 0.3
    labels &= labels.cumsum(dim=1) <= (3 if loss.SEVERAL_LABELS else 1)
    x = torch.cat([labels.float(), torch.ones(40, 1)], dim=1)
    layer = torch.nn.Linear(4, 3 + loss.NONE_COLUMN, bias=False)
    torch.nn.init.zeros_(layer.weight)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss.loss(layer(x), labels).backward()
        optimiser.step()
    assert torch.equal(decided(loss, layer(x)), wanted(loss, labels))


def test_further_labels_count_if_it_says_so_and_else_change_nothing(loss: PairLoss):
    logits, _ = problem(loss, 6)
    one = torch.tensor([[True, False, False]]).expand(6, 3)
    two = torch.tensor([[True, False, True]]).expand(6, 3)
    assert torch.equal(loss.loss(logits, one), loss.loss(logits, two)) is not loss.SEVERAL_LABELS


def test_it_is_a_mean_over_pairs_in_any_order(loss: PairLoss):
    logits, labels = problem(loss)
    value = loss.loss(logits, labels)
    torch.testing.assert_close(loss.loss(logits.flip(0), labels.flip(0)), value)
    torch.testing.assert_close(loss.loss(logits.repeat(3, 1), labels.repeat(3, 1)), value)


def test_the_order_of_columns_means_nothing(loss: PairLoss):
    logits, labels = problem(loss)
    if not loss.SEVERAL_LABELS:
        labels = labels & (labels.cumsum(dim=1) == 1)
    order = [2, 0, 1]
    last = [3] * loss.NONE_COLUMN
    torch.testing.assert_close(loss.loss(logits[:, [*order, *last]], labels[:, order]), loss.loss(logits, labels))
    torch.testing.assert_close(loss.scores(logits[:, [*order, *last]]), loss.scores(logits)[:, order])


def test_shapes_that_do_not_fit_are_refused(loss: PairLoss):
    logits, labels = problem(loss)
    for wrong in (labels[:, :-1], labels[1:], labels[:, 0]):
        with pytest.raises(ShapeError):
            loss.loss(logits, wrong)
    with pytest.raises(ShapeError):
        loss.loss(logits[:0], labels[:0])  # the mean over no pair is not a number


@pytest.mark.parametrize("classification", classifications())
@pytest.mark.parametrize("identification", [True, False])
def test_a_classifier_keeps_scores_and_losses_in_full_precision_under_autocast(classification, identification):
    losses = make_losses(classification, PairClassifierConfig().to_dict())
    torch.manual_seed(0)
    classifier = RelationClassifier(8, 3, losses, identification=identification, score_bias=True)
    h, labels = torch.randn(5, 8), torch.rand(5, 3) < 0.5
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.nn.functional.linear(h, torch.ones(2, 8)).dtype == torch.bfloat16
        output = classifier(h)
        parts = classifier.loss(output, labels)
    assert parts.keys() == losses.keys() | ({"identification"} if identification else set())
    assert {part.dtype for part in (*parts.values(), *filter(lambda part: part is not None, output))} == {torch.float32}
    for name, part in classifier.loss(classifier(h), labels).items():
        torch.testing.assert_close(parts[name], part, rtol=0.05, atol=0.05)  # the linear layers alone are rounded


def with_options(case: Case, **options: Any) -> Any:
    """The tiny model, ready to predict; a pipeline gives the options to its model of pairs."""
    config = case.config
    if hasattr(config, "relation_options"):
        config = replace(config, relation_options=config.relation_options | options)
    elif hasattr(config, "directions"):
        config = replace(config, directions="one", **options)
    else:
        config = replace(config, **options)
    model = case.architecture(config, KNOWN)
    randomise(model, 0, scale=0.3)
    return model.eval()


@pytest.mark.parametrize("case", [parameter(default(name)) for name in MODELS])
def test_every_model_of_pairs_can_be_told_counts_and_take_the_second_task_to_prediction(case):
    batch, options = batch_of(sentences(3), KNOWN), {"classification": "class_balanced", "identification": True}
    model = with_options(case, **options)
    (classifier,) = (part for part in model.modules() if isinstance(part, RelationClassifier))
    labels = model.classified_labels(batch)
    assert labels.sum() == batch.pairs.labels.sum() and labels.dtype == torch.bool
    classifier.tell_counts(*(LabelCounts(len(labels), tuple(labels.sum(dim=0).tolist())) for _ in range(2)))
    assert all(part.isfinite() for part in model.loss(model(batch), batch).values())
    scores = model.scores(model(batch))
    with_product = with_options(case, **options, identification_at_prediction="product")
    product = with_product.scores(with_product(batch))
    assert product.isfinite().all() and not torch.allclose(product, scores)
    assert with_product.paper_threshold == 0
    with_filter = with_options(case, **options, identification_at_prediction="filter")
    (classifier,) = (part for part in with_filter.modules() if isinstance(part, RelationClassifier))
    classifier.floor.fill_(-1000.0)
    torch.testing.assert_close(with_filter.scores(with_filter(batch)), scores)
    classifier.floor.fill_(1000.0)
    torch.testing.assert_close(with_filter.scores(with_filter(batch)), scores - 1000)
