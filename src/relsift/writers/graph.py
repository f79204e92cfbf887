"""Relations as a graph: what the nodes and edges are, for all formats of graphs.

An edge is one relation of one sentence: a pair that is found related in three sentences has three edges, each with its own probability
and place. A node is, as the option `nodes` says,

    text      all mentions of one type with one text, in whatever case, width and spacing: graphs of several documents hang together
    mention   one mention in one sentence: nothing is taken for the same that may have only the same name
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relsift.schema import Document, Entity, Sentence
from relsift.views import RelationView
from relsift.writers.names import UniqueNames

BY_TEXT, BY_MENTION = "text", "mention"
NODES = (BY_TEXT, BY_MENTION)
KEPT = frozenset({"across", "unrelated", "scores", "probabilities"})  # see `relsift.writers.content`
WHOLE, NUMBER, TEXT = "int", "float", "string"
PROPERTIES = {  # of edges; those that are not known are missing
    "document": TEXT, "sentence": WHOLE, "head": TEXT, "tail": TEXT, "head_start": WHOLE, "head_end": WHOLE, "tail_start": WHOLE,
    "tail_end": WHOLE, "score": NUMBER, "probability": NUMBER, "text": TEXT,
}  # fmt: skip
_DIGITS = 6  # of scores, after the point
_SPECIAL = re.compile(r"[%/\x00-\x1f\x7f-\x9f\u2028\u2029]")

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """An entity."""

    key: Key
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation in a sentence, or across two; its place is then that of the head."""

    key: Key
    head: Key
    tail: Key
    type: str
    properties: Mapping[str, Any]  # of PROPERTIES


def graph(documents: Iterable[Document], nodes: str) -> Iterator[tuple[list[Node], list[Edge]]]:
    """Nodes and edges of each document; nodes come again with each mention. Args: nodes: BY_TEXT or BY_MENTION."""
    names = UniqueNames()  # two documents of one id are two
    for document in documents:
        name = names.of(document.id)
        own = [
            [_node(name, number, place, sentence, entity, nodes) for place, entity in enumerate(sentence.entities)]
            for number, sentence in enumerate(document.sentences)
        ]
        edges = []
        for number, sentence in enumerate(document.sentences):
            for place, relation in enumerate(sentence.relations or ()):
                key, view = ("relation", name, str(number), str(place)), RelationView(sentence, relation)
                head, tail = own[number][relation.head], own[number][relation.tail]
                edges.append(Edge(key, head.key, tail.key, relation.type, _properties(document, number, view)))
        for place, across in enumerate(document.across):
            (first, head_place), (last, tail_place) = across.head, across.tail
            head, tail, key = own[first][head_place], own[last][tail_place], ("relation", name, "across", str(place))
            edges.append(Edge(key, head.key, tail.key, across.type, _properties(document, first, document.view(across))))
        yield [node for nodes_there in own for node in nodes_there], edges


def identifier(key: Key) -> str:
    """A key as one line of text.

    >>> identifier(("entity", "PER", "and/or"))
    'entity/PER/and%2For'
    """
    return "/".join(_SPECIAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), part) for part in key)


def one_line(text: str) -> str:
    """The text with one blank for each white space."""
    return " ".join(text.split())


def _node(document: str, number: int, place: int, sentence: Sentence, entity: Entity, nodes: str) -> Node:
    text = sentence.text_of(entity)
    if nodes == BY_MENTION:
        return Node(("mention", document, str(number), str(place)), text, entity.type)
    return Node(("entity", entity.type, one_line(unicodedata.normalize("NFKC", text)).casefold()), text, entity.type)


def _properties(document: Document, number: int, relation: RelationView) -> dict[str, Any]:
    head, tail = relation.head, relation.tail
    values = {
        "document": document.id, "sentence": number, "head": head.text, "tail": tail.text, "head_start": head.start, "head_end": head.end,
        "tail_start": tail.start, "tail_end": tail.end, "score": _rounded(relation.score), "probability": _rounded(relation.probability),
        "text": relation.sentence.text,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
