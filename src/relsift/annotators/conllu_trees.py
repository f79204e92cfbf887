"""Dependency trees from a CoNLL-U file that holds the same sentences."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from relsift.annotators.base import Addition, Annotator
from relsift.errors import DataError
from relsift.readers.conllu import read_trees
from relsift.schema import Sentence, Syntax


class ConlluTrees(Annotator):
    """Each sentence gets the trees of the CoNLL-U sentence with the same tokens; if there are several, in file order.

    `annotate` raises DataError for a sentence that is not in the file.
    """

    ADDS: ClassVar[Addition] = "trees"

    def __init__(self, file: Path) -> None:
        """Raises DataError naming file and line if the file is broken."""
        self.file = file
        self._trees: dict[tuple[str, ...], deque[Syntax]] = {}
        for tokens, syntax in read_trees(file):
            self._trees.setdefault(tokens, deque()).append(syntax)

    @property
    def spec(self) -> str:
        return f"conllu:{self.file}"

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        return [replace(sentence, syntax=self._next(sentence)) for sentence in sentences]

    def _next(self, sentence: Sentence) -> Syntax:
        trees = self._trees.get(sentence.tokens)
        if trees is None:
            raise DataError(
                f"{self.file}: expected a sentence with the tokens of sentence {sentence.id!r}, got none: {' '.join(sentence.tokens)!r}"
            )
        return trees.popleft() if len(trees) > 1 else trees[0]
