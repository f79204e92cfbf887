"""What the annotation tools have in common: one task a document, or one a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.layout import Layout, layout, sentence_layouts

DOCUMENT, SENTENCE = "document", "sentence"
UNITS = (DOCUMENT, SENTENCE)
MIXED = "sentences without annotated relations beside others, which look as if they had none"  # in one task
ACROSS = frozenset({"across"})  # what a task of a document holds, and one of a sentence does not


def tasks(documents: Iterable[Document], unit: str, left_out: Omissions) -> Iterator[Layout]:
    """Args: unit: of a task, DOCUMENT or SENTENCE. Counts: documents without sentences, where a task is a sentence."""
    for document in documents:
        if unit == DOCUMENT:
            yield layout(document)
        else:
            yield from sentence_layouts(document)
            count_empty(document, left_out)


def count_empty(document: Document, left_out: Omissions) -> None:
    """Count a document without sentences in a format that holds sentences alone."""
    if not document.sentences:
        left_out.drop("documents without sentences, left out", f"document {document.id}")


def lowest_probability(page: Layout) -> float | None:
    """Of the relations of a task; None if none is known. Tools show those of which the model is least sure first by it."""
    known = [one.probability for placed in page.sentences for one in placed.sentence.relations or ()]
    known += [one.probability for one in page.across]
    return min((probability for probability in known if probability is not None), default=None)
