"""Sentences with dependency trees: those they came with, or a parser's.

What needs trees asks here and gets the sentences back with them, or an error that says what to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

from relsift.corpora.data import Data, Source
from relsift.errors import DataError
from relsift.parsing.cache import ParseCache, Tokens
from relsift.parsing.spacy_parser import SpacyParser
from relsift.readers.base import ReadReport
from relsift.readers.conllu import read_trees
from relsift.schema import Document, Sentence, Syntax

DOCUMENTS_AT_ONCE = 256  # parsed together by `parsed_data`; bounds the memory of a long file

Parse = Callable[[Sequence[Sentence]], list[Sentence]]


def with_syntax(sentences: Sequence[Sentence], parser: str | None) -> list[Sentence]:
    """The same sentences; those without trees are parsed, by way of the cache.

    Args:
        parser: a spaCy pipeline, `name` or `name==version`; None: every sentence has to have its trees.
    Raises: DataError naming the first sentence without trees if there is no parser; ConfigError if the parser is not installed.
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
    trees = _trees(_parser(parser), [sentence.tokens for sentence in missing])
    return [replace(s, syntax=trees[s.tokens]) if s.syntax is None else s for s in sentences]


def pinned(parser: str | None) -> str | None:
    """The parser with its version, for a model to remember. Raises ConfigError if it is not installed."""
    return None if parser is None else _parser(parser).spec


@cache
def _parser(spec: str) -> SpacyParser:
    return SpacyParser.find(spec)


def _trees(parser: SpacyParser, sentences: Sequence[Tokens]) -> dict[Tokens, Syntax]:
    known = ParseCache(parser.name, parser.version, parser.spacy)
    found = known.get(sentences)
    unknown = [tokens for tokens in dict.fromkeys(sentences) if tokens not in found]
    if unknown:
        fresh = dict(zip(unknown, parser.trees(unknown), strict=True))
        known.put(fresh)
        found |= fresh
    return found


def from_conllu(file: Path) -> Parse:
    """Takes a sentence's trees from the CoNLL-U sentence with the same tokens; of several such in file order.

    The function raises DataError for a sentence that the file does not have.
    """
    trees: dict[Tokens, deque[Syntax]] = {}
    for tokens, syntax in read_trees(file):
        trees.setdefault(tokens, deque()).append(syntax)

    def parse(sentences: Sequence[Sentence]) -> list[Sentence]:
        return [replace(sentence, syntax=_next(trees.get(sentence.tokens), sentence, file)) for sentence in sentences]

    return parse


def _next(known: deque[Syntax] | None, sentence: Sentence, file: Path) -> Syntax:
    if known is None:
        raise DataError(f"{file}: expected a sentence with the tokens of sentence {sentence.id!r}, got none: {' '.join(sentence.tokens)!r}")
    return known.popleft() if len(known) > 1 else known[0]


def parsed_data(data: Data, parse: Parse) -> Data:
    """The same data, its sentences parsed while they are read."""
    return replace(data, sources={split: partial(_parsed, source, parse) for split, source in data.sources.items()})


def _parsed(source: Source, parse: Parse, report: ReadReport) -> Iterator[Document]:
    for block in _blocks(source(report)):
        sentences = iter(parse([sentence for document in block for sentence in document.sentences]))
        for document in block:
            yield replace(document, sentences=tuple(islice(sentences, len(document.sentences))))


def _blocks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while block := list(islice(stream, DOCUMENTS_AT_ONCE)):
        yield block
