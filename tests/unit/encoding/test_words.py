"""Words as rows of a table, redone by hand; what was never seen in training."""

from __future__ import annotations

from relsift.encoding.words import UNKNOWN_WORD, WordVocabulary
from relsift.schema import Sentence

TRAINING = (Sentence("1", ("The", "the", "Ada")), Sentence("2", ("the", "ada", "ADA")))


def test_frequent_words_come_first_and_equal_ones_in_alphabetical_order():
    words = WordVocabulary.fit(TRAINING)
    assert words.words == ("the", "ADA", "Ada", "The", "ada")  # "the" twice, the others once
    assert words.ids(("the", "ada")) == [1, 5]
    assert words.num_rows == 6


def test_unknown_words_are_zero():
    assert WordVocabulary.fit(TRAINING).ids(["Oslo"]) == [UNKNOWN_WORD] == [0]


def test_lower_case_merges_spellings_before_they_are_counted_and_looked_up():
    words = WordVocabulary.fit(TRAINING, lowercase=True)
    assert words.words == ("ada", "the")  # three each
    assert words.ids(["aDa"]) == [1]
    assert list(words.forms(["aDa", "The"])) == ["ada", "the"]
    assert WordVocabulary.fit(TRAINING).ids(["aDa"]) == [UNKNOWN_WORD]


def test_words_rarer_than_min_count_stay_unknown():
    assert WordVocabulary.fit(TRAINING, min_count=2).words == ("the",)
    assert WordVocabulary.fit(TRAINING, lowercase=True, min_count=3).words == ("ada", "the")
    assert WordVocabulary.fit(TRAINING, min_count=4).words == ()


def test_further_words_stand_behind_those_of_training_and_serve_other_spellings_too():
    words = WordVocabulary.fit(TRAINING, further=["oslo", "ada", "Rome", "oslo"])
    assert (words.words, words.further) == (("the", "ADA", "Ada", "The", "ada"), ("oslo", "Rome"))
    assert (words.num_rows, words.num_trained) == (8, 6)
    assert words.all == (*words.words, *words.further)
    assert words.ids(["ada", "oslo", "Oslo", "Rome", "rome", "ROME"]) == [5, 6, 6, 7, UNKNOWN_WORD, UNKNOWN_WORD]
    assert WordVocabulary.fit(TRAINING, lowercase=True, further=["Oslo", "THE"]).further == ("oslo",)
