"""The contract of an annotator, and the lookup by name.

An annotator adds dependency trees, entities as tags, or entities to relate. A model stores the annotators of its training, with their
versions (`spec`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Literal, Self

from relsift.errors import ConfigError, RelsiftError
from relsift.registry import find, table
from relsift.schema import Sentence

Addition = Literal["trees", "tags", "entities"]
DEFAULT_KIND = "spacy"  # the kind of a spec that names none
STRIP = "[strip=articles]"  # behind the kind of an annotator of entities (see `relsift.annotators.stripped_entities`)
_STRIPPING = "relsift.annotators.stripped_entities"  # by name: its class derives from Annotator
_TABLES: dict[Addition, str] = {"trees": "annotator", "tags": "annotator", "entities": "entity_annotator"}


class Annotator(ABC):
    """Adds one kind of annotation to sentences.

    See also: `find_annotator`, `NamedAnnotator`.

    >>> from dataclasses import replace
    >>> from relsift.schema import Entity
    >>> class Subjects(Annotator):  # takes the first word of each sentence for a person
    ...     ADDS, spec = "entities", "subjects==1.0"
    ...     def annotate(self, sentences):
    ...         return [replace(sentence, entities=(Entity(0, 1, "PER"),)) for sentence in sentences]
    >>> Subjects().annotate([Sentence("s1", ("Ada", "founded", "Acme"))])[0].entities[0].type
    'PER'
    """

    ADDS: ClassVar[Addition]  # trees: `Sentence.syntax`; tags: `Sentence.tagged`; entities: `Sentence.entities`

    @property
    @abstractmethod
    def spec(self) -> str:
        """Kind, argument and version, such as `spacy:en_core_web_sm==3.8.0`. Of a named annotator `find_annotator` accepts it."""

    @abstractmethod
    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The same sentences in the same order, each with what this annotator adds."""


class NamedAnnotator(Annotator):
    """An annotator that users can name by its registered kind and an argument.

    See also: `find_annotator`, which makes one.

    >>> issubclass(kind_of("spacy", "entities"), NamedAnnotator), kind_of("spacy", "entities").VERSIONED
    (True, True)
    """

    VERSIONED: ClassVar[bool] = True  # whether `spec` ends with a version, as in `NAME==1.0`, which is stored with a model

    @classmethod
    @abstractmethod
    def named(cls, argument: str) -> Self:
        """The annotator of this argument, the part of `spec` after the colon. Raises ConfigError if it is not installed."""

    @classmethod
    def path_of(cls, name: str) -> Path | None:
        """The file or folder that an argument without its version names, of which a model folder keeps a copy; None: it names none."""
        return None


def split_options(spec: str) -> tuple[str, str]:
    """The spec without its options, and the options with their brackets, or "" if there are none.

    Raises: ConfigError for an option that there is not.

    See also: `with_options`, `split_spec`, `split_version`.

    >>> split_options("spacy[strip=articles]:en_core_web_sm")
    ('spacy:en_core_web_sm', '[strip=articles]')
    """
    kind, bracket, rest = spec.partition("[")
    if not bracket or kind not in table(_TABLES["entities"]):
        return spec, ""
    options, closed, rest = rest.partition("]")
    if f"[{options}{closed}" != STRIP:
        raise ConfigError(f"annotator {spec!r}: expected {kind}{STRIP}, the one option, or no brackets, got [{options}{closed}")
    return f"{kind}{rest}", STRIP


def with_options(spec: str, options: str) -> str:
    """The inverse of `split_options`, for the spec of an annotator, which begins with its kind.

    >>> with_options("spacy:en_core_web_sm", "[strip=articles]")
    'spacy[strip=articles]:en_core_web_sm'
    """
    kind, _ = split_spec(spec, "entities")
    return kind + options + spec.removeprefix(kind)


def split_spec(spec: str, adds: Addition) -> tuple[str, str]:
    """Kind and argument of `KIND:ARGUMENT`, or of the kind alone; any other text is the name of a spaCy pipeline.

    Args: adds: as of `find_annotator`.

    >>> split_spec("patterns:names.jsonl", "entities"), split_spec("en_core_web_sm", "entities")
    (('patterns', 'names.jsonl'), ('spacy', 'en_core_web_sm'))
    """
    kinds = table(_TABLES[adds])
    kind, colon, argument = spec.partition(":")
    if colon and kind in kinds:
        return kind, argument
    kind, equals, version = spec.partition("==")
    if kind in kinds and kind != DEFAULT_KIND:
        return kind, equals + version
    return DEFAULT_KIND, spec


def split_version(argument: str) -> tuple[str, str | None]:
    """Name and version of `NAME==VERSION`; None: no version is asked for.

    >>> split_version("en_core_web_sm==3.8.0"), split_version("en_core_web_sm")
    (('en_core_web_sm', '3.8.0'), ('en_core_web_sm', None))
    """
    name, equals, version = argument.rpartition("==")
    return (name, version) if equals else (argument, None)


def require_version(where: str, *, expected: str | None, got: str) -> None:
    """Raises ConfigError for another version than the stored one, which may find other entities.

    Args: where: the name of the annotator. expected: the stored version; None: any.

    >>> require_version("en_core_web_sm", expected="3.8.0", got="3.7.0")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    relsift.errors.ConfigError: annotator en_core_web_sm: expected version 3.8.0, which the spec names, got 3.7.0, which is ...
    """
    if expected is not None and expected != got:
        raise ConfigError(
            f"annotator {where}: expected version {expected}, which the spec names, got {got}, which is installed; install the former, "
            "or name the latter"
        )


def kind_of(kind: str, adds: Addition) -> type[NamedAnnotator]:
    """The class of a registered kind. Raises ConfigError as `registry.find`. Args: adds: as of `find_annotator`.

    >>> kind_of("patterns", "entities").VERSIONED  # a file of names has no version
    False
    """
    found: type[NamedAnnotator] = find(_TABLES[adds], kind)
    return found


def _named(kind: str, argument: str, adds: Addition) -> Annotator:
    """Raises ConfigError naming the kind if it fails or makes no annotator."""
    try:
        annotator: object = kind_of(kind, adds).named(argument)
    except RelsiftError:
        raise
    except Exception as error:  # a plug-in runs code that is not ours
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"annotator {kind}: expected one for {argument!r}, got {problem}; mend that package") from error
    if not isinstance(annotator, Annotator):
        raise ConfigError(f"annotator {kind}: expected an annotator for {argument!r}, got {annotator!r}; mend that package")
    return annotator


def find_annotator(spec: str, adds: Addition) -> Annotator:
    """The annotator `KIND:ARGUMENT` of a registered kind; any other text is the name of a spaCy pipeline.

    An annotator of trees is made once. One of entities is made anew, since its file may have changed: keep it.

    Args: adds: what it has to add. It decides which table of the registry has the kinds.
    Raises: ConfigError for one that is not installed, or that adds something else.

    See also: `relsift.annotators.entities.entity_annotator`, of several.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "names.jsonl").write_text('{"label": "PER", "pattern": "Ada"}')
    ...     annotator = find_annotator(f"patterns:{folder}/names.jsonl", "entities")
    >>> [sentence] = annotator.annotate([Sentence("s1", ("Ada", "founded", "Acme"))])
    >>> sentence.entities[0].type
    'PER'
    """
    return _make(spec, adds) if adds == "entities" else _made_once(spec, adds)


def _make(spec: str, adds: Addition) -> Annotator:
    bare, options = split_options(spec) if adds == "entities" else (spec, "")
    kind, argument = split_spec(bare, adds)
    try:
        annotator = _named(kind, argument, adds)
    except ConfigError as error:
        if ":" in spec and argument == spec:  # the text before the colon may be meant as a kind
            known = ", ".join(sorted(table(_TABLES[adds])))
            raise ConfigError(f"annotator {spec!r}: expected one of {known} before the colon, or a spaCy pipeline; {error}") from error
        raise
    if adds != annotator.ADDS:
        raise ConfigError(f"annotator {spec!r}: expected one that adds {adds}, got one that adds {annotator.ADDS}")
    if options:
        stripped: Annotator = import_module(_STRIPPING).StrippedEntities(annotator, with_options(annotator.spec, options))
        return stripped
    return annotator


_made_once = cache(_make)
