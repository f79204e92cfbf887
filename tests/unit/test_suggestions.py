"""Which sentences are suggested: their worth by hand, the stream against a sort of everything, and sentences that are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import Pair
from relsift.decisions.calibration import Calibration
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.errors import ConfigError
from relsift.extractor import RelationExtractor
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.suggestions import Shortlist, Suggestion, SuggestionReport, acquisition_score, diverse, documents_of, suggest

LABELS = ("based_in", "leads")
ENTITIES = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "LOC"))
SENTENCE = Sentence("s", ("Ada", "leads", "Acme", "in", "Oslo"), ENTITIES)


def scored(*rows: tuple[float, float]) -> Scored:
    pairs = [Pair(0, 1), Pair(1, 2), Pair(0, 2)][: len(rows)]
    return Scored(SENTENCE, pairs, np.array(rows, np.float32).reshape(len(rows), 2))


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_uncertainty_is_that_of_the_pair_nearest_to_its_threshold():
    # best relations 3 and 0.5, threshold 1: distances 2 and −0.5
    decision = Decision(threshold=1.0)
    assert acquisition_score(scored((-1, 3), (0.5, -4)), decision, LABELS, "uncertainty") == pytest.approx(1 - 2 * (0.5 - logistic(-0.5)))
    assert acquisition_score(scored((1, 0)), decision, LABELS, "uncertainty") == pytest.approx(1)


def test_a_relation_with_a_threshold_of_its_own_is_compared_with_that_one():
    decision = Decision(threshold=1.0, thresholds={"leads": 3.0})
    assert acquisition_score(scored((-9, 3)), decision, LABELS, "uncertainty") == pytest.approx(1)


def test_with_a_calibration_uncertainty_is_that_of_its_probability_wherever_the_threshold_lies():
    decision = Decision(threshold=5.0, calibration=Calibration(method="platt", slope=1.0, shift=-2.0))
    assert acquisition_score(scored((2, -9)), decision, LABELS, "uncertainty") == pytest.approx(1)
    assert acquisition_score(scored((3, -9)), decision, LABELS, "uncertainty") == pytest.approx(2 * (1 - logistic(1)))


def test_expected_positives_are_the_sum_of_probabilities():
    value = acquisition_score(scored((0, -1), (2, 1)), Decision(), LABELS, "positives")
    assert value == pytest.approx(0.5 + logistic(2))


def test_relations_that_the_constraints_forbid_count_for_nothing():
    decision = Decision(constraints=True, triples=frozenset({("PER", "ORG", "leads")}))
    assert acquisition_score(scored((0, -2), (0, 0)), decision, LABELS, "positives") == pytest.approx(logistic(-2))
    assert acquisition_score(Scored(SENTENCE, [Pair(1, 2)], np.zeros((1, 2), np.float32)), decision, LABELS, "uncertainty") is None


def test_a_sentence_without_pairs_has_no_worth():
    assert acquisition_score(scored(), Decision(), LABELS, "uncertainty") is None


def suggestion(value: float, number: int, *tokens: str) -> Suggestion:
    return Suggestion(value, (number, 0), f"d{number}", Sentence(f"s{number}", tokens or (f"word{number}",)))


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 8))
def test_the_shortlist_of_a_stream_is_the_head_of_a_sort_of_all_of_it(values: list[int], size: int):
    every = [suggestion(value / 9, number) for number, value in enumerate(values)]
    shortlist = Shortlist(size)
    for one in every:
        shortlist.add(one)
    assert shortlist.best() == sorted(every, key=lambda one: (-one.worth, one.place))[:size]


def test_the_same_sentence_is_listed_once_and_again_when_the_first_one_is_out():
    shortlist = Shortlist(1)
    for one in (suggestion(0.2, 0, "Same", "words"), suggestion(0.2, 1, "same", "words", "."), suggestion(0.5, 2)):
        shortlist.add(one)
    assert shortlist.repeated == 1 and [one.place[0] for one in shortlist.best()] == [2]
    shortlist.add(suggestion(0.7, 3, "same", "words"))
    assert [one.place[0] for one in shortlist.best()] == [3]


def test_of_sentences_that_are_alike_the_best_is_taken_and_the_others_only_if_too_few_are_left():
    near = [suggestion(0.9 - number / 10, number, "a", "b", "c", "d", "e", "f", "g", f"x{number}") for number in range(3)]  # 7 of 9 words
    other = suggestion(0.1, 3, "h", "i")
    assert diverse([*near, other], 2) == ([near[0], other], 0)
    assert diverse([*near, other], 3) == ([near[0], near[1], other], 1)
    half = suggestion(0.05, 4, "a", "b", "c", "d", "y", "z")  # 4 of 10 words
    assert diverse([near[0], half], 2) == ([near[0], half], 0)


def test_chosen_sentences_of_a_document_stay_together_in_their_order():
    def one(value: float, document: int, at: int) -> Suggestion:
        return Suggestion(value, (document, at), f"d{document}", Sentence(f"d{document}-{at}", ("a",)))

    documents = documents_of([one(0.9, 1, 5), one(0.8, 0, 0), one(0.7, 1, 2)])
    assert [(document.id, [s.id for s in document.sentences]) for document in documents] == [("d1", ["d1-2", "d1-5"]), ("d0", ["d0-0"])]


@pytest.fixture(scope="module")
def demo() -> RelationExtractor:
    return RelationExtractor.from_pretrained("demo-en")


NAMES = ("Ida Holm", "Bo Lund", "Cleo Ray", "Dan Oak", "Eve Stone", "Finn Moss")
TEXTS = [f"{name}, mayor of Skerrin{number}, lives in Vell{number} with {number} cats." for number, name in enumerate(NAMES)]


def items() -> list[Document]:
    """Sentences with two entities each; the first one is annotated, the last one has no entities."""
    documents = []
    for number, text in enumerate([*TEXTS, "Nobody came ."]):
        tokens = tuple(text.replace(",", " ,").split(" "))
        entities = (Entity(0, 2, "PER"), Entity(5, 6, "GPE")) if len(tokens) > 5 else ()
        relations = (Relation(0, 1, "GEN-AFF"),) if number == 0 else None
        documents.append(Document(f"d{number}", (Sentence(f"d{number}", tokens, entities, relations),)))
    return documents


def test_annotated_sentences_and_those_of_the_training_data_are_left_out_and_counted(demo: RelationExtractor):
    from relsift.corpora.leaks import fingerprint

    documents = items()
    known = frozenset({fingerprint(documents[1].sentences[0])})
    report = SuggestionReport()
    found = suggest(demo, documents, 10, known=known, entities="gold", report=report)
    assert sorted(one.document for one in found) == ["d2", "d3", "d4", "d5"]
    assert (report.read, report.annotated, report.trained_on, report.without_pairs) == (7, 1, 1, 1)
    assert found == sorted(found, key=lambda one: -one.worth) and all(one.sentence.relations is None for one in found)
    everything = suggest(demo, documents, 10, include_annotated=True, entities="gold", report=SuggestionReport())
    assert len(everything) == 6


def test_a_random_choice_follows_from_its_seed_and_takes_sentences_without_entities_too(demo: RelationExtractor):
    def chosen(seed: int) -> list[str]:
        return [one.document for one in suggest(demo, items(), 3, by="random", seed=seed, entities="gold", report=SuggestionReport())]

    draws = [chosen(seed) for seed in range(12)]
    assert draws[0] == chosen(0) and len({frozenset(draw) for draw in draws}) > 3
    assert {name for draw in draws for name in draw} == {f"d{number}" for number in range(1, 7)}


def test_what_the_model_finds_is_written_only_if_asked_for(demo: RelationExtractor):
    assert demo.finds_entities
    bare = [Document("d", (Sentence("d", tuple(TEXTS[0].replace(",", " ,").split(" "))),))]
    [plain] = suggest(demo, bare, 1, report=SuggestionReport())
    [filled] = suggest(demo, bare, 1, with_predictions=True, report=SuggestionReport())
    assert plain.sentence.entities == () and plain.sentence.relations is None
    assert filled.sentence == next(demo.stream([Document("d", bare[0].sentences)]))
    assert len(filled.sentence.entities) > 1


@pytest.mark.parametrize("count", [0, 10_001])
def test_a_count_that_cannot_be_is_refused(demo: RelationExtractor, count: int):
    with pytest.raises(ConfigError, match="--count: expected a number of sentences, 1 to 10000"):
        suggest(demo, [], count, report=SuggestionReport())
