"""The contract of an annotator that finds entities, and what all of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from relsift.annotators.base import Addition, NamedAnnotator
from relsift.readers.base import ReadReport
from relsift.schema import Entity, Sentence


class EntityAnnotator(NamedAnnotator):
    """Adds entities to sentences that have none; all else of a sentence, and sentences with entities, stay as they are."""

    ADDS: ClassVar[Addition] = "entities"

    def __init__(self) -> None:
        self.report = ReadReport()  # what was left out or changed since the annotator was made

    @abstractmethod
    def find(self, sentences: Sequence[Sentence]) -> Iterable[Sequence[Entity]]:
        """The entities of each sentence, in order. They need no `chars`."""

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        found = iter(self.find([sentence for sentence in sentences if not sentence.entities]))
        return [sentence if sentence.entities else with_found(sentence, next(found)) for sentence in sentences]


def with_found(sentence: Sentence, entities: Iterable[Entity]) -> Sentence:
    """The sentence with these entities in text order, each with its characters if the sentence has offsets."""
    ordered = sorted(entities, key=lambda entity: (entity.start, entity.end, entity.type))
    return replace(sentence, entities=tuple(map(sentence.with_characters, ordered)))


def joined_reports(reports: Iterable[object]) -> ReadReport:
    """The counts of several annotators together. Args: reports: what is no report is left out; a plug-in need not have one."""
    total = ReadReport()
    for report in reports:
        if isinstance(report, ReadReport):
            total.dropped.update(report.dropped)
            for reason, places in report.examples.items():
                total.examples.setdefault(reason, []).extend(places)
    return total
