"""Prodigy: JSON lines for `prodigy rel.manual`, one sentence or one document a task, with tokens, spans and relations, to be corrected.

    prodigy rel.manual NAME blank:en relations.jsonl --label founded,runs --span-label PER,ORG --add-ents

`head` and `child` are the last tokens of their spans, `token_end` is inclusive, and offsets count characters, as Prodigy writes them.
Scores stand beside each relation, and `meta` shows the lowest probability; Prodigy keeps both. With `unit=document`, `meta` also says with
which tokens sentences begin, so that relsift reads them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document, Relation, RelationAcross
from relsift.writers.base import Writer
from relsift.writers.json_array import write_lines
from relsift.writers.layout import Layout, layout, sentence_layouts
from relsift.writers.tasks import ACROSS, DOCUMENT, MIXED, SENTENCE, count_empty, lowest_probability

_DIGITS = 6
_KEEPS = frozenset({"sentences", "tokens", "plain_sentences", "plain_documents", "unrelated", "unannotated", "scores", "probabilities"})


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, unit: str = SENTENCE) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        write_lines(_tasks(documents, unit, left_out), stream)


def _tasks(documents: Iterable[Document], unit: str, left_out: Omissions) -> Iterator[dict[str, Any]]:
    for document in documents:
        if unit == DOCUMENT:
            page = layout(document)
            starts = [sum(len(placed.tokens) for placed in page.sentences[:number]) for number in range(len(page.sentences))]
            yield _task(page, {"document": document.id, "sentence_starts": starts}, left_out)
            continue
        count_empty(document, left_out)
        for page in sentence_layouts(document):
            yield _task(page, {"document": document.id, "sentence": page.name}, left_out)


def _task(page: Layout, meta: dict[str, Any], left_out: Omissions) -> dict[str, Any]:
    places = [span for placed in page.sentences for span in placed.tokens]
    follows = [start > end for (_, end), (start, _) in pairwise(places)]
    tokens = [
        {"text": page.text[start:end], "start": start, "end": end, "id": number, "ws": blank}
        for number, ((start, end), blank) in enumerate(zip(places, [*follows, False]))
    ]
    spans = list(_spans(page))
    probability = lowest_probability(page)
    meta |= {} if probability is None else {"probability": round(probability, _DIGITS)}
    task = {"text": page.text, "meta": meta, "tokens": tokens, "spans": spans}
    unannotated = sum(placed.sentence.relations is None for placed in page.sentences)
    if unannotated == len(page.sentences) > 0 and not page.across:
        return task
    if unannotated:
        left_out.drop(MIXED, page.name, unannotated)
    return task | {"relations": list(_relations(page, spans))}


def _spans(page: Layout) -> Iterator[dict[str, Any]]:
    first_token = 0
    for placed in page.sentences:
        for one in placed.sentence.entities:
            yield {
                "start": placed.tokens[one.start][0], "end": placed.tokens[one.end - 1][1], "token_start": first_token + one.start,
                "token_end": first_token + one.end - 1, "label": one.type,
            }  # fmt: skip
        first_token += len(placed.tokens)


def _relations(page: Layout, spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    def link(head: dict[str, Any], tail: dict[str, Any], one: Relation | RelationAcross) -> dict[str, Any]:
        ends = {"head": head["token_end"], "child": tail["token_end"], "label": one.type, "head_span": head, "child_span": tail}
        scores = (("score", one.score), ("probability", one.probability))
        return ends | {name: round(value, _DIGITS) for name, value in scores if value is not None}

    firsts = page.first_entities()
    within = (
        link(spans[first + one.head], spans[first + one.tail], one)
        for first, placed in zip(firsts, page.sentences)
        for one in placed.sentence.relations or ()
    )
    across = (link(spans[firsts[one.head[0]] + one.head[1]], spans[firsts[one.tail[0]] + one.tail[1]], one) for one in page.across)
    return chain(within, across)


WRITER = Writer(
    name="prodigy", summary="JSON lines with tokens, spans and relations, to correct with Prodigy's rel.manual", suffix=".jsonl",
    write=write, keeps=_KEEPS, keeps_if={f"unit={DOCUMENT}": _KEEPS | ACROSS}, options={"unit": (SENTENCE, DOCUMENT)},
)  # fmt: skip
