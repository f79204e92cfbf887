"""The type prior against counting and against scikit-learn's logistic regression."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from relsift.candidates import NO_RELATION
from relsift.config import load_config
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError
from relsift.losses.labels import first_label
from relsift.models.type_prior import TypePrior, TypePriorConfig
from relsift.training.loop import train
from toy import batch_of, randomise, sentences

KNOWN = Encoding.fit(sentences(40))
KINDS = len(KNOWN.labels)  # also the column of "no relation"


def noisy(count: int) -> Batch:
    """Pairs whose labels vary within every combination of types, so that the best weights are finite."""
    batch = batch_of(sentences(count), KNOWN)
    generator = torch.Generator().manual_seed(1)
    own = first_label(batch.pairs.labels)
    drawn = torch.randint(NO_RELATION, KINDS, own.shape, generator=generator)
    label = torch.where(torch.rand(own.shape, generator=generator) < 0.5, own, drawn)
    return replace(batch, pairs=replace(batch.pairs, labels=label[:, None] == torch.arange(KINDS)))


def counts_of(batch: Batch) -> Counter[tuple[int, int, int]]:
    """Pairs of each head type, tail type and label."""
    return Counter((head, tail, label) for (head, tail), label in zip(types_of(batch).tolist(), first_label(batch.pairs.labels).tolist()))


def converged(config: TypePriorConfig, batch: Batch) -> TypePrior:
    model = TypePrior(config, KNOWN)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = model.loss(model(batch), batch)["cross_entropy"]
        loss.backward()
        return loss

    optimiser.step(closure)
    return model


def types_of(batch: Batch) -> np.ndarray:
    """(P, 2) types of head and tail."""
    return torch.stack([batch.entities.type[batch.pairs.head], batch.entities.type[batch.pairs.tail]], dim=1).numpy()


def probabilities(model: TypePrior, batch: Batch) -> np.ndarray:
    logits = model(batch).logits
    assert logits is not None
    return logits.softmax(dim=1).detach().numpy()


def test_with_interaction_each_combination_has_the_shares_of_its_training_pairs():
    batch = noisy(60)
    counts = counts_of(batch)
    for (head, tail), row in zip(types_of(batch).tolist(), probabilities(converged(TypePriorConfig(), batch), batch)):
        pairs = [counts[head, tail, label] for label in (*range(KINDS), NO_RELATION)]
        assert row == pytest.approx(np.array(pairs) / sum(pairs), abs=1e-3)


@pytest.mark.parametrize("interaction", [True, False])
def test_it_is_the_logistic_regression_of_scikit_learn(interaction):
    batch = noisy(60)
    types = types_of(batch)
    columns = np.column_stack([types, types[:, 0] * 100 + types[:, 1]]) if interaction else types
    features = OneHotEncoder(sparse_output=False).fit_transform(columns)
    label = first_label(batch.pairs.labels).numpy()
    target = np.where(label == NO_RELATION, KINDS, label)  # so that the columns have the same order
    reference = LogisticRegression(C=np.inf, max_iter=2000, tol=1e-8).fit(features, target)
    ours = probabilities(converged(TypePriorConfig(interaction=interaction), batch), batch)
    np.testing.assert_allclose(ours, reference.predict_proba(features), atol=2e-3)


def test_trained_as_the_preset_says_it_comes_near_its_optimum():
    group = sentences(400)
    config = load_config(model="type_prior", overrides=["candidates.type_filter=false"])
    result = train(config, group, group[:40])
    batch = batch_of(group, result.bundle.encoding)
    counts = counts_of(batch)
    of_types = Counter((head, tail) for head, tail in types_of(batch).tolist())
    best = -sum(n * np.log(n / of_types[head, tail]) for (head, tail, _), n in counts.items()) / len(batch.pairs)
    losses = [record["loss_cross_entropy"] for record in result.state.history or []]
    assert len(losses) == 30  # development F1 is at its best long before, and does not stop it
    assert losses[-1] == pytest.approx(best, abs=0.01) and losses[0] > best + 0.1


def test_a_type_or_a_combination_it_never_saw_adds_nothing():
    batch = noisy(40)
    model = converged(TypePriorConfig(), batch)
    weight = model.classifier.choose.weight.detach()
    size = model.types
    unseen_rows = [0, size, *(2 * size + n for n in range(size**2) if n < size or n % size == 0)]
    assert not weight[:, unseen_rows].any()
    strange = replace(batch, entities=replace(batch.entities, type=torch.full_like(batch.entities.type, -1)))
    bias = model.classifier.choose.bias.detach()
    torch.testing.assert_close(model(strange).logits.detach(), bias.expand(len(batch.pairs), -1))


def test_features_by_hand():
    # Three types and the unknown one: head type 1, tail type 3 is combination 1 * 4 + 3.
    model = TypePrior(TypePriorConfig(), KNOWN)
    assert model.types == 4
    assert model.features(torch.tensor([7])).nonzero()[:, 1].tolist() == [1, 4 + 3, 8 + 7]
    assert TypePrior(TypePriorConfig(interaction=False), KNOWN).features(torch.tensor([7])).tolist() == [[0, 1, 0, 0, 0, 0, 0, 1]]


def test_every_part_of_the_output_belongs_to_its_pair():
    model = TypePrior(TypePriorConfig(classification="both", identification=True), KNOWN)
    randomise(model)
    batch = noisy(12)
    output = model(batch)
    combinations = (batch.entities.type[batch.pairs.head] + 1) * model.types + batch.entities.type[batch.pairs.tail] + 1
    plain = model.classifier(model.features(combinations))
    for name in ("scores", "logits", "identification"):
        torch.testing.assert_close(getattr(output, name), getattr(plain, name))


def test_tags_are_refused_since_there_is_no_tag_input():
    with pytest.raises(ConfigError, match=r"model\.tags: expected false"):
        TypePriorConfig(tags=True)
