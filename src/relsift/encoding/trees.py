"""Dependency labels and parts of speech to row numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from relsift.schema import Sentence, Syntax

UNKNOWN_LABEL = 0  # the row of every dependency label and part of speech not seen in training


@dataclass(frozen=True)
class TreeVocabulary:
    """The dependency labels and parts of speech of the training data; row 0 of either table is for unknown ones."""

    dependencies: tuple[str, ...] = ()  # the label of row n is dependencies[n - 1]
    pos: tuple[str, ...] = ()  # parts of speech, in the same way

    @classmethod
    def fit(cls, sentences: Iterable[Sentence]) -> TreeVocabulary:
        """The symbols of those *training* sentences that have trees."""
        dependencies: set[str] = set()
        pos: set[str] = set()
        for sentence in sentences:
            if sentence.syntax is not None:
                dependencies.update(sentence.syntax.dependencies)
                pos.update(sentence.syntax.pos)
        return cls(tuple(sorted(dependencies)), tuple(sorted(pos)))

    @property
    def num_dependencies(self) -> int:
        """Rows of a table of dependency labels, the unknown one included."""
        return len(self.dependencies) + 1

    @property
    def num_pos(self) -> int:
        """Rows of a table of parts of speech, the unknown one included."""
        return len(self.pos) + 1

    @cached_property
    def _dependency_rows(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.dependencies, start=1)}

    @cached_property
    def _pos_rows(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.pos, start=1)}

    def ids(self, syntax: Syntax) -> tuple[list[int], list[int]]:
        """Dependency labels and parts of speech, one of each a token."""
        labels = [self._dependency_rows.get(name, UNKNOWN_LABEL) for name in syntax.dependencies]
        return labels, [self._pos_rows.get(name, UNKNOWN_LABEL) for name in syntax.pos]
