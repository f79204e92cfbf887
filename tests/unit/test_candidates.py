"""Which pairs are scored, in which order, with which relations, and what is counted as left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import CandidateReport, Candidates, Pair, in_text_order, sample_negatives
from relsift.errors import ConfigError
from relsift.schema import Entity, Relation, Sentence
from strategies import ENTITY_TYPES, sentences

# "Acme hired Ada in Oslo": the list of entities is not in text order, so that positions and places differ.
TOKENS = ("Acme", "hired", "Ada", "in", "Oslo")
ADA, OSLO, ACME = 0, 1, 2
ENTITIES = (Entity(2, 3, "PER"), Entity(4, 5, "LOC"), Entity(0, 1, "ORG"))
SENTENCE = Sentence("s", TOKENS, ENTITIES, (Relation(ADA, ACME, "works_for"),))


def test_undirected_gives_each_unordered_pair_once_in_text_order():
    # The relation runs against the text (Ada -> Acme); its pair stands in text order like the negatives.
    assert Candidates(direction="undirected").pairs(SENTENCE) == [
        Pair(ACME, ADA, ("works_for",)), Pair(ACME, OSLO), Pair(ADA, OSLO),
    ]  # fmt: skip


def test_directed_gives_both_orders_and_only_the_annotated_one_is_positive():
    assert Candidates(direction="directed").pairs(SENTENCE) == [
        Pair(ACME, ADA), Pair(ACME, OSLO),
        Pair(ADA, ACME, ("works_for",)), Pair(ADA, OSLO),
        Pair(OSLO, ACME), Pair(OSLO, ADA),
    ]  # fmt: skip


def test_report_counts_positives_negatives_and_their_ratio():
    report = CandidateReport()
    rule = Candidates(direction="directed")
    for _ in range(2):
        rule.pairs(SENTENCE, report)
    assert (report.kept, report.positive, report.negative) == (12, 2, 10)
    assert report.ratio() == "1:5.0"
    assert report.setting() == "12 kept, 0 dropped"
    assert CandidateReport(kept=3).ratio() == "0:3"


def test_type_filter_knows_training_relations_and_not_training_entities():
    training = [SENTENCE, Sentence("not annotated", TOKENS, ENTITIES)]
    assert Candidates.fit(training, direction="directed").type_pairs == {("PER", "ORG")}
    assert Candidates.fit(training, direction="directed", type_filter=False).type_pairs is None


def test_type_filter_is_sorted_within_the_pair_if_undirected():
    rule = Candidates.fit([SENTENCE], direction="undirected")
    assert rule.type_pairs == {("ORG", "PER")}
    assert rule.pairs(SENTENCE) == [Pair(ACME, ADA, ("works_for",))]
    # A person before a firm: the same combination the other way round.
    turned = Sentence("t", TOKENS, (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "LOC")), ())
    assert rule.pairs(turned) == [Pair(0, 1)]


def test_directed_type_filter_keeps_one_order_only():
    assert Candidates.fit([SENTENCE], direction="directed").pairs(SENTENCE) == [Pair(ADA, ACME, ("works_for",))]


def test_unsorted_type_pairs_are_refused_if_undirected():
    # They would match no pair at all.
    with pytest.raises(ConfigError, match="expected sorted pairs"):
        Candidates(direction="undirected", type_pairs=frozenset({("PER", "ORG")}))
    Candidates(direction="directed", type_pairs=frozenset({("PER", "ORG")}))


def test_dropped_pairs_and_the_gold_lost_with_them_are_counted():
    unseen = SENTENCE.with_relations([Relation(ADA, ACME, "works_for"), Relation(ADA, OSLO, "lives_in")])
    report = CandidateReport()
    kept = Candidates.fit([SENTENCE], direction="directed").pairs(unseen, report)
    # 6 ordered pairs: PER-ORG stays; the other five go, PER-LOC among them with its relation.
    assert kept == [Pair(ADA, ACME, ("works_for",))]
    assert dict(report.dropped) == {"type combination not in training relations": 5}
    assert dict(report.lost) == {"type combination not in training relations": 1}
    assert report.setting() == "1 kept, 5 dropped"


@pytest.mark.parametrize(
    ("limit", "kept"), [(0, []), (1, [(ACME, ADA), (ADA, OSLO)]), (3, [(ACME, ADA), (ACME, OSLO), (ADA, OSLO)])]
)
def test_distance_counts_the_tokens_between_the_entities(limit: int, kept: list[tuple[int, int]]):
    # Acme [0,1) - Ada [2,3): one token between; Ada - Oslo [4,5): one; Acme - Oslo: three.
    report = CandidateReport()
    pairs = Candidates(direction="undirected", max_distance=limit).pairs(SENTENCE, report)
    assert [(pair.head, pair.tail) for pair in pairs] == kept
    assert sum(report.dropped.values()) == 3 - len(kept)
    assert report.lost.total() == (0 if (ACME, ADA) in kept else 1)


def test_overlapping_and_adjacent_entities_are_no_tokens_apart():
    nested = Sentence("n", TOKENS, (Entity(0, 5, "ORG"), Entity(2, 3, "PER"), Entity(3, 4, "LOC")), ())
    assert len(Candidates(direction="undirected", max_distance=0).pairs(nested)) == 3


def test_equal_spans_form_a_pair_in_list_order():
    twice = Sentence("e", TOKENS, (Entity(1, 2, "PER"), Entity(1, 2, "ORG"), Entity(0, 1, "LOC")), (Relation(1, 0, "is"),))
    assert Candidates(direction="undirected").pairs(twice) == [Pair(2, 0), Pair(2, 1), Pair(0, 1, ("is",))]
    assert in_text_order(twice, 1, 0) == (0, 1)


@pytest.mark.parametrize(("direction", "label_of"), [("directed", (ADA, ACME)), ("undirected", (ACME, ADA))])
def test_every_relation_of_a_pair_is_kept_once_in_file_order(direction: str, label_of: tuple[int, int]):
    relations = [Relation(ADA, ACME, kind) for kind in ("works_for", "owns", "owns", "works_for")]
    report = CandidateReport()
    pairs = Candidates(direction=direction).pairs(SENTENCE.with_relations(relations), report)
    assert {(pair.head, pair.tail): pair.types for pair in pairs if pair.types} == {label_of: ("works_for", "owns")}
    assert (report.positive, report.lost.total()) == (1, 0)


def test_relations_of_different_types_in_both_directions_are_one_pairs_if_undirected():
    both = SENTENCE.with_relations([Relation(ADA, ACME, "works_for"), Relation(ACME, ADA, "pays")])
    assert Pair(ACME, ADA, ("works_for", "pays")) in Candidates(direction="undirected").pairs(both)
    assert {Pair(ADA, ACME, ("works_for",)), Pair(ACME, ADA, ("pays",))} <= set(Candidates().pairs(both))


def test_every_relation_of_a_dropped_pair_is_lost():
    related_twice = SENTENCE.with_relations([Relation(ADA, OSLO, "lives_in"), Relation(ADA, OSLO, "born_in")])
    report = CandidateReport()
    Candidates.fit([SENTENCE], direction="directed").pairs(related_twice, report)
    assert dict(report.lost) == {"type combination not in training relations": 2}


def test_relation_stated_in_both_directions_is_one_positive_if_undirected_and_two_if_directed():
    both = SENTENCE.with_relations([Relation(ADA, ACME, "r"), Relation(ACME, ADA, "r")])
    for direction, positive in (("undirected", 1), ("directed", 2)):
        report = CandidateReport()
        Candidates(direction=direction).pairs(both, report)
        assert (report.positive, report.lost.total()) == (positive, 0)


def test_sentences_with_fewer_than_two_entities_give_no_pairs():
    for entities in ((), (Entity(0, 1, "PER"),)):
        assert Candidates().pairs(Sentence("s", TOKENS, entities, ())) == []


@pytest.mark.parametrize("wrong", [{"direction": "both"}, {"max_distance": -1}])
def test_unusable_settings_are_refused(wrong: dict[str, object]):
    with pytest.raises(ConfigError, match="expected"):
        Candidates(**wrong)


@given(
    sentences(annotated=True),
    st.sampled_from(["directed", "undirected"]),
    st.none() | st.frozensets(st.tuples(st.sampled_from(ENTITY_TYPES), st.sampled_from(ENTITY_TYPES))),
    st.none() | st.integers(0, 3),
)
def test_pairs_are_those_of_a_plain_double_loop(
    sentence: Sentence, direction: str, type_pairs: frozenset[tuple[str, str]] | None, max_distance: int | None
):
    directed = direction == "directed"
    if type_pairs is not None and not directed:
        type_pairs = frozenset((min(pair), max(pair)) for pair in type_pairs)
    report = CandidateReport()
    rule = Candidates(direction=direction, type_pairs=type_pairs, max_distance=max_distance)
    pairs = rule.pairs(sentence, report)

    expected: list[Pair] = []
    lost = 0
    by_place = sorted(range(len(sentence.entities)), key=lambda i: (sentence.entities[i].start, sentence.entities[i].end, i))
    for i, head in enumerate(by_place):
        for j, tail in enumerate(by_place):
            if i == j or (not directed and i > j):
                continue
            a, b = sentence.entities[head], sentence.entities[tail]
            kinds: list[str] = []
            for r in sentence.relations or ():
                same = (r.head, r.tail) == (head, tail) or (not directed and (r.tail, r.head) == (head, tail))
                if same and r.type not in kinds:
                    kinds.append(r.type)
            known = type_pairs is None or (a.type, b.type) in type_pairs or (not directed and (b.type, a.type) in type_pairs)
            first, second = sorted((a, b), key=lambda e: e.start)
            between = range(first.end, second.start)
            if known and (max_distance is None or len(between) <= max_distance):
                expected.append(Pair(head, tail, tuple(kinds)))
            else:
                lost += len(kinds)
    assert pairs == expected
    assert report.kept == len(expected)
    assert report.positive == sum(bool(pair.types) for pair in expected)
    count = len(sentence.entities)
    assert report.kept + report.dropped.total() == (count * (count - 1) if directed else count * (count - 1) // 2)
    assert report.lost.total() == lost


@given(st.lists(sentences(), max_size=5), st.sampled_from(["directed", "undirected"]))
def test_the_filter_never_drops_a_relation_of_the_sentences_it_was_fitted_on(training: list[Sentence], direction: str):
    rule = Candidates.fit(training, direction=direction)
    report = CandidateReport()
    for sentence in training:
        rule.pairs(sentence, report)
    assert not report.lost


# ---- JSON


RULES = [
    Candidates(),
    Candidates(direction="undirected", type_pairs=frozenset({("LOC", "PER"), ("ORG", "PER")}), max_distance=0),
    Candidates(type_pairs=frozenset({("人", "ORG"), ("ORG", "人")}), max_distance=7, order_leak=True),
    Candidates(type_pairs=frozenset()),  # a filter that nothing passes is not the same as none
]


@pytest.mark.parametrize("rule", RULES)
def test_json_gives_the_rule_back(rule: Candidates):
    assert Candidates.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_json_lists_type_pairs_in_order_and_the_order_leak_only_where_it_is_on():
    rule = Candidates(type_pairs=frozenset({("PER", "ORG"), ("LOC", "PER")}))
    assert rule.to_json() == {"direction": "directed", "type_pairs": [("LOC", "PER"), ("PER", "ORG")], "max_distance": None}
    assert Candidates(order_leak=True).to_json()["order_leak"] is True


BROKEN: list[Any] = [
    {},
    [],
    {"direction": "directed", "type_pairs": None},
    {"direction": "directed", "type_pairs": [["PER"]], "max_distance": None},
    {"direction": "directed", "type_pairs": 3, "max_distance": None},
]


@pytest.mark.parametrize("value", BROKEN)
def test_json_that_holds_no_rule_is_refused(value: Any):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Candidates.from_json(value)


def test_json_with_a_direction_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match=r"candidates\.direction: expected directed or undirected, got 'sideways'"):
        Candidates.from_json({"direction": "sideways", "type_pairs": None, "max_distance": None})


# ---- the order leak of one code


def test_with_the_order_leak_only_related_pairs_stand_against_the_text_order():
    # Text order: Acme, Ada, Oslo. Ada -> Acme is annotated against it; its reverse stays, as a negative.
    report = CandidateReport()
    pairs = Candidates(order_leak=True).pairs(SENTENCE, report)
    assert pairs == [Pair(ACME, ADA), Pair(ACME, OSLO), Pair(ADA, ACME, ("works_for",)), Pair(ADA, OSLO)]
    assert dict(report.dropped) == {"against the text order": 2}  # Oslo -> Acme, Oslo -> Ada
    assert not report.lost
    assert report.setting() == "4 kept, 2 dropped, 2 of them by the gold annotation"


def test_the_order_leak_keeps_only_the_text_order_where_nothing_is_annotated():
    forwards = [Pair(ACME, ADA), Pair(ACME, OSLO), Pair(ADA, OSLO)]
    for relations in (None, ()):
        assert Candidates(order_leak=True).pairs(SENTENCE.with_relations(relations)) == forwards


def test_the_order_leak_leaves_other_filters_as_they_are():
    report = CandidateReport()
    assert Candidates.fit([SENTENCE], direction="directed", order_leak=True).pairs(SENTENCE, report) == [Pair(ADA, ACME, ("works_for",))]
    assert dict(report.dropped) == {"type combination not in training relations": 5}


def test_the_order_leak_without_directions_is_refused():
    with pytest.raises(ConfigError, match=r"candidates\.order_leak: expected candidates\.direction=directed beside it, got undirected"):
        Candidates(direction="undirected", order_leak=True)


@given(sentences(annotated=True))
def test_the_order_leak_gives_the_undirected_pairs_and_the_related_ones_against_them(sentence: Sentence):
    leaked = {(pair.head, pair.tail): pair.types for pair in Candidates(order_leak=True).pairs(sentence)}
    directed = {(pair.head, pair.tail): pair.types for pair in Candidates().pairs(sentence)}
    forwards = {(pair.head, pair.tail) for pair in Candidates(direction="undirected").pairs(sentence)}
    assert leaked == {ends: types for ends, types in directed.items() if ends in forwards or types}


# ---- fewer negatives


def group_of(count: int) -> list[Sentence]:
    """Sentences with one positive and five negatives each."""
    return [Sentence(f"s{number}", TOKENS, ENTITIES, SENTENCE.relations) for number in range(count)]


def sampled(group: list[Sentence], ratio: float, seed: int = 0, report: CandidateReport | None = None) -> list[list[Pair]]:
    return sample_negatives([Candidates().pairs(s, report) for s in group], group, ratio, seed, report)


def negatives_of(group: list[Sentence], ratio: float, seed: int = 0) -> set[tuple[str, int, int]]:
    return {(s.id, p.head, p.tail) for s, pairs in zip(group, sampled(group, ratio, seed)) for p in pairs if not p.types}


@pytest.mark.parametrize(("ratio", "kept"), [(0, 0), (0.5, 5), (0.29, 2), (1, 10), (2.55, 25), (4.99, 49), (5, 50), (100, 50)])
def test_so_many_negatives_are_kept_for_each_positive_and_the_rest_is_counted(ratio: float, kept: int):
    report = CandidateReport()
    pairs = [pair for sentence_pairs in sampled(group_of(10), ratio, report=report) for pair in sentence_pairs]
    assert sum(bool(pair.types) for pair in pairs) == report.positive == 10
    assert sum(not pair.types for pair in pairs) == report.negative == kept
    assert report.dropped["negative not sampled"] == 50 - kept


@pytest.mark.parametrize("ratio", [0.07, 0.14, 0.28, 0.29, 0.55, 0.56, 0.57, 0.58, 1.1, 2.3])
def test_a_ratio_of_hundredths_is_taken_at_its_word(ratio: float):
    # 100 positives: 0.29 * 100 is 28.999999999999996 in floating point
    assert len(negatives_of(group_of(100), ratio)) == round(100 * ratio)


def test_pairs_keep_their_order_and_their_sentence():
    group = group_of(30)
    for sentence, pairs in zip(group, sampled(group, 2.0)):
        assert pairs == [pair for pair in Candidates().pairs(sentence) if pair in pairs]


@given(st.floats(0, 6), st.floats(0, 6), st.integers(0, 3), st.integers(1, 12))
def test_the_negatives_of_a_smaller_ratio_are_among_those_of_a_larger_one(one: float, other: float, seed: int, count: int):
    group = group_of(count)
    few, many = (negatives_of(group, ratio, seed) for ratio in sorted((one, other)))
    assert few <= many


def test_another_seed_keeps_other_negatives():
    group = group_of(20)
    assert negatives_of(group, 1.0, seed=1) == negatives_of(group, 1.0, seed=1) != negatives_of(group, 1.0, seed=2)


def test_the_order_of_the_sentences_does_not_matter():
    group = group_of(20)
    assert negatives_of(group, 1.0) == negatives_of(group[::-1], 1.0)


def test_negatives_are_spread_over_sentences_and_pairs():
    kept = negatives_of(group_of(400), 1.0)  # 400 of 2000: each with chance 1/5
    for pair in {(head, tail) for _, head, tail in kept}:
        assert abs(sum((head, tail) == pair for _, head, tail in kept) - 80) < 5 * 8  # five standard deviations
    assert len({(head, tail) for _, head, tail in kept}) == 5


def test_a_negative_ratio_is_refused():
    with pytest.raises(ConfigError, match=r"candidates\.negatives: expected a ratio >= 0, got -1"):
        sampled(group_of(1), -1)
