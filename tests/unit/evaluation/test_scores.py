"""Scores by hand and by scikit-learn: averages, error split, direction, entity matching, and what is refused."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from relsift.candidates import Candidates
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import PRF, ErrorSplit, Scores, TypeScore, evaluate
from relsift.schema import Entity, Relation, Sentence
from strategies import entities as any_entities
from strategies import relations as any_relations

Links = list[tuple[int, int, str]]
TOKENS = ("Ada", "and", "Bo", "run", "Acme", "in", "Oslo")
ENTITIES = (Entity(0, 1, "PER"), Entity(2, 3, "PER"), Entity(4, 5, "ORG"), Entity(6, 7, "LOC"))
ADA, BO, ACME, OSLO = range(4)


def sentence(links: Links | None, entities: tuple[Entity, ...] = ENTITIES) -> Sentence:
    return Sentence("s", TOKENS, entities, None if links is None else tuple(Relation(*link) for link in links))


def scores(gold: Links, predicted: Links, direction: str = "directed", **options: str) -> Scores:
    return evaluate([sentence(gold)], [sentence(predicted)], direction=direction, **options)


def split(result: Scores) -> tuple[int, int, int, int]:
    errors = result.errors
    return errors.false_negative, errors.false_positive, errors.wrong_class, errors.reversed


def test_micro_macro_and_weighted_match_hand_computation():
    # runs: gold 3, predicted 2, both right          -> P 1,   R 2/3, F 0.8
    # in:   gold 1, predicted 2, one of them right   -> P 1/2, R 1,   F 2/3
    result = scores(
        [(ADA, ACME, "runs"), (BO, ACME, "runs"), (ADA, BO, "runs"), (ACME, OSLO, "in")],
        [(ADA, ACME, "runs"), (BO, ACME, "runs"), (ACME, OSLO, "in"), (ADA, OSLO, "in")],
    )
    # micro: 3 right of 4 predicted and 4 gold
    assert result.micro == PRF(0.75, 0.75, 0.75)
    # macro: (1 + 1/2)/2, (2/3 + 1)/2, (0.8 + 2/3)/2
    assert result.macro == PRF(pytest.approx(0.75), pytest.approx(5 / 6), pytest.approx(0.73333, abs=1e-5))
    # weighted by 3 and 1: (3*1 + 1/2)/4, (3*2/3 + 1)/4, (3*0.8 + 2/3)/4
    assert result.weighted == PRF(pytest.approx(0.875), pytest.approx(0.75), pytest.approx(0.76667, abs=1e-5))
    assert result.weighted.recall == pytest.approx(result.micro.recall)
    assert {kind: (c.true_positive, c.false_positive, c.false_negative, c.support) for kind, c in result.per_type.items()} == {
        "in": (1, 1, 0, 1), "runs": (2, 0, 1, 3),
    }  # fmt: skip


def test_a_type_that_is_only_predicted_counts_in_macro_and_not_in_weighted():
    result = scores([(ADA, ACME, "runs")], [(ADA, ACME, "runs"), (ACME, OSLO, "in")])
    assert result.macro == PRF(0.5, 0.5, 0.5)  # in: 0, runs: 1
    assert result.weighted == PRF(1.0, 1.0, 1.0)
    assert result.micro == PRF(0.5, 1.0, pytest.approx(2 / 3))


def test_nothing_found_nothing_wanted_and_both_score_zero():
    for gold, predicted in (([(ADA, ACME, "runs")], []), ([], [(ADA, ACME, "runs")]), ([], [])):
        result = scores(gold, predicted)
        assert set(result.averages.values()) == {PRF(0.0, 0.0, 0.0)}
    assert scores([], []).errors.shares() == {"false_negative": 0, "false_positive": 0, "wrong_class": 0}


def test_errors_are_split_into_missed_invented_wrong_class_and_reversed():
    result = scores(
        [(ADA, ACME, "runs"), (BO, ACME, "runs"), (ACME, OSLO, "in"), (ADA, BO, "knows")],
        [(ADA, ACME, "owns"), (OSLO, ACME, "in"), (BO, OSLO, "in"), (ADA, BO, "knows")],
    )
    # Ada-Acme has another relation; Bo-Acme and Acme-Oslo are missed; Oslo-Acme (the wrong way round) and Bo-Oslo are invented.
    assert split(result) == (2, 2, 1, 1)
    assert result.errors.total == 5
    assert result.errors.shares() == {"false_negative": 0.4, "false_positive": 0.4, "wrong_class": 0.2}
    assert result.confusion == {("runs", "owns"): 1, ("knows", "knows"): 1}


def test_the_right_pair_with_another_relation_the_wrong_way_round_is_not_reversed():
    assert split(scores([(ADA, ACME, "runs")], [(ACME, ADA, "owns")])) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        (["a", "b"], ["a"], (1, 0, 0)),  # the second relation of the pair is missed
        (["a"], ["a", "b"], (0, 1, 0)),
        (["a", "b"], ["c"], (1, 0, 1)),
        (["a"], ["b", "c"], (0, 1, 1)),
        (["a", "b"], ["a", "c"], (0, 0, 1)),
    ],
)
def test_every_relation_of_a_pair_with_several_is_one_error_at_most(gold, predicted, expected):
    result = scores([(ADA, ACME, kind) for kind in gold], [(ADA, ACME, kind) for kind in predicted])
    assert split(result) == (*expected, 0)


def test_direction_counts_only_if_directed():
    gold, predicted = [(ADA, ACME, "runs")], [(ACME, ADA, "runs")]
    assert split(scores(gold, predicted)) == (1, 1, 0, 1)
    assert scores(gold, predicted).micro.f1 == 0
    assert split(scores(gold, predicted, "undirected")) == (0, 0, 0, 0)
    assert scores(gold, predicted, "undirected").micro == PRF(1, 1, 1)


def test_a_relation_stated_both_ways_or_twice_counts_once_if_undirected():
    result = scores([(ADA, BO, "knows"), (BO, ADA, "knows")], [(BO, ADA, "knows"), (BO, ADA, "knows")], "undirected")
    assert (result.per_type["knows"].support, result.micro) == (1, PRF(1, 1, 1))
    # Directed, gold holds two relations and one of them was found.
    assert scores([(ADA, BO, "knows"), (BO, ADA, "knows")], [(BO, ADA, "knows")]).micro == PRF(1.0, 0.5, pytest.approx(2 / 3))


def compare(gold: Sentence, predicted: Sentence, match: str, direction: str = "directed") -> Scores:
    return evaluate([gold], [predicted], direction=direction, entities="predicted", match=match)


def test_predicted_entities_match_by_span_and_strictly_by_type_too():
    gold = sentence([(0, 1, "runs")], (Entity(0, 1, "PER"), Entity(4, 5, "ORG")))
    other_type = sentence([(1, 0, "runs")], (Entity(4, 5, "LOC"), Entity(0, 1, "PER")))
    assert compare(gold, other_type, "boundaries").micro == PRF(1, 1, 1)
    assert split(compare(gold, other_type, "strict")) == (1, 1, 0, 0)
    longer = sentence([(0, 1, "runs")], (Entity(0, 2, "PER"), Entity(4, 5, "ORG")))
    assert split(compare(gold, longer, "boundaries")) == (1, 1, 0, 0)


def test_a_missed_entity_is_a_missed_relation():
    gold = sentence([(0, 1, "runs"), (2, 3, "in")])
    assert split(compare(gold, sentence([(0, 1, "in")], ENTITIES[2:]), "strict")) == (1, 0, 0, 0)
    assert split(compare(gold, sentence([], ()), "strict")) == (2, 0, 0, 0)


def test_undirected_strict_match_does_not_depend_on_the_order_of_entities_on_one_span():
    both = (Entity(0, 1, "PER"), Entity(0, 1, "ORG"))
    gold, predicted = sentence([(0, 1, "is")], both), sentence([(0, 1, "is")], both[::-1])
    assert compare(gold, predicted, "strict", "undirected").micro == PRF(1, 1, 1)
    assert compare(gold, predicted, "strict", "directed").micro.f1 == 0


def test_gold_relation_lost_to_a_filter_is_a_miss():
    training = [sentence([(ADA, ACME, "runs")])]
    gold = sentence([(ADA, ACME, "runs"), (ACME, OSLO, "in")])
    rule = Candidates.fit(training, direction="directed")
    predicted = gold.with_relations(Relation(p.head, p.tail, kind) for p in rule.pairs(gold) for kind in p.types)  # a perfect classifier
    result = evaluate([gold], [predicted], direction="directed")
    assert result.micro == PRF(1.0, 0.5, pytest.approx(2 / 3))
    assert split(result) == (1, 0, 0, 0)


def test_second_relation_of_a_pair_is_a_miss_for_a_classifier_with_one_label_a_pair():
    gold = sentence([(ADA, ACME, "runs"), (ADA, ACME, "owns")])
    predicted = gold.with_relations(Relation(p.head, p.tail, p.types[0]) for p in Candidates().pairs(gold) if p.types)
    assert evaluate([gold], [predicted], direction="directed").micro.recall == 0.5


def test_sentences_that_are_not_annotated_are_left_out_and_said_so():
    gold = [sentence([(ADA, ACME, "runs")]), sentence(None), sentence([])]
    predicted = [sentence([(ADA, ACME, "runs")]), sentence([(ADA, ACME, "runs")]), sentence([])]
    result = evaluate(gold, predicted, direction="directed")
    assert (result.sentences, result.micro) == (2, PRF(1, 1, 1))
    assert result.setting["not annotated, left out"] == "1 sentences"
    with pytest.raises(DataError, match="expected annotated sentences"):
        evaluate([sentence(None)], [sentence([])], direction="directed")


def test_every_result_names_its_setting():
    result = scores([], [], "undirected", candidates="3 kept, 1 dropped")
    assert result.setting_line() == "entities=gold · match=strict · direction=undirected · candidates=3 kept, 1 dropped"
    assert "not recorded" in scores([], []).setting_line()


def test_different_sentences_or_entities_on_the_two_sides_are_refused():
    gold = sentence([])
    other = Sentence("s", ("Oslo", *TOKENS[1:]), ENTITIES, ())
    with pytest.raises(DataError, match=r"as many predicted as gold sentences \(1\), got 2"):
        evaluate([gold], [gold, gold], direction="directed")
    for options in ({}, {"entities": "predicted"}):
        with pytest.raises(DataError, match=r"expected the same tokens .*sentence 's'"):
            evaluate([gold], [other], direction="directed", **options)
    for entities in (ENTITIES[:3], (*ENTITIES[:3], Entity(6, 7, "GPE")), ENTITIES[::-1]):
        with pytest.raises(DataError, match="expected the same tokens and entities"):
            evaluate([gold], [sentence([], entities)], direction="directed")


@pytest.mark.parametrize("wrong", [{"direction": "both"}, {"entities": "silver"}, {"match": "partial"}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        evaluate([sentence([])], [sentence([])], **{"direction": "directed"} | wrong)


def test_json_holds_all_averages_counts_and_errors():
    value = scores([(ADA, ACME, "runs"), (ACME, OSLO, "in")], [(ADA, ACME, "owns")]).to_json()
    assert value["micro"] == value["macro"] == value["weighted"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert value["per_type"]["runs"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1, "tp": 0, "fp": 0, "fn": 1}
    assert value["errors"]["shares"] == {"false_negative": 0.5, "false_positive": 0.0, "wrong_class": 0.5}
    assert value["confusion"] == [{"gold": "runs", "predicted": "owns", "count": 1}]


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[list[Sentence], list[Sentence]]:
    """Gold and predicted sentences over the same entities, with any number of relations a pair."""
    gold, predicted = [], []
    for _ in range(draw(st.integers(1, 3))):
        entities = draw(any_entities(len(TOKENS), most=4))
        for side in (gold, predicted):
            side.append(Sentence("s", TOKENS, entities, draw(any_relations(len(entities)))))
    return gold, predicted


@given(comparisons(), st.sampled_from(["directed", "undirected"]), st.sampled_from(["gold", "predicted"]))
def test_error_split_adds_up_to_the_counts_of_the_types(sides, direction: str, entities: str):
    result = evaluate(*sides, direction=direction, entities=entities)
    errors, counts = result.errors, result.per_type.values()
    assert errors.false_negative + errors.wrong_class == sum(c.false_negative for c in counts)
    assert errors.false_positive + errors.wrong_class == sum(c.false_positive for c in counts)
    assert 0 <= errors.reversed <= errors.false_positive
    assert sum(result.confusion.values()) == errors.wrong_class + sum(c.true_positive for c in counts)
    if direction == "undirected":
        assert errors.reversed == 0


@given(comparisons(), st.sampled_from(["directed", "undirected"]))
def test_swapping_gold_and_predicted_swaps_precision_and_recall(sides, direction: str):
    one, other = evaluate(*sides, direction=direction), evaluate(*sides[::-1], direction=direction)
    assert (one.micro.precision, one.micro.recall) == (other.micro.recall, other.micro.precision)
    assert one.micro.f1 == pytest.approx(other.micro.f1)
    e, f = one.errors, other.errors
    assert e.wrong_class == f.wrong_class
    assert e.false_negative == f.false_positive


@given(comparisons(), st.sampled_from(["directed", "undirected"]))
def test_gold_against_itself_is_perfect(sides, direction: str):
    gold, _ = sides
    result = evaluate(gold, gold, direction=direction, entities="predicted")
    assert set(result.averages.values()) == ({PRF(1, 1, 1)} if any(s.relations for s in gold) else {PRF(0, 0, 0)})
    assert result.errors == ErrorSplit(0, 0, 0, 0)


@st.composite
def one_label_a_pair(draw: st.DrawFn) -> tuple[list[Sentence], list[Sentence]]:
    gold, predicted = [], []
    for _ in range(draw(st.integers(1, 4))):
        entities = draw(any_entities(len(TOKENS), most=5))
        for side in (gold, predicted):
            side.append(Sentence("s", TOKENS, entities, draw(any_relations(len(entities), one_a_pair=True))))
    return gold, predicted


@given(one_label_a_pair(), st.sampled_from(["directed", "undirected"]))
def test_averages_are_those_of_scikit_learn_on_the_same_pair_decisions(sides, direction: str):
    truth, guess = [], []
    for g, p in zip(*sides):
        size = len(g.entities)
        for i in range(size):
            for j in range(size) if direction == "directed" else range(i):
                for side, labels in ((g, truth), (p, guess)):
                    ends = [(i, j)] if direction == "directed" else [(i, j), (j, i)]
                    kinds = [r.type for r in side.relations or () if (r.head, r.tail) in ends]
                    labels.append(kinds[0] if kinds else "no relation")
    labels = sorted({*truth, *guess} - {"no relation"})
    result = evaluate(*sides, direction=direction)
    assert list(result.per_type) == labels
    if not labels:
        return
    for average, ours in result.averages.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns of averages without a gold relation
            *theirs, _ = precision_recall_fscore_support(truth, guess, labels=labels, average=average, zero_division=0)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(tuple(theirs))


# ---- relations that a reader could not keep


def test_lost_relations_are_missed_relations_of_their_type():
    # One right, one missed "a"; three lost: "a" twice, and "b", which no sentence has. Recall 1 of 5, precision 1 of 1.
    scores = Scores(
        {"direction": "directed"}, 2, {"a": TypeScore(1, 0, 1)}, ErrorSplit(1, 0, 0, 0), {("a", "a"): 1}
    ).with_lost_relations({"a": 2, "b": 1, "c": 0})
    assert scores.per_type == {"a": TypeScore(1, 0, 3), "b": TypeScore(0, 0, 1)}
    assert (scores.micro.precision, scores.micro.recall, scores.micro.f1) == (1.0, 0.2, pytest.approx(1 / 3))
    assert scores.errors == ErrorSplit(4, 0, 0, 0)
    assert scores.setting_line() == "direction=directed · lost in reading, counted as missed=3 relations"
    assert scores.to_json()["lost_relations"] == {"a": 2, "b": 1}
    assert Scores.from_json(scores.to_json()) == scores


def test_scores_without_losses_are_as_before():
    scores = Scores({"direction": "directed"}, 2, {"a": TypeScore(1, 0, 1)}, ErrorSplit(1, 0, 0, 0))
    assert scores.with_lost_relations({"a": 0}) is scores
    assert "lost_relations" not in scores.to_json()
