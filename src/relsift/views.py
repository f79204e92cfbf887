"""Entities and relations as users read them: with their own text and character offsets, without token numbers.

The data model below (`relsift.schema`) stores positions; a view looks up what stands there. It lies beneath the schema, which offers
`Document.entities` and `Document.relations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relsift.schema import Entity, Relation, Sentence


@dataclass(frozen=True, slots=True, repr=False)
class EntityView:
    """An entity of a sentence. Where `start` is known, `document.text[start:end] == text`.

    See also: `RelationView`, `relsift.schema.Document`.

    >>> from relsift.schema import Document, Entity, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"),), offsets=((0, 3), (4, 11), (12, 16)))
    >>> [ada] = Document("d1", (sentence,), "Ada founded Acme").entities
    >>> ada, ada.text, ada.start, ada.end
    (<PER 'Ada' 0:3>, 'Ada', 0, 3)
    """

    sentence: Sentence
    entity: Entity

    @property
    def text(self) -> str:
        """The mention as in the original text; where that is unknown, its tokens as they are set in print."""
        return self.sentence.text_of(self.entity)

    @property
    def start(self) -> int | None:
        """First character in the document's text, in code points; None: the original text is unknown."""
        span = self.sentence.characters_of(self.entity)
        return None if span is None else span[0]

    @property
    def end(self) -> int | None:
        """The character after the last one; None: the original text is unknown."""
        span = self.sentence.characters_of(self.entity)
        return None if span is None else span[1]

    @property
    def type(self) -> str:
        return self.entity.type

    @property
    def subtype(self) -> str | None:
        return self.entity.subtype

    @property
    def id(self) -> str | None:
        return self.entity.id

    @property
    def score(self) -> float | None:
        """Log-odds; None: given, not found by a model."""
        return self.entity.score

    def __repr__(self) -> str:
        span = self.sentence.characters_of(self.entity)
        return f"<{self.type} {self.text!r}{'' if span is None else f' {span[0]}:{span[1]}'}>"


@dataclass(frozen=True, slots=True, repr=False)
class RelationView:
    """A relation of a sentence, or of two sentences of a document.

    See also: `EntityView`, `relsift.extractor.RelationExtractor.explain`.

    >>> from relsift.schema import Document, Entity, Relation, Sentence
    >>> entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), entities, (Relation(0, 1, "founder", score=2.5),))
    >>> [found] = Document("d1", (sentence,)).relations
    >>> found, found.head.type, found.tail.text
    (<'Ada' founder 'Acme' score 2.50>, 'PER', 'Acme')
    """

    sentence: Sentence  # that of the head
    relation: Relation
    tail_sentence: Sentence | None = None  # None: that of the head

    @property
    def is_across(self) -> bool:
        """Whether head and tail stand in two sentences."""
        return self.tail_sentence is not None

    @property
    def head(self) -> EntityView:
        return EntityView(self.sentence, self.sentence.entities[self.relation.head])

    @property
    def tail(self) -> EntityView:
        sentence = self.sentence if self.tail_sentence is None else self.tail_sentence
        return EntityView(sentence, sentence.entities[self.relation.tail])

    @property
    def pair(self) -> tuple[int, int]:
        """Head and tail as positions in the entities of their sentences, as `RelationExtractor.explain` takes them."""
        return self.relation.head, self.relation.tail

    @property
    def type(self) -> str:
        return self.relation.type

    @property
    def score(self) -> float | None:
        """Log-odds against "none"; None: annotated, not predicted."""
        return self.relation.score

    @property
    def probability(self) -> float | None:
        """In [0, 1]; None: annotated, or predicted by a decision without calibration."""
        return self.relation.probability

    def __repr__(self) -> str:
        score = "" if self.score is None else f" score {self.score:.2f}"
        score += "" if self.probability is None else f" probability {self.probability:.2f}"
        return f"<{self.head.text!r} {self.type} {self.tail.text!r}{score}>"
