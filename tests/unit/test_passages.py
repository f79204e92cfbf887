"""Passages: every pair and every relation once, mentions and offsets as they were, and back to sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import CandidateReport, Candidates
from relsift.errors import ConfigError, DataError
from relsift.passages import held_across, passages, with_relations_of_passages
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence, Syntax
from strategies import related_across

WINDOWS = st.integers(1, 4)


def people(number: int, *names: str, relations: tuple[Relation, ...] | None = ()) -> Sentence:
    """`names`, each an entity, and a full stop."""
    entities = tuple(Entity(n, n + 1, "PER", id=name) for n, name in enumerate(names))
    return Sentence(f"d-{number}", (*names, "."), entities, relations, "d")


# Ada and Bo are related in sentence 0; Ada and Cy one sentence further, Di and Bo three sentences back.
DOCUMENT = Document(
    "d",
    (people(0, "Ada", "Bo", relations=(Relation(0, 1, "knows"),)), people(1, "Cy"), people(2), people(3, "Di")),
    across=(RelationAcross((0, 0), (1, 0), "knows"), RelationAcross((3, 0), (0, 1), "leads")),
)


def named(sentence: Sentence) -> list[tuple[str, str, str]]:
    names = [sentence.tokens[entity.start] for entity in sentence.entities]
    return [(names[relation.head], relation.type, names[relation.tail]) for relation in sentence.relations or ()]


def pairs_of(document: Document) -> list[tuple[str, str]]:
    rule = Candidates(direction="undirected")
    return [
        (sentence.tokens[sentence.entities[head].start], sentence.tokens[sentence.entities[tail].start])
        for sentence in document.sentences
        for head, tail, _ in rule.pairs(sentence)
    ]


def test_a_passage_holds_the_relations_of_its_first_sentence_and_those_to_the_following_ones():
    joined = passages(DOCUMENT, 2)
    assert [" ".join(s.tokens) for s in joined.sentences] == ["Ada Bo . Cy .", "Cy . .", ". Di .", "Di ."]
    assert [s.parts for s in joined.sentences] == [(0, 3), (0, 2), (0, 1), ()]
    assert [named(s) for s in joined.sentences] == [[("Ada", "knows", "Bo"), ("Ada", "knows", "Cy")], [], [], []]
    assert joined.across == (RelationAcross((3, 0), (0, 1), "leads"),)  # three sentences apart
    assert held_across(DOCUMENT, 2) == [RelationAcross((0, 0), (1, 0), "knows")]


def test_a_window_over_the_whole_document_holds_all_relations():
    joined = passages(DOCUMENT, 4)
    assert named(joined.sentences[0]) == [("Ada", "knows", "Bo"), ("Ada", "knows", "Cy"), ("Di", "leads", "Bo")]
    assert joined.across == ()
    assert passages(DOCUMENT, 100) == joined


def test_candidates_are_the_pairs_that_the_passage_owns_and_the_others_are_not_dropped():
    assert pairs_of(passages(DOCUMENT, 1)) == [("Ada", "Bo")]
    assert pairs_of(passages(DOCUMENT, 2)) == [("Ada", "Bo"), ("Ada", "Cy"), ("Bo", "Cy")]  # no pair of sentence 1 and 3
    assert pairs_of(passages(DOCUMENT, 3)) == [("Ada", "Bo"), ("Ada", "Cy"), ("Bo", "Cy"), ("Cy", "Di")]
    report = CandidateReport()
    for sentence in passages(DOCUMENT, 3).sentences:
        Candidates(direction="directed").pairs(sentence, report)
    assert (report.kept, report.positive, report.dropped) == (8, 2, {})


def test_a_passage_ends_where_the_annotation_does():
    half = replace(DOCUMENT, sentences=(*DOCUMENT.sentences[:2], people(2, "Ed", relations=None), people(3, "Di", relations=None)))
    joined = passages(half, 4)
    assert [len(s.parts) for s in joined.sentences] == [2, 0, 2, 0]
    assert [s.relations is None for s in joined.sentences] == [False, False, True, True]
    assert joined.across == half.across[1:]  # between both


def test_a_repeated_relation_is_held_once():
    twice = replace(DOCUMENT, across=DOCUMENT.across[:1] * 2)
    assert named(passages(twice, 2).sentences[0]) == [("Ada", "knows", "Bo"), ("Ada", "knows", "Cy")]
    assert len(held_across(twice, 2)) == 2


def test_trees_become_a_forest_and_are_left_out_if_one_lacks():
    one, other = (Syntax((1, -1), ("a", "b"), ("X", "Y")), Syntax((-1, 0, 1), ("c", "d", "e"), ("X", "Y", "Z")))
    parsed = replace(people(0, "Ada"), syntax=one), replace(people(1, "Bo", "Cy"), syntax=other)
    assert passages(Document("d", parsed), 2).sentences[0].syntax == Syntax((1, -1, -1, 2, 3), tuple("abcde"), ("X", "Y", "X", "Y", "Z"))
    assert passages(Document("d", (parsed[0], people(1, "Bo"))), 2).sentences[0].syntax is None


def test_tags_of_one_sentence_are_joined_with_the_entities_of_the_others():
    tagged = replace(people(0, "Ada"), tagged=(Entity(1, 2, "X"),))
    joined = passages(Document("d", (tagged, people(1, "Bo"))), 2).sentences
    assert [[(e.start, e.end, e.type) for e in s.tag_entities] for s in joined] == [[(1, 2, "X"), (2, 3, "PER")], [(0, 1, "PER")]]
    assert joined[1].tagged is None


def test_sentences_without_the_documents_text_keep_their_own_with_blanks_between_them():
    first = Sentence("a", ("Ada",), (Entity(0, 1, "PER"),), offsets=((5, 8),), original="Ada")
    second = Sentence("b", ("Bo", "left"), (Entity(0, 1, "PER"),), offsets=((10, 12), (13, 17)), original="Bo left")
    (joined, _) = passages(Document("d", (first, second)), 2).sentences
    assert (joined.text, joined.offsets) == ("Ada  Bo left", ((5, 8), (10, 12), (13, 17)))


@given(related_across(), WINDOWS)
def test_every_pair_near_enough_is_owned_once_and_every_relation_held_once(document: Document, window: int):
    annotated = replace(document, sentences=tuple(s.with_relations(s.relations or ()) for s in document.sentences))
    joined = passages(annotated, window)
    owned, held = Counter[tuple[tuple[int, int], ...]](), Counter[tuple[object, ...]]()
    for number, passage in enumerate(joined.sentences):
        places = [(number + n, p) for n, s in enumerate(annotated.sentences[number : number + window]) for p in range(len(s.entities))]
        assert len(places) == len(passage.entities)
        pairs = Candidates(direction="undirected").pairs(passage)
        owned.update(tuple(sorted((places[head], places[tail]))) for head, tail, _ in pairs)
        held.update((places[r.head], places[r.tail], r.type) for r in passage.relations or ())
    all_places = [(n, p) for n, s in enumerate(annotated.sentences) for p in range(len(s.entities))]
    near = [(a, b) for a in all_places for b in all_places if a < b and b[0] - a[0] < window]
    assert owned == Counter(near)
    within = [((n, r.head), (n, r.tail), r.type) for n, s in enumerate(annotated.sentences) for r in s.relations or ()]
    across = [(r.head, r.tail, r.type) for r in annotated.across if r.distance < window]
    assert held == Counter([*within, *across])
    assert Counter(joined.across) + Counter(held_across(annotated, window)) == Counter(annotated.across)


@given(related_across(), WINDOWS)
def test_offsets_and_mentions_are_those_of_the_sentences(document: Document, window: int):
    for number, passage in enumerate(passages(document, window).sentences):
        parts = document.sentences[number : number + max(len(passage.parts), 1)]
        assert passage.tokens == tuple(token for part in parts for token in part.tokens)
        assert passage.offsets is None or passage.offsets == tuple(span for part in parts for span in part.offsets or ())
        assert (passage.offsets is None) == (document.text is None)
        mentions = [(part.text_of(e), e.type, part.characters_of(e)) for part in parts for e in part.entities]
        assert [(passage.text_of(e), e.type, passage.characters_of(e)) for e in passage.entities] == mentions


@given(related_across())
def test_a_window_of_one_sentence_is_the_document_itself(document: Document):
    assert passages(document, 1) is document


@given(related_across(), WINDOWS)
def test_relations_of_passages_go_back_to_where_they_were(document: Document, window: int):
    joined = passages(document, window)
    back = with_relations_of_passages(document, joined.sentences)
    assert back.sentences == document.sentences
    assert Counter(back.across) == Counter(held_across(document, window))


@pytest.mark.parametrize("parts", [(1, 2), (0, 0), (0, 3), (0, 2, 1)])
def test_parts_that_are_none_are_refused(parts: tuple[int, ...]):
    with pytest.raises(DataError, match="expected parts that begin at token 0 and rise below 3"):
        Sentence("s", ("a", "b", "c"), parts=parts)


def test_the_window_is_stored_with_the_candidates_and_older_ones_have_none():
    rule = Candidates(window=3)
    assert Candidates.from_json(rule.to_json()) == rule
    assert "window" not in Candidates().to_json()
    assert Candidates.from_json({"direction": "directed", "type_pairs": None, "max_distance": None}).window == 1
    for wrong in (0, 101, True, "2"):
        with pytest.raises(ConfigError, match=r"candidates.window: expected 1 to 100 sentences"):
            Candidates(window=wrong)  # type: ignore[arg-type]
