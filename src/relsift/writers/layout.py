"""Documents as one text with positions, for formats that count characters in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from relsift.schema import Document, RelationAcross, Sentence

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A sentence in the text of its document, or in another one."""

    sentence: Sentence
    span: Span  # half-open characters of the text, as all spans here
    tokens: list[Span]
    entities: list[Span]


@dataclass(frozen=True, slots=True)
class Layout:
    """A text and what stands in it."""

    name: str  # id of the document, or of its sentence
    text: str
    sentences: list[Placed]
    across: tuple[RelationAcross, ...] = ()  # between these sentences

    def first_entities(self) -> list[int]:
        """How many entities stand before each sentence, in formats that number those of the whole text."""
        return list(accumulate((len(placed.entities) for placed in self.sentences), initial=0))


def layout(document: Document) -> Layout:
    """The document's own text and offsets where they are known; else its sentences, one a line."""
    if document.text is not None and all(sentence.original is not None for sentence in document.sentences):
        placed = [_placed(sentence, (sentence.extent or (0, 0))[0]) for sentence in document.sentences]
        return Layout(document.id, document.text, placed, document.across)
    text, sentences = "", []
    for sentence in document.sentences:
        sentences.append(_placed(sentence, len(text)))
        text += sentence.text + "\n"
    return Layout(document.id, text, sentences, document.across)


def sentence_layouts(document: Document) -> list[Layout]:
    """Each sentence as a text of its own."""
    return [Layout(sentence.id, sentence.text, [_placed(sentence, 0)]) for sentence in document.sentences]


def _placed(sentence: Sentence, start: int) -> Placed:
    """Args: start: of the sentence's text in the whole one."""
    tokens = [(first + start, last + start) for first, last in sentence.token_spans]
    moved = start - (sentence.extent or (0, 0))[0]
    entities = []
    for entity in sentence.entities:
        span = sentence.characters_of(entity)
        covered = tokens[entity.start : entity.end]
        known = (min(covered)[0], max(end for _, end in covered)) if span is None else (span[0] + moved, span[1] + moved)
        entities.append(known)
    return Placed(sentence, (start, start + len(sentence.text)), tokens, entities)
