"""The encoded training sentences in a file: an epoch reads those of a batch when it makes the batch.

In memory are some 40 bytes a sentence: places in the file, and the cost by which batches are cut.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import accumulate, pairwise
from pathlib import Path

from relsift.encoding.example import Example, Work
from relsift.encoding.subwords import Pieces
from relsift.training.fewer_pairs import num_unrelated, reduced
from relsift.training.record_file import MadeItems, RecordFile

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode  # in ASCII
_decode = json.JSONDecoder().decode


class ExampleFile(MadeItems[list[Example]]):
    """Groups of examples, as of `relsift.training.training_set.TrainingSet`."""

    def __init__(self, groups: Iterable[list[Example]], folder: Path) -> None:
        """Write the groups, which are read once. Args and errors: as of `RecordFile`."""
        self._first = array("Q", [0])  # of each group, the number of its first example; at the end, that of all examples
        self._tokens = array("I")  # of each group: see `works`
        self.pairs, self.unrelated = array("I"), array("I")  # of each group, how many it has
        self._file = RecordFile(folder, "the encoded training sentences", self._records(groups))
        self._kept: bytearray | None = None  # of each unrelated pair 1 if it is kept, else 0; None: all are
        self._first_unrelated: Sequence[int] = ()  # of each group, the number of its first unrelated pair

    def _records(self, groups: Iterable[list[Example]]) -> Iterator[bytes]:
        for group in groups:
            self._first.append(self._first[-1] + len(group))
            self._tokens.append(group[0].work.tokens)
            self.pairs.append(sum(example.work.pairs for example in group))
            self.unrelated.append(num_unrelated(group))
            yield from map(_packed, group)

    def reduced(self, kept: bytearray) -> ExampleFile:
        """The same file, read with fewer pairs. Args: kept: of each unrelated pair 1 if it is kept, else 0."""
        other = copy(self)
        other._kept, other._first_unrelated = kept, array("Q", accumulate(self.unrelated, initial=0))
        counts = (kept.count(1, a, b) for a, b in pairwise(other._first_unrelated))
        other.pairs = array("I", (pairs - fewer + count for pairs, fewer, count in zip(self.pairs, self.unrelated, counts)))
        return other

    def __len__(self) -> int:
        return len(self.pairs)

    def made(self, number: int) -> list[Example]:
        group = [_unpacked(self._file[example]) for example in range(self._first[number], self._first[number + 1])]
        if self._kept is None:
            return group
        return reduced(group, self._kept[self._first_unrelated[number] : self._first_unrelated[number + 1]])[0]

    @property
    def examples(self) -> Sequence[Example]:
        """Those of all groups, in order and with all their pairs."""
        return _Examples(self._file)

    def works(self) -> Sequence[Work]:
        """As of `relsift.training.training_set.TrainingSet.works`."""
        return _Works(self._tokens, self.pairs)


class _Examples(MadeItems[Example]):
    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def __len__(self) -> int:
        return len(self._file)

    def made(self, number: int) -> Example:
        return _unpacked(self._file[number])


class _Works(MadeItems[Work]):
    def __init__(self, tokens: Sequence[int], pairs: Sequence[int]) -> None:
        self._tokens, self._pairs = tokens, pairs

    def __len__(self) -> int:
        return len(self._tokens)

    def made(self, number: int) -> Work:
        return Work(self._tokens[number], self._pairs[number])

    def __iter__(self) -> Iterator[Work]:  # fast: an epoch begins with all of them
        return map(Work, self._tokens, self._pairs)


def _packed(e: Example) -> bytes:
    """All fields, in their order. Tags of a view by pair, which are made anew each time that they are read, become a list."""
    tags = None if e.tags is None else list(e.tags)
    return _encode((
        e.length, e.words, tags, e.trees, e.spans, e.types, e.heads, e.tails, e.labels, e.places,
        None if e.pieces is None else tuple(e.pieces), e.tokens, e.annotated,
    )).encode("ascii")  # fmt: skip


def _unpacked(record: bytes) -> Example:
    length, words, tags, trees, spans, types, heads, tails, labels, places, pieces, tokens, annotated = _decode(record.decode("ascii"))
    return Example(
        length, words, tags, None if trees is None else tuple(trees), [(a, b) for a, b in spans], types, heads, tails,
        [(pair, column) for pair, column in labels], places, None if pieces is None else Pieces(*pieces),
        None if tokens is None else tuple(tokens), annotated,
    )  # fmt: skip
