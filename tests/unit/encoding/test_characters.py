"""Characters and case of tokens, redone by hand."""

from __future__ import annotations

import pytest

from relsift.encoding.batch import collate
from relsift.encoding.characters import CASES, MOST_CHARACTERS, PADDING, UNKNOWN_CHARACTER, CharacterVocabulary, case_of
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.errors import CheckpointError
from relsift.schema import Sentence
from toy import sentences

KNOWN = CharacterVocabulary.fit([Sentence("1", ("aba", "b", "c"))])


def test_characters_that_occur_twice_have_a_row_and_others_are_unknown():
    assert KNOWN.characters == ("a", "b")
    assert KNOWN.num_rows == 4
    assert KNOWN.ids("abcb") == [2, 3, UNKNOWN_CHARACTER, 3]


def test_of_a_long_token_the_beginning_and_the_end_are_read():
    half = MOST_CHARACTERS // 2
    assert KNOWN.ids("a" * half + "b" * half) == [2] * half + [3] * half
    assert KNOWN.ids("a" * half + "x" * 1000 + "b" * half) == [2] * half + [3] * half


def test_equal_tokens_of_a_batch_share_a_row():
    looks = KNOWN.looks(["b", "A1", "b"])
    assert looks.characters == [[3], [1, 1]]
    assert [CASES[case] for case in looks.cases] == ["lower", "with digits"]
    assert looks.place == [0, 1, 0]


@pytest.mark.parametrize(
    ("token", "case"),
    [
        ("1984", "number"), ("the", "lower"), ("well-known", "lower"), ("USA", "upper"), ("U.S.", "upper"), ("A", "title"),
        ("Ada", "title"), ("McCoy", "mixed"), ("B-52", "with digits"), ("1,000", "with digits"), ("中", "without case"), (",", "other"),
        ("½", "other"),
    ],
)  # fmt: skip
def test_case(token, case):
    assert CASES[case_of(token)] == case


def test_a_batch_has_the_characters_of_its_different_tokens_padded_behind():
    known = Encoding.fit(sentences(40), reads={"characters"})
    group = [Sentence("1", ("in", "Oslo")), Sentence("2", ("Oslo",))]
    batch = collate([example for sentence in group for example in examples_of(sentence, [], known)], known)
    assert batch.words is None and batch.characters is not None and known.characters is not None
    assert batch.characters.ids.tolist() == [[*known.characters.ids("in"), PADDING, PADDING], known.characters.ids("Oslo")]
    assert batch.characters.place.tolist() == [0, 1, 1]
    assert [CASES[case] for case in batch.characters.case.tolist()] == ["lower", "title"]
    moved = batch.to("meta").characters
    assert moved is not None and moved.ids.is_meta and moved.place.is_meta


def test_broken_characters_in_a_file_are_refused():
    value = Encoding.fit(sentences(8)).to_json()
    for broken in ("aab", ["a", "b"], 3):
        with pytest.raises(CheckpointError, match="characters: expected a text of different characters"):
            Encoding.from_json(value | {"characters": broken})
