"""Dependency trees from a spaCy pipeline, with a cache on disk. spaCy is imported when the first sentence is parsed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from relsift.annotators.base import Addition, NamedAnnotator
from relsift.annotators.spacy_pipelines import installed_pipeline, is_other_script
from relsift.annotators.tree_cache import TreeCache
from relsift.errors import ConfigError, DataError
from relsift.schema import ROOT, Sentence, Syntax

SENTENCES_AT_ONCE = 128  # parsed in one step of the pipeline
_UNUSED = ["ner", "lemmatizer", "textcat"]  # parts of a pipeline that trees do not need


@dataclass(frozen=True)
class SpacyTrees(NamedAnnotator):
    """Dependency trees from one spaCy pipeline."""

    ADDS: ClassVar[Addition] = "trees"

    name: str  # as `spacy.load` takes it: an installed package, or a folder
    version: str  # of the pipeline
    spacy: str  # version of spaCy

    @classmethod
    def named(cls, argument: str) -> SpacyTrees:
        """`name` or `name==version`; the pipeline is not loaded yet.

        Raises: ConfigError if spaCy or the pipeline is not installed. Warns: if the pipeline has another version.
        """
        name, _, expected_version = argument.partition("==")
        version, spacy = installed_pipeline(name, "encoding.parser")
        if expected_version and version != expected_version:
            warnings.warn(
                f"relsift: parser {name}: expected version {expected_version}, with which the model was trained, got {version}; "
                "trees may differ",
                stacklevel=2,
            )
        return cls(name, version, spacy)

    @property
    def spec(self) -> str:
        return f"spacy:{self.name}=={self.version}"

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences with trees; those that have trees keep them. Raises: as `trees`."""
        missing = list(dict.fromkeys(sentence.tokens for sentence in sentences if sentence.syntax is None))
        cache = TreeCache(self.name, self.version, self.spacy)
        trees = cache.get(missing)
        not_cached = [tokens for tokens in missing if tokens not in trees]
        if not_cached:
            parsed = dict(zip(not_cached, self.trees(not_cached), strict=True))
            cache.put(parsed)
            trees |= parsed
        return [replace(sentence, syntax=trees[sentence.tokens]) if sentence.syntax is None else sentence for sentence in sentences]

    def trees(self, sentences: Sequence[tuple[str, ...]]) -> Iterator[Syntax]:
        """One forest a sentence, in order. Raises DataError for a sentence in a script that the pipeline was not made for."""
        from spacy.tokens import Doc

        nlp = self._pipeline
        for tokens in sentences:
            if is_other_script(nlp, tokens):
                raise DataError(
                    f"parser {self.name}: expected text in the language {nlp.lang!r}, got {' '.join(tokens[:10])!r}; "
                    "choose another encoding.parser"
                )

        def document(tokens: tuple[str, ...]) -> Doc:
            # With sentence starts given, the parser splits no sentence.
            starts: list[bool | int | None] = [True, *[False] * (len(tokens) - 1)]
            return Doc(nlp.vocab, words=list(tokens), sent_starts=starts)

        for doc in nlp.pipe(map(document, sentences), batch_size=SENTENCES_AT_ONCE):
            yield Syntax(
                tuple(ROOT if token.head.i == token.i else token.head.i for token in doc),
                tuple(token.dep_ or "dep" for token in doc),
                tuple(token.tag_ or token.pos_ or "X" for token in doc),
            )

    @cached_property
    def _pipeline(self) -> Any:
        import spacy

        try:
            nlp = spacy.load(self.name, exclude=_UNUSED)
        except (OSError, ValueError, ImportError) as error:
            raise ConfigError(f"encoding.parser: expected a spaCy pipeline that loads, got {self.name!r}: {error}") from error
        if not nlp.has_pipe("parser"):
            raise ConfigError(f"encoding.parser: expected a pipeline with a parser, got {self.name!r} with {', '.join(nlp.pipe_names)}")
        return nlp
