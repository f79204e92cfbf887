"""The multi-window CNN against a convolution per pair with tanh at every token before the maximum; its norm cap."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from literal_convolution import assert_same, convolution
from relsift.encoding.batch import Batch
from relsift.kernels.switch import SWITCH
from relsift.models.multiwindow_cnn import MultiWindowCNN, MultiWindowCNNConfig
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()


@pytest.fixture(params=["torch", "numba"])
def kernel(request, monkeypatch):
    monkeypatch.setenv(SWITCH, request.param)


def make(**options: object) -> MultiWindowCNN:
    model = MultiWindowCNN(replace(MultiWindowCNNConfig.tiny(), windows=(2, 3, 4, 5), filters=17, **options), KNOWN)
    randomise(model, scale=0.2)
    return model.eval()


def literal(model: MultiWindowCNN, batch: Batch) -> Tensor:
    rows = [convolution(model.convolved, batch, pair).tanh().amax(dim=1) for pair in range(len(batch.pairs))]
    assert model.classifier.choose is not None
    return torch.stack(rows) @ model.classifier.choose.weight.T + model.classifier.choose.bias


@pytest.mark.parametrize("length", [1, 2, 3, 8, 25])
def test_logits_and_gradients_equal_the_literal_convolution(kernel, length):
    model, batch = make(), batch_of([long_sentence(length, 5, seed=length), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-5)


@pytest.mark.parametrize("tags", [True, False])
def test_in_double_precision_they_differ_by_rounding_only(tags):
    model, batch = make(tags=tags).double(), batch_of([long_sentence(14, 4, 3), one_token()], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-10)


def test_other_is_a_class_and_the_decision_is_the_arg_max():
    model, batch = make(), batch_of(sentences(12), KNOWN)
    output = model(batch)
    assert output.logits.shape == (len(batch.pairs), len(KNOWN.labels) + 1)
    score, column = model.scores(output).max(dim=1)
    decided = torch.where(score >= model.paper_threshold, column, len(KNOWN.labels))
    assert torch.equal(decided, output.logits.argmax(dim=1))


def test_a_class_longer_than_the_cap_is_scaled_down_to_it_and_a_shorter_one_left_alone():
    # Rows (3, 4, 0 …) of norm 5 and (0, 1, 0 …) of norm 1, cap 2: the first becomes (1.2, 1.6, 0 …).
    model = make(max_norm=2.0, classification="both")
    assert model.classifier.choose is not None and model.classifier.rank is not None
    for layer in (model.classifier.choose, model.classifier.rank):
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[0, :2] = torch.tensor([3.0, 4.0])
            layer.weight[1, 1] = 1.0
        before = layer.weight.clone()
        model.constrain()
        assert layer.weight[0, :2].tolist() == pytest.approx([1.2, 1.6], rel=1e-5)
        assert torch.equal(layer.weight[1:], before[1:])


def test_without_a_cap_nothing_is_scaled():
    model = make(max_norm=None)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.constrain()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
