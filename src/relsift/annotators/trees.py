"""Dependency trees for models that read them: those of the data, else those of an annotator; otherwise an error that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relsift.annotators.base import Annotator, find_annotator
from relsift.errors import ConfigError, DataError, RelsiftError
from relsift.schema import Sentence


def with_trees(sentences: Sequence[Sentence], parser: str | None) -> list[Sentence]:
    """The same sentences; those without trees are parsed.

    Args:
        parser: an annotator that adds trees (see `relsift.annotators.base`), such as the name of a spaCy pipeline; None: all sentences must
            have trees.
    Raises: DataError naming the first sentence without trees if there is no parser; ConfigError if the parser is not installed, or does
        not return what it was given with trees.
    """
    missing = [sentence for sentence in sentences if sentence.syntax is None]
    if not missing:
        return list(sentences)
    if parser is None:
        raise DataError(
            f"sentence {missing[0].id!r}: expected dependency trees, which this model needs, got none ({len(missing)} of "
            f"{len(sentences)} sentences have none); name a parser (--set encoding.parser=en_core_web_sm, or that of your language, when "
            "training), add them with `relsift parse`, or give heads, dependencies and pos in the data"
        )
    complete = annotated(parser, find_annotator(parser, "trees"), missing)
    if [sentence if sentence.syntax is None else replace(sentence, syntax=None) for sentence in complete] != missing:
        problem = f"expected the {len(missing)} sentences it was given, in order, got {len(complete)} other ones"
        raise ConfigError(f"annotator {parser!r}: {problem}")
    if (bare := next((sentence.id for sentence in complete if sentence.syntax is None), None)) is not None:
        raise ConfigError(f"annotator {parser!r}: expected trees for every sentence, got none for {bare!r}")
    parsed = iter(complete)
    return [next(parsed) if sentence.syntax is None else sentence for sentence in sentences]


def annotated(name: str, annotator: Annotator, sentences: Sequence[Sentence]) -> list[Sentence]:
    """What the annotator returns, as a list of sentences. Raises ConfigError naming it if it fails or returns anything else."""
    try:
        result: object = annotator.annotate(sentences)
    except RelsiftError:
        raise
    except Exception as error:  # a plug-in runs code that is not ours
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"annotator {name!r}: expected the sentences with {annotator.ADDS}, got {problem}; mend that package") from error
    if not isinstance(result, (list, tuple)) or not all(isinstance(sentence, Sentence) for sentence in result):
        kind = type(result).__name__
        raise ConfigError(f"annotator {name!r}: expected a list of sentences, got {kind} of other things; mend that package")
    return list(result)


def pinned(parser: str | None) -> str | None:
    """The parser's name with its version, to be stored with a model. Raises ConfigError if it is not installed."""
    if parser is None:
        return None
    spec: object = find_annotator(parser, "trees").spec
    if not isinstance(spec, str):
        raise ConfigError(f"annotator {parser!r}: expected a text as its spec, got {spec!r}; mend that package")
    return spec
