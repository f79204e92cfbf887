"""Scores of relations between concepts: by hand, against a literal loop, and equal to those of mentions where nothing is shared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.candidates import Direction
from relsift.errors import DataError
from relsift.evaluation.concepts import concept_facts, concept_scores, evaluate_concepts
from relsift.evaluation.scores import evaluate
from relsift.schema import Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence
from strategies import related_concepts

DIRECTIONS: list[Direction] = ["directed", "undirected"]


def sentence(key: str, *concepts: tuple[str, ...], relations: tuple[Relation, ...] | None = ()) -> Sentence:
    """One token and one mention for each tuple of concepts."""
    entities = tuple(Entity(n, n + 1, "X", concepts=ids) for n, ids in enumerate(concepts))
    return Sentence(key, tuple(f"w{n}" for n in range(len(concepts))), entities, relations, "d")


# Avolin (A) stands in both sentences, Berex (B) twice in the first one, dizziness (C) in the second one, Corin (D) has no mention.
GOLD = Document(
    "d",
    (sentence("0", ("A",), ("B",), ("B",)), sentence("1", ("A",), ("C",))),
    concept_relations=(RelationOfConcepts("A", "B", "slows"), RelationOfConcepts("B", "C", "eases"), RelationOfConcepts("D", "A", "slows")),
)


def found(*within: tuple[Relation, ...], across: tuple[RelationAcross, ...] = ()) -> Document:
    sentences = tuple(one.with_relations(relations) for one, relations in zip(GOLD.sentences, within, strict=True))
    return replace(GOLD, sentences=sentences, across=across, concept_relations=None)


def test_a_concept_pair_counts_once_however_many_of_its_mentions_are_related():
    predicted = found((Relation(0, 1, "slows"), Relation(0, 2, "slows")), (Relation(0, 1, "causes"),))
    result = evaluate_concepts([GOLD], [predicted], direction="directed")
    # found: A slows B (right), A causes C (wrong); missed: B eases C, whose mentions are a sentence apart, and D slows A without mentions
    assert result.counts.tolist() == [[1, 2, 3]]
    assert result.unreachable == 2
    assert result.scores.setting["no pair of mentions in one sentence, counted as missed"] == "2 of 3 relations"
    micro = result.scores.micro
    assert (micro.precision, micro.recall) == (1 / 2, 1 / 3)
    assert result.scores.errors.false_positive == 1
    assert result.scores.errors.false_negative == 2


def test_pairs_across_sentences_count_and_a_window_reaches_them():
    predicted = found((), (), across=(RelationAcross((0, 2), (1, 1), "eases"),))
    result = evaluate_concepts([GOLD], [predicted], direction="directed", window=2)
    assert result.counts.tolist() == [[1, 1, 3]]
    assert result.unreachable == 1
    assert result.scores.setting["no pair of mentions in 2 sentences in a row, counted as missed"] == "1 of 3 relations"


def test_direction_counts_if_directed_alone():
    predicted = found((Relation(1, 0, "slows"),), ())
    directed = evaluate_concepts([GOLD], [predicted], direction="directed").scores
    assert (directed.micro.recall, directed.errors.reversed) == (0, 1)
    assert evaluate_concepts([GOLD], [predicted], direction="undirected").counts.tolist() == [[1, 1, 3]]


def test_the_score_is_the_highest_of_the_pairs_so_that_a_threshold_on_mentions_is_one_on_concepts():
    relations = (Relation(0, 1, "slows", 0.5), Relation(0, 2, "slows", 2.0))
    slows = (((-1, -1, "A"), (-1, -1, "B")), "slows")
    assert concept_scores(found(relations, ()), "directed") == {slows: 2.0}
    for threshold, right in ((0.0, 1), (1.0, 1), (3.0, 0)):
        kept = found(tuple(relation for relation in relations if (relation.score or 0) >= threshold), ())
        assert evaluate_concepts([GOLD], [kept], direction="directed").scores.per_type["slows"].true_positive == right


def test_a_mention_of_several_concepts_stands_for_each_of_them():
    gold = Document("d", (sentence("0", ("A", "B"), ("A",), ("C",)),), concept_relations=(RelationOfConcepts("B", "C", "r"),))
    predicted = replace(gold, sentences=(gold.sentences[0].with_relations((Relation(0, 2, "r"), Relation(0, 1, "r"))),))
    scores = concept_scores(predicted, "directed")
    # mention 0 with C: A-C and B-C; with mention 1: B-A, and not A with itself, since mention 0 names B too
    assert {(head[2], tail[2]) for (head, tail), _ in scores} == {("A", "C"), ("B", "C"), ("B", "A")}


def test_a_mention_without_a_concept_belongs_to_no_relation_of_concepts_and_is_counted():
    gold = Document("d", (sentence("0", ("A",), ("B",), ()),), concept_relations=(RelationOfConcepts("A", "B", "r"),))
    predicted = replace(gold, sentences=(gold.sentences[0].with_relations((Relation(0, 1, "r"), Relation(0, 2, "r"))),))
    result = evaluate_concepts([gold], [predicted], direction="directed")
    assert result.counts.tolist() == [[1, 1, 1]]
    assert result.scores.setting["of mentions without a concept, left out"] == "0 gold, 1 predicted relations"


def test_relations_of_mentions_beside_those_of_concepts_are_gold_unless_they_follow_from_them():
    whole = sentence("0", ("A",), ("B",), ("C",), relations=(Relation(0, 1, "r"), Relation(0, 2, "r")))
    document = Document("d", (whole,), concept_relations=(RelationOfConcepts("A", "B", "r"),))
    assert {(head[2], tail[2]) for (head, tail), _ in concept_facts(document, "directed")} == {("A", "B"), ("A", "C")}


def test_documents_without_annotation_are_left_out_and_others_are_refused():
    bare = Document("d", (sentence("0", ("A",), ("B",), relations=None),))
    result = evaluate_concepts([GOLD, bare], [found((), ()), bare], direction="directed")
    assert result.scores.setting["not annotated, left out"] == "1 documents"
    with pytest.raises(DataError, match="expected documents with relations of concepts or of mentions, got none"):
        evaluate_concepts([bare], [bare], direction="directed")
    with pytest.raises(DataError, match="expected the same tokens and entities on both sides, got a difference in document 'd'"):
        evaluate_concepts([GOLD], [bare], direction="directed")
    with pytest.raises(DataError, match=r"expected as many predicted as gold documents \(1\), got 0"):
        evaluate_concepts([GOLD], [], direction="directed")


def literal_counts(gold: Document, predicted: Document, direction: Direction) -> list[int]:
    """True positives, predicted and gold relations, by loops over the concepts of every pair of mentions."""

    def key(*parts: object) -> tuple[object, ...]:
        head, tail, kind = parts
        return (frozenset((head, tail)), kind) if direction == "undirected" else parts

    def of_mentions(document: Document, skip: set[tuple[str, str, str]]) -> set[tuple[object, ...]]:
        facts = set()
        places = [(n, r.head, n, r.tail, r.type) for n, s in enumerate(document.sentences) for r in s.relations or ()]
        places += [(*r.head, *r.tail, r.type) for r in document.across]
        for s, h, u, t, kind in places:
            heads, tails = gold.sentences[s].entities[h].concepts, gold.sentences[u].entities[t].concepts
            if gold.concept_relations is None:
                if gold.sentences[s].relations is None or gold.sentences[u].relations is None:
                    continue
                heads, tails = heads or (f"own {s} {h}",), tails or (f"own {u} {t}",)
            if any((a, b, kind) in skip for a in heads for b in tails):
                continue
            apart = any(a != b for a in heads for b in tails)
            facts |= {key(a, b, kind) for a in heads for b in tails if a != b or not apart}
        return facts

    known = {(one.head, one.tail, one.type) for one in gold.concept_relations or ()}
    gold_facts = {key(*one) for one in known} | of_mentions(gold, known)
    predicted_facts = of_mentions(predicted, set())
    return [len(gold_facts & predicted_facts), len(predicted_facts), len(gold_facts)]


@settings(max_examples=60)
@given(gold=related_concepts(), data=st.data(), direction=st.sampled_from(DIRECTIONS))
def test_counts_are_those_of_a_literal_loop(gold: Document, data: st.DataObject, direction: Direction):
    if gold.concept_relations is None and all(one.relations is None for one in gold.sentences):
        return
    kinds = st.sampled_from(["based_in", "lives_in", "works_for", "other"])
    sentences = []
    for one in gold.sentences:
        ends = [(h, t) for h in range(len(one.entities)) for t in range(len(one.entities)) if h != t]
        drawn = data.draw(st.lists(st.tuples(st.sampled_from(ends), kinds), max_size=4)) if ends else []
        sentences.append(one.with_relations(tuple(Relation(h, t, kind) for (h, t), kind in drawn)))
    across = tuple(replace(one, type=data.draw(kinds)) for one in gold.across)
    predicted = replace(gold, sentences=tuple(sentences), across=across, concept_relations=None)
    result = evaluate_concepts([gold], [predicted], direction=direction)
    assert result.counts.tolist() == [literal_counts(gold, predicted, direction)]
    assert result.scores.per_type.keys() >= {one.type for one in gold.concept_relations or ()}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("has_ids", [True, False])
@settings(max_examples=30)
@given(document=related_concepts(), data=st.data())
def test_where_each_concept_has_one_mention_the_scores_are_those_of_mentions(
    direction: Direction, has_ids: bool, document: Document, data: st.DataObject
):
    def one_mention_each(number: int, one: Sentence) -> Sentence:
        entities = tuple(replace(e, concepts=(f"{number}-{n}",) if has_ids else ()) for n, e in enumerate(one.entities))
        return replace(one, entities=entities)

    sentences = tuple(one_mention_each(number, one) for number, one in enumerate(document.sentences))
    gold = replace(document, sentences=sentences, across=(), concept_relations=None)
    if all(one.relations is None for one in sentences):
        return
    predicted = replace(
        gold, sentences=tuple(s.with_relations(tuple(r for r in s.relations or () if data.draw(st.booleans()))) for s in sentences)
    )
    of_mentions = evaluate(gold.sentences, predicted.sentences, direction=direction)
    of_concepts = evaluate_concepts([gold], [predicted], direction=direction)
    assert of_concepts.scores.per_type == of_mentions.per_type
    assert of_concepts.scores.errors == of_mentions.errors
    assert of_concepts.unreachable == 0
