"""Rows computed once and remembered: what is asked for again, what is forgotten, and what must never be remembered."""

from __future__ import annotations

import copy
import threading
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from relsift.encoders.base import TokenEncoder, distinct
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.layers.pair_convolution import PairConvolution
from relsift.layers.row_cache import RowCache, each_once
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from toy import batch_of, encoding, long_sentence, randomise, sentences

COUNT = 50
ROW = 4 * (3 + 1)  # bytes of one row of the two tables below
MAP = 4 * COUNT  # bytes of the map from keys to rows


class Source:
    """Rows of two tables, computed from a weight; counts what it is asked for."""

    def __init__(self) -> None:
        self.weight = torch.arange(float(COUNT))
        self.asked: list[int] = []

    def compute(self, keys: Tensor) -> tuple[Tensor, ...]:
        assert len(keys.unique()) == len(keys)
        self.asked += keys.tolist()
        values = self.weight[keys][:, None]
        return values * torch.tensor([1.0, 2.0, 3.0]), values + 100

    def rows(self, cache: RowCache, keys: list[int] | Tensor) -> list[Tensor]:
        """For every key its row of each table."""
        keys = torch.as_tensor(keys)
        rows = cache.rows(keys, COUNT, [3, 1], self.compute, [self.weight])
        assert rows.place.shape == keys.shape
        return [table[rows.place] for table in rows.tables]

    def check(self, cache: RowCache, keys: list[int] | Tensor) -> None:
        rows = self.rows(cache, keys)
        values = self.weight[torch.as_tensor(keys)][..., None]
        assert torch.equal(rows[0], values * torch.tensor([1.0, 2.0, 3.0]))
        assert torch.equal(rows[1], values + 100)


def test_a_key_is_computed_once_and_only_what_is_missing_is_computed():
    source, cache = Source(), RowCache(10_000)
    source.check(cache, [3, 7, 3])
    source.check(cache, [7, 9, 3])
    source.check(cache, torch.tensor([[9, 3], [7, 7]]))
    assert source.asked == [3, 7, 9]
    assert cache.used == 3


@settings(max_examples=80, deadline=None)
@given(asked=st.lists(st.lists(st.integers(0, COUNT - 1), max_size=8), max_size=12), room=st.integers(0, 6))
def test_rows_are_right_and_memory_stays_bounded_whatever_is_asked_and_however_little_fits(asked, room):
    source, cache = Source(), RowCache(MAP + room * ROW)
    for keys in asked:
        source.check(cache, torch.tensor(keys, dtype=torch.int64))
        assert cache.used <= room


def test_the_tables_given_out_hold_remembered_rows_and_nothing_else():
    source, cache = Source(), RowCache(10_000)
    for keys, count in (([3, 7], 2), ([7, 9], 3)):
        rows = cache.rows(torch.tensor(keys), COUNT, [3, 1], source.compute, [source.weight])
        assert [len(table) for table in rows.tables] == [count, count]


def test_when_the_room_is_used_up_everything_is_forgotten_and_the_present_keys_are_kept():
    source, cache = Source(), RowCache(MAP + 3 * ROW)
    for keys in ([1, 2], [3, 4], [3, 4], [5]):
        source.check(cache, keys)
    assert source.asked == [1, 2, 3, 4, 5]
    assert cache.used == 3


def test_tables_given_out_before_everything_was_forgotten_stay_as_they_were():
    source, cache = Source(), RowCache(MAP + 2 * ROW)
    rows = cache.rows(torch.tensor([1, 2]), COUNT, [3, 1], source.compute, [source.weight])
    source.check(cache, [3, 4])
    assert rows.tables[1][rows.place].flatten().tolist() == [101, 102]


@pytest.mark.parametrize("change", ["in place", "another tensor", "its data"])
def test_when_a_weight_changes_everything_is_computed_anew(change):
    source, cache = Source(), RowCache(10_000)
    source.check(cache, [3, 7])
    if change == "in place":
        source.weight += 1
    elif change == "another tensor":
        source.weight = source.weight + 1
    else:
        source.weight.data = source.weight + 1
    source.check(cache, [3])
    assert source.asked == [3, 7, 3]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_rows_that_are_not_finite_are_given_out_and_not_kept(number):
    source, cache = Source(), RowCache(10_000)
    source.weight[7] = number
    rows = cache.rows(torch.tensor([3, 7]), COUNT, [3, 1], source.compute, [source.weight])
    assert not rows.finite
    assert rows.tables[1][rows.place].isfinite().flatten().tolist() == [True, False]
    assert cache.used == 0
    assert cache.rows(torch.tensor([3]), COUNT, [3, 1], source.compute, [source.weight]).finite


def test_no_memory_remembers_nothing_and_a_copy_starts_empty():
    source = Source()
    for cache in (RowCache(0), copy.deepcopy(RowCache(0))):
        source.check(cache, [3, 3])
        assert cache.used == 0
    full = RowCache(10_000)
    source.check(full, [3])
    other = copy.deepcopy(full)
    assert (full.used, other.used, other.limit) == (1, 0, 10_000)


def test_rows_taken_in_under_inference_mode_serve_outside_it_too():
    source, cache = Source(), RowCache(10_000)
    with torch.inference_mode():
        source.check(cache, [3])
    with torch.no_grad():
        source.check(cache, [3, 4])
    assert source.asked == [3, 4]


def test_threads_that_share_a_cache_too_small_for_them_get_their_own_rows():
    source, cache = Source(), RowCache(MAP + 5 * ROW)
    wrong: list[str] = []

    def ask(seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for _ in range(300):
            keys = torch.randint(0, COUNT, (4,), generator=generator)
            if not torch.equal(source.rows(cache, keys)[1].flatten(), keys + 100):
                wrong.append(str(keys))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_each_once_computes_each_different_key_once_in_any_shape():
    source = Source()
    rows = each_once(torch.tensor([[5, 2], [2, 5]]), source.compute)
    assert source.asked == [2, 5]
    assert rows.tables[1][rows.place].squeeze(-1).tolist() == [[105, 102], [102, 105]]


# ---- in a model


KNOWN = encoding()


def make() -> MultiTaskCNN:
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(model)
    return model.eval()


def scores(model: MultiTaskCNN, seed: int = 0) -> Tensor:
    group = [long_sentence(9, 4, seed), *sentences(3, seed)]
    with torch.inference_mode():
        return model(batch_of(group, KNOWN)).scores


def test_a_model_that_remembers_predicts_what_one_without_memory_predicts():
    plain = make()
    plain.limit_cache(0)
    tight = make()
    tight.limit_cache(0.02)
    model = make()
    for seed in (0, 1, 0, 2):
        wanted = scores(plain, seed)
        torch.testing.assert_close(scores(model, seed), wanted, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(scores(tight, seed), wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    "name",
    ["embed.words.weight", "embed.tags.weight", "tail_distance.weight", "convolve.convolutions.0.weight", "convolve.convolutions.1.bias"],
)
def test_a_model_whose_weights_change_forgets_what_it_had_computed_with_the_old_ones(name):
    model, other = make(), make()
    before = scores(model)
    for each in (model, other):
        with torch.no_grad():
            each.get_parameter(name).mul_(1.5)
    after = scores(model)
    assert not torch.allclose(after, before)
    assert torch.equal(after, scores(other))


def test_a_step_of_training_between_two_predictions_shows_in_the_second():
    model = make()
    before = scores(model)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    batch = batch_of(sentences(4), KNOWN)
    model.train()
    sum(model.loss(model(batch), batch).values()).backward()
    optimiser.step()
    model.eval()
    fresh = make()
    fresh.load_state_dict(model.state_dict())
    assert not torch.allclose(scores(model), before)
    assert torch.equal(scores(model), scores(fresh))


def test_random_input_dropout_is_never_remembered():
    model = MultiTaskCNN(replace(MultiTaskCNNConfig.tiny(), input_dropout=0.5), KNOWN)
    randomise(model)
    model.train()
    assert not torch.equal(scores(model), scores(model))


def test_a_copied_model_predicts_the_same():
    model = make()
    wanted = scores(model)
    assert torch.equal(scores(copy.deepcopy(model)), wanted)


# ---- features that depend on the sentence


class Contextual(TokenEncoder):
    """A word's row plus the mean of its sentence: the same key means something else in every batch."""

    def __init__(self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0) -> None:
        super().__init__(encoding, word_size=word_size, tag_size=tag_size, dropout=dropout)
        assert encoding.words is not None
        self.words = torch.nn.Embedding(encoding.words.num_rows, word_size)
        self.size = self.word_size = word_size

    def features(self, batch: Batch) -> Tensor:
        rows = [self.words.weight[row[:length]] for row, length in zip(batch.words, batch.lengths.tolist())]
        return torch.cat([words + words.mean(dim=0) for words in rows])


def contextual() -> MultiTaskCNN:
    model = make()
    model.embed = Contextual(KNOWN, word_size=model.embed.size, tag_size=None)
    randomise(model)
    return model.eval()


def test_features_that_depend_on_the_sentence_are_never_remembered_from_one_batch_to_the_next():
    # Both batches have the keys 0, 1, 2 …; with rows of the first batch the second would get other scores.
    model = contextual()
    for seed in (0, 1, 0):
        plain = contextual()
        plain.limit_cache(0)
        assert torch.equal(scores(model, seed), scores(plain, seed))
    assert model.convolve._token_cache.used == 0
    assert model.convolve._distance_cache.used > 0  # distances are the same in every sentence


def test_tokens_without_weights_are_looked_up_anew_and_those_with_weights_are_not():
    asked: list[int] = []
    table = torch.randn(KNOWN.words.num_rows, 6, generator=torch.Generator().manual_seed(0))

    def look_up(keys: Tensor) -> Tensor:
        asked.append(len(keys))
        return table[keys]

    convolution = PairConvolution(6, 3, windows=(2,), filters=4, max_distance=5).eval()
    batch = batch_of([long_sentence(9, 4)], KNOWN)
    keys = batch.words[batch.mask]
    distances = torch.zeros(11, 3)
    with torch.inference_mode():
        for weights, times in (([], 2), ([table], 1)):
            asked.clear()
            for _ in range(2):
                convolution(KeyedTokens(keys, len(table), look_up, weights), batch, distances, distances)
            assert asked == [len(keys.unique())] * times


def test_tokens_that_share_nothing_have_a_key_each_and_no_weights():
    rows = torch.randn(5, 3)
    tokens = distinct(rows)
    assert (tokens.keys.tolist(), tokens.count, list(tokens.weights)) == ([0, 1, 2, 3, 4], 5, [])
    assert torch.equal(tokens.features(torch.tensor([4, 1])), rows[[4, 1]])
