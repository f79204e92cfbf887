"""From sentences to one batch of tensors, and how examples are cut into batches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import NO_RELATION, Candidates, Pair
from relsift.encoding.batch import collate, cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.encoding.tags import OUTSIDE
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import DataError, ShapeError
from relsift.losses.labels import first_label
from relsift.schema import Entity, Relation, Sentence, Syntax
from strategies import sentences

ENCODING = Encoding(("Ada", "runs", "Acme"), ("ORG", "PER"), ("owns", "works_for"))
FIRST = Sentence("1", ("Ada", "runs", "Acme", "now"), (Entity(0, 1, "PER"), Entity(2, 4, "ORG")), (Relation(0, 1, "works_for"),))
NOBODY = Sentence("2", ("runs",), (), ())
LONELY = Sentence("3", ("Acme", "runs"), (Entity(0, 1, "ORG"),), ())
LAST = Sentence("4", ("Ada", "Acme"), (Entity(0, 1, "PER"), Entity(1, 2, "VEH")), ())


def batch_of(*group: Sentence, labelled: bool = True):
    return collate([encode(s, Candidates().pairs(s), ENCODING, labelled=labelled) for s in group])


def test_one_sentence_by_hand():
    batch = batch_of(FIRST)
    assert batch.words.tolist() == [[1, 2, 3, UNKNOWN_WORD]]
    assert batch.tags.tolist() == [[3, OUTSIDE, 1, 2]]  # B-PER O B-ORG I-ORG
    assert batch.lengths.tolist() == [4]
    assert batch.entities.span.tolist() == [[0, 1], [2, 4]]
    assert batch.entities.type.tolist() == [1, 0]
    assert list(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())) == [(0, 1), (1, 0)]
    assert first_label(batch.pairs.labels).tolist() == [1, NO_RELATION]


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


def test_sentences_without_pairs_still_make_a_batch():
    batch = batch_of(NOBODY, LONELY)
    assert (len(batch.pairs), batch.words.shape, batch.entities.span.shape) == (0, (2, 2), (1, 2))
    assert batch_of(NOBODY).entity_span.shape == (0, 2)
    values = [getattr(batch, name) for name in batch.__dataclass_fields__]
    assert {value.dtype for value in values if value is not None} == {torch.int64}


def test_prediction_ignores_annotations_and_training_refuses_unknown_labels():
    strange = FIRST.with_relations([Relation(0, 1, "never seen")])
    assert batch_of(strange, labelled=False).label.tolist() == [NO_RELATION, NO_RELATION]
    with pytest.raises(DataError, match="expected one of owns, works_for, got 'never seen'"):
        batch_of(strange)


@given(st.lists(sentences(annotated=True), min_size=1, max_size=5), st.sampled_from(["directed", "undirected"]))
def test_a_batch_holds_every_sentence_unchanged(group: list[Sentence], direction: str):
    encoding = Encoding.fit([*group, FIRST])
    rule = Candidates(direction=direction)
    batch = collate([encode(s, rule.pairs(s), encoding) for s in group])
    words, size = (None, *encoding.words), max(len(s.tokens) for s in group)
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
            assert encoding.entity_types[int(batch.entities.type[row])] == entity.type
            row += 1
        first = row - len(sentence.entities)
        for pair in rule.pairs(sentence):
            assert int(batch.pairs.sentence[pair_row]) == number
            assert (int(batch.pairs.head[pair_row]) - first, int(batch.pairs.tail[pair_row]) - first) == (pair.head, pair.tail)
            label = int(first_label(batch.pairs.labels)[pair_row])
            assert (None if label == NO_RELATION else encoding.labels[label]) == pair.type
            pair_row += 1
    assert (row, pair_row) == (len(batch.entities.type), len(batch.pairs))


SIZES = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 9)), max_size=25)  # tokens, pairs
SEEDS = st.none() | st.integers(0, 5)


def test_batches_are_closed_before_they_would_pass_a_limit():
    sizes = [(5, 2), (3, 2), (4, 1), (2, 0)]  # the last has no pairs: it is left out
    # By length: 3, 4, 5 tokens. Two sentences of at most 4 tokens fill 8; a third of 5 would make 15.
    assert list(cut(sizes, max_pairs=100, max_tokens=8)) == [[1, 2], [0]]
    assert list(cut(sizes, max_pairs=3, max_tokens=100)) == [[1, 2], [0]]
    assert list(cut(sizes, max_pairs=5, max_tokens=15)) == [[1, 2, 0]]


def test_one_sentence_beyond_a_limit_is_a_batch_of_its_own():
    assert list(cut([(2, 1), (50, 90), (2, 1)], max_pairs=10, max_tokens=10)) == [[0, 2], [1]]


@given(SIZES, st.integers(1, 12), st.integers(1, 40), SEEDS)
def test_no_batch_of_several_passes_a_limit(sizes: list[tuple[int, int]], max_pairs: int, max_tokens: int, seed: int | None):
    for batch in cut(sizes, max_pairs=max_pairs, max_tokens=max_tokens, seed=seed):
        assert batch
        if len(batch) > 1:
            assert sum(sizes[number][1] for number in batch) <= max_pairs
            assert max(sizes[number][0] for number in batch) * len(batch) <= max_tokens  # padding counted


@given(SIZES, st.integers(1, 12), st.integers(1, 40), SEEDS)
def test_every_example_with_pairs_appears_exactly_once(sizes, max_pairs: int, max_tokens: int, seed: int | None):
    shown = [number for batch in cut(sizes, max_pairs=max_pairs, max_tokens=max_tokens, seed=seed) for number in batch]
    assert sorted(shown) == [number for number, (_, pairs) in enumerate(sizes) if pairs]
    if seed is None:
        assert [sizes[number][0] for number in shown] == sorted(sizes[number][0] for number in shown)


def test_a_seed_gives_the_same_order_again_and_another_seed_another_one():
    sizes = [(1 + number % 7, 1) for number in range(40)]

    def order(seed: int) -> list[list[int]]:
        return list(cut(sizes, max_pairs=5, max_tokens=50, seed=seed))

    assert order(1) == order(1)
    assert order(1) != order(2)


# ---- dependency trees

TREES = replace(ENCODING, dependencies=("object", "subject"), pos=("N", "V"))


def parsed(sentence: Sentence, *heads: int) -> Sentence:
    labels = tuple("subject" if head >= 0 else "root" for head in heads)
    return replace(sentence, syntax=Syntax(heads, labels, ("N",) * len(heads)))


def test_trees_are_padded_like_tokens():
    group = [parsed(FIRST, 1, -1, 1, 1), parsed(LAST, -1, 0)]
    batch = collate([encode(s, Candidates().pairs(s), TREES) for s in group])
    assert batch.trees.parent.tolist() == [[1, -1, 1, 1], [-1, 0, -1, -1]]
    assert batch.trees.dependency.tolist() == [[2, 0, 2, 2], [0, 2, 0, 0]]  # "root" was never seen
    assert batch.trees.pos.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    moved = batch.to("cpu")
    assert torch.equal(moved.head, batch.trees.parent)


def test_there_are_no_trees_unless_the_encoding_knows_them_and_every_sentence_has_one():
    one, other = parsed(FIRST, 1, -1, 1, 1), LAST
    for encoding, group in ((ENCODING, [one]), (TREES, [one, other])):
        batch = collate([encode(s, Candidates().pairs(s), encoding) for s in group])
        assert batch.trees.parent is batch.trees.dependency is batch.trees.pos is batch.to("cpu").head is None


# ---- tags that depend on the pair


BY_PAIR = replace(ENCODING, tags="pair")
THREE = Sentence("5", ("Ada", "Acme", "Bo"), (Entity(0, 1, "PER"), Entity(1, 2, "ORG"), Entity(2, 3, "PER")), ())


def test_one_row_of_tags_makes_one_example_of_a_sentence():
    pairs = Candidates().pairs(THREE)
    assert examples_of(THREE, pairs, ENCODING) == [encode(THREE, pairs, ENCODING)]


def test_each_pair_gets_a_copy_with_its_own_tags_in_the_order_of_the_pairs():
    pairs = [Pair(2, 1), Pair(0, 1, ("works_for",)), Pair(1, 0), Pair(2, 1, ("owns",))]
    copies = examples_of(THREE, pairs, BY_PAIR)
    assert [list(zip(e.heads, e.tails, e.labels)) for e in copies] == [[(2, 1, -1)], [(0, 1, 1), (1, 0, -1)], [(2, 1, 0)]]
    assert [e.tags for e in copies] == [[0, 1, 3], [3, 1, 0], [0, 1, 3]]  # B-ORG 1, B-PER 3
    assert all(e.spans == [(0, 1), (1, 2), (2, 3)] for e in copies)  # every copy has all entities
    unlabelled = examples_of(THREE, pairs, BY_PAIR, labelled=False)
    assert {label for e in unlabelled for label in e.labels} == {NO_RELATION}


def test_a_sentence_without_pairs_is_one_example_all_the_same():
    assert [e.heads for e in examples_of(LONELY, [], BY_PAIR)] == [[]]


def test_pairs_that_need_several_rows_of_tags_are_refused_as_one_example():
    with pytest.raises(ShapeError, match="pairs: expected those of two entities, for the tags 'pair', got 3 entities"):
        encode(THREE, Candidates().pairs(THREE), BY_PAIR)
