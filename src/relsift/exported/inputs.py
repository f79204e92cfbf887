"""The input of an exported model: what `relsift.encoding.batch` holds as tensors, as arrays.

Letters: S sentences, T tokens of the longest, N real tokens of all sentences, E entities, P pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from relsift.encoding import arrays
from relsift.encoding.arrays import BoolArray, CharacterArrays, EntityArrays, IntArray, PairArrays, SubwordArrays
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example


@dataclass(frozen=True)
class Inputs:
    """What is not read is None."""

    lengths: IntArray  # (S,)
    words: IntArray | None  # (N,)
    tags: IntArray | None  # (N,)
    entities: EntityArrays
    pairs: PairArrays
    subwords: SubwordArrays | None
    characters: CharacterArrays | None

    @cached_property
    def first(self) -> IntArray:
        """(S,) row of each sentence's first token among the N."""
        result: IntArray = self.lengths.cumsum() - self.lengths
        return result

    @cached_property
    def mask(self) -> BoolArray:
        """(S, T) True = real token."""
        return np.arange(self.lengths.max()) < self.lengths[:, None]

    @classmethod
    def of(cls, examples: Sequence[Example], encoding: Encoding) -> Inputs:
        """Put sentences side by side. Args: examples: one or more."""
        words = arrays.flat(e.words for e in examples if e.words is not None)
        tags = arrays.flat(e.tags for e in examples if e.tags is not None)
        return cls(
            arrays.lengths_of(examples),
            words if len(words) else None,
            tags if len(tags) else None,
            arrays.entities_of(examples),
            arrays.pairs_of(examples, len(encoding.labels)),
            None if encoding.subwords is None else arrays.subwords_of(examples, encoding.subwords),
            None if encoding.characters is None else arrays.characters_of(examples, encoding.characters),
        )
