"""Relations as rows of a table, one row a relation, for CSV, Parquet and pandas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relsift.schema import Document, Sentence
from relsift.views import EntityView, RelationView

TEXT, WHOLE, NUMBER = "text", "whole", "number"
_ENTITY = {"text": TEXT, "type": TEXT, "start": WHOLE, "end": WHOLE, "score": NUMBER}
COLUMNS: dict[str, str] = {
    "document": TEXT,  # its id
    "sentence": WHOLE,  # its number in the document, from 0; that of the head, if the tail stands in another one
    **{f"head_{name}": kind for name, kind in _ENTITY.items()},  # start, end: characters of the document's text; missing: unknown
    "relation": TEXT,
    **{f"tail_{name}": kind for name, kind in _ENTITY.items()},
    "score": NUMBER,  # log-odds of the relation; missing: annotated, not predicted. So of the entities: given, not found
    "probability": NUMBER,  # missing: the decision is not calibrated
}
SENTENCE = {"text": TEXT}  # a further column: the sentence
KEPT = frozenset({"across", "scores", "probabilities", "entity_scores"})  # see `relsift.writers.content`


def relation_rows(document: Document) -> Iterator[tuple[Sentence, tuple[Any, ...]]]:
    """Each relation's sentence and its values for COLUMNS; then the relations across sentences, with the sentence of the head."""
    for number, sentence in enumerate(document.sentences):
        for relation in sentence.relations or ():
            yield sentence, _row(document, number, RelationView(sentence, relation))
    for across in document.across:
        number, _ = across.head
        yield document.sentences[number], _row(document, number, document.view(across))


def _row(document: Document, number: int, found: RelationView) -> tuple[Any, ...]:
    return document.id, number, *_entity(found.head), found.type, *_entity(found.tail), found.score, found.probability


def _entity(entity: EntityView) -> tuple[Any, ...]:
    return entity.text, entity.type, entity.start, entity.end, entity.score
