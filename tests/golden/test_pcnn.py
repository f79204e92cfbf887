"""PCNN against a convolution per pair, cut into three lists of tokens one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from literal_convolution import assert_same, convolution, spans_of
from relsift.encoding.batch import Batch
from relsift.kernels.switch import SWITCH
from relsift.models.pcnn import PCNN, PCNNConfig, cuts
from relsift.schema import Entity, Sentence
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()


@pytest.fixture(params=["torch", "numba"])
def kernel(request, monkeypatch):
    monkeypatch.setenv(SWITCH, request.param)


def make(**options: object) -> PCNN:
    model = PCNN(replace(PCNNConfig.tiny(), filters=70, **options), KNOWN)
    randomise(model, scale=0.2)
    return model.eval()


def piece_of(token: int, spans: tuple[tuple[int, int], tuple[int, int]]) -> int:
    """How many of the pair's two entities have ended before this token."""
    return sum(end <= token for _, end in spans)


def literal(model: PCNN, batch: Batch) -> Tensor:
    assert model.classifier.choose is not None
    rows = []
    for pair in range(len(batch.pairs)):
        values = convolution(model.convolved, batch, pair)  # (filters, tokens)
        pieces: list[list[Tensor]] = [[], [], []]
        for token in range(values.shape[1]):
            pieces[piece_of(token, spans_of(batch, pair))].append(values[:, token])
        pooled = [torch.stack(piece).amax(dim=0).tanh() if piece else torch.zeros_like(values[:, 0]) for piece in pieces]
        rows.append(torch.cat(pooled) @ model.classifier.choose.weight.T + model.classifier.choose.bias)
    return torch.stack(rows)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 25])
def test_logits_and_gradients_equal_the_literal_convolution_in_pieces(kernel, length):
    model, batch = make(), batch_of([long_sentence(length, 5, seed=length), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-5)


@pytest.mark.parametrize("tags", [True, False])
def test_in_double_precision_they_differ_by_rounding_only(tags):
    model, batch = make(tags=tags, window=4).double(), batch_of([long_sentence(14, 5, 3), one_token(), *sentences(2)], KNOWN)
    assert_same(model, batch, literal(model, batch), 1e-10)


SPANS = [
    (((1, 3), (5, 6)), 9, [0, 3, 6, 9]),  # apart: up to and with the first entity, up to and with the second, the rest
    (((1, 6), (4, 8)), 9, [0, 6, 8, 9]),  # overlapping
    (((1, 7), (3, 5)), 9, [0, 5, 7, 9]),  # nested: the inner one ends first
    (((1, 5), (3, 5)), 9, [0, 5, 5, 9]),  # nested and ending together: no middle piece
    (((2, 4), (2, 4)), 9, [0, 4, 4, 9]),  # equal
    (((1, 3), (3, 5)), 9, [0, 3, 5, 9]),  # adjacent
    (((0, 1), (8, 9)), 9, [0, 1, 9, 9]),  # at both edges: no last piece
    (((0, 9), (8, 9)), 9, [0, 9, 9, 9]),  # all in one piece
    (((0, 9), (0, 1)), 9, [0, 1, 9, 9]),
]


@pytest.mark.parametrize(("spans", "length", "wanted"), SPANS)
def test_pieces_of_entities_of_every_kind(kernel, spans, length, wanted):
    words = random.Random(length).choices(KNOWN.words.words, k=length)
    sentence = Sentence("spans", tuple(words), tuple(Entity(*span, "PER") for span in spans), ())
    model, batch = make(), batch_of([long_sentence(20, 3, 1), sentence], KNOWN)  # the longer sentence pads the other one
    assert cuts(batch)[6:].tolist() == [wanted, wanted]  # the order of head and tail does not matter
    assert_same(model, batch, literal(model, batch), 1e-5)


def test_an_empty_piece_shows_zeros_even_where_every_value_is_negative():
    # All values are -2 everywhere: tanh(-2) in pieces that have tokens, 0 in the others.
    model = make()
    with torch.no_grad():
        for name, weight in model.convolved.named_parameters():
            weight.fill_(-2.0 if name.endswith("bias") else 0.0)
    seen: list[Tensor] = []
    model.dropout.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    model(batch_of([Sentence("a", ("Ada", "Oslo"), (Entity(0, 1, "PER"), Entity(1, 2, "LOC")), ())], KNOWN))
    low = torch.tensor(-2.0).tanh()
    assert seen[0].shape == (2, 3 * 70)
    assert torch.equal(seen[0].view(2, 3, 70), torch.stack([low, low, torch.tensor(0.0)])[None, :, None].expand(2, 3, 70))


def test_the_paper_has_690_features():
    model = PCNN(PCNNConfig(), KNOWN)
    assert model.classifier.choose is not None
    assert model.classifier.choose.weight.shape == (len(KNOWN.labels) + 1, 690)
