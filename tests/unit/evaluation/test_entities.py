"""Scores of found entities by hand: strict and boundaries, averages, the error split, and what must hold for any entities."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.errors import ConfigError, DataError
from relsift.evaluation.entities import ANY_TYPE, EntityErrorSplit, EntityScores, evaluate_entities
from relsift.evaluation.scores import PRF, TypeScore
from relsift.evaluation.significance import entity_counts
from relsift.schema import Entity, Sentence
from strategies import entities as any_entities

TOKENS = ("Ada", "Holm", "and", "Bo", "run", "Acme", "Ltd", "in", "Oslo")


def sentence(*entities: tuple[int, int, str], annotated: bool = True) -> Sentence:
    return Sentence("s", TOKENS, tuple(Entity(*entity) for entity in entities), () if annotated else None)


def scores(gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]], match: str = "strict") -> EntityScores:
    return evaluate_entities([sentence(*gold)], [sentence(*predicted)], match=match)


def test_micro_macro_and_weighted_match_hand_computation():
    # PER: gold 2, found 2, one right -> 1/2; ORG: gold 1, found 1, right -> 1; LOC: gold 1, found 0 -> 0
    result = scores(
        [(0, 2, "PER"), (3, 4, "PER"), (5, 7, "ORG"), (8, 9, "LOC")], [(0, 2, "PER"), (4, 5, "PER"), (5, 7, "ORG")]
    )
    assert result.per_type == {"LOC": TypeScore(0, 0, 1), "ORG": TypeScore(1, 0, 0), "PER": TypeScore(1, 1, 1)}
    assert result.micro == PRF(pytest.approx(2 / 3), 0.5, pytest.approx(4 / 7))  # 2 right of 3 found and of 4 annotated
    assert result.macro == PRF(0.5, 0.5, 0.5)
    assert result.weighted == PRF(0.5, 0.5, 0.5)  # 2 of 4 are PER with 1/2, 1 is ORG with 1, 1 is LOC with 0
    assert (result.setting, result.sentences) == ({"match": "strict"}, 1)


def test_boundaries_compare_spans_alone_and_have_one_row():
    result = scores([(0, 2, "PER"), (5, 7, "ORG")], [(0, 2, "ORG"), (5, 6, "ORG")], "boundaries")
    assert result.per_type == {ANY_TYPE: TypeScore(1, 1, 1)}
    assert scores([(0, 2, "PER"), (5, 7, "ORG")], [(0, 2, "ORG"), (5, 6, "ORG")]).micro.f1 == 0


def test_an_entity_stated_twice_counts_once_and_two_types_of_a_span_are_two_entities_if_strict():
    gold = [(0, 2, "PER"), (0, 2, "PER"), (0, 2, "ORG")]
    assert scores(gold, [(0, 2, "PER"), (0, 2, "PER")]).per_type == {"ORG": TypeScore(0, 0, 1), "PER": TypeScore(1, 0, 0)}
    assert scores(gold, [(0, 2, "LOC")], "boundaries").per_type == {ANY_TYPE: TypeScore(1, 0, 0)}


def test_nested_and_crossing_entities_each_count():
    nested = [(0, 2, "PER"), (0, 1, "PER"), (1, 4, "PER")]
    assert scores(nested, nested).per_type == {"PER": TypeScore(3, 0, 0)}
    assert scores(nested, nested[:1]).per_type == {"PER": TypeScore(1, 0, 2)}


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ([(0, 2, "PER")], [(0, 2, "ORG")], "wrong_type"),
        ([(0, 2, "PER")], [(1, 3, "PER")], "wrong_span"),
        ([(0, 2, "PER")], [(0, 1, "ORG")], "wrong_both"),
        ([(0, 2, "PER")], [], "missed"),
        ([], [(0, 2, "PER")], "spurious"),
    ],
)
def test_each_kind_of_error(gold, predicted, kind):
    errors = scores(gold, predicted).errors
    assert errors.total == getattr(errors, kind) == 1


def test_neighbouring_entities_do_not_overlap():
    assert scores([(0, 2, "PER")], [(2, 3, "PER")]).errors == EntityErrorSplit(0, 0, 0, 1, 1)


def test_each_entity_belongs_to_one_error_and_the_right_span_goes_first():
    # 0-2 ORG takes 0-2 PER (same span), though 0-3 PER has its type; 0-3 PER is left to 1-3 ORG; 1-2 PER has no partner.
    result = scores([(0, 2, "PER"), (1, 3, "ORG")], [(0, 2, "ORG"), (0, 3, "PER"), (1, 2, "PER")])
    assert result.errors == EntityErrorSplit(wrong_type=1, wrong_span=0, wrong_both=1, missed=0, spurious=1)


def test_of_several_spans_that_overlap_the_largest_overlap_is_joined():
    # 0-5 takes 0-4 (four tokens), which leaves 4-6 (one token) to 5-6. If it took 4-6, then 0-4 and 5-6 would be left alone.
    gold, predicted = [(0, 5, "PER"), (5, 6, "PER")], [(4, 6, "PER"), (0, 4, "PER")]
    assert scores(gold, predicted).errors == EntityErrorSplit(wrong_type=0, wrong_span=2, wrong_both=0, missed=0, spurious=0)


def test_a_right_entity_is_no_partner_of_a_missed_one():
    assert scores([(0, 2, "PER"), (0, 1, "PER")], [(0, 2, "PER")]).errors == EntityErrorSplit(0, 0, 0, 1, 0)


def test_boundaries_know_no_wrong_types():
    errors = scores([(0, 2, "PER"), (5, 7, "ORG")], [(0, 2, "ORG"), (5, 6, "LOC")], "boundaries").errors
    assert errors == EntityErrorSplit(0, 1, 0, 0, 0)


def test_sentences_without_annotation_are_left_out_and_said_so():
    result = evaluate_entities([sentence((0, 2, "PER")), sentence(annotated=False)], [sentence(), sentence((0, 2, "PER"))])
    assert result.per_type == {"PER": TypeScore(0, 0, 1)}
    assert result.setting_line() == "match=strict · not annotated, left out=1 sentences"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DataError, match=r"as many predicted as gold sentences \(1\), got 0"):
        evaluate_entities([sentence()], [])
    with pytest.raises(DataError, match="same tokens"):
        evaluate_entities([sentence()], [Sentence("s", TOKENS[1:])])
    with pytest.raises(DataError, match="expected annotated sentences"):
        evaluate_entities([sentence(annotated=False)], [sentence()])
    with pytest.raises(ConfigError, match=r"match boundaries\|strict"):
        evaluate_entities([sentence()], [sentence()], match="partial")


def test_json_gives_the_same_scores_back():
    result = scores([(0, 2, "PER"), (5, 7, "ORG")], [(0, 2, "ORG"), (5, 7, "ORG")])
    value = result.to_json()
    assert value["errors"] == {"wrong_type": 1, "wrong_span": 0, "wrong_both": 0, "missed": 0, "spurious": 0}
    assert value["per_type"]["ORG"] == {"precision": 0.5, "recall": 1, "f1": pytest.approx(2 / 3), "support": 1, "tp": 1, "fp": 1, "fn": 0}
    assert EntityScores.from_json(value) == result


# ---- for any entities


@st.composite
def comparisons(draw: st.DrawFn, one_a_span: bool = False) -> tuple[list[Sentence], list[Sentence]]:
    """Gold and predicted sentences with entities of their own. one_a_span: no two entities of a side have the same span."""
    sides: tuple[list[Sentence], list[Sentence]] = ([], [])
    for _ in range(draw(st.integers(1, 3))):
        for side in sides:
            entities = draw(any_entities(4))
            if one_a_span:
                entities = tuple({(entity.start, entity.end): entity for entity in entities}.values())
            side.append(Sentence("s", TOKENS[:4], entities, ()))
    return sides


MATCHES = st.sampled_from(["strict", "boundaries"])


@settings(max_examples=40)
@given(comparisons(), MATCHES)
def test_error_split_adds_up_to_the_counts_of_the_types(sides, match):
    result = evaluate_entities(*sides, match=match)
    joined = result.errors.wrong_type + result.errors.wrong_span + result.errors.wrong_both
    assert joined + result.errors.missed == sum(c.false_negative for c in result.per_type.values())
    assert joined + result.errors.spurious == sum(c.false_positive for c in result.per_type.values())


@settings(max_examples=40)
@given(comparisons(), MATCHES)
def test_entities_against_themselves_are_perfect(sides, match):
    gold, _ = sides
    result = evaluate_entities(gold, gold, match=match)
    assert set(result.averages.values()) == ({PRF(1, 1, 1)} if any(s.entities for s in gold) else {PRF(0, 0, 0)})
    assert result.errors.total == 0


@settings(max_examples=40)
@given(comparisons(), MATCHES)
def test_swapping_the_sides_swaps_precision_with_recall_and_missed_with_spurious(sides, match):
    one, other = evaluate_entities(*sides, match=match), evaluate_entities(*sides[::-1], match=match)
    assert (one.micro.precision, one.micro.recall) == (other.micro.recall, other.micro.precision)
    e, f = one.errors, other.errors
    assert (e.wrong_type, e.wrong_span, e.wrong_both, e.missed) == (f.wrong_type, f.wrong_span, f.wrong_both, f.spurious)


@settings(max_examples=40)
@given(comparisons(one_a_span=True))
def test_strict_scores_are_at_most_those_of_boundaries(sides):
    strict, boundaries = (evaluate_entities(*sides, match=match).micro for match in ("strict", "boundaries"))
    assert strict.precision <= boundaries.precision and strict.recall <= boundaries.recall and strict.f1 <= boundaries.f1


@settings(max_examples=40)
@given(comparisons(), MATCHES)
def test_counts_of_all_sentences_sum_to_the_counts_of_the_types(sides, match):
    per_type = evaluate_entities(*sides, match=match).per_type.values()
    right, found, gold = entity_counts(*sides, match=match).sum(axis=0)
    assert right == sum(c.true_positive for c in per_type)
    assert (found, gold) == (right + sum(c.false_positive for c in per_type), right + sum(c.false_negative for c in per_type))
