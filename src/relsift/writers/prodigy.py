"""Prodigy: JSON lines for `prodigy rel.manual`, one sentence a task, with tokens, spans and relations, to be corrected.

    prodigy rel.manual NAME blank:en relations.jsonl --label founded,runs --span-label PER,ORG --add-ents

`head` and `child` are the last tokens of their spans, `token_end` is inclusive, and offsets count characters, as Prodigy writes them.
Scores stand beside each relation, and `meta` shows the lowest probability; Prodigy keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.json_array import write_lines
from relsift.writers.layout import Layout, sentence_layouts
from relsift.writers.tasks import count_empty, lowest_probability

_DIGITS = 6


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        write_lines(_tasks(documents, left_out), stream)


def _tasks(documents: Iterable[Document], left_out: Omissions) -> Iterator[dict[str, Any]]:
    for document in documents:
        count_empty(document, left_out)
        for page in sentence_layouts(document):
            yield _task(page, document.id)


def _task(page: Layout, document: str) -> dict[str, Any]:
    (placed,) = page.sentences
    sentence = placed.sentence
    follows = [start > end for (_, end), (start, _) in zip(placed.tokens, placed.tokens[1:])]
    tokens = [
        {"text": page.text[start:end], "start": start, "end": end, "id": number, "ws": blank}
        for number, ((start, end), blank) in enumerate(zip(placed.tokens, [*follows, False]))
    ]
    spans = [
        {
            "start": placed.tokens[one.start][0], "end": placed.tokens[one.end - 1][1], "token_start": one.start, "token_end": one.end - 1,
            "label": one.type,
        }
        for one in sentence.entities
    ]  # fmt: skip
    probability = lowest_probability(page)
    meta = {"document": document, "sentence": sentence.id} | ({} if probability is None else {"probability": round(probability, _DIGITS)})
    task = {"text": page.text, "meta": meta, "tokens": tokens, "spans": spans}
    if sentence.relations is not None:
        task["relations"] = [
            {
                "head": spans[one.head]["token_end"], "child": spans[one.tail]["token_end"], "label": one.type,
                "head_span": spans[one.head], "child_span": spans[one.tail],
            }
            | {name: round(value, _DIGITS) for name, value in (("score", one.score), ("probability", one.probability)) if value is not None}
            for one in sentence.relations
        ]  # fmt: skip
    return task


WRITER = Writer(
    name="prodigy", summary="JSON lines with tokens, spans and relations, to correct with Prodigy's rel.manual", suffix=".jsonl",
    write=write, keeps=frozenset({"sentences", "tokens", "plain_sentences", "unrelated", "unannotated", "scores", "probabilities"}),
)  # fmt: skip
