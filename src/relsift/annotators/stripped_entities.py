"""Entities without the article before them and the "'s" behind them: `spacy[strip=articles]:NAME`.

Annotators that learned from OntoNotes, as English spaCy pipelines did, take "the" and "'s" into an entity: "the United States", "Texas's".
Most corpora of relations do not. The option stands in brackets behind the kind of an annotator, and works with every kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from relsift.annotators.alignment import Alignment
from relsift.annotators.base import Addition, Annotator
from relsift.annotators.entity_annotator import joined_reports
from relsift.readers.base import ReadReport
from relsift.schema import Entity, Sentence

_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)", re.IGNORECASE)
_GENITIVE = re.compile(r"(?<=\S)\s*['’]s\Z", re.IGNORECASE)


class StrippedEntities(Annotator):
    """The entities of another annotator, each without an article and a final "'s"; how many had one is counted."""

    ADDS: ClassVar[Addition] = "entities"

    def __init__(self, annotator: Annotator, spec: str) -> None:
        """Args: spec: of the annotator, with the option."""
        self.annotator = annotator
        self._spec = spec
        self._report = ReadReport()

    @property
    def spec(self) -> str:
        return self._spec

    @property
    def report(self) -> ReadReport:
        """What this one and the other annotator left out or changed."""
        return joined_reports((self._report, getattr(self.annotator, "report", None)))

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        found = self.annotator.annotate(sentences)
        return [
            after if before.entities else replace(after, entities=tuple(self._stripped(after, entity) for entity in after.entities))
            for before, after in zip(sentences, found, strict=True)
        ]

    def _stripped(self, sentence: Sentence, entity: Entity) -> Entity:
        """The entity; as it is if nothing is to be taken away, or if tokens do not end there."""
        spans = sentence.token_spans
        start, end = spans[entity.start][0], spans[entity.end - 1][1]
        text = sentence.text[start:end]
        article = _ARTICLE.match(text)
        genitive = _GENITIVE.search(text, 0 if article is None else article.end())
        if article is None and genitive is None:
            return entity
        start, end = start + (0 if article is None else article.end()), end if genitive is None else start + genitive.start()
        tokens = Alignment(sentence).tokens(start, end)
        if tokens is None or not tokens.is_exact:
            return entity
        self._report.drop("entities without their article or their final 's", f"sentence {sentence.id!r}: {text!r}")
        return sentence.with_characters(replace(entity, start=tokens.start, end=tokens.end, chars=None))
