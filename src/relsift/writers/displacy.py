"""displaCy: a JSON array with one drawing a sentence, for `spacy.displacy.render(drawings, style="dep", manual=True)`.

`style=dep`, the default, has arcs, so it shows relations: each entity is one word with its type below, and an arc leads from head to tail.
Entities that overlap are one word. `style=ent` has coloured entities and no relations, for `render(drawings, style="ent", manual=True)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document, Sentence
from relsift.writers.base import Writer
from relsift.writers.json_array import write_items
from relsift.writers.layout import sentence_layouts
from relsift.writers.tasks import count_empty

DEP, ENT = "dep", "ent"


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, style: str = DEP) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        write_items(_drawings(documents, left_out, style), stream)


def _drawings(documents: Iterable[Document], left_out: Omissions, style: str) -> Iterator[dict[str, Any]]:
    for document in documents:
        count_empty(document, left_out)
        if style == DEP:
            yield from (_arcs(sentence, left_out) for sentence in document.sentences)
        else:
            yield from _coloured(document, left_out)


def _arcs(sentence: Sentence, left_out: Omissions) -> dict[str, Any]:
    text, spans = sentence.text, sentence.token_spans
    words, word_of = list[dict[str, str]](), dict[int, int]()  # number of a token -> of its word
    for first, last in _words(sentence):
        types = dict.fromkeys(entity.type for entity in sentence.entities if first <= entity.start < last)
        covered = spans[first:last]
        words.append({"text": text[min(covered)[0] : max(end for _, end in covered)], "tag": " / ".join(types)})
        word_of |= dict.fromkeys(range(first, last), len(words) - 1)
    arcs = []
    for relation in sentence.relations or ():
        head, tail = (word_of[sentence.entities[end].start] for end in (relation.head, relation.tail))
        if head == tail:
            left_out.drop("relations between entities that overlap, which no arc can show", f"sentence {sentence.id}")
        else:
            direction = "right" if head < tail else "left"  # the side of the arrow's point
            arcs.append({"start": min(head, tail), "end": max(head, tail), "label": relation.type, "dir": direction})
    return {"words": words, "arcs": arcs}


def _words(sentence: Sentence) -> list[tuple[int, int]]:
    """Half-open spans of tokens: entities, joined where they overlap, and single tokens between them."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((entity.start, entity.end) for entity in sentence.entities):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    inside = {token for start, end in joined for token in range(start, end)}
    return sorted([*joined, *((token, token + 1) for token in range(len(sentence.tokens)) if token not in inside)])


def _coloured(document: Document, left_out: Omissions) -> Iterator[dict[str, Any]]:
    for page in sentence_layouts(document):
        (placed,) = page.sentences
        kept: list[dict[str, Any]] = []
        longest_first = sorted(zip(placed.entities, placed.sentence.entities), key=lambda pair: (pair[0][0], -pair[0][1]))
        for (start, end), entity in longest_first:
            if kept and start < kept[-1]["end"]:
                left_out.drop("entities that overlap a longer one, left out", f"sentence {page.name}")
            else:
                kept.append({"start": start, "end": end, "label": entity.type})
        for relation in placed.sentence.relations or ():
            left_out.drop("relations, which style=ent cannot show", f"sentence {page.name}: {relation.type}")
        yield {"text": page.text, "ents": kept, "title": None}


WRITER = Writer(
    name="displacy", summary="drawings for spaCy's displacy.render with manual=True", suffix=".displacy.json", write=write,
    keeps=frozenset({"sentences", "tokens", "plain_sentences", "plain_documents", "unrelated"}), options={"style": (DEP, ENT)},
)  # fmt: skip
