"""The CRF against all sequences of tags, one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from literal_crf import log_sum, sequences
from relsift.errors import ShapeError
from relsift.layers.bio import allowed_transitions, num_tags
from relsift.layers.crf import CRF

few = settings(max_examples=15, deadline=None)
lengths_of = st.lists(st.integers(1, 4), min_size=1, max_size=2)
seeds = st.integers(0, 1000)


def make(tags: int, seed: int, *, bio: bool = False) -> CRF:
    """Of random weights. bio: with the constraints of (tags - 1) / 2 entity types."""
    crf = CRF(tags, allowed_transitions((tags - 1) // 2) if bio else None).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in crf.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    return crf


def emissions_of(lengths: list[int], tags: int, seed: int, padding: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    return 2 * torch.randn(len(lengths), max(lengths) + padding, tags, generator=generator, dtype=torch.double)


@few
@given(lengths_of, st.sampled_from([(2, False), (3, False), (3, True), (5, True)]), seeds)
def test_likelihood_best_sequence_and_marginals_are_those_of_all_sequences_one_by_one(lengths, kind, seed):
    tags, bio = kind
    crf, emissions, sizes = make(tags, seed, bio=bio), emissions_of(lengths, tags, seed, padding=1), torch.tensor(lengths)
    best = crf.best(emissions, sizes)
    for number, length in enumerate(lengths):
        scores = sequences(crf, emissions[number, :length])
        total = log_sum(list(scores.values()))
        assert tuple(best[number, :length].tolist()) == max(scores, key=scores.__getitem__)
        assert not best[number, length:].any()
        chosen = list(scores)[seed % len(scores)]
        given_tags = torch.zeros(len(lengths), max(lengths) + 1, dtype=torch.int64)
        given_tags[number, :length] = torch.tensor(chosen)
        likelihood = crf.negative_log_likelihood(emissions, given_tags, sizes)[number]
        assert likelihood.item() == pytest.approx(total - scores[chosen], abs=1e-9)
        places = list(product(range(length), range(tags)))
        possible = torch.ones(len(places), max(lengths) + 1, tags, dtype=torch.bool)
        for question, (token, tag) in enumerate(places):
            possible[question, token] = torch.arange(tags) == tag
        marginals = crf.log_posterior(emissions, sizes, torch.full((len(places),), number), possible).exp()
        wanted = [share(scores, total, lambda tags, place=place: tags[place[0]] == place[1]) for place in places]
        assert marginals.tolist() == pytest.approx(wanted, abs=1e-9)


def share(scores: dict[tuple[int, ...], float], total: float, counts: Callable[[tuple[int, ...]], bool]) -> float:
    """The probability of the sequences that count."""
    return sum(math.exp(score - total) for tags, score in scores.items() if counts(tags))


@few
@given(lengths_of, seeds)
def test_a_question_about_several_tokens_is_the_share_of_the_sequences_that_answer_it(lengths, seed):
    crf, emissions, sizes = make(3, seed, bio=True), emissions_of(lengths, 3, seed), torch.tensor(lengths)
    possible = torch.rand(2, max(lengths), 3, generator=torch.Generator().manual_seed(seed)) < 0.7
    sentence = torch.tensor([0, len(lengths) - 1])
    asked = crf.log_posterior(emissions, sizes, sentence, possible).exp().tolist()
    for question, number in enumerate(sentence.tolist()):
        scores, named = sequences(crf, emissions[number, : lengths[number]]), possible[question].tolist()
        wanted = share(scores, log_sum(list(scores.values())), lambda tags, named=named: all(named[t][tag] for t, tag in enumerate(tags)))
        assert asked[question] == pytest.approx(wanted, abs=1e-9)


@few
@given(lengths_of, seeds)
def test_the_best_sequence_keeps_the_constraints_however_much_the_scores_speak_against_them(lengths, seed):
    tags = num_tags(2)
    crf, emissions = make(tags, seed, bio=True), emissions_of(lengths, tags, seed)
    emissions[:, :, [2, 4]] += 100  # I everywhere
    for row, length in zip(crf.best(emissions, torch.tensor(lengths)).tolist(), lengths):
        for before, tag in zip([tags, *row], row[:length]):
            assert tag not in (2, 4) or before in (tag - 1, tag)


def test_gradients_are_those_of_finite_differences():
    crf, emissions = make(3, 7, bio=True), emissions_of([3, 1], 3, 7).requires_grad_()
    tags, lengths = torch.tensor([[1, 2, 0], [0, 0, 0]]), torch.tensor([3, 1])

    def loss(emissions: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(Likelihood(crf), dict(zip(names, weights)), (emissions, tags, lengths))

    names, weights = zip(*((f"crf.{name}", weight) for name, weight in crf.named_parameters()))
    assert torch.autograd.gradcheck(loss, (emissions, *weights))


class Likelihood(torch.nn.Module):
    def __init__(self, crf: CRF) -> None:
        super().__init__()
        self.crf = crf

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.crf.negative_log_likelihood(*inputs)


@pytest.mark.parametrize("bio", [False, True])
def test_padding_and_the_sentences_beside_it_change_nothing(bio):
    crf, emissions, lengths = make(5, 3, bio=bio), emissions_of([2, 5, 3], 5, 3), torch.tensor([2, 5, 3])
    tags = crf.best(emissions, lengths)
    together = crf.negative_log_likelihood(emissions, tags, lengths)
    emissions[0, 2:] = float("nan")  # what stands there is not read
    tags[0, 2:] = 4
    for number, length in enumerate(lengths.tolist()):
        alone = emissions[number : number + 1, :length], lengths[number : number + 1]
        torch.testing.assert_close(together[number], crf.negative_log_likelihood(alone[0], tags[number : number + 1, :length], alone[1])[0])
        assert torch.equal(crf.best(emissions, lengths)[number, :length], crf.best(*alone)[0])


def test_one_token_and_one_entity_type_by_hand():
    crf = CRF(3, allowed_transitions(1))
    emissions = torch.tensor([[[1.0, 0.0, 50.0]]])  # O, B, and an I that may not stand first
    one = torch.tensor([1])
    # log(e^1 + e^0) - 1 and - 0
    assert crf.negative_log_likelihood(emissions, torch.tensor([[0]]), one).item() == pytest.approx(0.3133, abs=1e-4)
    assert crf.negative_log_likelihood(emissions, torch.tensor([[1]]), one).item() == pytest.approx(1.3133, abs=1e-4)
    assert crf.negative_log_likelihood(emissions, torch.tensor([[2]]), one).item() == float("inf")
    assert crf.best(emissions, one).tolist() == [[0]]


def test_large_scores_in_single_precision_stay_finite():
    crf, lengths = make(3, 1, bio=True).float(), torch.tensor([200])
    emissions = 1e4 * torch.randn(1, 200, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = crf.negative_log_likelihood(emissions, torch.zeros(1, 200, dtype=torch.int64), lengths).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in crf.parameters())


def test_constraints_of_another_number_of_tags_are_refused():
    with pytest.raises(ShapeError, match=r"allowed: expected \(C \+ 1, C\) for C = 3 tags, got \(6, 5\)"):
        CRF(3, allowed_transitions(2))
