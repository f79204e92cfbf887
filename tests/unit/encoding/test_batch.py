"""From sentences to one batch of tensors, and how examples are cut into batches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import Candidates, Pair
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.batch import given as given_input
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Work, examples_of
from relsift.encoding.tags import OUTSIDE, TagInput
from relsift.encoding.trees import TreeVocabulary
from relsift.encoding.types import EntityTypes
from relsift.encoding.words import UNKNOWN_WORD, WordVocabulary
from relsift.errors import ShapeError
from relsift.schema import Entity, Relation, Sentence, Syntax
from strategies import sentences

TYPES = EntityTypes(("ORG", "PER"))
ENCODING = Encoding(("owns", "works_for"), TYPES, WordVocabulary(("Ada", "runs", "Acme")), TagInput(TYPES), None)
FIRST = Sentence("1", ("Ada", "runs", "Acme", "now"), (Entity(0, 1, "PER"), Entity(2, 4, "ORG")), (Relation(0, 1, "works_for"),))
NOBODY = Sentence("2", ("runs",), (), ())
LONELY = Sentence("3", ("Acme", "runs"), (Entity(0, 1, "ORG"),), ())
LAST = Sentence("4", ("Ada", "Acme"), (Entity(0, 1, "PER"), Entity(1, 2, "VEH")), ())


def batch_of(*group: Sentence, encoding: Encoding = ENCODING) -> Batch:
    return collate([example for s in group for example in examples_of(s, Candidates().pairs(s), encoding)], encoding)


def test_one_sentence_by_hand():
    batch = batch_of(FIRST)
    assert batch.words.tolist() == [[1, 2, 3, UNKNOWN_WORD]]
    assert batch.tags.tolist() == [[3, OUTSIDE, 1, 2]]  # B-PER O B-ORG I-ORG
    assert batch.lengths.tolist() == [4]
    assert batch.entities.span.tolist() == [[0, 1], [2, 4]]
    assert batch.entities.type.tolist() == [1, 0]
    assert list(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())) == [(0, 1), (1, 0)]
    assert batch.pairs.labels.tolist() == [[False, True], [False, False]]
    assert batch.pairs.labels.dtype == torch.bool
    assert (batch.num_tokens, batch.trees) == (4, None)


def test_entities_and_pairs_are_shifted_to_rows_of_the_batch():
    # Entities: 0, 1 of FIRST; none of NOBODY; 2 of LONELY; 3, 4 of LAST.
    batch = batch_of(FIRST, NOBODY, LONELY, LAST)
    assert batch.entities.sentence.tolist() == [0, 0, 2, 3, 3]
    assert batch.entities.span.tolist() == [[0, 1], [2, 4], [0, 1], [0, 1], [1, 2]]
    assert batch.entities.type.tolist() == [1, 0, 0, 1, -1]  # VEH was never seen
    assert batch.pairs.sentence.tolist() == [0, 0, 3, 3]
    assert list(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())) == [(0, 1), (1, 0), (3, 4), (4, 3)]
    assert len(batch.pairs) == 4


def test_short_sentences_are_padded_and_masked():
    batch = batch_of(FIRST, LONELY)
    assert batch.words.tolist()[1] == [3, 2, UNKNOWN_WORD, UNKNOWN_WORD]
    assert batch.tags.tolist()[1] == [1, OUTSIDE, OUTSIDE, OUTSIDE]
    assert batch.mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert batch.first.tolist() == [0, 4]


def test_sentences_without_pairs_still_make_a_batch():
    batch = batch_of(NOBODY, LONELY)
    assert (len(batch.pairs), batch.words.shape, batch.entities.span.shape) == (0, (2, 2), (1, 2))
    assert batch.pairs.labels.shape == (0, 2)
    assert batch_of(NOBODY).entities.span.shape == (0, 2)
    e, p = batch.entities, batch.pairs
    tensors = [batch.lengths, batch.words, batch.tags, e.sentence, e.span, e.type, p.sentence, p.head, p.tail]
    assert {tensor.dtype for tensor in tensors} == {torch.int64}


def test_a_pair_with_two_relations_has_two_labels():
    both = FIRST.with_relations([Relation(1, 0, "works_for"), Relation(0, 1, "works_for"), Relation(0, 1, "owns")])
    batch = batch_of(LAST, both)
    assert batch.pairs.labels.tolist() == [[False, False], [False, False], [True, True], [False, True]]


def test_inputs_that_are_not_read_are_missing_and_asking_for_them_says_so():
    batch = batch_of(FIRST, LONELY, encoding=replace(ENCODING, words=None, tags=None))
    assert (batch.words, batch.tags, batch.trees) == (None, None, None)
    assert batch.lengths.tolist() == [4, 2]
    with pytest.raises(ShapeError, match=r"batch\.words: expected the input that this model reads \(see READS\)"):
        given_input(batch.words, "words")
    assert given_input(batch.lengths, "lengths") is batch.lengths


@given(st.lists(sentences(annotated=True), min_size=1, max_size=5), st.sampled_from(["directed", "undirected"]))
def test_a_batch_holds_every_sentence_unchanged(group: list[Sentence], direction: str):
    encoding = Encoding.fit([*group, FIRST])
    rule = Candidates(direction=direction)
    batch = collate([example for s in group for example in examples_of(s, rule.pairs(s), encoding)], encoding)
    words, size = (None, *encoding.words.words), max(len(s.tokens) for s in group)
    assert batch.words.shape == batch.tags.shape == batch.mask.shape == (len(group), size)
    row = pair_row = 0
    for number, sentence in enumerate(group):
        length = len(sentence.tokens)
        assert int(batch.lengths[number]) == length
        assert [words[i] for i in batch.words[number, :length].tolist()] == list(sentence.tokens)
        assert not batch.words[number, length:].any()
        assert not batch.tags[number, length:].any()
        for entity in sentence.entities:
            assert int(batch.entities.sentence[row]) == number
            assert batch.entities.span[row].tolist() == [entity.start, entity.end]
            assert encoding.types.names[int(batch.entities.type[row])] == entity.type
            row += 1
        first = row - len(sentence.entities)
        for pair in rule.pairs(sentence):
            assert int(batch.pairs.sentence[pair_row]) == number
            assert (int(batch.pairs.head[pair_row]) - first, int(batch.pairs.tail[pair_row]) - first) == (pair.head, pair.tail)
            assert [name for name, holds in zip(encoding.labels, batch.pairs.labels[pair_row]) if holds] == sorted(pair.types)
            pair_row += 1
    assert (row, pair_row) == (len(batch.entities), len(batch.pairs))


WORKS = st.lists(st.builds(Work, st.integers(1, 12), st.integers(0, 9)), max_size=25)
SEEDS = st.none() | st.integers(0, 5)


def test_batches_are_closed_before_they_would_pass_a_limit():
    works = [Work(5, 2), Work(3, 2), Work(4, 1), Work(2, 0)]  # tokens, pairs; the last has no pairs: it is left out
    # By length: 3, 4, 5 tokens. Two sentences of at most 4 tokens fill 8; a third of 5 would make 15.
    assert list(cut(works, max_pairs=100, max_tokens=8)) == [[1, 2], [0]]
    assert list(cut(works, max_pairs=3, max_tokens=100)) == [[1, 2], [0]]
    assert list(cut(works, max_pairs=5, max_tokens=15)) == [[1, 2, 0]]


def test_one_sentence_beyond_a_limit_is_a_batch_of_its_own():
    assert list(cut([Work(2, 1), Work(50, 90), Work(2, 1)], max_pairs=10, max_tokens=10)) == [[0, 2], [1]]


@given(WORKS, st.integers(1, 12), st.integers(1, 40), SEEDS)
def test_no_batch_of_several_passes_a_limit(works: list[Work], max_pairs: int, max_tokens: int, seed: int | None):
    for batch in cut(works, max_pairs=max_pairs, max_tokens=max_tokens, seed=seed):
        assert batch
        if len(batch) > 1:
            assert sum(works[number].pairs for number in batch) <= max_pairs
            assert max(works[number].tokens for number in batch) * len(batch) <= max_tokens  # padding counted


@given(WORKS, st.integers(1, 12), st.integers(1, 40), SEEDS)
def test_every_example_with_pairs_appears_exactly_once(works: list[Work], max_pairs: int, max_tokens: int, seed: int | None):
    order = [number for batch in cut(works, max_pairs=max_pairs, max_tokens=max_tokens, seed=seed) for number in batch]
    assert sorted(order) == [number for number, work in enumerate(works) if work.pairs]
    if seed is None:
        assert [works[number].tokens for number in order] == sorted(works[number].tokens for number in order)


def test_a_seed_gives_the_same_order_again_and_another_seed_another_one():
    works = [Work(1 + number % 7, 1) for number in range(40)]

    def order(seed: int) -> list[list[int]]:
        return list(cut(works, max_pairs=5, max_tokens=50, seed=seed))

    assert order(1) == order(1)
    assert order(1) != order(2)


# ---- dependency trees

TREES = replace(ENCODING, trees=TreeVocabulary(("object", "subject"), ("N", "V")))


def parsed(sentence: Sentence, *heads: int) -> Sentence:
    labels = tuple("subject" if head >= 0 else "root" for head in heads)
    return replace(sentence, syntax=Syntax(heads, labels, ("N",) * len(heads)))


def test_trees_are_padded_like_tokens():
    batch = batch_of(parsed(FIRST, 1, -1, 1, 1), parsed(LAST, -1, 0), encoding=TREES)
    assert batch.trees is not None
    assert batch.trees.parent.tolist() == [[1, -1, 1, 1], [-1, 0, -1, -1]]
    assert batch.trees.dependency.tolist() == [[2, 0, 2, 2], [0, 2, 0, 0]]  # "root" was never seen
    assert batch.trees.pos.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]


def test_there_are_no_trees_unless_the_encoding_knows_them_and_every_sentence_has_one():
    one, other = parsed(FIRST, 1, -1, 1, 1), LAST
    for encoding, group in ((ENCODING, [one]), (TREES, [one, other])):
        batch = batch_of(*group, encoding=encoding)
        assert batch.trees is batch.to("cpu").trees is None


# ---- copies, and other devices


def test_copies_of_a_sentence_count_as_sentences_and_each_has_all_entities():
    by_pair = replace(ENCODING, tags=TagInput(TYPES, "pair"), unit="pair")
    three = Sentence("5", ("Ada", "Acme", "Bo"), (Entity(0, 1, "PER"), Entity(1, 2, "ORG"), Entity(2, 3, "PER")), ())
    pairs = [Pair(2, 1, ("owns",)), Pair(0, 1), Pair(1, 2)]
    batch = collate(examples_of(three, pairs, by_pair), by_pair)
    assert batch.words.tolist() == [[1, 3, UNKNOWN_WORD]] * 2
    assert batch.tags.tolist() == [[0, 1, 3], [3, 1, 0]]
    assert batch.entities.sentence.tolist() == [0, 0, 0, 1, 1, 1]
    rows = zip(*(part.tolist() for part in (batch.pairs.sentence, batch.pairs.head, batch.pairs.tail)))
    assert list(rows) == [(0, 2, 1), (0, 1, 2), (1, 3, 4)]
    assert batch.pairs.labels.tolist() == [[True, False], [False, False], [False, False]]


def test_every_tensor_moves_to_the_device():
    # "meta" holds shapes without values; it is there on every machine.
    batch = batch_of(parsed(FIRST, 1, -1, 1, 1), encoding=TREES)
    moved = batch.to("meta")
    parts = [(batch, moved), (batch.trees, moved.trees), (batch.entities, moved.entities), (batch.pairs, moved.pairs)]
    tensors = [(before, vars(two)[name]) for one, two in parts for name, before in vars(one).items() if isinstance(before, torch.Tensor)]
    assert len(tensors) == 3 + 3 + 3 + 4
    for before, after in tensors:
        assert (after.device.type, after.shape, after.dtype) == ("meta", before.shape, before.dtype)
