"""Folds: nothing is lost, nothing is in two parts, duplicates stay together."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.corpora.groups import SHARED_TOKENS, group_documents
from relsift.errors import ConfigError, DataError
from relsift.experiments.folds import Fold, make_folds, own_fold, sample_documents
from relsift.schema import Document, Sentence

LONG = tuple(f"w{number}" for number in range(SHARED_TOKENS))


def document(name: str, *texts: tuple[str, ...]) -> Document:
    return Document(name, tuple(Sentence(f"{name}-{n}", text, relations=()) for n, text in enumerate(texts)))


def invented(sizes: list[int]) -> list[Document]:
    """Documents of so many sentences that share nothing."""
    return [document(f"d{n}", *[(f"d{n}", f"s{s}")] * size) for n, size in enumerate(sizes) for s in [0]]


sizes = st.lists(st.integers(1, 5), min_size=12, max_size=40)


@given(sizes, st.integers(2, 5), st.integers(0, 3))
def test_every_document_is_tested_once_and_is_in_one_part_of_every_fold(sizes, count, seed):
    documents = invented(sizes)
    folds = make_folds(documents, count, seed=seed, development=0.2)
    assert [fold.number for fold in folds] == list(range(1, count + 1))
    assert Counter(d.id for fold in folds for d in fold.test) == Counter(d.id for d in documents)
    for fold in folds:
        parts = [fold.training, fold.development, fold.test]
        assert all(parts)
        assert Counter(d.id for part in parts for d in part) == Counter(d.id for d in documents)


@given(sizes, st.integers(2, 5))
def test_test_parts_differ_by_no_more_than_the_largest_document(sizes, count):
    folds = make_folds(invented(sizes), count, seed=0, development=0.2)
    tested = [sum(len(d.sentences) for d in fold.test) for fold in folds]
    assert max(tested) - min(tested) <= max(sizes)


def test_the_development_part_is_the_share_asked_for():
    fold = make_folds(invented([1] * 100), 5, seed=0, development=0.25)[0]
    assert (len(fold.training), len(fold.development), len(fold.test)) == (60, 20, 20)


def test_folds_depend_on_the_seed_alone():
    documents = invented([1] * 30)

    def tested(seed: int) -> list[list[str]]:
        return [[d.id for d in fold.test] for fold in make_folds(documents, 3, seed=seed, development=0.2)]

    assert tested(1) == tested(1)
    assert tested(1) != tested(2)


def test_documents_that_share_a_long_sentence_or_an_id_are_one_group():
    one, two, three = document("a", ("x",), LONG), document("b", ("y",)), document("c", LONG)
    again = document("b", ("z",))
    assert group_documents([one, two, three, again]) == [[one, three], [two, again]]


def test_a_short_sentence_joins_nothing():
    short = LONG[:-1]
    assert len(group_documents([document("a", short), document("b", short)])) == 2


def test_groups_join_through_a_third_document():
    other = tuple(reversed(LONG))
    first, last, between = document("a", LONG), document("b", other), document("c", LONG, other)
    assert group_documents([first, last, between]) == [[first, last, between]]


@given(st.integers(0, 5))
def test_duplicates_are_never_on_both_sides_of_a_fold(seed):
    documents = [*invented([1] * 20), *(document(f"copy{n}", LONG) for n in range(4))]

    def copies(part: tuple[Document, ...]) -> bool:
        return any(d.id.startswith("copy") for d in part)

    for fold in make_folds(documents, 4, seed=seed, development=0.3):
        assert sum(map(copies, (fold.training, fold.development, fold.test))) == 1


def test_sentences_come_in_the_order_of_the_documents():
    first, second = document("a", ("x",), ("y",)), document("b", ("z",))
    training, development, test = Fold(1, (first, second), (second,), (first,)).sentences()
    assert [s.id for s in training] == ["a-0", "a-1", "b-0"]
    assert [s.id for s in development] == ["b-0"]
    assert [s.id for s in test] == ["a-0", "a-1"]


@given(sizes, st.integers(1, 60), st.integers(0, 3))
def test_a_sample_has_whole_documents_in_their_order_and_just_enough_sentences(sizes, wanted, seed):
    documents = invented(sizes)
    sample = sample_documents(documents, wanted, seed=seed)
    assert sample == [d for d in documents if d in sample]
    count = sum(len(d.sentences) for d in sample)
    assert count >= min(wanted, sum(sizes))
    assert count - max(len(d.sentences) for d in sample) < wanted


def test_too_few_documents_are_an_error_that_counts_groups():
    with pytest.raises(DataError, match="at least 6 documents for 3 folds, got 5"):
        make_folds([*invented([1] * 4), document("x", LONG), document("y", LONG)], 3, seed=0, development=0.2)
    with pytest.raises(ConfigError, match="folds"):
        make_folds(invented([1] * 9), 1, seed=0, development=0.2)
    with pytest.raises(ConfigError, match="development"):
        make_folds(invented([1] * 9), 2, seed=0, development=1.0)


# ---- the corpus's own split


def parts(train: int, dev: int, test: int) -> dict[str, list[Document]]:
    """So many documents of one sentence in each part."""
    counts = {"train": train, "dev": dev, "test": test}
    return {name: [document(f"{name}{n}", (name, str(n))) for n in range(count)] for name, count in counts.items()}


def test_the_own_split_is_one_fold_of_the_parts_as_they_are():
    corpus = parts(7, 2, 3)
    corpus["test"].append(document("copy", LONG))
    corpus["train"].append(document("original", LONG))  # a duplicate stays where the corpus has it
    fold = own_fold(corpus, where="corpus", sentences=None, seed=0)
    assert fold == Fold(1, *(tuple(corpus[name]) for name in ("train", "dev", "test")))


def test_a_sample_of_the_own_split_takes_its_share_of_every_part():
    fold = own_fold(parts(70, 10, 20), where="corpus", sentences=10, seed=0)
    assert (len(fold.training), len(fold.development), len(fold.test)) == (7, 1, 2)
    assert all(d.id.startswith("dev") for d in fold.development) and all(d.id.startswith("test") for d in fold.test)
    assert own_fold(parts(70, 10, 20), where="corpus", sentences=10, seed=1) != fold
    tiny = own_fold(parts(200, 1, 1), where="corpus", sentences=10, seed=0)
    assert len(tiny.development) == len(tiny.test) == 1  # no part is left without a document


@pytest.mark.parametrize(
    ("corpus", "missing"), [({}, "train, dev, test"), ({"train": [1], "test": [1]}, "dev"), (parts(1, 1, 0), "test")]
)
def test_a_corpus_without_all_parts_has_no_split_of_its_own(corpus, missing):
    with pytest.raises(DataError, match=f"notes: expected a corpus with annotated parts train, dev, test, got none for {missing}; leave"):
        own_fold(corpus, where="notes", sentences=None, seed=0)
