"""Two systems compared over cells: by hand, against the tests over units, and what is refused."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invented_cells import ONE, OTHER, PLAN, cell
from relsift.errors import ConfigError, DataError
from relsift.evaluation.significance import Comparison, compare_runs, micro_f1, sentence_counts
from relsift.experiments.comparison import as_unit, compare_predictions, compare_systems, verdict
from relsift.experiments.report.summary import summaries
from relsift.experiments.result import CellResult, Results
from relsift.schema import Document, Relation
from toy import sentences

RIGHT, SILENT, WRONG = (1, 1, 1), (0, 0, 1), (0, 1, 1)  # one gold relation: found, not found, something else found


def grid(system, folds: int, seeds: int, draw: random.Random, gold: dict[int, list[int]]) -> list[CellResult]:
    cells = []
    for fold in range(1, folds + 1):
        for seed in range(1, seeds + 1):
            right = [draw.randint(0, count) for count in gold[fold]]
            cells.append(cell(system, fold, seed, [(r, r + draw.randint(0, 1), g) for r, g in zip(right, gold[fold])], [2, 3, 1]))
    return cells


def two_grids(seed: int, folds: int = 3, seeds: int = 2) -> tuple[list[CellResult], list[CellResult]]:
    draw = random.Random(seed)
    gold = {fold: [draw.randint(0, 2) for _ in range(6)] for fold in range(1, folds + 1)}
    return grid(ONE, folds, seeds, draw, gold), grid(OTHER, folds, seeds, draw, gold)


# ---- by hand


def test_two_folds_by_hand():
    # Fold 1: F 1 against F 2/3 (one of two found). Fold 2: 2/3 against 1/2 (of two found, one is right).
    first = [cell(ONE, 1, 1, [RIGHT, RIGHT]), cell(ONE, 2, 1, [RIGHT, SILENT])]
    second = [cell(OTHER, 1, 1, [RIGHT, SILENT]), cell(OTHER, 2, 1, [RIGHT, WRONG])]
    result = compare_systems(first, second, samples=50)
    assert result.fold_differences == {1: pytest.approx(1 / 3), 2: pytest.approx(2 / 3 - 1 / 2)}
    assert result.mean_difference == pytest.approx(1 / 4)
    # Together: 3 right of 3 found and 4 wanted, F 6/7; 2 right of 3 found, F 4/7.
    assert (result.first, result.second, result.difference) == (pytest.approx(6 / 7), pytest.approx(4 / 7), pytest.approx(2 / 7))
    # Mean 1/4, deviation of two values: their distance 1/6 over the square root of 2.
    assert result.effect_size == pytest.approx(0.25 / (1 / 6 / 2**0.5))
    # t(1 degree, 95 %) = 12.706; variance (1/6)² / 2; 1/2 + 1/4 as the plan has five folds.
    half = 12.7062 * (0.75 / 72) ** 0.5
    assert result.fold_interval == (pytest.approx(0.25 - half, abs=1e-5), pytest.approx(0.25 + half, abs=1e-5))
    assert (result.fold_p_value, result.smallest_fold_p_value) == (0.5, 0.5)
    assert (result.folds, result.seeds, result.units, result.unit, result.runs, result.unpaired) == ((1, 2), (1,), 4, "document", 1, 0)
    assert result.folds_won() == (2, 0)


def test_a_folds_difference_is_the_mean_over_its_seeds():
    first = [cell(ONE, 1, 1, [RIGHT]), cell(ONE, 1, 2, [RIGHT])]
    second = [cell(OTHER, 1, 1, [RIGHT]), cell(OTHER, 1, 2, [SILENT])]
    result = compare_systems(first, second, samples=20)
    assert result.fold_differences == {1: 0.5}
    assert (result.effect_size, result.fold_interval, result.fold_p_value) == (None, None, 1.0)


def test_folds_that_do_not_differ_have_no_effect_size():
    first = [cell(ONE, fold, 1, [RIGHT, RIGHT]) for fold in (1, 2, 3)]
    second = [cell(OTHER, fold, 1, [RIGHT, WRONG]) for fold in (1, 2, 3)]
    result = compare_systems(first, second, samples=20)
    assert result.effect_size is None
    assert result.fold_interval == (pytest.approx(0.5), pytest.approx(0.5))
    assert result.fold_p_value == result.smallest_fold_p_value == 0.25


# ---- units


def test_documents_and_sentences_are_the_units_of_the_paired_test():
    first, second = two_grids(5)
    by_seed = {seed: [[c for c in side if c.seed == seed] for side in (first, second)] for seed in (1, 2)}
    for unit in ("sentence", "document"):

        def rows(side: list[CellResult], unit: str = unit) -> np.ndarray:
            every = [row for c in side for row in c.counts.tolist()]
            if unit == "document":  # of 2, 3 and 1 sentences in each fold
                ends = [0, 2, 5, 6, 8, 11, 12, 14, 17, 18]
                every = [[sum(column) for column in zip(*every[a:b])] for a, b in pairwise(ends)]
            return np.array(every, np.int64)

        runs = [[rows(by_seed[seed][side]) for seed in (1, 2)] for side in (0, 1)]
        wanted = compare_runs(*runs, samples=300, confidence=0.9, swap_runs_together=True, seed=4)
        comparison = compare_systems(first, second, units=unit, samples=300, confidence=0.9, seed=4)
        assert {name: getattr(comparison, name) for name in vars(wanted)} == vars(wanted)
        assert (comparison.units, comparison.unit) == (18 if unit == "sentence" else 9, unit)


def test_a_document_without_annotated_sentences_is_no_unit():
    first = [cell(ONE, 1, 1, [RIGHT, RIGHT, SILENT], [0, 2, 0, 1, 0])]
    second = [cell(OTHER, 1, 1, [RIGHT, SILENT, SILENT], [0, 2, 0, 1, 0])]
    assert compare_systems(first, second, samples=10).units == 2


@settings(max_examples=30)
@given(st.integers(0, 2**20))
def test_the_other_way_round_everything_changes_its_sign(seed):
    first, second = two_grids(seed)
    forth, back = compare_systems(first, second, samples=50), compare_systems(second, first, samples=50)
    assert forth.difference == -back.difference
    assert forth.mean_difference == pytest.approx(-back.mean_difference)
    assert forth.folds_won() == back.folds_won()[::-1]
    assert (forth.p_value, forth.fold_p_value) == (back.p_value, back.fold_p_value)
    assert forth.effect_size == (None if back.effect_size is None else pytest.approx(-back.effect_size))
    assert 0 < forth.smallest_fold_p_value <= forth.fold_p_value <= 1
    every = [float(micro_f1(a.counts.sum(axis=0)) - micro_f1(b.counts.sum(axis=0))) for a, b in zip(first, second)]
    assert forth.mean_difference == pytest.approx(sum(every) / len(every))


# ---- pairing


def test_only_folds_and_seeds_of_both_sides_are_used_and_the_rest_is_counted():
    first, second = two_grids(8, folds=3, seeds=3)
    whole = compare_systems([c for c in first if c.fold < 3 and c.seed < 3], [c for c in second if c.fold < 3 and c.seed < 3])
    # The second lacks fold 3; in fold 2 the first lacks seed 3, so that seed is no run in fold 1 either.
    some = compare_systems([c for c in reversed(first) if (c.fold, c.seed) != (2, 3)], [c for c in second if c.fold < 3])
    assert some.unpaired == 8 + 6 - 2 * 4
    assert replace(some, unpaired=0) == whole
    assert (some.folds, some.seeds) == ((1, 2), (1, 2))


def test_cells_that_do_not_pair_are_refused():
    first, second = two_grids(2, folds=2, seeds=2)
    for side in ([], [replace(c, fold=c.fold + 2) for c in second]):
        with pytest.raises(DataError, match="expected cells of the same fold and seed on both sides, got fold 1 seed 1, fold 1 seed 2"):
            compare_systems(first, side)
    with pytest.raises(DataError, match="expected a seed that every shared fold has"):
        compare_systems(first, [c for c in second if c.fold == c.seed])
    with pytest.raises(DataError, match="got two of fold 1, seed 1"):
        compare_systems(first, [*second, second[0]])
    with pytest.raises(DataError, match=r"one system on each side, got several \(one, other\)"):
        compare_systems(first, [first[0], *second[1:]])


@pytest.mark.parametrize(
    "plan", [{"checksum": "1" * 64}, {"folds": 4}, {"fold_seed": 1}, {"direction": "undirected"}, {"type_filter": False}, {"sentences": 9}]
)
def test_cells_of_different_plans_are_refused_by_what_differs(plan):
    first, second = two_grids(2)
    changed = [replace(c, plan=replace(c.plan, **plan)) for c in second]
    with pytest.raises(DataError, match=f"expected cells of the same data.* got {next(iter(plan))} "):
        compare_systems(first, changed)


def test_the_same_data_under_another_name_is_the_same():
    first, second = two_grids(2)
    renamed = [replace(c, plan=replace(c.plan, data="elsewhere")) for c in second]
    assert compare_systems(first, renamed, samples=20) == compare_systems(first, second, samples=20)


def test_test_parts_that_differ_are_refused():
    first, second = [cell(ONE, 1, 1, [RIGHT, RIGHT])], [cell(OTHER, 1, 1, [RIGHT, (0, 0, 2)])]
    with pytest.raises(DataError, match="same gold relations"):
        compare_systems(first, second)
    with pytest.raises(DataError, match="others in fold 1"):
        compare_systems(first, [replace(c, documents=[2]) for c in second])
    with pytest.raises(DataError, match="one, fold 1, seed 1: expected counts of the 3 sentences"):
        compare_systems([replace(c, documents=[3]) for c in first], [replace(c, documents=[3]) for c in second])


# ---- two models on the same sentences


def test_predictions_are_compared_over_documents_or_sentences():
    gold = sentences(8)
    documents = [Document("same id", tuple(gold[:3])), Document("same id", tuple(gold[3:4])), Document("c", tuple(gold[4:]))]
    first, second = gold, [s.with_relations([Relation(1, 0, "works_for")]) for s in gold]
    for unit, numbers in (("sentence", range(8)), ("document", [0, 0, 0, 1, 2, 2, 2, 2])):
        runs = [[sentence_counts(gold, side, direction="undirected", units=list(numbers))] for side in (first, second)]
        comparison = compare_predictions(documents, first, second, direction="undirected", units=unit, samples=200, seed=3)
        assert comparison == compare_runs(*runs, samples=200, seed=3)
    assert comparison.units == 3


def test_predictions_with_entities_of_their_own_are_compared_strictly_or_by_boundaries():
    gold = sentences(4)
    other = [replace(s, entities=tuple(replace(entity, type="OTHER") for entity in s.entities)) for s in gold]
    scores = {}
    for match in ("strict", "boundaries"):
        comparison = compare_predictions(
            [Document("d", tuple(gold))], gold, other, direction="directed", entities="predicted", match=match, units="sentence", samples=50
        )
        scores[match] = comparison.first, comparison.second
    assert scores == {"strict": (1.0, 0.0), "boundaries": (1.0, 1.0)}


# ---- words


def outcome(difference: float, low: float, high: float, p: float) -> Comparison:
    return Comparison(0.5 + difference, 0.5, difference, (low, high), 0.95, p, 10, 1, 999, 0)


def test_the_verdict_names_the_better_one_and_by_how_much():
    sentence = "is better than {} by 3.1 points (95 % interval 1.0 to 5.2, p = 0.004)."
    assert verdict(outcome(0.031, 0.01, 0.052, 0.004), "A", "B") == f"A {sentence.format('B')}"
    assert verdict(outcome(-0.031, -0.052, -0.01, 0.004), "A", "B") == f"B {sentence.format('A')}"


@pytest.mark.parametrize(("low", "high", "p"), [(-0.01, 0.07, 0.2), (-0.001, 0.07, 0.04), (0.001, 0.07, 0.06)])
def test_without_a_small_p_value_and_an_interval_off_zero_no_system_is_called_better(low, high, p):
    sentence = verdict(outcome(0.031, low, high, p), "A", "B")
    assert sentence.startswith("No difference that this data can show: A minus B is +3.1 points (95 % interval ")


def test_the_verdict_over_cells_speaks_of_folds():
    first, _ = two_grids(1)
    alike = compare_systems(first, [replace(c, system=OTHER) for c in first], samples=20)
    sentence = "No difference that these folds can show: A minus B is +0.0 points (95 % interval +0.0 to +0.0, p = 1)."
    assert verdict(alike, "A", "B") == sentence


def test_one_fold_that_went_wrong_does_not_make_the_other_system_better():
    # Five folds of 40 relations: alike in four of them, in the fifth the first finds all and the second nothing.
    first = [cell(ONE, fold, 1, [RIGHT] * 40) for fold in range(1, 6)]
    second = [cell(OTHER, fold, 1, [SILENT if fold == 5 else RIGHT] * 40) for fold in range(1, 6)]
    start = "A scores higher than B on these documents by 11.1 points (95 % interval "
    # Differences 0, 0, 0, 0, 1: variance 1/5. t(4 degrees, 95 %) is 2.7764; its half width 2.7764 · sqrt((1/5 + 1/4) / 5) = 0.833
    end = "but 5 folds cannot show that it would with other training parts (1 of 5 folds won, 95 % interval of their mean -63.3 to +103.3)."
    for result, names in ((compare_systems(first, second), ("A", "B")), (compare_systems(second, first), ("B", "A"))):
        sentence = verdict(result, *names)
        assert sentence.startswith(start) and sentence.endswith(end), sentence


def test_an_unknown_unit_is_refused():
    assert as_unit("sentence") == "sentence"
    with pytest.raises(ConfigError, match="--units: expected document or sentence, got 'documents'"):
        as_unit("documents")


# ---- the corpus's own split


def test_with_the_own_split_there_is_nothing_to_say_over_folds():
    # Two seeds of one test part: F 1 and 1 against 2/3 and 1, so 6/6 against 2 · 3 / (3 + 4) of all counts together.
    own = {"split": "own", "folds": 1}
    first = [cell(ONE, 1, seed, [RIGHT, RIGHT], **own) for seed in (1, 2)]
    second = [cell(OTHER, 1, 1, [RIGHT, SILENT], **own), cell(OTHER, 1, 2, [RIGHT, RIGHT], **own)]
    result = compare_systems(first, second, samples=50)
    assert (result.split, result.folds, result.seeds, result.runs, result.units) == ("own", (1,), (1, 2), 2, 2)
    assert (result.fold_interval, result.effect_size) == (None, None)
    assert (result.first, result.second, result.mean_difference) == (1, pytest.approx(6 / 7), pytest.approx(1 / 6))
    assert verdict(result, "A", "B").startswith("No difference that this data can show: A minus B is +14.3 points")


def test_cells_of_folds_and_of_the_own_split_are_not_compared():
    with pytest.raises(DataError, match="got folds 5 and 1, split folds and own"):
        compare_systems([cell(ONE, 1, 1, [RIGHT])], [cell(OTHER, 1, 1, [RIGHT], split="own", folds=1)])


@pytest.mark.parametrize("units", ["document", "sentence"])
def test_cells_without_counts_are_not_compared(units):
    bare = replace(cell(OTHER, 1, 1, [RIGHT]), counts=None)
    with pytest.raises(DataError, match="other, fold 1, seed 1: expected counts of each test sentence, got a cell without them"):
        compare_systems([cell(ONE, 1, 1, [RIGHT])], [bare], units=units)


def test_both_averages_of_cells_are_given_and_the_mean_is_that_of_the_reports():
    # Fold 1: F 1 of one relation. Fold 2: none of three found, F 0. Mean over cells 1/2; all cells together 2 * 1 / (1 + 4) = 2/5.
    first = [cell(ONE, 1, 1, [RIGHT]), cell(ONE, 2, 1, [SILENT] * 3)]
    second = [cell(OTHER, 1, 1, [SILENT]), cell(OTHER, 2, 1, [RIGHT] * 3)]
    result = compare_systems(first, second, samples=20)
    assert (result.first, result.first_mean) == (pytest.approx(2 / 5), 0.5)
    assert (result.second, result.second_mean) == (pytest.approx(6 / 7), 0.5)
    assert result.mean_difference == 0
    report = {summary.system.name: summary.f1.mean for summary in summaries(Results(PLAN, (ONE, OTHER), {"one": first, "other": second}))}
    assert report == {"one": result.first_mean, "other": result.second_mean}
