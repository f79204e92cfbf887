"""CR-CNN against a convolution per pair, tanh at every token before the maximum, and the ranking loss written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from literal_convolution import assert_same, convolution, spans_of
from relsift.candidates import NO_RELATION
from relsift.encoding.batch import Batch
from relsift.kernels.switch import SWITCH
from relsift.losses.labels import first_label
from relsift.models.cr_cnn import CRCNN, CRCNNConfig
from relsift.schema import Entity, Sentence
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()


@pytest.fixture(params=["torch", "numba"])
def kernel(request, monkeypatch):
    monkeypatch.setenv(SWITCH, request.param)


def make(**options: object) -> CRCNN:
    model = CRCNN(replace(CRCNNConfig.tiny(), filters=70, **options), KNOWN)
    randomise(model, scale=0.2)
    return model.eval()


def literal(model: CRCNN, batch: Batch) -> Tensor:
    assert model.classifier.rank is not None
    rows = []
    for pair in range(len(batch.pairs)):
        h = convolution(model.convolved, batch, pair).tanh()  # (filters, tokens)
        if model.config.context == "between":
            spans = spans_of(batch, pair)
            h = h[:, min(start for start, _ in spans) : max(end for _, end in spans)]
        rows.append(model.classifier.rank.weight @ h.amax(dim=1))
    return torch.stack(rows)


@pytest.mark.parametrize("context", ["sentence", "between"])
@pytest.mark.parametrize("length", [1, 2, 3, 8, 25])
def test_scores_and_gradients_equal_the_literal_convolution(kernel, length, context):
    model, batch = make(context=context), batch_of([long_sentence(length, 5, seed=length), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-5)


@pytest.mark.parametrize("window", [1, 2, 5])
def test_every_window_equals_the_literal_convolution_with_and_without_tags(window):
    for tags in (True, False):
        model, batch = make(window=window, tags=tags).double(), batch_of([long_sentence(12, 4, 3), one_token()], KNOWN)
        assert_same(model, batch, literal(model, batch), 1e-10)


def test_the_loss_is_that_of_the_paper_and_an_unrelated_pair_only_pushes_down():
    model, batch = make(), batch_of(sentences(4), KNOWN)
    scores = literal(model, batch).tolist()
    total = 0.0
    for row, label in zip(scores, first_label(batch.pairs.labels).tolist()):
        rivals = [score for number, score in enumerate(row) if number != label]
        total += math.log1p(math.exp(2 * (0.5 + max(rivals))))
        if label != NO_RELATION:
            total += math.log1p(math.exp(2 * (2.5 - row[label])))
    assert {label >= 0 for label in first_label(batch.pairs.labels).tolist()} == {True, False}
    assert model.loss(model(batch), batch)["ranking"].item() == pytest.approx(total / len(scores), rel=1e-5)


def test_there_is_no_class_for_other_no_hidden_layer_and_no_bias():
    model = CRCNN(CRCNNConfig(), KNOWN)
    assert model.classifier.choose is None and model.classifier.identify is None and model.classifier.rank is not None
    assert model.classifier.rank.weight.shape == (len(KNOWN.labels), 1000)
    assert model.classifier.rank.bias is None
    assert model.paper_threshold == 0
    bound = math.sqrt(6 / (len(KNOWN.labels) + 1000))
    assert 0.99 * bound < model.classifier.rank.weight.abs().max().item() <= bound


def test_text_outside_the_two_entities_and_the_window_cannot_change_a_between_score():
    # A window of three at the edge of the pooled text sees one token beyond; what is farther away is not seen.
    model = make(context="between")
    words = ("in", "Oslo", "Ada", "joined", "Acme", "while", "Bo")
    entities = (Entity(2, 3, "PER"), Entity(4, 5, "ORG"))
    scores = [
        model(batch_of([Sentence("a", text, entities, ())], KNOWN)).scores
        for text in (words, ("moved", *words[1:6], "Riga"), ("in", "Riga", *words[2:]))
    ]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])
