"""bilstm_pcnn against a loop over pairs: the sentence's features token by token, a convolution per pair, lists of tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from literal_bilstm import token_features
from literal_convolution import assert_same, convolution, spans_of
from relsift.encoding.batch import Batch
from relsift.kernels.switch import SWITCH
from relsift.layers.between import between
from relsift.models.bilstm_pcnn import BiLSTMPCNN, BiLSTMPCNNConfig
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
OFF = {"spans": False, "type_size": 0, "between_size": 0}


@pytest.fixture(params=["torch", "numba"])
def kernel(request, monkeypatch):
    monkeypatch.setenv(SWITCH, request.param)


def make(**options: Any) -> BiLSTMPCNN:
    model = BiLSTMPCNN(replace(BiLSTMPCNNConfig.tiny(), identification=False, **options), KNOWN)
    randomise(model, scale=0.2)
    return model.eval()


def literal(model: BiLSTMPCNN, batch: Batch) -> Tensor:
    assert model.classifier.choose is not None
    rows = between(batch)
    logits = []
    for pair in range(len(batch.pairs)):
        tokens = token_features(model.convolved.embed, batch, int(batch.pairs.sentence[pair]))
        values = convolution(model.convolved, batch, pair, tokens)  # (filters, tokens)
        head, tail = spans_of(batch, pair)
        pieces: list[list[Tensor]] = [[], [], []]
        for token in range(values.shape[1]):
            pieces[(head[1] <= token) + (tail[1] <= token)].append(values[:, token])
        act = torch.relu if model.config.activation == "relu" else torch.tanh
        parts = [act(torch.stack(piece).amax(dim=0)) if piece else torch.zeros_like(values[:, 0]) for piece in pieces]
        if model.config.spans:
            parts += [tokens[slice(*span)].amax(dim=0) for span in (head, tail)]
        if model.types is not None:
            kinds = [int(batch.entities.type[entity[pair]]) for entity in (batch.pairs.head, batch.pairs.tail)]
            first, second = (kind if kind >= 0 else len(KNOWN.types.names) for kind in kinds)
            parts.append(model.types.weight[first * (len(KNOWN.types.names) + 1) + second])
        if model.tokens_between is not None and model.entities_between is not None:
            parts += [model.tokens_between.weight[rows.tokens[pair]], model.entities_between.weight[rows.entities[pair]]]
        h = torch.nn.functional.gelu(model.trunk[1].weight @ torch.cat(parts) + model.trunk[1].bias)
        logits.append(model.classifier.choose.weight @ h + model.classifier.choose.bias)
    return torch.stack(logits)


@pytest.mark.parametrize("length", [1, 2, 3, 11])
def test_logits_and_gradients_equal_the_loop_over_pairs(kernel, length):
    model, batch = make(), batch_of([long_sentence(length, 5, seed=length), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-5)


@pytest.mark.parametrize("options", [OFF, {"activation": "tanh", "window": 4}, {"tags": False}], ids=str)
def test_in_double_precision_they_differ_by_rounding_only(options):
    model, batch = make(**options).double(), batch_of([long_sentence(14, 5, 3), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-10)


def test_an_unknown_entity_type_has_a_row_of_its_own():
    model, sentence = make(), sentences(1)[0]
    strange = replace(sentence, entities=tuple(replace(entity, type="ALIEN") for entity in sentence.entities))
    batch = batch_of([strange], KNOWN)
    assert (batch.entities.type == -1).all()
    torch.testing.assert_close(model(batch).logits, literal(model, batch))
    assert model.types is not None
    with torch.no_grad():
        model.types.weight[-1] += 1
    assert not torch.allclose(model(batch).logits, model(batch_of([sentence], KNOWN)).logits)


def test_without_its_own_encoder_it_reads_no_characters():
    assert BiLSTMPCNN.reads(BiLSTMPCNNConfig.tiny()) == BiLSTMPCNN.READS
    assert BiLSTMPCNN.reads(BiLSTMPCNNConfig(encoder="lookup")) == {"words", "tags", "types", "spans"}
    assert BiLSTMPCNN.reads(BiLSTMPCNNConfig(encoder="huggingface")) == {"subwords", "tags", "types", "spans"}
