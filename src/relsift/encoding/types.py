"""Entity types to numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from relsift.schema import Sentence

UNKNOWN_TYPE = -1  # a type not seen in training


@dataclass(frozen=True)
class EntityTypes:
    """The entity types of the training data."""

    names: tuple[str, ...]  # the type with number n is names[n]

    @classmethod
    def fit(cls, sentences: Iterable[Sentence]) -> EntityTypes:
        """All types of the *training* sentences, those of entities shown as tags included."""
        return cls(tuple(sorted({entity.type for sentence in sentences for entity in (*sentence.entities, *(sentence.tagged or ()))})))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    def id(self, name: str) -> int:
        """UNKNOWN_TYPE for a type never seen in training."""
        return self._numbers.get(name, UNKNOWN_TYPE)
