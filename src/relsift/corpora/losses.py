"""Which documents lost annotated relations while they were read: an evaluation counts those as missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from relsift.concepts import without_mentions
from relsift.passages import held_across, held_of_concepts
from relsift.readers.base import ACROSS, OF_CONCEPTS, ReadReport, shown
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
    """The relations across sentences, and those of concepts, that passages of so many sentences hold are lost no longer.

    Args: document: as read. lost: what the document lost, by type; changed, as the report is.
    """
    if window == 1:
        return
    across, of_concepts = held_across(document, window), held_of_concepts(document, window)
    for one in across:
        report.regain_across(one.type)
    for other in of_concepts:
        report.regain_concepts(other.type)
    held = set(across)
    for one in document.across:
        if one not in held:
            away = abs(one.head[0] - one.tail[0])
            report.name_beyond(ACROSS, f"document {shown(document.id)}: {shown(one.type)}, {away} sentence{'s' * (away > 1)} apart")
    shown_by_passages = set(of_concepts)
    for other in without_mentions(document):
        if other not in shown_by_passages:
            where = f"document {shown(document.id)}: {shown(other.type)} {shown(other.head)} {shown(other.tail)}"
            report.name_beyond(OF_CONCEPTS, where)
    if lost is not None:
        remaining = lost - Counter(one.type for one in across) - Counter(one.type for one in of_concepts)
        lost.clear()
        lost.update(remaining)


def holding(documents: Iterable[Document], report: ReadReport, kept: Collection[str]) -> Iterator[Document]:
    """The same documents, for files that hold relations across sentences or of concepts: these are lost no longer. Others go without.

    Args: kept: what the files hold, as of `relsift.writers.base.Writer.keeps`.
    """
    for document in documents:
        if "across" in kept:
            for relation in document.across:
                report.regain_across(relation.type)
        if "concept_relations" in kept:
            for one in without_mentions(document):
                report.regain_concepts(one.type)
        yield replace(
            document, across=document.across if "across" in kept else (),
            concept_relations=document.concept_relations if "concept_relations" in kept else None,
        )  # fmt: skip
