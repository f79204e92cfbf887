"""From mentions with positions and words to entities, for every format that has both (brat, BioNLP, PubTator, BioC).

A mention whose words are not at its positions is dropped and counted. Data that lose many mentions are refused, with the option that
finds them (see `relsift.readers.misplaced`); a document that loses most of its own is left out, since it would teach that it holds none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.brat_lines import TextBound
from relsift.readers.brat_mentions import entity_of, is_misplaced, num_in_place
from relsift.readers.misplaced import AUTO, UNEXPLAINED_SHARE, Fits
from relsift.readers.positions import CHARACTERS, CONVENTIONS, Positions, fits
from relsift.readers.standoff import TextEntity

_LOST_SHARE = 0.5  # of a document's mentions; if more are lost, it is left out


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document that counts its positions from its own beginning: the whole text, or a passage."""

    text: str
    mentions: Sequence[TextBound]  # positions as the file counts them, from the beginning of this part
    start: int = 0  # offset of the part in the document's text
    has_mark: bool = False  # the file of the text begins with a byte-order mark

    def fits(self, conventions: Sequence[str], *, nearby: bool) -> dict[str, int]:
        """How many mentions have their words at their positions, by convention."""

        def num_fitting(positions: Positions) -> int:
            return num_in_place(self.text, self.mentions, positions, nearby=nearby)

        return fits(self.text, num_fitting, has_mark=self.has_mark, conventions=conventions)


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """The parts of one document, before its mentions are compared with its text."""

    where: str  # the file, or file and line
    parts: Sequence[Part]
    relations: Sequence[tuple[str, str]] = ()  # place and type of each
    conventions: Sequence[str] = CONVENTIONS  # that the format can be written in

    @property
    def mentions(self) -> list[TextBound]:
        """Those of all parts, in file order."""
        return [mention for part in self.parts for mention in part.mentions]

    def fits(self, *, nearby: bool) -> dict[str, int]:
        """How many mentions have their words at their positions, by convention."""
        numbers = dict.fromkeys(self.conventions, 0)
        for part in self.parts:
            for convention, number in part.fits(self.conventions, nearby=nearby).items():
                numbers[convention] += number
        return numbers


@dataclass
class OffsetCheck:
    """The check of one reading. How many mentions are lost in all of its documents decides what happens to those that are."""

    reader: str  # name of the format, for the way out in a message
    path: Path  # what is read
    convention: str  # what positions count, or AUTO
    all_texts: Callable[[], Iterator[AnnotatedText]]  # every document; called when a first mention is lost
    nearby: bool = False  # whether words a few characters away are in place
    _survey: Fits | None = field(default=None, init=False)

    def entities(
        self, annotated: AnnotatedText, report: ReadReport, ignored: Collection[str] = frozenset()
    ) -> dict[str, TextEntity] | None:
        """The entities by id, with offsets in the document's text; None if so much is lost that nothing can be learned from the document.

        Args: ignored: ids of mentions that are no entities, and were counted already.
        Raises: DataError if the words of many mentions of all documents are not at their positions.
        """
        convention = self.convention
        if convention == AUTO:
            numbers = annotated.fits(nearby=self.nearby)
            convention = max(numbers, key=lambda name: numbers[name])
            if numbers[convention] > numbers[CHARACTERS]:
                report.drop(f"documents whose offsets count {convention} (kept)", annotated.where)
        located = [(part, Positions(part.text, convention, has_mark=part.has_mark)) for part in annotated.parts]
        if self._is_lost(annotated, located, report):
            return None
        entities: dict[str, TextEntity] = {}
        for part, positions in located:
            for mention in part.mentions:
                if mention.id in ignored:
                    continue
                with report.leaving_out("entities"):
                    entity = entity_of(part.text, mention, positions, report, nearby=self.nearby)
                    if entity is not None:
                        shifted = replace(entity, start=entity.start + part.start, end=entity.end + part.start)
                        entities[mention.id] = shifted if part.start else entity
        return entities

    def _is_lost(self, annotated: AnnotatedText, located: Sequence[tuple[Part, Positions]], report: ReadReport) -> bool:
        """Whether most mentions of the document are lost; it is counted then. Raises: DataError if many of all documents are."""
        misplaced = [
            mention
            for part, positions in located
            for mention in part.mentions
            if is_misplaced(part.text, mention, positions, nearby=self.nearby)
        ]
        if not misplaced:
            return False
        if self._survey is None:
            self._survey = Fits()
            for other in self.all_texts():
                self._survey.add(len(other.mentions), other.fits(nearby=self.nearby))
        complaint = self._survey.complaint(self.convention, reader=self.reader, path=self.path, nearby=self.nearby)
        mentions = annotated.mentions
        share = len(misplaced) / len(mentions)
        is_lost = share > _LOST_SHARE
        if complaint and (report.on_error == "stop" or share > UNEXPLAINED_SHARE):
            for _, kind in annotated.relations if report.on_error == "skip" else ():
                report.lost_relations[kind] += 1
            report.lost_entities += len(mentions) if report.on_error == "skip" else 0
            raise DataError(f"{misplaced[0].label}: {complaint}")
        if is_lost:
            report.lost_entities += len(mentions)
            report.drop("documents left out, as the words of most entities are not at their offsets", annotated.where)
            for place, kind in annotated.relations:
                report.lose_relation("relations of a document left out", place, kind)
        return is_lost
