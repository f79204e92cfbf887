"""Documents into folds: duplicates together, and inside each training part a development part for early stopping and the threshold.

Or the parts that a corpus comes with, as the one fold there is.

Documents that share text stay together (see `relsift.corpora.groups`).
Everything follows from the documents and `Plan.fold_seed`, so that all systems and seeds see the same folds and can be compared in pairs.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from relsift.corpora.corpus import SPLITS
from relsift.corpora.groups import Group, group_documents
from relsift.errors import DataError, require
from relsift.schema import Document, Sentence, sentences_of


@dataclass(frozen=True)
class Fold:
    """number: from 1. The three parts share no group."""

    number: int
    training: tuple[Document, ...]
    development: tuple[Document, ...]
    test: tuple[Document, ...]

    def sentences(self) -> tuple[list[Sentence], list[Sentence], list[Sentence]]:
        """Training, development and test sentences."""
        training, development, test = (list(sentences_of(part)) for part in (self.training, self.development, self.test))
        return training, development, test


def make_folds(documents: Sequence[Document], folds: int, *, seed: int, development: float) -> list[Fold]:
    """Split into `folds` test parts of about the same number of sentences.

    Args: development: share of the training sentences held out for selection, between 0 and 1.
    Raises: DataError if there are fewer groups of documents than needed.
    """
    require(folds >= 2, "folds", expected="a number >= 2", got=folds)
    require(0 < development < 1, "development", expected="a share between 0 and 1", got=development)
    groups = group_documents(documents)
    if len(groups) < 2 * folds:
        raise DataError(
            f"folds: expected at least {2 * folds} documents for {folds} folds, got {len(groups)}; those that share sentences count as one"
        )
    random.Random(seed).shuffle(groups)
    groups.sort(key=_size, reverse=True)  # large ones first: the small ones even the folds out
    parts: list[list[Group]] = [[] for _ in range(folds)]
    sizes = [0] * folds
    for group in groups:
        smallest = sizes.index(min(sizes))
        parts[smallest].append(group)
        sizes[smallest] += _size(group)
    result = []
    for number, test in enumerate(parts, start=1):
        rest = [group for part in parts if part is not test for group in part]
        random.Random(seed * 1_000_003 + number).shuffle(rest)
        held_out = _first(rest, development)
        result.append(Fold(number, _flat(rest[held_out:]), _flat(rest[:held_out]), _flat(test)))
    return result


def own_fold(parts: Mapping[str, Sequence[Document]], *, where: str, sentences: int | None, seed: int) -> Fold:
    """The corpus's own parts `train`, `dev` and `test` as fold 1; duplicates stay where the corpus has them.

    Args: sentences: of a sample, of which each part has its share; None takes all.
    Raises: DataError if a part is missing or empty.
    """
    if missing := [name for name in SPLITS if not parts.get(name)]:
        raise DataError(
            f"{where}: expected a corpus with annotated parts {', '.join(SPLITS)}, got none for {', '.join(missing)}; "
            "leave out --split own to cut folds by document"
        )
    if sentences is not None:
        share = sentences / sum(_size(part) for part in parts.values())
        parts = {name: sample_documents(part, ceil(share * _size(part)), seed=seed) for name, part in parts.items()}
    training, development, test = (tuple(parts[name]) for name in SPLITS)
    return Fold(1, training, development, test)


def sample_documents(documents: Sequence[Document], sentences: int, *, seed: int) -> list[Document]:
    """Whole groups at random until there are so many sentences, in their old order; all documents if there are not so many."""
    groups = group_documents(documents)
    random.Random(seed).shuffle(groups)
    kept, count = set[int](), 0
    for group in groups:
        if count >= sentences:
            break
        kept.update(id(document) for document in group)
        count += _size(group)
    return [document for document in documents if id(document) in kept]


def _first(groups: Sequence[Group], share: float) -> int:
    """How many groups from the front hold this share of the sentences; at least one, and not all."""
    wanted, count = share * sum(_size(group) for group in groups), 0
    for number, group in enumerate(groups[:-1], start=1):
        count += _size(group)
        if count >= wanted:
            return number
    return len(groups) - 1


def _flat(groups: Sequence[Group]) -> tuple[Document, ...]:
    return tuple(document for group in groups for document in group)


def _size(group: Sequence[Document]) -> int:
    return sum(len(document.sentences) for document in group)
