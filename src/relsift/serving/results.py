"""Documents with relations as the JSON of an answer (`relsift.serving.schemas.ExtractResult`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence


def result_of(
    document: Document, record: Mapping[str, Any], *, with_tokens: bool, truncated: bool, notes: Sequence[str]
) -> dict[str, Any]:
    """Args: record: what was given, see `relsift.serving.requests.Extraction`."""
    is_text = "tokens" not in record and "sentences" not in record
    result: dict[str, Any] = {"id": document.id}
    if is_text:
        result["text"] = record["text"]
    elif "tokens" in record:
        result["tokens"] = record["tokens"]
    if with_tokens or "sentences" in record:
        result["sentences"] = [
            {"id": one.id, "tokens": list(one.tokens), "offsets": None if one.offsets is None else [list(span) for span in one.offsets]}
            for one in document.sentences
        ]
    entities = [
        _entity(entity, sentence, number, in_text=is_text, with_tokens=with_tokens)
        for number, sentence in enumerate(document.sentences)
        for entity in sentence.entities
    ]
    first = first_entities(document.sentences)
    related: list[tuple[int, int, Relation | RelationAcross]] = [
        (first[number] + found.head, first[number] + found.tail, found)
        for number, sentence in enumerate(document.sentences)
        for found in sentence.relations or ()
    ]
    related += [(first[one.head[0]] + one.head[1], first[one.tail[0]] + one.tail[1], one) for one in document.across]
    relations = [
        {
            "head": head, "tail": tail, "type": found.type, "score": found.score, "probability": found.probability,
            **_ends("head", entities[head]), **_ends("tail", entities[tail]),
        }
        for head, tail, found in related
    ]  # fmt: skip
    return result | {
        "offsets": "characters" if is_text else "tokens", "entities": entities, "relations": relations, "truncated": truncated,
        "notes": list(notes),
    }  # fmt: skip


def first_entities(sentences: Sequence[Sentence]) -> list[int]:
    """The number of each sentence's first entity among those of the document."""
    return list(accumulate((len(sentence.entities) for sentence in sentences), initial=0))


def pairs_of(scored: Sequence[Scored], decision: Decision, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """All scores of a document's pairs as the thresholds see them: after constraints and means of both directions."""
    pairs = []
    for one, first in zip(scored, first_entities([one.sentence for one in scored])):
        cells = decision.cells(one, labels)
        shape = cells.scores.shape
        chances = None if decision.calibration is None or not cells.scores.size else decision.calibration.probability(cells.scores.ravel())
        table = None if chances is None else _with_nulls(np.asarray(chances).reshape(shape), cells.allowed)
        for number, (pair, row) in enumerate(zip(one.pairs, _with_nulls(cells.scores, cells.allowed))):
            probabilities = None if table is None else table[number]
            pairs.append({"head": first + pair.head, "tail": first + pair.tail, "scores": row, "probabilities": probabilities})
    return pairs


def decision_summary(decision: Decision) -> dict[str, Any]:
    return {
        "mode": decision.mode, "threshold": decision.threshold, "thresholds": dict(decision.thresholds),
        "constraints": decision.constraints and decision.triples is not None,
        "symmetric": list(decision.symmetric), "inverse": dict(decision.inverse),
        "at_most": {name: dict(limits) for name, limits in decision.at_most.items()},
        "calibration": None if decision.calibration is None else decision.calibration.method,
    }  # fmt: skip


def _with_nulls(values: Any, allowed: Any) -> list[list[float | None]]:
    return [
        [value if is_allowed else None for value, is_allowed in zip(*row)] for row in zip(values.tolist(), allowed.tolist(), strict=True)
    ]


def _entity(entity: Entity, sentence: Sentence, number: int, *, in_text: bool, with_tokens: bool) -> dict[str, Any]:
    span = sentence.characters_of(entity)
    start, end = span if in_text and span is not None else (entity.start, entity.end)
    found: dict[str, Any] = {
        "id": entity.id, "sentence": number, "start": start, "end": end, "type": entity.type, "subtype": entity.subtype,
        "text": sentence.text_of(entity), "score": entity.score,
    }  # fmt: skip
    if with_tokens:
        found["tokens"] = [entity.start, entity.end]
    if span is not None and not in_text:
        found["chars"] = list(span)
    return found


def _ends(role: str, entity: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{role}_span": [entity["start"], entity["end"]], f"{role}_text": entity["text"]}
