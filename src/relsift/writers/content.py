"""What a document holds beside its text, its entities and relations and their types; and how much of it a format leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from relsift.omissions import Omissions
from relsift.schema import Document, Relation, RelationAcross, Sentence


class Content(NamedTuple):
    """One kind of content."""

    missing: str  # what a user is told, behind a number
    count: Callable[[Document], int]


def _in_sentences(count: Callable[[Sentence], int]) -> Callable[[Document], int]:
    return lambda document: sum(map(count, document.sentences))


def _of_relations(is_counted: Callable[[Relation | RelationAcross], bool]) -> Callable[[Document], int]:
    within = _in_sentences(lambda sentence: sum(map(is_counted, sentence.relations or ())))
    return lambda document: within(document) + sum(map(is_counted, document.across))


def _unrelated(document: Document) -> int:
    related = {end for relation in document.across for end in (relation.head, relation.tail)}
    for number, sentence in enumerate(document.sentences):
        related |= {(number, end) for relation in sentence.relations or () for end in (relation.head, relation.tail)}
    return sum(len(sentence.entities) for sentence in document.sentences) - len(related)


def _plain(document: Document) -> int:
    related = {number for relation in document.across for number, _ in (relation.head, relation.tail)}
    return sum(not sentence.relations and number not in related for number, sentence in enumerate(document.sentences))


def _is_plain(document: Document) -> bool:
    return not document.across and not any(sentence.relations for sentence in document.sentences)


CONTENT: Mapping[str, Content] = {
    "plain_documents": Content("documents without a relation, left out", lambda document: int(_is_plain(document))),
    "sentences": Content("sentences whose bounds are not kept", lambda document: max(len(document.sentences) - 1, 0)),
    "tokens": Content("sentences whose tokens are not kept", lambda document: len(document.sentences)),
    "plain_sentences": Content("sentences without a relation, left out", _plain),
    "unrelated": Content("entities without a relation, left out", _unrelated),
    "unannotated": Content(
        "sentences without annotated relations, which look as if they had none", _in_sentences(lambda s: s.relations is None)
    ),
    "subtypes": Content("subtypes of entities", _in_sentences(lambda s: sum(e.subtype is not None for e in s.entities))),
    "entity_scores": Content("scores of entities", _in_sentences(lambda s: sum(e.score is not None for e in s.entities))),
    "scores": Content("scores of relations", _of_relations(lambda relation: relation.score is not None)),
    "probabilities": Content("probabilities of relations", _of_relations(lambda relation: relation.probability is not None)),
    "across": Content("relations across sentences", lambda document: len(document.across)),
    "concepts": Content("entities whose concepts are not kept", _in_sentences(lambda s: sum(bool(e.concepts) for e in s.entities))),
    "concept_relations": Content("relations of concepts", lambda document: len(document.concept_relations or ())),
    "evidence": Content(
        "sentences named as evidence for relations of concepts",
        lambda document: sum(len(relation.evidence or ()) for relation in document.concept_relations or ()),
    ),
    "tags": Content("sentences whose tags of other entities are not kept", _in_sentences(lambda s: s.tagged is not None)),
    "trees": Content("dependency trees", _in_sentences(lambda s: s.syntax is not None)),
}
ALL = frozenset(CONTENT)


def count_missing(documents: Iterable[Document], keeps: frozenset[str], left_out: Omissions) -> Iterator[Document]:
    """The same documents; what a format that keeps `keeps` cannot hold of them is counted."""
    missing = [content for name, content in CONTENT.items() if name not in keeps]
    for document in documents:
        for content in missing:
            if count := content.count(document):
                left_out.drop(content.missing, f"document {document.id}", count)
        yield document
