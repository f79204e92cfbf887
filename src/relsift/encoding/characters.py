"""What a token looks like: its characters and its case. A word that training never saw has both.

Letters: W different tokens of a batch, L characters of the longest, N real tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from relsift.schema import Sentence

PADDING, UNKNOWN_CHARACTER = 0, 1  # rows of a table of characters
SPECIAL = 2  # rows before that of the first character
RARE = 2  # a character with fewer occurrences in the training data is unknown, so that the row of unknown ones is trained
MOST_REMEMBERED = 2**16  # tokens: at most some 30 MB
MOST_CHARACTERS = 24  # of a token: of a longer one, such as an address, its beginning and its end are read, half of these each

CASES = ("number", "lower", "upper", "title", "mixed", "with digits", "without case", "other")
"""number: digits only; title: a capital first, or one capital alone; with digits: beside other characters; without case: letters of a
script that has none; other: neither letters nor digits."""


class Looks(NamedTuple):
    """The different tokens of a batch, and which token is which."""

    characters: list[list[int]]  # of each different token
    cases: list[int]  # of each different token, a position in CASES
    place: list[int]  # of each of the N tokens, its row in the two lists


@dataclass(frozen=True)
class CharacterVocabulary:
    """The characters of the training data."""

    characters: tuple[str, ...]  # the character of row n is characters[n - 2]

    @classmethod
    def fit(cls, sentences: Iterable[Sentence]) -> CharacterVocabulary:
        """The characters of the *training* sentences, in the order of their code points; those rarer than RARE stay unknown."""
        counts = Counter(character for sentence in sentences for token in sentence.tokens for character in token)
        return cls(tuple(sorted(character for character, count in counts.items() if count >= RARE)))

    @property
    def num_rows(self) -> int:
        """Rows of a table of characters."""
        return len(self.characters) + SPECIAL

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {character: number for number, character in enumerate(self.characters, start=SPECIAL)}

    def ids(self, token: str) -> list[int]:
        """One row a character; of a long token those of its beginning and of its end."""
        if len(token) > MOST_CHARACTERS:
            token = token[: MOST_CHARACTERS // 2] + token[-MOST_CHARACTERS // 2 :]
        rows = self._rows
        return [rows.get(character, UNKNOWN_CHARACTER) for character in token]

    def looks(self, tokens: Iterable[str]) -> Looks:
        """Of the tokens of a batch. Equal ones share a row."""
        places: dict[str, int] = {}
        place = [places.setdefault(token, len(places)) for token in tokens]  # `len` before the token is added: the next row
        looks = [self._look(token) for token in places]
        return Looks([ids for ids, _ in looks], [case for _, case in looks], place)

    def _look(self, token: str) -> tuple[list[int], int]:
        """Characters and case of a token; those of the last tokens are remembered, since most come again."""
        known = self._remembered
        look = known.get(token)
        if look is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            look = known[token] = self.ids(token), case_of(token)
        return look

    @cached_property
    def _remembered(self) -> dict[str, tuple[list[int], int]]:
        return {}


def case_of(token: str) -> int:
    """Its position in CASES."""
    if token.isdigit():
        return CASES.index("number")
    if any(character.isdigit() for character in token):
        return CASES.index("with digits")
    if not any(character.isalpha() for character in token):
        return CASES.index("other")
    if token.islower():
        return CASES.index("lower")
    if token.isupper():
        return CASES.index("upper" if len(token) > 1 else "title")
    if token.istitle():
        return CASES.index("title")
    return CASES.index("mixed" if token.lower() != token or token.upper() != token else "without case")
