"""EAtt-BiGRU against its equations: for every pair a loop over its tokens, one GRU step at a time, and attention by hand.

Nothing of the fast form is used on the literal side: the input is put together token by token, and nothing is shared between pairs.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from relsift.candidates import Candidates
from relsift.config import RunConfig
from relsift.encoding.batch import Batch
from relsift.layers.pair_gru import Packing, PairGRU, Recurrence
from relsift.losses.labels import first_label
from relsift.models.eatt_bigru import EAttBiGRU, EAttBiGRUConfig
from relsift.training.loop import train
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
TINY = replace(EAttBiGRUConfig.tiny(), max_distance=4)


def make(config: EAttBiGRUConfig = TINY, seed: int = 0, dtype: torch.dtype = torch.float64) -> EAttBiGRU:
    model = EAttBiGRU(config, KNOWN)
    randomise(model, seed, scale=0.5)
    return model.to(dtype).eval()


# ---- the literal model


def literal_distance(token: int, start: int, end: int, limit: int) -> int:
    """Row of the table: 0 inside the entity, -1 just before it, +1 just after it, clipped, shifted by `limit`."""
    distance = token - start if token < start else token - (end - 1) if token >= end else 0
    return max(-limit, min(limit, distance)) + limit


def literal_input(model: EAttBiGRU, batch: Batch, pair: int) -> list[Tensor]:
    """The features of every token of the pair's sentence."""
    sentence = int(batch.pairs.sentence[pair])
    rows = []
    for token in range(int(batch.lengths[sentence])):
        parts = [model.embed.words.weight[batch.words[sentence, token]]]
        if model.embed.tags is not None:
            parts.append(model.embed.tags.weight[batch.tags[sentence, token]])
        for table, entity in ((model.head_distance, batch.pairs.head[pair]), (model.tail_distance, batch.pairs.tail[pair])):
            start, end = batch.entities.span[entity].tolist()
            parts.append(table.weight[literal_distance(token, start, end, model.config.max_distance)])
        rows.append(torch.cat(parts))
    return rows


def literal_gru(gru: PairGRU, direction: int, x: list[Tensor]) -> list[Tensor]:
    """One direction over the tokens in the order given, from a state of zeros."""
    units = gru.state_weight.shape[2]
    w_r, w_z, w_n = gru.input_weight[direction].split(units)
    u_r, u_z, u_n = gru.state_weight[direction].split(units)
    a_r, a_z, a_n = gru.input_bias[direction].split(units)
    b_r, b_z, b_n = gru.state_bias[direction].split(units)
    h = torch.zeros(units, dtype=x[0].dtype)
    states = []
    for x_t in x:
        r = torch.sigmoid(w_r @ x_t + a_r + u_r @ h + b_r)
        z = torch.sigmoid(w_z @ x_t + a_z + u_z @ h + b_z)
        n = torch.tanh(w_n @ x_t + a_n + r * (u_n @ h + b_n))
        h = (1 - z) * n + z * h
        states.append(h)
    return states


def literal_query(model: EAttBiGRU, batch: Batch, pair: int) -> Tensor:
    means = []
    for entity in (batch.pairs.head[pair], batch.pairs.tail[pair]):
        start, end = batch.entities.span[entity].tolist()
        words = [model.embed.words.weight[batch.words[batch.entities.sentence[entity], token]] for token in range(start, end)]
        means.append(sum(words[1:], words[0]) / len(words))
    return torch.tanh(model.ask.weight @ torch.cat(means) + model.ask.bias)


def literal_attended(model: EAttBiGRU, batch: Batch) -> Tensor:
    rows = []
    for pair in range(len(batch.pairs)):
        x = literal_input(model, batch, pair)
        forwards, backwards = literal_gru(model.gru, 0, x), literal_gru(model.gru, 1, x[::-1])[::-1]
        states = [torch.cat(both) for both in zip(forwards, backwards, strict=True)]
        query = literal_query(model, batch, pair)
        weights = [torch.exp(query @ h) for h in states]
        rows.append(sum(w * h for w, h in zip(weights, states)) / sum(weights))
    return torch.stack(rows)


# ---- comparison


def group_of(seed: int) -> Batch:
    """Short and long sentences mixed, entities nested and at the edges, some pairs left out."""
    group = [long_sentence(7, 3, seed), one_token(), long_sentence(12, 4, seed + 1), *sentences(2, seed), long_sentence(2, 3, seed)]
    return batch_of(group, KNOWN, Candidates(direction="undirected", max_distance=6))


@pytest.mark.parametrize("tags", [True, False])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_what_a_pair_attends_to_and_all_gradients_are_those_of_the_equations(tags, seed):
    model, batch = make(replace(TINY, tags=tags), seed), group_of(seed)
    mixture = torch.randn(len(batch.pairs), model.gru.size, generator=torch.Generator().manual_seed(seed)).double()
    results = []
    for attended in (model.attended(batch), literal_attended(model, batch)):
        model.zero_grad()
        (attended * mixture).sum().backward()
        used = [weight for name, weight in model.named_parameters() if not name.startswith("classifier.")]
        results.append([attended.detach(), *(weight.grad.clone() for weight in used if weight.grad is not None)])
    assert len(results[0]) == len(results[1]) >= 9
    for fast, wanted in zip(*results, strict=True):
        torch.testing.assert_close(fast, wanted, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("at_once", [1, 13, 10_000])
def test_scores_in_single_precision_are_those_of_the_equations_however_many_pairs_run_at_once(at_once, monkeypatch):
    monkeypatch.setattr("relsift.models.eatt_bigru.TOKENS_AT_ONCE", at_once)
    batch = group_of(3)
    model = make(dtype=torch.float32)
    with torch.inference_mode():
        output = model(batch)
    wanted = model.classifier(literal_attended(model, batch))
    torch.testing.assert_close(output.scores, wanted.scores, atol=1e-5, rtol=1e-5)
    assert output.logits is not None
    torch.testing.assert_close(output.logits, wanted.logits, atol=1e-5, rtol=1e-5)


def test_the_recurrence_is_that_of_torch_on_packed_sequences():
    lengths, units = torch.tensor([9, 9, 4, 1, 1]), 6
    packing = Packing.of(lengths)
    gru = nn.GRU(3 * units, units, bidirectional=True, batch_first=True).double()
    x = torch.randn(len(lengths), 9, 3 * units, dtype=torch.float64)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    wanted, _ = nn.utils.rnn.pad_packed_sequence(gru(packed)[0], batch_first=True)
    both = ("", "_reverse")
    projected = torch.stack([
        F.linear(x[packing.pair, packing.tokens[d]], getattr(gru, f"weight_ih_l0{name}"), getattr(gru, f"bias_ih_l0{name}"))
        for d, name in enumerate(both)
    ])  # fmt: skip
    weight, bias = (torch.stack([getattr(gru, f"{kind}_hh_l0{name}") for name in both]) for kind in ("weight", "bias"))
    states = Recurrence.apply(projected, weight, bias, packing)
    both_directions = torch.cat([F.pad(states[d], (0, 0, 0, 1))[packing.places[d]] for d in range(2)], dim=2)
    torch.testing.assert_close(both_directions, wanted, atol=1e-12, rtol=1e-12)


def test_the_gradient_of_the_recurrence_is_that_of_small_differences():
    packing = Packing.of(torch.tensor([3, 2, 2, 1]))
    generator = torch.Generator().manual_seed(0)
    shapes = (2, 8, 6), (2, 6, 2), (2, 6)
    leaves = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(lambda *inputs: Recurrence.apply(*inputs, packing), leaves)


def test_packing_reads_the_last_token_first_when_it_goes_backwards():
    packing = Packing.of(torch.tensor([3, 1]))
    assert packing.active == [2, 1, 1]
    assert packing.pair.tolist() == [0, 1, 0, 0]
    assert packing.tokens.tolist() == [[0, 0, 1, 2], [2, 0, 1, 0]]
    assert packing.places.tolist() == [[[0, 2, 3], [1, 4, 4]], [[3, 2, 0], [1, 4, 4]]]


def test_attention_of_one_token_is_its_state():
    model = make()
    batch = batch_of([one_token()], KNOWN)
    for pair, row in enumerate(model.attended(batch)):
        x = literal_input(model, batch, pair)
        state = torch.cat([literal_gru(model.gru, direction, x)[0] for direction in range(2)])
        torch.testing.assert_close(row, state)


def test_weighted_counts_an_unrelated_pair_a_fifth_of_a_related_one():
    model = EAttBiGRU(replace(TINY, **EAttBiGRU.PRESETS["weighted"].model), KNOWN)
    randomise(model)
    batch = batch_of(sentences(6), KNOWN)
    output = model.eval()(batch)
    none = len(KNOWN.labels)
    target = torch.where(first_label(batch.pairs.labels) < 0, none, first_label(batch.pairs.labels))
    weight = torch.where(first_label(batch.pairs.labels) < 0, 0.2, 1.0)
    wanted = (weight * F.cross_entropy(output.logits, target, reduction="none")).sum() / weight.sum()
    torch.testing.assert_close(model.loss(output, batch)["cross_entropy"], wanted)


# ---- on a GPU

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@cuda
def test_scores_and_gradients_on_the_gpu_are_those_of_the_cpu():
    batch = group_of(5)
    models = {device: make(dtype=torch.float32).to(device) for device in ("cpu", "cuda")}
    outputs = {device: model(batch.to(device)) for device, model in models.items()}
    torch.testing.assert_close(outputs["cuda"].scores.cpu(), outputs["cpu"].scores, atol=1e-4, rtol=1e-4)
    for device, output in outputs.items():
        sum(models[device].loss(output, batch.to(device)).values()).backward()
    for weight, wanted in zip(models["cuda"].parameters(), models["cpu"].parameters(), strict=True):
        torch.testing.assert_close(weight.grad.cpu(), wanted.grad, atol=1e-4, rtol=1e-4)
    with torch.inference_mode():
        torch.testing.assert_close(models["cuda"](batch.to("cuda")).scores.cpu(), outputs["cpu"].scores, atol=1e-4, rtol=1e-4)


@cuda
def test_training_on_the_gpu_repeats_bit_for_bit():
    model = {"name": "eatt_bigru", "preset": None, **EAttBiGRUConfig.tiny().to_dict(), "dropout": 0.3}
    training = {"epochs": 2, "batch_pairs": 24, "device": "cuda", "threads": 1}
    config = RunConfig.model_validate({"model": model, "training": training})
    data = sentences(40), sentences(12, seed=1)
    one, other = (train(config, *data).bundle.model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
