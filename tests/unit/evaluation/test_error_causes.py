"""Why relations between found entities are wrong, one hand-made case a cause."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.evaluation.error_causes import CauseCounts, ErrorCauses, error_causes
from relsift.evaluation.scores import evaluate
from relsift.schema import Entity, Relation, Sentence
from strategies import entities as any_entities
from strategies import relations as any_relations

TOKENS = ("Ada", "runs", "Acme", "Ltd", "in", "Oslo")
ADA, ACME, OSLO = Entity(0, 1, "PER"), Entity(2, 4, "ORG"), Entity(5, 6, "LOC")
NOTHING = CauseCounts()


def sentence(entities: tuple[Entity, ...], *links: tuple[int, int, str]) -> Sentence:
    return Sentence("s", TOKENS, entities, tuple(Relation(*link) for link in links))


GOLD = sentence((ADA, ACME, OSLO), (0, 1, "runs"))


def causes(predicted: Sentence, direction: str = "directed", match: str = "strict") -> tuple[CauseCounts, CauseCounts]:
    result = error_causes([GOLD], [predicted], direction=direction, match=match)
    return result.missed, result.spurious


def test_a_relation_of_an_entity_that_was_not_found_is_lost_by_its_span():
    assert causes(sentence((ACME, OSLO))) == (CauseCounts(span=1), NOTHING)
    # A shorter span is another span: the gold relation is lost by it, and the found one is spurious by it.
    assert causes(sentence((ADA, Entity(2, 3, "ORG")), (0, 1, "runs"))) == (CauseCounts(span=1), CauseCounts(span=1))


def test_a_relation_of_an_entity_with_another_type_is_lost_by_the_type():
    predicted = sentence((Entity(0, 1, "ORG"), ACME), (0, 1, "runs"))
    assert causes(predicted) == (CauseCounts(type=1), CauseCounts(type=1))
    assert causes(predicted, match="boundaries") == (NOTHING, NOTHING)


def test_span_goes_before_type():
    assert causes(sentence((Entity(0, 1, "ORG"),))) == (CauseCounts(span=1), NOTHING)


def test_a_pair_of_right_entities_that_is_called_unrelated_is_lost_by_the_pair():
    assert causes(sentence((OSLO, ACME, ADA))) == (CauseCounts(pair=1), NOTHING)
    assert causes(sentence((ADA, ACME, OSLO), (0, 1, "runs"), (1, 2, "in"))) == (NOTHING, CauseCounts(pair=1))


def test_another_relation_of_the_pair_is_a_wrong_relation_on_both_sides():
    assert causes(sentence((ADA, ACME), (0, 1, "owns"))) == (CauseCounts(relation=1), CauseCounts(relation=1))


def test_a_reversed_relation_is_a_wrong_relation_where_direction_counts():
    predicted = sentence((ADA, ACME), (1, 0, "runs"))
    assert causes(predicted) == (CauseCounts(relation=1), CauseCounts(relation=1))
    assert causes(predicted, "undirected") == (NOTHING, NOTHING)
    # Another relation the other way round says nothing of this pair.
    assert causes(sentence((ADA, ACME), (1, 0, "owns"))) == (CauseCounts(pair=1), CauseCounts(pair=1))


def test_the_second_relation_of_a_pair_is_lost_by_the_relation():
    gold = sentence((ADA, ACME), (0, 1, "runs"), (0, 1, "owns"))
    result = error_causes([gold], [sentence((ADA, ACME), (0, 1, "runs"))], direction="directed")
    assert result == ErrorCauses(CauseCounts(relation=1), NOTHING)


def test_one_of_two_relations_annotated_both_ways_is_lost_by_the_pair():
    gold = sentence((ADA, ACME), (0, 1, "knows"), (1, 0, "knows"))  # the one that was found is right, and so no reversal
    result = error_causes([gold], [sentence((ADA, ACME), (0, 1, "knows"))], direction="directed")
    assert result == ErrorCauses(CauseCounts(pair=1), NOTHING)


def test_relations_that_the_reader_lost_are_missed_for_that_reason_and_json_gives_all_back():
    result = error_causes([GOLD], [sentence((ADA, ACME))], direction="directed").with_lost_in_reading(2)
    assert result.missed == CauseCounts(pair=1, reading=2) and result.missed.total == 3
    assert result.to_json()["spurious"] == {"span": 0, "type": 0, "pair": 0, "relation": 0, "reading": 0}
    assert ErrorCauses.from_json(result.to_json()) == result


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[list[Sentence], list[Sentence]]:
    sides: tuple[list[Sentence], list[Sentence]] = ([], [])
    for _ in range(draw(st.integers(1, 2))):
        for side in sides:
            entities = draw(any_entities(3, types=("ORG", "PER")))
            side.append(Sentence("s", TOKENS[:3], entities, draw(any_relations(len(entities)))))
    return sides


SETTINGS = st.sampled_from([("directed", "strict"), ("undirected", "strict"), ("directed", "boundaries")])


@settings(max_examples=40)
@given(comparisons(), SETTINGS)
def test_every_error_of_the_scores_has_one_cause(sides, setting):
    direction, match = setting
    result = error_causes(*sides, direction=direction, match=match)
    counts = evaluate(*sides, direction=direction, entities="predicted", match=match).per_type.values()
    assert result.missed.total == sum(c.false_negative for c in counts)
    assert result.spurious.total == sum(c.false_positive for c in counts)
    if match == "boundaries":
        assert result.missed.type == result.spurious.type == 0


@settings(max_examples=40)
@given(comparisons(), SETTINGS)
def test_swapping_the_sides_swaps_missed_and_spurious(sides, setting):
    direction, match = setting
    one, other = (error_causes(*order, direction=direction, match=match) for order in (sides, sides[::-1]))
    assert (one.missed, one.spurious) == (other.spurious, other.missed)
