"""Words to row numbers of a table."""

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

    @classmethod
    def fit(cls, sentences: Iterable[Sentence], *, lowercase: bool = False, min_count: int = 1) -> WordVocabulary:
        """The words of the *training* sentences, the most frequent first; those rarer than `min_count` stay unknown."""
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(token.lower() if lowercase else token for token in sentence.tokens)
        frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(tuple(word for word, count in frequent if count >= min_count), lowercase)

    @property
    def num_rows(self) -> int:
        """Rows of a word table, the unknown word included."""
        return len(self.words) + 1

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=1)}

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """One row a token."""
        rows = self._rows
        return [rows.get(word, UNKNOWN_WORD) for word in self.forms(tokens)]

    def forms(self, tokens: Iterable[str]) -> Iterable[str]:
        """The tokens as they are compared."""
        return map(str.lower, tokens) if self.lowercase else tokens
