"""The contract of an annotator, and the lookup by name.

An annotator adds dependency trees, entities as tags, or entities to relate. A model stores the annotators of its training, with their
versions (`spec`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Literal, Self

from relsift.errors import ConfigError, RelsiftError
from relsift.registry import find, table
from relsift.schema import Sentence

Addition = Literal["trees", "tags", "entities"]
DEFAULT_KIND = "spacy"  # the kind of a spec that names none


class Annotator(ABC):
    """Adds one kind of annotation to sentences."""

    ADDS: ClassVar[Addition]  # trees: `Sentence.syntax`; tags: `Sentence.tagged`; entities: `Sentence.entities`

    @property
    @abstractmethod
    def spec(self) -> str:
        """Kind, argument and version, such as `spacy:en_core_web_sm==3.8.0`. Of a named annotator `find_annotator` accepts it."""

    @abstractmethod
    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The same sentences in the same order, each with what this annotator adds."""


class NamedAnnotator(Annotator):
    """An annotator that users can name by its registered kind and an argument."""

    @classmethod
    @abstractmethod
    def named(cls, argument: str) -> Self:
        """The annotator of this argument, the part of `spec` after the colon. Raises ConfigError if it is not installed."""


def _named(kind: str, argument: str) -> Annotator:
    """Raises ConfigError naming the kind if it fails or makes no annotator."""
    try:
        annotator: object = find("annotator", kind).named(argument)
    except RelsiftError:
        raise
    except Exception as error:  # a plug-in runs code that is not ours
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"annotator {kind}: expected one for {argument!r}, got {problem}; mend that package") from error
    if not isinstance(annotator, Annotator):
        raise ConfigError(f"annotator {kind}: expected an annotator for {argument!r}, got {annotator!r}; mend that package")
    return annotator


@cache
def find_annotator(spec: str, adds: Addition) -> Annotator:
    """The annotator `KIND:ARGUMENT` of a registered kind; any other text is the name of a spaCy pipeline.

    Args: adds: what it has to add.
    Raises: ConfigError for one that is not installed, or that adds something else.
    """
    kind, colon, argument = spec.partition(":")
    kinds = table("annotator")
    if not colon or kind not in kinds:
        kind, argument = DEFAULT_KIND, spec
    try:
        annotator: Annotator = _named(kind, argument)
    except ConfigError as error:
        if colon and argument == spec:  # the text before the colon may be meant as a kind
            known = ", ".join(sorted(kinds))
            raise ConfigError(f"annotator {spec!r}: expected one of {known} before the colon, or a spaCy pipeline; {error}") from error
        raise
    if adds != annotator.ADDS:
        raise ConfigError(f"annotator {spec!r}: expected one that adds {adds}, got one that adds {annotator.ADDS}")
    return annotator
