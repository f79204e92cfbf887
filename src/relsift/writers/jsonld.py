"""JSON-LD: relations as RDF (see `relsift.writers.rdf`). An entity may stand in several objects, which JSON-LD takes for one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.graph import BY_TEXT, KEPT, NODES
from relsift.writers.json_array import write_items
from relsift.writers.rdf import BASE, WHAT_BASE_IS, pieces, prefixes


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, base: str = BASE, nodes: str = BY_TEXT) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{{"@context": {json.dumps(prefixes(base))},\n"@graph": ')
        write_items(_objects(documents, base, nodes), stream)
        stream.write("}\n")


def _objects(documents: Iterable[Document], base: str, nodes: str) -> Iterator[dict[str, Any]]:
    for piece in pieces(documents, "jsonld", base, nodes):
        if not len(piece):
            return
        value = json.loads(piece.serialize(format="json-ld", context=prefixes(base)))
        found = value.get("@graph", [{name: inner for name, inner in value.items() if name != "@context"}])
        yield from (_sorted(item) for item in sorted(found, key=lambda item: str(item["@id"])))


def _sorted(item: dict[str, Any]) -> dict[str, Any]:
    """With lists in order: those of rdflib are sets, which stand in another order in each run."""
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in item.items()}


WRITER = Writer(
    name="jsonld", summary="RDF as JSON, with a statement on the source and probability of each triple; needs rdflib", suffix=".jsonld",
    write=write, keeps=KEPT, options={"nodes": NODES}, open_options={"base": WHAT_BASE_IS},
)  # fmt: skip
