"""The shared pair convolution against the paper's: for every pair its own input, an ordinary Conv1d, ReLU, max over the tokens.

Nothing of the fast form is used on the literal side: distances are counted token by token, and every pair is convolved by itself.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pooling import random_parts, run, triple_loop
from relsift.encoding.batch import Batch
from relsift.errors import ConfigError, ShapeError
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool import pair_average, pair_max, piecewise_max
from relsift.kernels.pair_pool_cpu import fused_average, fused_max
from relsift.kernels.pair_pool_reference import reference_average, reference_max
from relsift.kernels.simd import VECTOR_SIZE
from relsift.kernels.switch import SWITCH
from relsift.kernels.window_sum import reference as window_sum_reference
from relsift.kernels.window_sum_cpu import fused as window_sum_fused
from relsift.kernels.windows import Windows
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Entity, Sentence
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences, threads

KNOWN = encoding()
TINY = replace(MultiTaskCNNConfig.tiny(), windows=(1, 2, 3, 4, 7, 10), max_distance=4)
BETWEEN = replace(
    TINY, context="between", pooling="max_average", shared_distances=True, normalise=True, windows=(1, 2, 3), score_bias=True
)

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")


@pytest.fixture(params=["torch", "numba"])
def kernel(request, monkeypatch):
    monkeypatch.setenv(SWITCH, request.param)
    return request.param


# ---- the literal model


def literal_distance(token: int, start: int, end: int, limit: int) -> int:
    """Row of the table: 0 inside the entity, -1 just before it, +1 just after it, clipped, shifted by `limit`."""
    if token < start:
        distance = token - start
    elif token >= end:
        distance = token - (end - 1)
    else:
        distance = 0
    return max(-limit, min(limit, distance)) + limit


def literal_input(model: MultiTaskCNN, batch: Batch, pair: int, tokens: range) -> Tensor:
    """(1, features, tokens) of one pair: word, tag, distance to head, distance to tail of every token."""
    sentence, limit = int(batch.pairs.sentence[pair]), model.config.max_distance
    columns = []
    for token in tokens:
        parts = [model.embed.words.weight[batch.words[sentence, token]]]
        if model.embed.tags is not None:
            parts.append(model.embed.tags.weight[batch.tags[sentence, token]])
        for table, entity in ((model.head_distance, batch.pairs.head[pair]), (model.tail_distance, batch.pairs.tail[pair])):
            start, end = batch.entities.span[entity].tolist()
            parts.append(table.weight[literal_distance(token, start, end, limit)])
        columns.append(torch.cat(parts))
    return torch.stack(columns, dim=1)[None]


def literal_convolution(model: MultiTaskCNN, x: Tensor) -> Tensor:
    """(channels, tokens), after ReLU."""
    each = [F.relu(F.conv1d(x, c.weight, c.bias, padding="same"))[0] for c in model.convolve.convolutions]
    return torch.cat(each)


def literal_pooled(model: MultiTaskCNN, batch: Batch) -> Tensor:
    rows = []
    for pair in range(len(batch.pairs)):
        length = int(batch.lengths[batch.pairs.sentence[pair]])
        tokens = range(length)
        if model.config.context == "between":
            head, tail = (batch.entities.span[e[pair]].tolist() for e in (batch.pairs.head, batch.pairs.tail))
            tokens = range(min(head[0], tail[0]), max(head[1], tail[1]))[-model.config.context_size :]
        h = literal_convolution(model, literal_input(model, batch, pair, tokens))
        pooled = [h.max(dim=1).values]
        if model.config.pooling == "max_average":
            pooled.append(h.mean(dim=1))
        rows.append(torch.cat(pooled))
    return torch.stack(rows)


def literal_output(model: MultiTaskCNN, batch: Batch) -> tuple[Tensor, Tensor]:
    h = model.trunk(literal_pooled(model, batch))
    assert model.classifier.rank is not None and model.classifier.identify is not None
    return model.classifier.rank(h), model.classifier.identify(h)


# ---- comparison


def make(config: MultiTaskCNNConfig, seed: int = 0, dtype: torch.dtype = torch.float32) -> MultiTaskCNN:
    model = MultiTaskCNN(config, KNOWN)
    randomise(model, seed, scale=0.3)
    return model.to(dtype).eval()


def gradients(model: MultiTaskCNN, output: tuple[Tensor, Tensor], seed: int) -> dict[str, Tensor]:
    """Of one fixed random mixture of all outputs, with respect to every parameter."""
    generator = torch.Generator().manual_seed(seed)
    model.zero_grad()
    total = sum((part * torch.randn(part.shape, generator=generator).to(part.dtype)).sum() / len(part) for part in output)
    assert isinstance(total, Tensor)
    total.backward()
    result = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    assert set(result) == {name for name, _ in model.named_parameters()}
    return result


def assert_same_as_literal(model: MultiTaskCNN, batch: Batch, tolerance: float = 1e-5, seed: int = 0) -> None:
    fast, literal = model(batch), literal_output(model, batch)
    outputs = [fast]
    if not model.training:
        with torch.inference_mode():  # words and distances are remembered from the first batch to the second
            outputs += [model(batch), model(batch)]
    for output in outputs:
        torch.testing.assert_close(output.scores, literal[0], atol=tolerance, rtol=tolerance)
        torch.testing.assert_close(output.identification, literal[1], atol=tolerance, rtol=tolerance)
    wanted = gradients(model, literal, seed)
    back = gradients(model, (fast.scores, fast.identification), seed)
    for name, gradient in wanted.items():
        torch.testing.assert_close(back[name], gradient, atol=tolerance, rtol=tolerance, msg=lambda m, name=name: f"{name}: {m}")
    for name in ("embed.words.weight", "head_distance.weight", "convolve.convolutions.0.bias"):
        assert wanted[name].abs().max() > 1e-4  # not a comparison of nothing with nothing


@pytest.mark.parametrize("length", range(1, 31))
def test_every_sentence_length_equals_the_literal_convolution(kernel, length):
    # Entities on the first token, the last token, the whole sentence, and at random: nested, overlapping, equal.
    assert_same_as_literal(make(TINY, seed=length), batch_of([long_sentence(length, 5, seed=length)], KNOWN))


def test_one_token_with_two_entities_equals_the_literal_convolution(kernel):
    assert_same_as_literal(make(TINY), batch_of([one_token()], KNOWN))


def test_padded_batch_equals_the_literal_convolution(kernel):
    # Lengths 1 to 23 side by side; the sentences with one entity or none have no pairs, but take part in padding and row numbers.
    lonely = Sentence("lonely", ("the",) * 9, (Entity(3, 5, "PER"),), ())
    bare = Sentence("bare", ("the", "of"), (), ())
    group = [long_sentence(7, 3, 1), lonely, one_token(), long_sentence(23, 4, 2), bare, long_sentence(2, 3, 3), lonely]
    group += sentences(4)
    assert_same_as_literal(make(TINY), batch_of(group, KNOWN))


def test_hundreds_of_pairs_in_one_sentence_equal_the_literal_convolution(kernel):
    batch = batch_of([long_sentence(18, 17, 5)], KNOWN)
    assert len(batch.pairs) == 17 * 16
    assert_same_as_literal(make(replace(TINY, windows=(2, 5))), batch)


@pytest.mark.parametrize(
    ("spans", "length"),
    [
        (((4, 9), (4, 9)), 12),  # equal
        (((2, 10), (4, 6), (4, 5)), 12),  # nested, sharing a start
        (((1, 6), (4, 9)), 12),  # overlapping
        (((0, 11), (11, 22)), 22),  # adjacent, each longer than the clip distance (4) and the widest window (10)
        (((0, 1), (29, 30)), 30),  # at both edges, farther apart than the clip distance
        (((0, 22), (21, 22)), 22),  # the whole sentence and its last token
    ],
)
def test_spans_of_every_kind_equal_the_literal_convolution(kernel, spans, length):
    words = random.Random(length).choices(KNOWN.words.words, k=length)
    sentence = Sentence("spans", tuple(words), tuple(Entity(*span, "PER") for span in spans), ())
    assert_same_as_literal(make(TINY), batch_of([sentence], KNOWN))


@pytest.mark.parametrize("limit", [1, 2, 40])
def test_every_clip_distance_equals_the_literal_convolution(kernel, limit):
    group = [long_sentence(25, 5, 8), long_sentence(3, 3, 9)]
    assert_same_as_literal(make(replace(TINY, max_distance=limit)), batch_of(group, KNOWN))


@pytest.mark.parametrize("windows", [(1,), (2,), (10,), (5, 1, 5), (4, 5, 6, 7, 8, 9, 10)])
def test_every_set_of_windows_equals_the_literal_convolution(kernel, windows):
    group = [long_sentence(11, 4, 6), one_token(), long_sentence(5, 3, 7)]
    assert_same_as_literal(make(replace(TINY, windows=windows)), batch_of(group, KNOWN))


def test_one_table_for_both_distances_gets_the_gradient_of_both(kernel):
    assert_same_as_literal(make(replace(TINY, shared_distances=True)), batch_of([long_sentence(12, 5, 3)], KNOWN))


def test_without_tags_equals_the_literal_convolution(kernel):
    assert_same_as_literal(make(replace(TINY, tags=False)), batch_of([long_sentence(12, 5, 3), one_token()], KNOWN))


def test_maximum_and_average_over_the_whole_sentence_equal_the_literal_convolution(kernel):
    group = [long_sentence(length, 5, length) for length in (1, 2, 9, 26)]
    assert_same_as_literal(make(replace(TINY, pooling="max_average")), batch_of(group, KNOWN))


def test_windows_of_many_filters_equal_the_literal_convolution(kernel):
    # One strip of filters and a rest, in the sums under the windows and in the maximum.
    group = [long_sentence(11, 4, 6), one_token(), long_sentence(5, 3, 7)]
    assert_same_as_literal(make(replace(TINY, windows=(3, 2), filters=VECTOR_SIZE + 6)), batch_of(group, KNOWN))


def test_in_double_precision_the_two_forms_differ_by_rounding_only():
    group = [long_sentence(length, 5, length) for length in (1, 2, 9, 26)]
    assert_same_as_literal(make(TINY, dtype=torch.float64), batch_of(group, KNOWN), tolerance=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_random_batches_equal_the_literal_convolution_in_double_precision(seed):
    draw = random.Random(seed)
    group = [long_sentence(draw.randint(1, 14), draw.randint(1, 5), draw.random()) for _ in range(5)] + [one_token()]
    windows = tuple(draw.randint(1, 12) for _ in range(draw.randint(1, 3)))
    config = replace(TINY, windows=windows, max_distance=draw.randint(1, 12), shared_distances=draw.random() < 0.5)
    assert_same_as_literal(make(config, seed, torch.float64), batch_of(group, KNOWN), tolerance=1e-12)


@pytest.mark.parametrize("size", [1, 3, 16])
@pytest.mark.parametrize("pooling", ["max", "max_average"])
def test_text_between_the_entities_equals_a_loop_that_crops_and_convolves(size, pooling):
    # Stretches of text shorter and longer than the crop, one token, nested and overlapping pairs, crops at the sentence's end.
    group = [long_sentence(24, 5, 1), one_token(), long_sentence(6, 4, 2)]
    model = make(replace(BETWEEN, context_size=size, pooling=pooling))
    assert_same_as_literal(model, batch_of(group, KNOWN))


def test_pairs_convolved_a_few_at_a_time_give_the_same_scores(monkeypatch):
    model, batch = make(BETWEEN), batch_of([long_sentence(20, 4, 1), one_token(), *sentences(3)], KNOWN)
    wanted = model(batch).scores
    monkeypatch.setattr("relsift.models.multitask_cnn.PAIRS_AT_ONCE", 5)
    with torch.inference_mode():
        torch.testing.assert_close(model(batch).scores, wanted, atol=1e-6, rtol=1e-6)


def test_text_between_the_entities_equals_the_loop_in_training_mode_too():
    model = make(replace(BETWEEN, context_size=5), dtype=torch.float64).train()
    assert_same_as_literal(model, batch_of([long_sentence(20, 4, 1), one_token()], KNOWN), tolerance=1e-12)


def test_text_outside_the_entities_cannot_change_a_between_score():
    model = make(BETWEEN)
    inner = ("Ada", "joined", "Acme")
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    moved = tuple(replace(e, start=e.start + 2, end=e.end + 2) for e in entities)
    alone = batch_of([Sentence("a", inner, entities, ())], KNOWN)
    inside = batch_of([Sentence("b", ("in", "Oslo", *inner, "while", "Bo"), moved, ())], KNOWN)
    torch.testing.assert_close(model(alone).scores, model(inside).scores, atol=1e-6, rtol=1e-6)


def test_sentences_without_pairs_give_no_rows(kernel):
    bare = Sentence("bare", ("the", "of"), (), ())
    lonely = Sentence("lonely", ("the", "of", "in"), (Entity(1, 2, "PER"),), ())
    for group in ([bare], [lonely], [bare, lonely]):
        for config in (TINY, BETWEEN):
            assert make(config)(batch_of(group, KNOWN)).scores.shape == (0, len(KNOWN.labels))


# ---- dropout of the input


def test_with_input_dropout_the_convolution_is_still_the_literal_one(kernel, monkeypatch):
    # Sentences with masks of their own share no tokens, so this is another path through the code; the masks drop nothing here.
    model = make(replace(TINY, input_dropout=0.5)).train()
    monkeypatch.setattr("relsift.encoders.lookup.drop_dimensions", lambda x, share, training: x)
    assert_same_as_literal(model, batch_of([long_sentence(9, 4, 1), one_token(), *sentences(2)], KNOWN))


def test_input_dropout_drops_the_same_dimensions_of_all_tokens_of_a_sentence():
    model = make(replace(TINY, input_dropout=0.5, word_size=40)).train()
    inputs: list[Any] = []
    model.convolve.register_forward_pre_hook(lambda _, arguments: inputs.extend(arguments[:2]))
    torch.manual_seed(0)
    model(batch_of([long_sentence(9, 4, 1), long_sentence(12, 4, 2)], KNOWN))
    tokens, batch = inputs
    rows = tokens.features(tokens.keys).split(batch.lengths.tolist())
    dropped = [sentence == 0 for sentence in rows]
    assert all(torch.equal(tokens.any(dim=0), tokens.all(dim=0)) for tokens in dropped)
    one, other = (tokens[0] for tokens in dropped)
    assert 0 < one.sum() < len(one)
    assert not torch.equal(one, other)


# ---- the kernel by itself


def reference(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    return reference_max(sentence, head, tail, index, index.whole())[:, 0]


def fused(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex) -> Tensor:
    return fused_max(sentence, head, tail, index, index.whole())[:, 0]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), levels=st.sampled_from([0, 1, 3, 1000]))
def test_both_kernels_equal_a_triple_loop_bit_for_bit_and_ties_go_to_the_first_token(seed, levels):
    parts, index = random_parts(random.Random(seed), levels)
    gradient = torch.randint(-8, 9, (len(index.pair_sentence), parts[0].shape[1])).float()
    pooled, back = triple_loop(parts, index, gradient)
    for form in (reference, fused):
        values, gradients_of_parts = run(form, parts, index, gradient)
        assert torch.equal(values, pooled)
        assert all(torch.equal(a, b) for a, b in zip(gradients_of_parts, back, strict=True))
        with torch.inference_mode():
            assert torch.equal(form(*parts, index), pooled)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_kernels_agree_bit_for_bit_on_numbers_that_round(seed):
    draw = random.Random(seed)
    parts, index = random_parts(draw, 3)
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randn(part.shape, generator=generator) for part in parts]
    gradient = torch.randn(len(index.pair_sentence), parts[0].shape[1], generator=generator)
    values, back = run(reference, parts, index, gradient)
    others, other_back = run(fused, parts, index, gradient)
    assert torch.equal(values, others)
    for a, b in zip(back, other_back, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("form", [reference, fused])
def test_a_tie_between_all_tokens_sends_the_gradient_to_the_first(form):
    index = PairIndex(*(torch.tensor(x) for x in ([1], [3], [[0, 1, 2]], [0], [0], [0])))
    parts = [torch.zeros(5, 1), torch.zeros(3, 1), torch.zeros(3, 1)]
    _, (sentence, head, tail) = run(form, parts, index, torch.ones(1, 1))
    assert sentence.flatten().tolist() == [0, 1, 0, 0, 0]  # row 0 and 4 belong to no sentence
    assert head.flatten().tolist() == tail.flatten().tolist() == [1, 0, 0]


@pytest.mark.parametrize("form", [reference, fused])
def test_tokens_beyond_a_sentence_never_win(form):
    index = PairIndex(*(torch.tensor(x) for x in ([0], [2], [[0, 0, 1]], [0], [0], [0])))
    parts = [torch.tensor([[1.0], [2.0], [99.0]]), torch.tensor([[0.0], [50.0]]), torch.zeros(2, 1)]
    assert form(*parts, index).item() == 2.0


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_that_is_not_finite_gives_what_torch_gives(kernel, part, number):
    parts, index = random_parts(random.Random(3), 3)
    for row in range(len(parts[part])):
        broken = [one.clone() for one in parts]
        broken[part][row, 0] = number
        torch.testing.assert_close(pair_max(*broken, index), reference(*broken, index), equal_nan=True)
        torch.testing.assert_close(pair_average(*broken, index), reference_average(*broken, index), equal_nan=True)


@pytest.mark.parametrize("form", [reference, pair_max])
def test_not_a_number_anywhere_in_a_sentence_shows_in_its_pairs_only(form):
    index = PairIndex(*(torch.tensor(x) for x in ([0, 3], [3, 1], [[0, 0, 0]], [0, 1], [0, 0], [0, 0])))
    parts = [torch.tensor([[5.0], [float("nan")], [7.0], [1.0]]), torch.zeros(1, 1), torch.zeros(1, 1)]
    for needs_gradient in (False, True):
        leaves = [part.clone().requires_grad_(needs_gradient) for part in parts]
        assert form(*leaves, index).isnan().flatten().tolist() == [True, False]


def values_of(parts: list[Tensor], index: PairIndex, pair: int) -> Tensor:
    """(tokens, channels) of one pair, added up."""
    s, h, t = (int(rows[pair]) for rows in (index.pair_sentence, index.pair_head, index.pair_tail))
    first, length = int(index.first[s]), int(index.lengths[s])
    return parts[0][first : first + length] + parts[1][index.place[h, :length]] + parts[2][index.place[t, :length]]


def backwards(pooled: Tensor, parts: list[Tensor], gradient: Tensor) -> list[Tensor]:
    if not pooled.requires_grad:
        return [torch.zeros_like(part) for part in parts]
    return list(torch.autograd.grad(pooled, parts, gradient, retain_graph=True, materialize_grads=True))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), pieces=st.integers(1, 4))
def test_the_maximum_of_each_piece_equals_that_of_the_sliced_values_and_an_empty_piece_is_zero(seed, pieces):
    draw = random.Random(seed)
    parts, index = random_parts(draw, 3)
    lengths = index.lengths[index.pair_sentence].tolist()
    # Cuts anywhere: pieces of no, of one and of all tokens occur, and the outer cuts need not be the sentence's ends.
    cuts = torch.tensor([sorted(draw.randint(0, n) for _ in range(pieces + 1)) for n in lengths], dtype=torch.int64).view(-1, pieces + 1)
    gradient = torch.randint(-8, 9, (len(cuts), pieces, parts[0].shape[1])).float()
    leaves = [part.requires_grad_() for part in parts]
    wanted = torch.zeros_like(gradient)
    for pair in range(len(cuts)):
        for piece, (start, stop) in enumerate(zip(cuts[pair], cuts[pair, 1:])):
            if start < stop:
                wanted[pair, piece] = values_of(leaves, index, pair)[start:stop].max(dim=0).values
    for form in (reference_max, fused_max):
        for relu in (False, True):
            expected = F.relu(wanted) if relu else wanted
            pooled = form(*leaves, index, cuts, relu)
            assert torch.equal(pooled, expected)
            back = backwards(expected, leaves, gradient)
            assert all(torch.equal(a, b) for a, b in zip(backwards(pooled, leaves, gradient), back))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), levels=st.sampled_from([0, 1, 1000]))
def test_the_average_equals_that_of_the_values_after_relu_and_so_do_its_gradients(seed, levels):
    parts, index = random_parts(random.Random(seed), levels)
    gradient = torch.randint(-8, 9, (len(index.pair_sentence), parts[0].shape[1])).float()
    leaves = [part.requires_grad_() for part in parts]
    wanted = torch.zeros_like(gradient)
    for pair in range(len(wanted)):
        wanted[pair] = F.relu(values_of(leaves, index, pair)).mean(dim=0)
    back = backwards(wanted, leaves, gradient)
    for form in (reference_average, fused_average):
        pooled = form(*leaves, index)
        torch.testing.assert_close(pooled, wanted)
        for one, other in zip(backwards(pooled, leaves, gradient), back):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-5)  # up to 12 gradients of up to 8 are added up


def test_piecewise_and_average_follow_the_switch(kernel):
    parts, index = random_parts(random.Random(5), 1)
    cuts = index.whole()
    assert torch.equal(piecewise_max(*parts, index, cuts), reference_max(*parts, index, cuts))
    torch.testing.assert_close(pair_average(*parts, index), reference_average(*parts, index))


def test_a_sentence_with_more_pairs_than_a_thread_takes_at_once_is_pooled_whole(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    parts = [torch.randn(n, VECTOR_SIZE + 1, generator=generator) for n in (9, 20, 20)]
    place = torch.randint(0, 20, (60, 9), generator=generator)
    head, tail = torch.cartesian_prod(torch.arange(60), torch.arange(60)).unbind(1)
    index = PairIndex(torch.tensor([0]), torch.tensor([9]), place, torch.zeros_like(head), head, tail)
    assert torch.equal(fused(*parts, index), reference(*parts, index))


def test_chunks_of_pairs_in_the_plain_form_change_nothing(monkeypatch):
    parts, index = random_parts(random.Random(11), 1000)
    gradient = torch.ones(len(index.pair_sentence), parts[0].shape[1])
    whole = run(reference, parts, index, gradient)
    monkeypatch.setattr("relsift.kernels.pair_pool_reference.CHUNK_VALUES", 1)
    chunked = run(reference, parts, index, gradient)
    assert len(index.pair_sentence) > 1
    assert torch.equal(whole[0], chunked[0])
    assert all(torch.equal(a, b) for a, b in zip(whole[1], chunked[1]))


@pytest.mark.parametrize("form", [reference, fused])
def test_the_number_of_threads_changes_no_bit(form):
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, 300, generator=generator) for n in (60, 20, 20)]
    place = torch.randint(0, 20, (9, 30), generator=generator)
    pairs = [torch.randint(0, high, (200,), generator=generator) for high in (2, 9, 9)]
    index = PairIndex(torch.tensor([0, 30]), torch.tensor([30, 17]), place, *pairs)
    gradient = torch.randn(200, 300, generator=generator)
    results = []
    for number in (1, 2):
        with threads(number):
            results.append(run(form, parts, index, gradient))
    assert torch.equal(results[0][0], results[1][0])
    assert all(torch.equal(a, b) for a, b in zip(results[0][1], results[1][1]))


# ---- the sum under the windows


def random_windows(draw: random.Random) -> tuple[Tensor, Tensor, Windows, Tensor]:
    windows = Windows(tuple(draw.randint(1, 6) for _ in range(draw.randint(1, 4))))
    generator = torch.Generator().manual_seed(draw.randrange(2**31))
    rows, filters = draw.randint(1, 6), draw.choice([1, 3, VECTOR_SIZE, VECTOR_SIZE + 1])
    table = torch.randint(-9, 10, (rows, windows.places * filters), generator=generator).float()
    seen = torch.randint(-1, rows, (draw.randint(0, 9), windows.left + 1 + windows.right), generator=generator)
    bias = torch.randint(-9, 10, (len(windows.sizes) * filters,), generator=generator).float()
    return table, seen, windows, bias


def loop_over_windows(table: Tensor, seen: Tensor, windows: Windows, bias: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Every position, window and token under it; a window of size w at i covers i - (w - 1) // 2 to i + w // 2."""
    filters = gradient.shape[1] // len(windows.sizes)
    total, back = bias.repeat(len(seen), 1), torch.zeros_like(table)
    for position, around in enumerate(seen.tolist()):
        place = 0
        for w, size in enumerate(windows.sizes):
            columns = slice(w * filters, (w + 1) * filters)
            for offset in range(-((size - 1) // 2), size // 2 + 1):
                row = around[windows.left + offset]
                if row >= 0:
                    total[position, columns] += table[row, place * filters : (place + 1) * filters]
                    back[row, place * filters : (place + 1) * filters] += gradient[position, columns]
                place += 1
    return total, back


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_sum_under_the_windows_equals_a_plain_loop_bit_for_bit(seed):
    table, seen, windows, bias = random_windows(random.Random(seed))
    gradient = torch.randint(-8, 9, (len(seen), len(bias))).float()
    total, back = loop_over_windows(table, seen, windows, bias, gradient)
    for form in (window_sum_reference, window_sum_fused):
        leaf, other = table.clone().requires_grad_(), bias.clone().requires_grad_()
        summed = form(leaf, seen, windows, other)
        summed.backward(gradient)
        assert torch.equal(summed.detach(), total)
        assert leaf.grad is not None
        assert other.grad is not None
        assert torch.equal(leaf.grad, back)
        assert torch.equal(other.grad, gradient.sum(dim=0))


@pytest.mark.parametrize("form", [window_sum_reference, window_sum_fused])
def test_the_number_of_threads_changes_no_bit_of_the_sum_under_the_windows(form):
    generator = torch.Generator().manual_seed(0)
    windows = Windows((4, 5, 1))
    table = torch.randn(30, windows.places * 64, generator=generator)
    seen = torch.randint(-1, 30, (150, windows.left + 1 + windows.right), generator=generator)
    gradient = torch.randn(150, 3 * 64, generator=generator)
    results = []
    for number in (1, 2):
        with threads(number):
            leaf = table.clone().requires_grad_()
            total = form(leaf, seen, windows, torch.ones(3 * 64))
            total.backward(gradient)
            results.append((total.detach(), leaf.grad))
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


CALLERS = """
import threading, torch
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool import pair_max

place, pairs = torch.randint(0, 9, (6, 20)), [torch.randint(0, high, (80,)) for high in (2, 6, 6)]
index = PairIndex(torch.tensor([0, 20]), torch.tensor([20, 20]), place, *pairs)
parts = [torch.randn(rows, 70) for rows in (40, 9, 9)]

def call(results):
    for _ in range(100):
        leaves = [part.clone().requires_grad_() for part in parts]
        pooled = pair_max(*leaves, index)
        pooled.sum().backward()
    results.append([pooled.detach(), *(leaf.grad for leaf in leaves)])

results = []
threads = [threading.Thread(target=call, args=(results,)) for _ in range(4)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(len(results), all(torch.equal(a, b) for result in results for a, b in zip(result, results[0])))
"""


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_callers_in_several_threads_get_the_same_result(layer):
    # Numba's workqueue, all there is on some machines, ends the whole process when two callers meet.
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", SWITCH: "numba"}
    done = subprocess.run([sys.executable, "-c", CALLERS], capture_output=True, text=True, env=environment)
    if layer == "omp" and "No threading layer could be loaded" in done.stderr:
        pytest.skip("no OpenMP here")
    assert (done.stdout, done.returncode) == ("4 True\n", 0), done.stderr


def test_parts_with_different_channels_are_refused():
    parts, index = random_parts(random.Random(0), 1)
    for form in (pair_max, pair_average):
        with pytest.raises(ShapeError, match="pair pooling"):
            form(parts[0], parts[1][:, :0], parts[2], index)


def test_unknown_kernel_is_refused_and_a_demanded_one_says_what_it_cannot_do(monkeypatch):
    parts, index = random_parts(random.Random(0), 1)
    monkeypatch.setenv(SWITCH, "fortran")
    with pytest.raises(ConfigError, match="RELSIFT_KERNEL: expected auto, torch, numba or triton, got 'fortran'"):
        pair_max(*parts, index)
    monkeypatch.setenv(SWITCH, "numba")
    with pytest.raises(ConfigError, match="float32 on the CPU"):
        pair_max(*(part.double() for part in parts), index)
    monkeypatch.setenv(SWITCH, "triton")
    with pytest.raises(ConfigError, match="float32 on a CUDA device"):
        pair_max(*parts, index)


# ---- independence of what else is in the batch


def test_scores_do_not_depend_on_the_batch_a_sentence_is_in(kernel):
    model = make(TINY)
    group = [long_sentence(length, 4, length) for length in (9, 1, 28, 4)]
    together = model(batch_of(group, KNOWN)).scores
    alone = torch.cat([model(batch_of([sentence], KNOWN)).scores for sentence in group])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_what_stands_in_the_padding_changes_no_bit(kernel):
    model = make(TINY)
    batch = batch_of([long_sentence(3, 3, 1), long_sentence(14, 3, 2)], KNOWN)
    before = model(batch).scores
    batch.words[~batch.mask] = 5
    batch.tags[~batch.mask] = 2
    assert torch.equal(model(batch).scores, before)


def test_two_pairs_at_the_edge_of_neighbouring_sentences_do_not_see_each_other(kernel):
    # The sentences lie one after the other in one long row: the widest window must not reach across.
    model = make(replace(TINY, windows=(10, 9)))
    left, right = long_sentence(4, 3, 1), long_sentence(4, 3, 2)
    changed = replace(right, tokens=("Riga", "Oslo", "Riga", "Acme"))
    first = model(batch_of([left, right], KNOWN)).scores[:6]
    second = model(batch_of([left, changed], KNOWN)).scores[:6]
    assert torch.equal(first, second)
