"""RDF, for Turtle and JSON-LD: entities, the triples between them, and for each triple where it stands and how sure it is. Needs rdflib.

    <entity/PER/ada%20kern> a type:PER ; rdfs:label "Ada Kern" ; relation:founded <entity/ORG/acme> .
    <relation/notes/0/0> a rdf:Statement ; rdf:subject … ; rdf:predicate relation:founded ; rdf:object … ;
        rs:document "notes" ; rs:sentence 0 ; rs:headStart 0 ; … ; rs:probability 0.93 ; rs:text "Ada Kern founded Acme." .

IRIs are the base, and percent-encoded types, texts and ids behind it. `base=IRI` names your own; what stands in place of it is only an
example. Graphs are made and written piece by piece, so memory does not grow with the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from relsift.errors import ConfigError
from relsift.schema import Document
from relsift.writers.graph import BY_TEXT, Edge, Key, Node, graph

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

BASE = "https://example.org/"
WHAT_BASE_IS = f"IRI that all others begin with, such as https://data.you.org/ ({BASE} if left out)"
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*[/#:]")
_MOST_TRIPLES = 20_000  # of a piece


def prefixes(base: str) -> dict[str, str]:
    """The namespaces of a graph, by their prefixes."""
    return {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "xsd": "http://www.w3.org/2001/XMLSchema#", "type": f"{base}type/", "relation": f"{base}relation-type/",
        "rs": f"{base}vocabulary/",
    }  # fmt: skip


def pieces(documents: Iterable[Document], name: str, base: str, nodes: str = BY_TEXT) -> Iterator[Graph]:
    """The graph in pieces; at least one. Args: name: of the format, for messages. nodes: see `relsift.writers.graph`.

    Raises: ConfigError if rdflib is not installed, or `base` is no IRI.
    """
    try:
        import rdflib  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{name}: expected rdflib to write it, got no such package: pip install 'relsift[graph]'") from error
    if _IRI.fullmatch(base) is None:
        raise ConfigError(f"{name}[base={base}]: expected an IRI that ends with /, # or :, such as {BASE}, got {base!r}")
    terms = _Terms(base)
    piece, is_first = terms.empty(), True
    for found, edges in graph(documents, nodes):
        for node in found:
            terms.add_node(piece, node)
        for edge in edges:
            terms.add_edge(piece, edge)
        if len(piece) >= _MOST_TRIPLES:
            yield piece
            piece, is_first = terms.empty(), False
    if len(piece) or is_first:
        yield piece


class _Terms:
    """The terms of a graph with one base."""

    def __init__(self, base: str) -> None:
        self.base, self.prefixes = base, prefixes(base)

    def empty(self) -> Graph:
        from rdflib import Graph

        piece = Graph(bind_namespaces="none")
        for prefix, namespace in self.prefixes.items():
            piece.bind(prefix, namespace)
        return piece

    def iri(self, key: Key) -> URIRef:
        from rdflib import URIRef

        return URIRef(self.base + "/".join(quote(part, safe="") for part in key))

    def term(self, prefix: str, name: str) -> URIRef:
        from rdflib import URIRef

        return URIRef(self.prefixes[prefix] + quote(name, safe=""))

    def add_node(self, piece: Graph, node: Node) -> None:
        from rdflib import RDF, RDFS, Literal

        piece.add((self.iri(node.key), RDF.type, self.term("type", node.type)))
        piece.add((self.iri(node.key), RDFS.label, Literal(node.name)))

    def add_edge(self, piece: Graph, edge: Edge) -> None:
        from rdflib import RDF, Literal

        triple = self.iri(edge.head), self.term("relation", edge.type), self.iri(edge.tail)
        piece.add(triple)
        statement = self.iri(edge.key)
        piece.add((statement, RDF.type, RDF.Statement))
        for place, term in zip((RDF.subject, RDF.predicate, RDF.object), triple):
            piece.add((statement, place, term))
        for name, value in edge.properties.items():
            first, *rest = name.split("_")
            piece.add((statement, self.term("rs", first + "".join(map(str.capitalize, rest))), Literal(value)))
