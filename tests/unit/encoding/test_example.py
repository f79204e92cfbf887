"""From a sentence and its candidate pairs to examples: one for each group of pairs that share a reading."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from relsift.candidates import Candidates, Pair
from relsift.config import TagView
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Work, examples_of
from relsift.encoding.tags import TagInput
from relsift.encoding.trees import TreeVocabulary
from relsift.encoding.types import EntityTypes
from relsift.encoding.words import WordVocabulary
from relsift.errors import DataError
from relsift.schema import Entity, Relation, Sentence, Syntax

TYPES = EntityTypes(("ORG", "PER"))
WORDS, TREES = WordVocabulary(("Ada", "runs", "Acme")), TreeVocabulary(("object", "subject"), ("N", "V"))
ENCODING = Encoding(("owns", "works_for"), TYPES, WORDS, TagInput(TYPES), TREES)
BY_PAIR = replace(ENCODING, tags=TagInput(TYPES, "pair"), unit="pair")
THREE = Sentence("3", ("Ada", "Acme", "Bo"), (Entity(0, 1, "PER"), Entity(1, 2, "ORG"), Entity(2, 3, "VEH")), ())


def test_a_sentence_by_hand():
    [example] = examples_of(THREE, [Pair(0, 1, ("works_for",)), Pair(2, 0), Pair(1, 0, ("works_for", "owns"))], ENCODING)
    assert (example.length, example.words, example.tags, example.trees) == (3, [1, 3, 0], [3, 1, 0], None)  # Bo was never seen
    assert (example.spans, example.types) == ([(0, 1), (1, 2), (2, 3)], [1, 0, -1])  # nor was VEH
    assert (example.heads, example.tails, example.places) == ([0, 2, 1], [1, 0, 0], [0, 1, 2])
    assert sorted(example.labels) == [(0, 1), (2, 0), (2, 1)]  # pair 0 works_for; pair 2 owns and works_for
    assert example.work == Work(tokens=3, pairs=3)


def test_trees_are_encoded_where_the_sentence_has_them():
    parsed = replace(THREE, syntax=Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "X")))
    [example] = examples_of(parsed, [], ENCODING)
    assert example.trees == ([1, -1, 1], [2, 0, 1], [1, 2, 0])  # "root" and X were never seen
    assert examples_of(parsed, [], replace(ENCODING, trees=None))[0].trees is None


def test_inputs_that_are_not_read_are_left_out():
    [example] = examples_of(THREE, [Pair(0, 1)], replace(ENCODING, words=None, tags=None, trees=None))
    assert (example.words, example.tags, example.trees) == (None, None, None)
    assert (example.length, example.types) == (3, [1, 0, -1])


def test_prediction_ignores_annotations_and_training_refuses_unknown_relation_types():
    pairs = [Pair(0, 1, ("never seen",)), Pair(1, 0)]
    assert examples_of(THREE, pairs, ENCODING, labelled=False)[0].labels == []
    with pytest.raises(DataError, match="expected one of owns, works_for, got 'never seen'"):
        examples_of(THREE, pairs, ENCODING)


# ---- readings that depend on the pair


def test_each_pair_gets_a_copy_with_its_own_tags_and_its_reverse_shares_it():
    sentence = THREE.with_relations([Relation(1, 2, "owns"), Relation(0, 1, "works_for")])
    pairs = Candidates().pairs(sentence)
    assert [(pair.head, pair.tail) for pair in pairs] == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]  # no pair beside its reverse
    copies = examples_of(sentence, pairs, BY_PAIR)
    assert [list(zip(e.heads, e.tails)) for e in copies] == [[(0, 1), (1, 0)], [(0, 2), (2, 0)], [(1, 2), (2, 1)]]
    assert [e.labels for e in copies] == [[(0, 1)], [], [(0, 0)]]  # positions within the copy
    assert [e.places for e in copies] == [[0, 2], [1, 4], [3, 5]]
    assert [list(e.tags or ()) for e in copies] == [[3, 1, 0], [3, 0, 0], [0, 1, 0]]  # B-ORG 1, B-PER 3
    assert all(e.spans == [(0, 1), (1, 2), (2, 3)] for e in copies)  # every copy has all entities


def test_all_pairs_of_a_head_share_a_copy():
    copies = examples_of(THREE, Candidates().pairs(THREE), replace(ENCODING, unit="head"))
    assert [list(zip(e.heads, e.tails)) for e in copies] == [[(0, 1), (0, 2)], [(1, 0), (1, 2)], [(2, 0), (2, 1)]]
    assert all(e.tags == [3, 1, 0] for e in copies)


@pytest.mark.parametrize("encoding", [ENCODING, BY_PAIR])
def test_a_sentence_without_pairs_is_one_example_all_the_same(encoding: Encoding):
    [example] = examples_of(THREE, [], encoding)
    assert (example.heads, example.tails, example.labels, example.places) == ([], [], [], [])
    assert example.work == Work(3, 0)


@pytest.mark.parametrize("view", ["pair", "others"])
def test_the_memory_of_pairs_with_tags_of_their_own_does_not_grow_with_the_tokens(view: TagView):
    def taken(tokens: int) -> int:
        entities = tuple(Entity(number, number + 1, "ABC"[number % 3]) for number in range(40))
        sentence = Sentence("s", ("word",) * tokens, entities, (Relation(0, 1, "owns"),))
        encoding = Encoding.fit([sentence], tags=view, reads={"words", "tags"})
        pairs = Candidates().pairs(sentence)
        tracemalloc.start()
        try:
            examples = examples_of(sentence, pairs, encoding)
            assert len(examples) == 40 * 39 // 2
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert taken(4000) < taken(40) + 200_000  # bytes; one tag a token for each of 780 pairs would be 25 million
