"""A text with mentions by offsets and relations by their ids, of which each is checked on its own: a broken one costs no other.

For formats that list them as records (Label Studio, doccano, triples). The sentences are those of `standoff`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown
from relsift.readers.positions import CHARACTERS, Positions, in_words
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document
from relsift.sentences import line_spans, split_sentences
from relsift.text import Span

LINES = ("break", "wrapped", "sentences")
RELATIONS = ("within", "whole")
_SPLIT_HINT = "; if a sentence is cut at a wrong place, see the options relations=whole, lines=sentences"


@dataclass(frozen=True)
class Cutting:
    """How a text becomes sentences, as the options of readers say it; the first value of each is the default."""

    lines: str = LINES[0]  # break: a line break ends a sentence; wrapped: only a blank line does; sentences: each line is one sentence
    relations: str = RELATIONS[0]  # within a sentence, others are left out; whole: sentences that a relation joins become one


@dataclass(slots=True)
class MarkedText:
    """The mentions and relations of one text that are kept so far. Call the methods within `report.leaving_out`."""

    text: str
    where: str
    report: ReadReport
    positions: Positions
    convention: str = CHARACTERS  # of `positions`, for messages
    entities: dict[str, TextEntity] = field(default_factory=dict)  # by id
    announced: set[str] = field(default_factory=set)  # ids that the file gives, also of mentions that are left out
    relations: list[TextRelation] = field(default_factory=list)

    def span(self, start: int, end: int, place: str) -> Span:
        """The half-open characters at two positions. Raises DataError unless they lie in the text, the start not behind the end."""
        first, after_last = self.positions.offset(start), self.positions.offset(end)
        if first is None or after_last is None or first > after_last:
            raise DataError(
                f"{place}: expected two positions in the text, which has {len(self.text)} characters, "
                f"got {shown(start)} to {shown(end)}, counted in {in_words(self.convention)}"
            )
        return first, after_last

    def add_entity(self, key: str, span: Span, kind: str, place: str) -> None:
        """Keep a mention, or count one of nothing or of blanks, a slip of the mouse.

        Raises: DataError for an empty type, and for an id that stands twice.
        """
        self.announced.add(key)
        words = self.text[slice(*span)]
        if not words.strip():
            self.report.lose_entity("entities without text", place)
            return
        if not kind.strip():
            raise DataError(f"{place}: expected a type, got an empty string")
        if key in self.entities:
            raise DataError(f"{place}: expected each id once, got {shown(key)} twice")
        # Without blanks at its edges, which belong to no token and may lie beyond the end of a sentence.
        start = span[0] + len(words) - len(words.lstrip())
        self.entities[key] = TextEntity(key, start, start + len(words.strip()), kind)

    def add_relation(self, head: str, tail: str, kind: str, place: str) -> None:
        """Keep a relation, or count one of a mention that was left out. Raises DataError for an unknown id, and for an empty type."""
        if not kind.strip():
            raise DataError(f"{place}: expected a type, got an empty string")
        for key in (head, tail):
            if key not in self.announced:
                raise DataError(f"{place}: expected the id of an entity of this text, got {shown(key)}")
        if head in self.entities and tail in self.entities:
            self.relations.append(TextRelation(head, tail, kind))
        else:
            self.report.lose_relation("relations of a dropped entity", place, kind)

    def document(self, key: str, cutting: Cutting, *, annotated: bool = True) -> Document:
        """Args: annotated: with relations; False: the file says nothing about them."""
        if not self.text.strip():
            self.report.drop("empty texts (kept, as documents without sentences)", self.where)
        entities = list(self.entities.values())
        return document_from_offsets(
            key, self.text, entities, self.relations if annotated else None, self.report, where=self.where,
            sentences=self._sentences(cutting), split_hint=_SPLIT_HINT,
        )  # fmt: skip

    def _sentences(self, cutting: Cutting) -> list[Span]:
        keep = [(entity.start, entity.end) for entity in self.entities.values()]
        if cutting.relations == "whole":
            ends = [(self.entities[relation.head], self.entities[relation.tail]) for relation in self.relations]
            keep += [(min(head.start, tail.start), max(head.end, tail.end)) for head, tail in ends]
        if cutting.lines == "sentences":
            return line_spans(self.text, keep)
        return split_sentences(self.text, keep, wrapped=cutting.lines == "wrapped")
