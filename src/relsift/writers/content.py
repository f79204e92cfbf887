"""What a document holds beside its text, its entities and relations and their types; and how much of it a format leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from relsift.omissions import Omissions
from relsift.schema import Document, Sentence


class Content(NamedTuple):
    """One kind of content."""

    missing: str  # what a user is told, behind a number
    count: Callable[[Document], int]


def _in_sentences(count: Callable[[Sentence], int]) -> Callable[[Document], int]:
    return lambda document: sum(map(count, document.sentences))


def _unrelated(sentence: Sentence) -> int:
    related = {end for relation in sentence.relations or () for end in (relation.head, relation.tail)}
    return len(sentence.entities) - len(related)


CONTENT: Mapping[str, Content] = {
    "sentences": Content("sentences whose bounds are not kept", lambda document: max(len(document.sentences) - 1, 0)),
    "tokens": Content("sentences whose tokens are not kept", lambda document: len(document.sentences)),
    "plain_sentences": Content("sentences without a relation, left out", _in_sentences(lambda s: not s.relations)),
    "unrelated": Content("entities without a relation, left out", _in_sentences(_unrelated)),
    "unannotated": Content(
        "sentences without annotated relations, which look as if they had none", _in_sentences(lambda s: s.relations is None)
    ),
    "subtypes": Content("subtypes of entities", _in_sentences(lambda s: sum(e.subtype is not None for e in s.entities))),
    "entity_scores": Content("scores of entities", _in_sentences(lambda s: sum(e.score is not None for e in s.entities))),
    "scores": Content("scores of relations", _in_sentences(lambda s: sum(r.score is not None for r in s.relations or ()))),
    "probabilities": Content(
        "probabilities of relations", _in_sentences(lambda s: sum(r.probability is not None for r in s.relations or ()))
    ),
    "across": Content("relations across sentences", lambda document: len(document.across)),
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
