"""Which documents lost annotated relations while they were read: an evaluation counts those as missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from relsift.passages import held_across
from relsift.readers.base import ReadReport
from relsift.schema import Document


def documents_with_losses(documents: Iterable[Document], report: ReadReport) -> Iterator[tuple[Document, Counter[str]]]:
    """Every document with its lost relations by type, as `report.lost_relations` counts them.

    A loss belongs to the document that is read at that time; what is counted after the last one belongs to the last. The sum is exact.
    Documents that a reader reads ahead, by a line or so, may swap losses with a neighbour.
    Args: report: the one that the documents are read with.
    """
    known = Counter(report.lost_relations)
    held: tuple[Document, Counter[str]] | None = None
    for document in documents:
        if held is not None:
            yield held
        held = document, report.lost_relations - known
        known = Counter(report.lost_relations)
    if held is not None:
        held[1].update(report.lost_relations - known)
        yield held


def regain(document: Document, window: int, report: ReadReport, lost: Counter[str] | None = None) -> None:
    """The relations across sentences that passages of so many sentences hold are lost no longer.

    Args: document: as read. lost: what the document lost, by type; changed, as the report is.
    """
    if window == 1:
        return
    for relation in held_across(document, window):
        report.regain_across(relation.type)
        if lost is not None:
            lost[relation.type] -= 1
            if lost[relation.type] <= 0:
                del lost[relation.type]


def holding_all(documents: Iterable[Document], report: ReadReport) -> Iterator[Document]:
    """The same documents, for files that hold relations across sentences (`Document.across`): they are lost no longer."""
    for document in documents:
        for relation in document.across:
            report.regain_across(relation.type)
        yield document
