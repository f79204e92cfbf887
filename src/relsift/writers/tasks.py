"""What the annotation tools have in common: one task a document, or one a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relsift.schema import Document
from relsift.writers.layout import Layout, layout, sentence_layouts

DOCUMENT, SENTENCE = "document", "sentence"
UNITS = (DOCUMENT, SENTENCE)


def tasks(documents: Iterable[Document], unit: str) -> Iterator[Layout]:
    """Args: unit: of a task, DOCUMENT or SENTENCE."""
    for document in documents:
        yield from [layout(document)] if unit == DOCUMENT else sentence_layouts(document)


def lowest_probability(page: Layout) -> float | None:
    """Of the relations of a task; None if none is known. Tools show those of which the model is least sure first by it."""
    known = [one.probability for placed in page.sentences for one in placed.sentence.relations or () if one.probability is not None]
    return min(known, default=None)
