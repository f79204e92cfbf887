"""Words to row numbers of a table.

The rows: the unknown word, the words of the training data, and further words, which only a file of word vectors has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from relsift.schema import Sentence

UNKNOWN_WORD = 0  # the row of every word not seen in training


@dataclass(frozen=True)
class WordVocabulary:
    """The words of the training data; row 0 of the table is for unknown ones."""

    words: tuple[str, ...]  # the word of row n is words[n - 1]
    lowercase: bool = False  # words are compared in lower case
    further: tuple[str, ...] = ()  # words that training does not have; a word that is not known takes the row of its lower-case form here

    @classmethod
    def fit(
        cls, sentences: Iterable[Sentence], *, lowercase: bool = False, min_count: int = 1, further: Iterable[str] = ()
    ) -> WordVocabulary:
        """The words of the *training* sentences, the most frequent first; those rarer than `min_count` stay unknown.

        Args: further: other words to know; those of the training sentences are left out, and repeated ones.
        """
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(token.lower() if lowercase else token for token in sentence.tokens)
        frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = {word: None for word, count in frequent if count >= min_count}
        others = dict.fromkeys(word.lower() if lowercase else word for word in further)
        return cls(tuple(words), lowercase, tuple(word for word in others if word not in words))

    @property
    def num_rows(self) -> int:
        """Rows of a word table, the unknown word included."""
        return self.num_trained + len(self.further)

    @property
    def num_trained(self) -> int:
        """Rows that training can change, the first ones of a table."""
        return len(self.words) + 1

    @property
    def all(self) -> tuple[str, ...]:
        """The word of every row but that of the unknown word."""
        return (*self.words, *self.further)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.all, start=1)}

    @cached_property
    def _further_rows(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.further, start=self.num_trained)}

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """One row a token."""
        rows = self._rows
        if not self.further:
            return [rows.get(word, UNKNOWN_WORD) for word in self.forms(tokens)]
        further = self._further_rows
        return [rows.get(word) or further.get(word.lower(), UNKNOWN_WORD) for word in self.forms(tokens)]

    def forms(self, tokens: Iterable[str]) -> Iterable[str]:
        """The tokens as they are compared."""
        return map(str.lower, tokens) if self.lowercase else tokens
