"""Sentences and tokens of a spaCy pipeline, kept as they are, but that a blank line always ends a sentence. Blank tokens are left out.

The name is an installed pipeline, a folder, or `blank:LANGUAGE` for rules of tokens alone, as in `spacy:blank:en`. A pipeline that finds no
sentences gets spaCy's rule-based sentencizer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from relsift.annotators.spacy_pipelines import installed_pipeline
from relsift.annotators.splitters import Splitter, at_paragraphs, checked_spans
from relsift.errors import ConfigError, DataError, require
from relsift.readers.raw import sentence_of
from relsift.schema import Sentence
from relsift.text import Span

_BLANK = "blank:"
_UNUSED = ["ner", "lemmatizer", "attribute_ruler", "textcat"]  # parts of a pipeline that sentences do not need
_SETS_ENDS = ("parser", "senter", "sentencizer")


@dataclass(frozen=True)
class SpacySplitter(Splitter):
    """The sentences and tokens of one spaCy pipeline."""

    name: str  # as `spacy.load` takes it, or `blank:LANGUAGE`
    version: str  # of the pipeline; of spaCy for a blank one

    @classmethod
    def named(cls, argument: str) -> SpacySplitter:
        """`name` or `name==version`; the pipeline is not loaded yet."""
        name, _, expected_version = argument.partition("==")
        where = f"splitter spacy:{name}"
        require(name != "", "splitter spacy", expected="spacy:NAME with a pipeline, or spacy:blank:LANGUAGE", got="spacy")
        version, _ = installed_pipeline("spacy" if name.startswith(_BLANK) else name, where)
        require(expected_version in ("", version), where, expected=f"version {version}", got=expected_version)
        return cls(name, version)

    @property
    def spec(self) -> str:
        return f"spacy:{self.name}=={self.version}"

    def split(self, text: str) -> list[Sentence]:
        """Raises DataError for half a character, which spaCy cannot take."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"expected whole characters, got half of one at {error.start}") from error
        doc = self._pipeline(text)
        list(checked_spans(self._tokens(doc), text, self.spec))
        by_sentence = (part for span in doc.sents for part in at_paragraphs(list(self._tokens(span)), text))
        return [sentence_of(text, number, tokens) for number, tokens in enumerate(by_sentence)]

    @staticmethod
    def _tokens(tokens: Any) -> Iterator[Span]:
        """The spans of tokens, without the blanks at their edges."""
        for token in tokens:
            words = str(token.text)
            if words.strip():
                start = token.idx + len(words) - len(words.lstrip())
                yield start, start + len(words.strip())

    @cached_property
    def _pipeline(self) -> Any:
        import spacy

        try:
            blank = spacy.blank(self.name.removeprefix(_BLANK)) if self.name.startswith(_BLANK) else None
            nlp = blank or spacy.load(self.name, exclude=_UNUSED)
        except (OSError, ValueError, ImportError) as error:
            problem = " ".join(str(error).split())
            raise ConfigError(f"splitter spacy: expected a pipeline that loads, got {self.name!r}: {problem}") from error
        if not any(nlp.has_pipe(name) for name in _SETS_ENDS):
            nlp.add_pipe("sentencizer")
        nlp.max_length = max(nlp.max_length, 1 << 30)  # texts come in pieces, so this guards nothing here
        return nlp
