"""From raw text to sentences with tokens and character offsets: the contract of a splitter, the lookup by name, and two splitters.

rules           the rules of `relsift.sentences`, tokens of `relsift.text`
rules:wrapped   the same for lines of a fixed width: only a blank line ends a sentence, not every line break
sentencex       sentence ends by the library sentencex, for English; sentencex:zh for another language; tokens of `relsift.text`
spacy:NAME      sentences and tokens of a spaCy pipeline (see `relsift.annotators.splitters_spacy`)
"""

from __future__ import annotations

import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from relsift.errors import ConfigError, RelsiftError, require
from relsift.readers.raw import BLANK_LINE, sentence_of, split_by_rules, tokenised
from relsift.registry import find, table, unknown_name
from relsift.schema import Sentence
from relsift.text import Span

DEFAULT = "rules"
RULES_VERSION = "1"  # of the rules for sentences and tokens together; another one may cut text elsewhere
_WRAPPED = "wrapped"


class Splitter(ABC):
    """Makes sentences of raw text. Every character that is no blank is in exactly one token."""

    @classmethod
    @abstractmethod
    def named(cls, argument: str) -> Self:
        """The splitter of this argument, the part of `spec` after the colon. Raises ConfigError for none, and if it is not installed."""

    @property
    @abstractmethod
    def spec(self) -> str:
        """Kind, argument and version, such as `spacy:en_core_web_sm==3.8.0`; `find_splitter` accepts it."""

    @abstractmethod
    def split(self, text: str) -> list[Sentence]:
        """The sentences in order, without entities and relations; offsets count from the beginning of `text`, ids are arbitrary."""


def find_splitter(spec: str) -> Splitter:
    """The splitter `KIND` or `KIND:ARGUMENT`. Raises ConfigError for an unknown kind, or one that is not installed."""
    kind, colon, argument = spec.partition(":")
    if not colon:
        kind, at_version, version = spec.partition("==")
        argument = at_version + version
    if kind not in table("splitter"):
        raise unknown_name("splitter", kind, table("splitter"))
    try:
        splitter: object = find("splitter", kind).named(argument)
    except RelsiftError:
        raise
    except Exception as error:  # a plug-in runs code that is not ours
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"splitter {kind}: expected one for {argument!r}, got {problem}; mend that package") from error
    if not isinstance(splitter, Splitter):
        raise ConfigError(f"splitter {kind}: expected a splitter for {argument!r}, got {splitter!r}; mend that package")
    return splitter


@dataclass(frozen=True)
class RulesSplitter(Splitter):
    """By rules, without a model."""

    wrapped: bool = False  # lines are cut at a fixed width, so only a blank line ends a sentence

    @classmethod
    def named(cls, argument: str) -> RulesSplitter:
        name, _, version = argument.partition("==")
        require(name in ("", _WRAPPED), "splitter rules", expected=f"rules or rules:{_WRAPPED}", got=f"rules:{argument}")
        require(version in ("", RULES_VERSION), "splitter rules", expected=f"version {RULES_VERSION}", got=version)
        return cls(name == _WRAPPED)

    @property
    def spec(self) -> str:
        return f"rules{f':{_WRAPPED}' * self.wrapped}=={RULES_VERSION}"

    def split(self, text: str) -> list[Sentence]:
        return split_by_rules(text, wrapped=self.wrapped)


@dataclass(frozen=True)
class SentencexSplitter(Splitter):
    """Sentence ends by sentencex, which has rules for many languages."""

    language: str  # code, such as en
    version: str  # of sentencex

    @classmethod
    def named(cls, argument: str) -> SentencexSplitter:
        language, _, version = argument.partition("==")
        try:
            installed = importlib.metadata.version("sentencex")
        except importlib.metadata.PackageNotFoundError as error:
            raise ConfigError("splitter sentencex: expected the package sentencex, got none: pip install 'relsift[text]'") from error
        require(version in ("", installed), "splitter sentencex", expected=f"the version that is installed, {installed}", got=version)
        return cls(language or "en", installed)

    @property
    def spec(self) -> str:
        return f"sentencex:{self.language}=={self.version}"

    def split(self, text: str) -> list[Sentence]:
        import sentencex

        pieces: list[Any] = sentencex.get_sentence_boundaries(self.language, text)
        spans = checked_spans(((piece["start_index"], piece["end_index"]) for piece in pieces), text, self.spec)
        tokens = [part for sentence in tokenised(text, spans) for part in at_paragraphs(sentence.offsets or (), text)]
        return [sentence_of(text, number, those) for number, those in enumerate(tokens)]


def at_paragraphs(spans: Sequence[Span], text: str) -> Iterator[list[Span]]:
    """The tokens of a sentence, cut where a blank line stands between two of them: no sentence goes on in another paragraph."""
    first = 0
    for number in range(1, len(spans)):
        if BLANK_LINE.search(text, spans[number - 1][1], spans[number][0]):
            yield list(spans[first:number])
            first = number
    if spans:
        yield list(spans[first:])


def checked_spans(spans: Iterable[Span], text: str, name: str) -> Iterator[Span]:
    """The same spans. Raises ConfigError if they are not in order, overlap, or leave out a character that is no blank."""
    last = 0
    for start, end in (*spans, (len(text), len(text))):
        if not last <= start <= end <= len(text) or text[last:start].strip():
            got = f"{start}..{end} after {last}"
            raise ConfigError(f"splitter {name}: expected spans in order that cover the text, got {got} at {text[last : last + 40]!r}")
        yield start, end
        last = end
