"""Turtle: relations as RDF (see `relsift.writers.rdf`). Each piece of the graph is a Turtle document; in a row they are one, too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.graph import BY_TEXT, KEPT, NODES
from relsift.writers.rdf import BASE, WHAT_BASE_IS, pieces


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, base: str = BASE, nodes: str = BY_TEXT) -> None:
    with target.open("w", encoding="utf-8", newline="") as stream:
        for piece in pieces(documents, "turtle", base, nodes):
            stream.write(piece.serialize(format="turtle").strip() + "\n")


WRITER = Writer(
    name="turtle", summary="RDF, with a statement on the source and probability of each triple; needs rdflib", suffix=".ttl", write=write,
    keeps=KEPT, options={"nodes": NODES}, open_options={"base": WHAT_BASE_IS},
)  # fmt: skip
