"""GEXF: relations as a graph (see `relsift.writers.graph`), for Gephi, yEd, Cytoscape, igraph and the like."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.graph import BY_TEXT, KEPT, NODES
from relsift.writers.network import network


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, nodes: str = BY_TEXT) -> None:
    graph = network(documents, "gexf", nodes, left_out)
    import networkx

    networkx.write_gexf(graph, target)


WRITER = Writer(
    name="gexf", summary="a graph for Gephi and other programs; needs networkx", suffix=".gexf", write=write, keeps=KEPT,
    options={"nodes": NODES},
)  # fmt: skip
