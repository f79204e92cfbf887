"""Invented documents with relations across sentences: a sentence of a person, one of a firm, one of a town."""

from __future__ import annotations

import random
from collections.abc import Sequence

from relsift.schema import Document, Entity, RelationAcross, Sentence
from toy import FIRMS, PEOPLE, TOWNS


def documents(count: int, seed: int = 0) -> list[Document]:
    """The person works for the firm of the next sentence in each second document; the firm, or else the person, is of the town."""
    draw = random.Random(seed)
    return [_document(f"{seed}-{number}", number % 2 == 0, draw) for number in range(count)]


def _document(key: str, joined: bool, draw: random.Random) -> Document:
    groups = (("PER", PEOPLE, "left ."), ("ORG", FIRMS, "paid ." if joined else "fell ."), ("LOC", TOWNS, "shone ."))
    sentences = []
    for number, (kind, names, rest) in enumerate(groups):
        name = draw.choice(names).split(" ")
        tokens = (key, *name, *rest.split(" "))  # the key: no two sentences are the same
        sentences.append(Sentence(f"{key}-{number}", tokens, (Entity(1, 1 + len(name), kind),), (), key))
    works = (RelationAcross((0, 0), (1, 0), "works_for"), RelationAcross((1, 0), (2, 0), "based_in"))
    return Document(key, tuple(sentences), across=works if joined else (RelationAcross((0, 0), (2, 0), "lives_in"),))


def lines_of(those: Sequence[Document]) -> str:
    """As a native file."""
    from relsift.writers.native import lines

    return "".join(f"{line}\n" for document in those for line in lines(document))
