"""Paired tests: by hand, against every possible swap, and what must hold for any counts."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import evaluate
from relsift.evaluation.significance import (
    EXACT_FOLDS,
    Counts,
    bootstrap,
    compare_runs,
    corrected_interval,
    interval_of,
    micro_f1,
    randomisation,
    sentence_counts,
    sign_flips,
    smallest_sign_flips,
    student_bound,
    with_lost,
)
from relsift.schema import Relation, Sentence
from toy import sentences

TYPES = ("works_for", "based_in", "lives_in")


def counts(*rows: tuple[int, int, int]) -> Counts:
    return np.array(rows, np.int64)


def random_counts(draw: random.Random, gold: list[int]) -> Counts:
    rows = []
    for number in gold:
        right = draw.randint(0, number)
        rows.append((right, right + draw.randint(0, 2), number))
    return counts(*rows)


def pair_of_systems(seed: int, units: int) -> tuple[Counts, Counts]:
    draw = random.Random(seed)
    gold = [draw.randint(0, 3) for _ in range(units)]
    return random_counts(draw, gold), random_counts(draw, gold)


def guessed(sentence: Sentence, draw: random.Random) -> Sentence:
    pairs = [(h, t) for h in range(len(sentence.entities)) for t in range(len(sentence.entities)) if h != t]
    return sentence.with_relations(Relation(*pair, draw.choice(TYPES), 1.0) for pair in draw.sample(pairs, draw.randint(0, 3)))


# ---- counts


@pytest.mark.parametrize("direction", ["directed", "undirected"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_the_counts_of_all_sentences_sum_to_the_micro_counts_of_the_score(direction, seed):
    draw = random.Random(seed)
    gold = sentences(9, seed)
    predicted = [guessed(sentence, draw) for sentence in gold]
    counts = sentence_counts(gold, predicted, direction=direction)
    assert counts.shape == (9, 3)
    scores = evaluate(gold, predicted, direction=direction)
    per_type = scores.per_type.values()
    right = sum(c.true_positive for c in per_type)
    wanted = [right, right + sum(c.false_positive for c in per_type), sum(c.support for c in per_type)]
    assert counts.sum(axis=0).tolist() == wanted
    assert float(micro_f1(counts.sum(axis=0))) == pytest.approx(scores.micro.f1, abs=1e-12)


def test_sentences_of_a_document_are_one_unit_and_unannotated_ones_are_none():
    gold = sentences(4)  # the first three have one relation each
    blank = Sentence("blank", gold[0].tokens, gold[0].entities, None)
    predicted = [gold[0], gold[1].with_relations([]), gold[2], gold[3], blank.with_relations([])]
    gold = [*gold, blank]
    assert sentence_counts(gold, predicted, direction="directed").tolist() == [[1, 1, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0]]
    documents = ["b", "a", "b", "a", "c"]
    assert sentence_counts(gold, predicted, direction="directed", units=documents).tolist() == [[2, 2, 2], [0, 0, 1]]
    with pytest.raises(ConfigError, match="units: expected one a sentence"):
        sentence_counts(gold, predicted, direction="directed", units=["a"])


def test_sentences_that_differ_are_refused_as_the_evaluator_does():
    with pytest.raises(DataError, match="expected the same tokens and entities"):
        sentence_counts(sentences(2), sentences(2, seed=9), direction="directed")


def test_f1_by_hand():
    # 2 of 4 found are right, of 3 wanted: P 1/2, R 2/3, F 4/7. Nothing found and nothing wanted is 0, as in the scores.
    assert micro_f1(counts((2, 4, 3), (0, 0, 0), (0, 2, 0))).tolist() == [pytest.approx(4 / 7), 0, 0]


# ---- randomisation


def test_one_unit_can_only_change_places_as_a_whole():
    # Whichever way it falls, the difference is as large as observed.
    assert randomisation(counts((1, 1, 1)), counts((0, 0, 1)), 999, np.random.default_rng(0)) == 1.0


def test_two_units_by_hand():
    # The first system is right on both, the second finds nothing: F 1 against 0. Of the four swaps two give a difference of 1, two give
    # one right of two wanted on either side, a difference of 0: p = 1/2.
    p = randomisation(counts((1, 1, 1), (1, 1, 1)), counts((0, 0, 1), (0, 0, 1)), 20_000, np.random.default_rng(1))
    assert p == pytest.approx(0.5, abs=0.02)


def test_ten_units_that_all_speak_for_one_system_give_two_in_1024():
    right, silent = counts(*[(1, 1, 1)] * 10), counts(*[(0, 0, 1)] * 10)
    samples = 200_000
    p = randomisation(right, silent, samples, np.random.default_rng(2))
    assert p == pytest.approx(2 / 1024, abs=4e-4)


def plain_f1(rows: list[list[int]]) -> float:
    right, predicted, gold = (sum(column) for column in zip(*rows))
    return 2 * right / (predicted + gold) if right else 0.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), units=st.integers(1, 7))
def test_the_p_value_is_that_of_all_swaps_counted_one_by_one(seed, units):
    first, second = pair_of_systems(seed, units)
    one, other = first.tolist(), second.tolist()
    observed = abs(plain_f1(one) - plain_f1(other))
    larger = 0
    for swaps in itertools.product([False, True], repeat=units):
        left = [b if swap else a for a, b, swap in zip(one, other, swaps)]
        right = [a if swap else b for a, b, swap in zip(one, other, swaps)]
        larger += abs(plain_f1(left) - plain_f1(right)) >= observed - 1e-12
    p = randomisation(first, second, 20_000, np.random.default_rng(seed))
    assert p == pytest.approx(larger / 2**units, abs=0.02)  # over 5 standard errors


def test_samples_in_chunks_are_all_counted(monkeypatch):
    first, second = pair_of_systems(3, 6)
    monkeypatch.setattr("relsift.evaluation.significance.CELLS_AT_ONCE", 10)
    p = randomisation(first, second, 998, np.random.default_rng(0))
    assert (p * 999) == pytest.approx(round(p * 999), abs=1e-9)
    assert len(bootstrap(first, second, 998, np.random.default_rng(0))) == 998


# ---- bootstrap


def test_bootstrap_of_two_units_by_hand():
    # Unit 1 speaks for the first system, unit 2 for the second. Drawn twice each: the difference is 1, 0 (twice) or -1.
    drawn = bootstrap(counts((1, 1, 1), (0, 0, 1)), counts((0, 0, 1), (1, 1, 1)), 20_000, np.random.default_rng(0))
    shares = {value: float(np.mean(drawn == value)) for value in (-1.0, 0.0, 1.0)}
    assert shares == {-1.0: pytest.approx(0.25, abs=0.02), 0.0: pytest.approx(0.5, abs=0.02), 1.0: pytest.approx(0.25, abs=0.02)}


def test_the_interval_is_about_that_of_the_normal_distribution_where_f1_is_a_share():
    # Each unit has one gold relation and one found: F1 is the share of units that are right, the difference a mean of n values.
    draw = np.random.default_rng(5)
    n = 600
    one, other = draw.random(n) < 0.8, draw.random(n) < 0.7
    first, second = (np.stack([right, np.ones(n), np.ones(n)], axis=1).astype(np.int64) for right in (one, other))
    result = compare_runs([first], [second], samples=20_000)
    values = one.astype(float) - other
    wanted = 1.96 * values.std() / np.sqrt(n)
    assert result.difference == pytest.approx(values.mean())
    assert result.interval == pytest.approx((values.mean() - wanted, values.mean() + wanted), abs=0.004)


# ---- both


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), units=st.integers(1, 9), runs=st.integers(1, 3), together=st.booleans())
def test_what_holds_for_any_two_systems(seed, units, runs, together):
    draw = random.Random(seed)
    gold = [draw.randint(0, 3) for _ in range(units)]
    first, second = ([random_counts(draw, gold) for _ in range(runs)] for _ in range(2))
    options = {"samples": 200, "seed": seed, "swap_runs_together": together}
    forth, back = compare_runs(first, second, **options), compare_runs(second, first, **options)
    assert compare_runs(first, second, **options) == forth
    assert forth.difference == -back.difference
    assert forth.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert forth.p_value == back.p_value
    assert 1 / 201 <= forth.p_value <= 1
    assert -1 <= forth.interval[0] <= forth.interval[1] <= 1
    assert (forth.units, forth.runs) == (units, runs)
    alike = compare_runs(first, first, **options)
    assert (alike.difference, alike.p_value, alike.interval) == (0, 1, (0, 0))


def test_runs_are_taken_together():
    one, other = pair_of_systems(7, 30)
    third, fourth = pair_of_systems(7, 30)
    result = compare_runs([one, third], [other, fourth], samples=100)
    assert result.first == pytest.approx(float(micro_f1((one + third).sum(axis=0))))
    assert (result.units, result.runs) == (30, 2)


def test_a_difference_that_every_run_repeats_is_no_surer_when_runs_change_places_together():
    # Five copies of one run carry no more evidence than one; swapped one by one they seem to.
    one, other = pair_of_systems(11, 40)
    once = compare_runs([one], [other], samples=5000).p_value
    assert compare_runs([one] * 5, [other] * 5, samples=5000, swap_runs_together=True).p_value == pytest.approx(once, abs=0.03)
    assert compare_runs([one] * 5, [other] * 5, samples=5000).p_value < once


def test_sides_that_do_not_belong_together_are_refused():
    one, other = pair_of_systems(1, 5)
    for first, second in (([one], [other, other]), ([one], [other[:4]]), ([], []), ([one[:, :2]], [other[:, :2]]), ([one[:0]], [one[:0]])):
        with pytest.raises(DataError, match="expected as many runs of the same"):
            compare_runs(first, second)
    changed = other.copy()
    changed[2, 2] += 1
    with pytest.raises(DataError, match="a difference in unit 2"):
        compare_runs([one], [changed])
    with pytest.raises(ConfigError, match="samples"):
        compare_runs([one], [other], samples=0)
    with pytest.raises(ConfigError, match="confidence"):
        compare_runs([one], [other], confidence=95)


# ---- folds


def test_sign_flips_by_hand():
    # Sums of ±1 ±2 ±3: 6, 4, 2, 0, 0, -2, -4, -6. At least as far from 0 as 6 are two of eight, as 4 are four, as 0 all.
    assert sign_flips([1.0, 2.0, 3.0]) == sign_flips([-1.0, -2.0, -3.0]) == 2 / 8
    assert sign_flips([-1.0, 2.0, 3.0]) == 4 / 8
    assert sign_flips([1.0, 2.0, -3.0]) == 1.0
    assert sign_flips([0.0, 0.0]) == 1.0
    assert sign_flips([0.1]) == 1.0


@given(st.lists(st.integers(-50, 50).map(lambda points: points / 1000), min_size=1, max_size=9))
def test_sign_flips_count_every_pattern(differences):
    observed = abs(sum(differences))
    patterns = list(itertools.product([1, -1], repeat=len(differences)))
    larger = sum(abs(sum(sign * value for sign, value in zip(signs, differences))) >= observed - 1e-9 for signs in patterns)
    assert sign_flips(differences) == pytest.approx(larger / len(patterns))
    assert smallest_sign_flips(len(differences)) <= sign_flips(differences) <= 1


def test_sign_flips_are_those_of_scipy():
    values = [0.011, -0.004, 0.02, 0.013, 0.007, -0.001, 0.016]
    wanted = scipy.stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flips(values) == pytest.approx(wanted)


def test_more_differences_than_can_be_counted_are_sampled():
    draw = np.random.default_rng(3)
    many = draw.normal(0.3, 1.0, EXACT_FOLDS + 5)
    wanted = scipy.stats.permutation_test((many,), np.mean, permutation_type="samples", n_resamples=200_000, rng=1).pvalue
    assert sign_flips(many.tolist(), samples=50_000) == pytest.approx(wanted, abs=0.01)
    assert sign_flips(np.abs(many).tolist(), samples=999) == smallest_sign_flips(len(many), samples=999) == 1 / 1000
    exact = sign_flips([0.001] * EXACT_FOLDS)
    assert exact == smallest_sign_flips(EXACT_FOLDS) == 2 / 2**EXACT_FOLDS


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_bound_of_students_distribution_is_that_of_scipy(freedom, confidence):
    assert student_bound(confidence, freedom) == pytest.approx(scipy.stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-9)


def test_the_corrected_interval_by_hand():
    # Five folds: mean 3, variance 10 / 4; t(4 degrees, 95 %) = 2.7764; a test part is a quarter of its training part.
    half = 2.7764 * ((1 / 5 + 1 / 4) * 2.5) ** 0.5
    assert corrected_interval([1, 2, 3, 4, 5], ratio=0.25) == (pytest.approx(3 - half, abs=1e-4), pytest.approx(3 + half, abs=1e-4))
    usual = scipy.stats.ttest_1samp([1, 2, 3, 4, 5], 0).confidence_interval(0.95)
    assert corrected_interval([1, 2, 3, 4, 5], ratio=0.0) == pytest.approx(tuple(usual))


def test_tests_over_folds_refuse_what_they_cannot_use():
    for call, named in (
        (lambda: sign_flips([]), "differences"),
        (lambda: corrected_interval([0.1], ratio=0.25), "at least two"),
        (lambda: corrected_interval([0.1, 0.2], ratio=-1), "ratio"),
        (lambda: student_bound(1.0, 3), "confidence"),
        (lambda: student_bound(0.95, 0), "freedom"),
    ):
        with pytest.raises(ConfigError, match=named):
            call()


# ---- one system


def test_the_interval_of_one_system_is_that_of_resampled_units():
    units = counts((1, 1, 2), (0, 1, 1), (2, 3, 2), (1, 2, 1))
    result = interval_of(units, unit="document", samples=4000, seed=3)
    assert result is not None and (result.unit, result.units, result.confidence) == ("document", 4, 0.95)
    # All 4^4 samples of four units, each as likely: the exact distribution.
    sums = np.array([units[list(places)].sum(axis=0) for places in itertools.product(range(4), repeat=4)])
    for (low, high), values in (
        (result.precision, sums[:, 0] / sums[:, 1]),
        (result.recall, sums[:, 0] / sums[:, 2]),
        (result.f1, 2 * sums[:, 0] / (sums[:, 1] + sums[:, 2])),
    ):
        assert (low, high) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.06)
    assert result.to_json()["f1"] == list(result.f1)


def test_one_unit_has_no_interval_and_equal_ones_have_none_to_speak_of():
    assert interval_of(counts((1, 1, 1)), unit="sentence") is None
    result = interval_of(counts(*[(1, 2, 2)] * 5), unit="sentence", samples=50)
    assert result is not None and result.f1 == (0.5, 0.5)
    silent = interval_of(counts(*[(0, 0, 1)] * 5), unit="sentence", samples=50)
    assert silent is not None and (silent.precision, silent.f1) == ((0.0, 0.0), (0.0, 0.0))


def test_lost_relations_are_gold_relations_of_their_document():
    # Documents of 2, 0, 1 and 0 units; what a document without units has lost goes to the unit before it.
    units = counts((1, 1, 1), (0, 0, 0), (1, 2, 1))
    assert with_lost(units, [1, 0, 0, 0], [2, 0, 1, 0]).tolist() == [[1, 1, 2], [0, 0, 0], [1, 2, 1]]
    assert with_lost(units, [0, 5, 0, 2], [2, 0, 1, 0]).tolist() == [[1, 1, 1], [0, 0, 5], [1, 2, 3]]
    assert with_lost(units, [4, 0, 0], [0, 2, 1]).tolist() == [[1, 1, 5], [0, 0, 0], [1, 2, 1]]
    assert units.tolist() == [[1, 1, 1], [0, 0, 0], [1, 2, 1]]
    with pytest.raises(DataError, match="expected those of 2 units in 1 documents, got 3 in 1"):
        with_lost(units, [1], [2])


@pytest.mark.parametrize("samples", [0, 10**7, 10**30])
def test_a_number_of_samples_that_would_take_hours_is_refused(samples: int):
    with pytest.raises(ConfigError, match="samples: expected 1 to 1000000"):
        interval_of(counts(*[(1, 2, 2)] * 5), unit="sentence", samples=samples)
