"""`doc._.relations`: relations between spans of a spaCy doc. Importing this module registers it, unless another package has the name.

What is stored is plain data in `doc.user_data` (see `relsift.spacy_storage`), so that it survives `Doc.to_bytes` and `DocBin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spacy.tokens import Doc, Span

from relsift.errors import ConfigError, DataError
from relsift.readers.spacy_docs import end_of, span_of, stored
from relsift.spacy_storage import KEY, Stored, store

EXTENSION = "relations"  # `doc._.relations`


@dataclass(frozen=True, slots=True)
class SpanRelation:
    """A directed, typed relation between two spans of a doc."""

    head: Span
    tail: Span
    type: str
    score: float | None = None  # log-odds against "none"; None: annotated, not predicted
    probability: float | None = None  # in [0, 1]; None: annotated, or predicted by a decision without calibration


def relations_of(doc: Doc) -> list[SpanRelation]:
    """`doc._.relations`; empty if nobody has set any. Raises DataError as `relsift.readers.spacy_docs.stored` does."""
    return [
        SpanRelation(span_of(doc, relation.head), span_of(doc, relation.tail), *relation[2:])
        for relation in stored(doc, "doc._.relations") or ()
    ]


def set_relations(doc: Doc, relations: Iterable[SpanRelation] | None) -> None:
    """`doc._.relations = …`; None: the doc is not annotated with relations. Raises DataError for relations of another doc."""
    if relations is None:
        doc.user_data.pop(KEY, None)
        return
    if not isinstance(relations, Iterable):
        raise DataError(f"doc._.relations: expected a list of SpanRelations, or None, got {relations!r}")
    those = list(relations)
    for number, relation in enumerate(those):
        if not isinstance(relation, SpanRelation) or not relation.type:
            raise DataError(f"doc._.relations: expected SpanRelations with a type, got {relation!r} at {number}")
        if relation.head.doc is not doc or relation.tail.doc is not doc:
            raise DataError(f"doc._.relations: expected relations between spans of this doc, got spans of another one at {number}")
    store(doc, (Stored(end_of(one.head), end_of(one.tail), one.type, one.score, one.probability) for one in those))


def register() -> None:
    """Make `doc._.relations` known to spaCy; again does nothing. Raises ConfigError if the name is another package's."""
    if Doc.has_extension(EXTENSION):
        getter = Doc.get_extension(EXTENSION)[2]
        if getattr(getter, "__module__", None) != __name__:
            raise ConfigError(
                f"doc._.{EXTENSION}: expected a name that is free, got one that another package has registered; use one of both"
            )
    Doc.set_extension(EXTENSION, getter=relations_of, setter=set_relations, force=True)


if not Doc.has_extension(EXTENSION):  # an import never fails; the component does, when it is made or used
    register()
