"""The contract of an annotator, and how one is found by its name.

An annotator takes sentences and gives them back with what they lacked: dependency trees, entities to show as tags, or entities to relate.
What sentences bring along stays. A model remembers the annotators that its training used, with their versions (`spec`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Literal, Self

from relsift.errors import ConfigError
from relsift.registry import find, table
from relsift.schema import Sentence

Addition = Literal["trees", "tags", "entities"]
USUAL = "spacy"  # the annotator of a name that says no other


class Annotator(ABC):
    """ADDS: what sentences have afterwards: `Sentence.syntax` (trees), `Sentence.tagged` (tags) or `Sentence.entities`."""

    ADDS: ClassVar[Addition]

    @property
    @abstractmethod
    def spec(self) -> str:
        """What finds the same annotator again, version included, such as `spacy:en_core_web_sm==3.8.0`."""

    @abstractmethod
    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The same sentences in the same order, none of them without what this annotator adds."""


class NamedAnnotator(Annotator):
    """An annotator that a user can name, and a plug-in can register."""

    @classmethod
    @abstractmethod
    def named(cls, argument: str) -> Self:
        """Args: argument: what stands after the colon of `spec`. Raises: ConfigError if there is no such thing here."""


@cache
def find_annotator(spec: str, adds: Addition) -> Annotator:
    """`KIND:ARGUMENT` with a registered kind; any other text is the argument of a spaCy annotator.

    Raises: ConfigError for one that cannot be had here, or that adds something else.
    """
    kind, colon, argument = spec.partition(":")
    if not colon or kind not in table("annotator"):
        kind, argument = USUAL, spec
    annotator: Annotator = find("annotator", kind).named(argument)
    if adds != annotator.ADDS:
        raise ConfigError(f"annotator {spec!r}: expected one that adds {adds}, got one that adds {annotator.ADDS}")
    return annotator
