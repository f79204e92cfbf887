"""Label Studio: `tasks.json` to import, and `labels.xml`, the labelling interface that fits it.

What a model found stands in `predictions`, to be corrected: each region and relation with its score, and the task with the lowest
probability of its relations, so that a project can show first what is least sure. `results=annotations` writes finished annotations
instead, as exports have them. Offsets count characters, as Label Studio does since October 2021. `unit=sentence` makes one task a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document, Relation, RelationAcross
from relsift.writers.base import Writer
from relsift.writers.json_array import write_items
from relsift.writers.layout import Layout
from relsift.writers.names import xml_text
from relsift.writers.tasks import ACROSS, DOCUMENT, UNITS, lowest_probability, tasks

PREDICTIONS, ANNOTATIONS = "predictions", "annotations"
TASKS, INTERFACE = "tasks.json", "labels.xml"
_FROM, _TO = "label", "text"  # names of the labels and of the text in the interface
_DIGITS = 6
_KEEPS = frozenset({"plain_sentences", "plain_documents", "unrelated", "probabilities", "entity_scores"})


def write(
    documents: Iterable[Document], target: Path, left_out: Omissions, *, results: str = PREDICTIONS, unit: str = DOCUMENT
) -> None:
    labels, relations = dict[str, None](), dict[str, None]()

    def items() -> Iterator[dict[str, Any]]:
        for page in tasks(documents, unit, left_out):
            for placed in page.sentences:
                labels.update(dict.fromkeys(entity.type for entity in placed.sentence.entities))
                relations.update(dict.fromkeys(relation.type for relation in placed.sentence.relations or ()))
            relations.update(dict.fromkeys(relation.type for relation in page.across))
            yield _task(page, results)

    with (target / TASKS).open("w", encoding="utf-8", newline="\n") as stream:
        write_items(items(), stream)
    (target / INTERFACE).write_text(_interface(labels, relations, left_out), encoding="utf-8", newline="\n")


def _task(page: Layout, results: str) -> dict[str, Any]:
    result: dict[str, Any] = {"result": list(_results(page))}
    if results == PREDICTIONS:
        score = lowest_probability(page)
        result = {"model_version": "relsift"} | ({} if score is None else {"score": round(score, _DIGITS)}) | result
    return {"data": {_TO: page.text}, "meta": {"document": page.name}, results: [result]}


def _results(page: Layout) -> Iterator[dict[str, Any]]:
    for number, placed in enumerate(page.sentences):
        for place, (entity, (start, end)) in enumerate(zip(placed.sentence.entities, placed.entities)):
            value = {"start": start, "end": end, "text": page.text[start:end], "labels": [entity.type]}
            yield {
                "id": f"{number}-{place}", "from_name": _FROM, "to_name": _TO, "type": "labels", "value": value,
            } | _score(None if entity.score is None else 1 / (1 + math.exp(-max(min(entity.score, 500.0), -500.0))))  # fmt: skip
        for relation in placed.sentence.relations or ():
            yield _relation((number, relation.head), (number, relation.tail), relation)
    for across in page.across:
        yield _relation(across.head, across.tail, across)


def _relation(head: tuple[int, int], tail: tuple[int, int], relation: Relation | RelationAcross) -> dict[str, Any]:
    """Args: head, tail: number of the sentence, and of the entity in it."""
    ends = {name: f"{number}-{place}" for name, (number, place) in (("from_id", head), ("to_id", tail))}
    return {"type": "relation", **ends, "direction": "right", "labels": [relation.type]} | _score(relation.probability)


def _score(probability: float | None) -> dict[str, float]:
    return {} if probability is None else {"score": round(probability, _DIGITS)}


def _interface(labels: Iterable[str], relations: Iterable[str], left_out: Omissions) -> str:
    from xml.sax.saxutils import quoteattr  # which imports a client of HTTP

    def values(tag: str, kinds: Iterable[str]) -> str:
        return "".join(f"    <{tag} value={quoteattr(xml_text(kind, INTERFACE, left_out))}/>\n" for kind in kinds)

    return (
        f"<View>\n  <Relations>\n{values('Relation', relations)}  </Relations>\n"
        f'  <Labels name="{_FROM}" toName="{_TO}">\n{values("Label", labels)}  </Labels>\n'
        f'  <Text name="{_TO}" value="${_TO}"/>\n</View>\n'
    )


WRITER = Writer(
    name="label_studio", summary="a folder with tasks to correct, and the labelling interface", suffix="", write=write,
    keeps=_KEEPS | ACROSS, keeps_if={"unit=sentence": _KEEPS},
    options={"results": (PREDICTIONS, ANNOTATIONS), "unit": UNITS},
)  # fmt: skip
