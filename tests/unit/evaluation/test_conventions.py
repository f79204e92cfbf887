"""How published figures of joint extraction are counted, each convention on a hand-made case."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.evaluation.entities import evaluate_entities
from relsift.evaluation.scores import PRF, Scores, evaluate
from relsift.schema import Entity, Relation, Sentence
from strategies import entities as any_entities
from strategies import relations as any_relations

TOKENS = ("Lithium", "carbonate", "toxicity", "after", "Acme", "trial", "in", "Oslo")
Link = tuple[int, int, str]


def sentence(entities: Sequence[tuple[int, int, str]], *links: Link) -> Sentence:
    return Sentence("s", TOKENS, tuple(Entity(*entity) for entity in entities), tuple(Relation(*link) for link in links))


def scores(gold: Sentence, predicted: Sentence, match: str = "strict", direction: str = "directed") -> Scores:
    return evaluate([gold], [predicted], direction=direction, entities="predicted", match=match)


# ---- strict, boundaries, gold entities


GOLD = sentence([(0, 2, "Drug"), (2, 3, "Effect"), (4, 5, "Org"), (7, 8, "Loc")], (0, 1, "causes"), (2, 3, "in"))
# One type is wrong; one entity is missed, and with it its relation.
FOUND = sentence([(0, 2, "Drug"), (2, 3, "Symptom"), (7, 8, "Loc")], (0, 1, "causes"))


def test_strict_needs_span_and_type_of_both_ends_and_boundaries_the_spans():
    assert scores(GOLD, FOUND).micro == PRF(0, 0, 0)
    assert scores(GOLD, FOUND, "boundaries").micro == PRF(1.0, 0.5, pytest.approx(2 / 3))


def test_a_missed_entity_lowers_recall_end_to_end_and_is_no_matter_with_gold_entities():
    only_relations = sentence([(0, 2, "Drug"), (2, 3, "Effect"), (4, 5, "Org"), (7, 8, "Loc")], (0, 1, "causes"), (2, 3, "in"))
    assert evaluate([GOLD], [only_relations], direction="directed").micro == PRF(1, 1, 1)
    assert scores(GOLD, FOUND, "boundaries").per_type["in"].false_negative == 1
    assert evaluate_entities([GOLD], [FOUND]).micro == PRF(pytest.approx(2 / 3), 0.5, pytest.approx(4 / 7))  # 2 of 3 found, of 4


def test_scierc_ignores_the_types_at_the_ends_of_a_relation_and_not_those_of_entities():
    gold = sentence([(0, 2, "Method"), (4, 6, "Task")], (0, 1, "Used-for"))
    found = sentence([(0, 2, "Material"), (4, 6, "Task")], (0, 1, "Used-for"))
    assert scores(gold, found, "boundaries").micro.f1 == 1
    assert evaluate_entities([gold], [found]).micro.f1 == 0.5


# ---- entities that overlap, and ADE


OVERLAPPING = sentence([(0, 2, "Drug"), (0, 3, "Effect")], (1, 0, "Adverse-Effect"))  # "lithium carbonate toxicity" holds its drug
APART = sentence([(0, 2, "Drug"), (5, 6, "Effect")], (1, 0, "Adverse-Effect"))


def test_a_relation_between_an_entity_and_one_inside_it_counts_like_any_other():
    assert scores(OVERLAPPING, OVERLAPPING).micro == PRF(1, 1, 1)
    outer = sentence([(0, 3, "Effect")])  # what a tagger with one tag a token can find
    assert scores(OVERLAPPING, outer).micro == PRF(0, 0, 0)
    assert evaluate_entities([OVERLAPPING], [outer]).micro == PRF(1.0, 0.5, pytest.approx(2 / 3))


def test_ade_without_overlap_leaves_such_sentences_out_which_raises_the_score_of_a_tagger():
    gold, found = [OVERLAPPING, APART], [sentence([(0, 3, "Effect")]), APART]
    assert evaluate(gold, found, direction="directed", entities="predicted").micro.recall == 0.5
    assert evaluate(gold[1:], found[1:], direction="directed", entities="predicted").micro.recall == 1


def test_ade_reports_the_mean_over_folds_of_a_macro_average_which_is_not_that_of_all_folds_together():
    # Fold 1 finds the drug alone: Drug 1, Effect 0, macro 0.5. Fold 2, of one drug and no effect, is all right: macro 1.
    folds = [(APART, sentence([(0, 2, "Drug")])), (sentence([(0, 2, "Drug")]), sentence([(0, 2, "Drug")]))]
    macro = [evaluate_entities([gold], [found]).macro.f1 for gold, found in folds]
    assert (macro, sum(macro) / 2) == ([0.5, 1.0], 0.75)
    together = evaluate_entities([gold for gold, _ in folds], [found for _, found in folds])
    assert (together.macro.f1, together.micro.f1) == (0.5, 0.8)


# ---- symmetric relations


def doubled(links: Sequence[Link], symmetric: set[str]) -> set[Link]:
    """As PL-Marker's code counts: a symmetric relation stands in both directions, in gold and in predictions."""
    return {*links, *((tail, head, name) for head, tail, name in links if name in symmetric)}


def test_a_symmetric_relation_counts_once_and_not_in_both_directions():
    entities = [(0, 2, "Method"), (2, 3, "Method"), (4, 5, "Method")]
    gold, found = [(0, 1, "Compare"), (1, 2, "Used-for")], [(1, 0, "Compare")]
    twice_gold, twice_found = doubled(gold, {"Compare"}), doubled(found, {"Compare"})
    hits = len(twice_gold & twice_found)
    assert (hits, len(twice_found), len(twice_gold)) == (2, 2, 3)  # F1 0.8: the relation that is found weighs twice

    ours = scores(sentence(entities, *gold), sentence(entities, *found), direction="undirected")
    assert ours.micro == PRF(1.0, 0.5, pytest.approx(2 / 3))
    # The direction of a symmetric relation is that of the file if direction counts, so the one turned round is wrong.
    assert scores(sentence(entities, *gold), sentence(entities, *found)).micro.f1 == 0


def test_data_that_states_a_symmetric_relation_both_ways_has_two_directed_relations_and_one_undirected():
    entities = [(0, 2, "Method"), (2, 3, "Method"), (4, 5, "Method")]
    gold = sentence(entities, *doubled([(0, 1, "Compare"), (1, 2, "Used-for")], {"Compare"}))
    found = sentence(entities, *doubled([(0, 1, "Compare")], {"Compare"}))
    assert scores(gold, found).micro == PRF(1.0, pytest.approx(2 / 3), pytest.approx(0.8))
    assert scores(gold, found, direction="undirected").micro == PRF(1.0, 0.5, pytest.approx(2 / 3))


# ---- for any entities and relations


@st.composite
def comparisons(draw: st.DrawFn, one_a_span: bool = False) -> tuple[list[Sentence], list[Sentence]]:
    sides: tuple[list[Sentence], list[Sentence]] = ([], [])
    for _ in range(draw(st.integers(1, 2))):
        for side in sides:
            entities = draw(any_entities(3, types=("ORG", "PER")))
            if one_a_span:
                entities = tuple({(entity.start, entity.end): entity for entity in entities}.values())
            side.append(Sentence("s", TOKENS[:3], entities, draw(any_relations(len(entities), types=("a", "b")))))
    return sides


def literal_counts(gold: Sentence, predicted: Sentence, direction: str, match: str) -> tuple[int, int, int]:
    """True positives, predicted and gold relations, by comparing each relation with each."""

    def same_entity(one: Entity, other: Entity) -> bool:
        return one.start == other.start and one.end == other.end and (match == "boundaries" or one.type == other.type)

    def same(one: tuple[Entity, Entity, str], other: tuple[Entity, Entity, str]) -> bool:
        straight = same_entity(one[0], other[0]) and same_entity(one[1], other[1])
        turned = same_entity(one[0], other[1]) and same_entity(one[1], other[0])
        return one[2] == other[2] and (straight or (direction == "undirected" and turned))

    sides = []
    for side in (gold, predicted):
        different: list[tuple[Entity, Entity, str]] = []
        for r in side.relations or ():
            relation = (side.entities[r.head], side.entities[r.tail], r.type)
            if not any(same(relation, other) for other in different):
                different.append(relation)
        sides.append(different)
    hits = sum(any(same(one, other) for other in sides[1]) for one in sides[0])
    return hits, len(sides[1]), len(sides[0])


@settings(max_examples=40)
@given(comparisons(), st.sampled_from(["directed", "undirected"]), st.sampled_from(["strict", "boundaries"]))
def test_counts_are_those_of_comparing_each_relation_with_each(sides, direction, match):
    counts = evaluate(*sides, direction=direction, entities="predicted", match=match).per_type.values()
    expected = [sum(column) for column in zip(*(literal_counts(g, p, direction, match) for g, p in zip(*sides)))]
    hits = sum(c.true_positive for c in counts)
    assert [hits, hits + sum(c.false_positive for c in counts), sum(c.support for c in counts)] == expected


@settings(max_examples=40)
@given(comparisons(one_a_span=True), st.sampled_from(["directed", "undirected"]))
def test_strict_relations_are_at_most_those_of_boundaries(sides, direction):
    strict, boundaries = (
        evaluate(*sides, direction=direction, entities="predicted", match=match).micro for match in ("strict", "boundaries")
    )
    assert strict.precision <= boundaries.precision and strict.recall <= boundaries.recall and strict.f1 <= boundaries.f1


@settings(max_examples=40)
@given(comparisons(), st.sampled_from(["directed", "undirected"]), st.sampled_from(["strict", "boundaries"]))
def test_swapping_predicted_entities_and_relations_swaps_precision_and_recall(sides, direction, match):
    one, other = (evaluate(*order, direction=direction, entities="predicted", match=match).micro for order in (sides, sides[::-1]))
    assert (one.precision, one.recall) == (other.recall, other.precision)
