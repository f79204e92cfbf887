"""Why a pair has its relation: scores as in prediction, and the score's fall when a token is hidden, checked by rewriting the sentence."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model_cases import KNOWN, MODELS, Case, default, parameter, tiny
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.example import examples_of
from relsift.errors import DataError
from relsift.explanation import Explanation, _hidden, explain
from relsift.extractor import RelationExtractor
from relsift.inference import AnyScorer, Ensemble, Scorer, score
from relsift.schema import Entity, Relation, Sentence
from toy import HAS_TRANSFORMERS, forest

TOKENS = ("Ada", "joined", "Acme", "while", "Bo", "lives", "in", "New", "Quay")
SENTENCE = Sentence(
    "s", TOKENS, (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "PER"), Entity(7, 9, "LOC")),
    (Relation(0, 1, "works_for"),), syntax=forest(TOKENS, "s"),
)  # fmt: skip
UNHEARD = "\ufffd"
LOW = Decision(threshold=-1e9)


def scorer_of(name: str, seed: int = 0, candidates: Candidates | None = None) -> Scorer:
    return Scorer(tiny(default(name), seed), KNOWN, candidates or Candidates())


def scores_of(scorer: AnyScorer, sentence: Sentence, pair: tuple[int, int]) -> np.ndarray:
    """(K,) as prediction computes them."""
    [scored] = score(scorer, [sentence], entities="gold")
    return scored.scores[[tuple(found[:2]) for found in scored.pairs].index(pair)]


def without(sentence: Sentence, token: int) -> Sentence:
    """The sentence with a word in that place that nobody has ever seen."""
    return replace(sentence, tokens=(*sentence.tokens[:token], UNHEARD, *sentence.tokens[token + 1 :]))


@pytest.mark.parametrize("case", [parameter(default(name)) for name in MODELS])
def test_scores_are_those_of_prediction_for_every_model(case: Case):
    scorer = scorer_of(case.name)
    explained = explain(scorer, LOW, SENTENCE, (0, 3))
    expected = scores_of(scorer, SENTENCE, (0, 3))
    assert dict(explained.scores) == pytest.approx(dict(zip(KNOWN.labels, expected.tolist())), abs=1e-5)
    assert [value for _, value in explained.scores] == sorted((value for _, value in explained.scores), reverse=True)
    assert (explained.relation, explained.decided) == (explained.scores[0][0], (explained.scores[0][0],))
    assert explained.sentence.relations is None
    assert len(explained.support) == len(TOKENS)


WORDS_ONLY = [name for name in MODELS if "subwords" not in default(name).reads and name != "type_prior"]


@pytest.mark.parametrize("name", WORDS_ONLY)
def test_support_is_the_fall_of_the_score_when_a_word_is_replaced_by_one_never_seen(name: str):
    scorer = scorer_of(name)
    explained = explain(scorer, LOW, SENTENCE, (0, 1), relation="lives_in")
    column = KNOWN.labels.index("lives_in")
    whole = scores_of(scorer, SENTENCE, (0, 1))[column]
    rewritten = [whole - scores_of(scorer, without(SENTENCE, token), (0, 1))[column] for token in range(len(TOKENS))]
    assert explained.relation == "lives_in"
    assert explained.support == pytest.approx(rewritten, abs=1e-4)
    assert max(map(abs, rewritten)) > 1e-3  # the models of this test look at words


def test_a_model_that_reads_no_words_has_no_token_that_matters():
    assert set(explain(scorer_of("type_prior"), LOW, SENTENCE, (0, 1)).support) == {0.0}


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
def test_the_pieces_of_a_hidden_token_become_unknown_and_no_others():
    [example, *_] = examples_of(SENTENCE, Candidates().pairs(SENTENCE), KNOWN)
    hidden = _hidden(example, 4, KNOWN)  # "Bo", two pieces
    assert example.pieces is not None and hidden.pieces is not None and KNOWN.subwords is not None
    assert example.pieces.last[4] - example.pieces.first[4] == 1
    changed = [place for place, (one, other) in enumerate(zip(example.pieces.ids, hidden.pieces.ids)) if one != other]
    assert changed == [example.pieces.first[4], example.pieces.last[4]]
    assert {hidden.pieces.ids[place] for place in changed} == {KNOWN.subwords.stand_in}
    assert hidden.pieces._replace(ids=[]) == example.pieces._replace(ids=[])


def test_a_pair_that_is_no_candidate_is_scored_and_says_why_it_is_left_out():
    candidates = Candidates(type_pairs=frozenset({("PER", "ORG")}), max_distance=3)
    scorer = scorer_of("multitask_cnn", candidates=candidates)
    left_out = explain(scorer, LOW, SENTENCE, (0, 2))
    assert left_out.not_a_candidate == "type combination not in training relations"
    assert left_out.decided == ()
    free = explain(scorer_of("multitask_cnn"), LOW, SENTENCE, (0, 2))
    assert dict(left_out.scores) == pytest.approx(dict(free.scores), abs=1e-5)
    assert free.not_a_candidate is None
    assert explain(scorer, LOW, SENTENCE, (0, 1)).not_a_candidate is None
    far = replace(SENTENCE, relations=None, entities=(Entity(0, 1, "PER"), Entity(8, 9, "ORG")))
    assert explain(scorer, LOW, far, (0, 1)).not_a_candidate == "more than 3 tokens apart"
    assert "The pair is no candidate: more than 3 tokens apart." in str(explain(scorer, LOW, far, (0, 1)))


def test_an_undirected_model_takes_the_pair_in_text_order():
    scorer = scorer_of("multitask_cnn", candidates=Candidates(direction="undirected"))
    assert explain(scorer, LOW, SENTENCE, (3, 0)) == explain(scorer, LOW, SENTENCE, (0, 3))
    assert explain(scorer, LOW, SENTENCE, (3, 0)).pair == (0, 3)


def test_the_numbers_of_an_ensemble_are_means_over_its_members():
    members = (scorer_of("multitask_cnn", 0), scorer_of("pcnn", 1))
    both = [explain(member, LOW, SENTENCE, (0, 1), "lives_in") for member in members]
    explained = explain(Ensemble(members), LOW, SENTENCE, (0, 1), "lives_in")
    assert explained.support == pytest.approx(np.mean([one.support for one in both], axis=0), abs=1e-5)
    assert dict(explained.scores)["lives_in"] == pytest.approx(np.mean([dict(one.scores)["lives_in"] for one in both]), abs=1e-5)


def test_the_decision_is_that_of_prediction():
    scorer = scorer_of("multitask_cnn")
    best = explain(scorer, LOW, SENTENCE, (0, 1)).scores[0][1]
    for threshold, taken in ((best - 0.01, True), (best + 0.01, False)):
        bundle = Bundle("multitask_cnn", scorer, Decision(threshold=threshold))
        explained = RelationExtractor(bundle).explain(SENTENCE, (0, 1))
        assert bool(explained.decided) is taken
        assert explained.threshold == threshold
        found = {relation.pair for relation in RelationExtractor(bundle)(SENTENCE).relations}
        assert ((0, 1) in found) is taken


HAND_MADE = Explanation(
    sentence=Sentence("s", ("Ada", "<b>", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))), pair=(0, 1),
    scores=(("leads", 1.25), ("left", -0.5)), threshold=0.5, decided=("leads",), not_a_candidate=None, relation="leads",
    support=(0.25, 2.0, -0.5),
)  # fmt: skip


def test_the_text_form_says_in_words_what_was_decided_and_why():
    assert str(HAND_MADE).splitlines() == [
        "Ada (PER) → Acme (ORG): leads",
        "The highest score, +1.25 of leads, reaches the threshold of +0.50.",
        "scores:", "    +1.25  leads", "    −0.50  left",
        "how far the score of leads falls when a token is hidden:", "    +2.00  <b>", "    −0.50  Acme", "    +0.25  Ada",
    ]  # fmt: skip
    none = replace(HAND_MADE, threshold=2.0, decided=())
    assert str(none).splitlines()[:2] == [
        "Ada (PER) → Acme (ORG): no relation", "The highest score, +1.25 of leads, is below the threshold of +2.00.",
    ]  # fmt: skip


def test_the_text_form_counts_what_it_leaves_out():
    words = tuple(f"w{number}" for number in range(10))
    long = replace(
        HAND_MADE, sentence=replace(HAND_MADE.sentence, tokens=words), support=(0.0,) * 10,
        scores=tuple((f"r{number}", -float(number)) for number in range(6)),
    )  # fmt: skip
    assert [line for line in str(long).splitlines() if "more" in line] == ["  and 1 relation type more", "  and 2 tokens more"]


def test_a_notebook_shows_every_token_and_every_score_as_text():
    page = html.unescape(HAND_MADE._repr_html_())
    assert all(
        part in page for part in ("Ada (PER) → Acme (ORG): leads", 'title="+2.00">&lt;b&gt;', "−0.50", "left", "reaches the threshold")
    )
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("sentence", "pair", "relation", "message"),
    [
        (SENTENCE, (0, 4), None, r"^pair: expected two different positions in 0..3 \(4 entities\), got \(0, 4\)"),
        (SENTENCE, (-1, 0), None, r"got \(-1, 0\)"),
        (SENTENCE, (1, 1), None, r"got \(1, 1\)"),
        (SENTENCE, "01x", None, "^pair: expected two positions .* such as found.pair, got '01x'"),
        (SENTENCE, 3, None, "^pair: expected two positions"),
        (SENTENCE, (0.5, 1), None, r"^pair: expected two positions .* got \(0.5, 1\)"),
        (SENTENCE, (float("inf"), 1), None, r"^pair: expected two positions .* got \(inf, 1\)"),
        (SENTENCE, ("0", "1"), None, "^pair: expected two positions"),
        (SENTENCE, (True, False), None, "^pair: expected two positions"),
        (SENTENCE, (0, True, 1), None, "^pair: expected two positions"),
        (SENTENCE, (0, 1), [], r"^relation type: expected one of based_in, .* got \[\]"),
        (SENTENCE, (0, 1), "eats", "relation type: expected one of based_in, .* got 'eats'"),
        ("Ada left.", (0, 1), None, "^sentence: expected a relation of a document, .* or a Sentence with its entities .* got str"),
        (replace(SENTENCE, entities=(), relations=None), (0, 1), None, r"\(0 entities\)"),
    ],
)
def test_what_is_no_pair_of_a_sentence_is_refused(sentence: Any, pair: Any, relation: str | None, message: str):
    with pytest.raises(DataError, match=message):
        explain(scorer_of("multitask_cnn"), LOW, sentence, pair, relation)


def test_a_relation_of_a_document_is_explained_as_its_sentence_and_pair():
    rx = RelationExtractor(Bundle("multitask_cnn", scorer_of("multitask_cnn"), LOW))
    document = rx(replace(SENTENCE, relations=None))
    found = document.relations[-1]
    other = next(label for label in KNOWN.labels if label != found.type)
    assert rx.explain(found) == rx.explain(found.sentence, found.pair, relation=found.type)
    assert rx.explain(found).relation == found.type
    assert rx.explain(found, relation=other).relation == other
    with pytest.raises(DataError, match=r"^pair: expected none beside a relation, which has its own, .* got \(0, 1\); leave it out"):
        rx.explain(found, (0, 1))
    with pytest.raises(DataError, match=r"^pair: expected two positions .* got None"):
        rx.explain(SENTENCE)


def test_relations_that_the_decision_forbids_between_these_types_are_named():
    scorer = scorer_of("multitask_cnn")
    (first, _), (second, _), *_ = explain(scorer, LOW, SENTENCE, (0, 1)).scores
    types = SENTENCE.entities[0].type, SENTENCE.entities[1].type
    constrained = explain(scorer, Decision(threshold=-1e9, constraints=True, triples=frozenset({(*types, second)})), SENTENCE, (0, 1))
    assert (constrained.forbidden, constrained.decided) == ((first,), (second,))
    assert f"Training has no {first} between {types[0]} and {types[1]}: left out." in str(constrained)
    assert explain(scorer, Decision(thresholds={first: 7.5}), SENTENCE, (0, 1)).threshold == 7.5
