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
    "sentence": WHOLE,  # its number in the document, from 0
    **{f"head_{name}": kind for name, kind in _ENTITY.items()},  # start, end: characters of the document's text; missing: unknown
    "relation": TEXT,
    **{f"tail_{name}": kind for name, kind in _ENTITY.items()},
    "score": NUMBER,  # log-odds of the relation; missing: annotated, not predicted. So of the entities: given, not found
    "probability": NUMBER,  # missing: the decision is not calibrated
}
SENTENCE = {"text": TEXT}  # a further column: the sentence
KEPT = frozenset({"scores", "probabilities", "entity_scores"})  # see `relsift.writers.content`


def relation_rows(document: Document) -> Iterator[tuple[Sentence, tuple[Any, ...]]]:
    """Each relation's sentence and its values for COLUMNS."""
    for number, sentence in enumerate(document.sentences):
        for relation in sentence.relations or ():
            found = RelationView(sentence, relation)
            yield sentence, (
                document.id, number, *_entity(found.head), found.type, *_entity(found.tail), found.score, found.probability
            )  # fmt: skip


def _entity(entity: EntityView) -> tuple[Any, ...]:
    return entity.text, entity.type, entity.start, entity.end, entity.score
