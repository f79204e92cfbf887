"""Neo4j: `nodes.csv` and `relationships.csv` as `neo4j-admin database import` reads them, and `load.cypher` for a database that runs.

    neo4j-admin database import full neo4j --nodes=nodes.csv --relationships=relationships.csv
    cypher-shell --file load.cypher           (with both tables in the folder that Neo4j imports from)

`load.cypher` merges by id, so it can be run again, and with further data. Every node has the labels `Entity` and its type; relationships
have the relation's type. White space in texts becomes one blank, since the import reads one line a row. `;` separates labels, so it
becomes `_` in them; the property `type` has the type as it is. A backslash in a type becomes `_` everywhere: Cypher takes `\\u0060` for a
backtick, inside quoted names too, and the types may be a stranger's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.graph import BY_TEXT, KEPT, NODES, NUMBER, PROPERTIES, TEXT, WHOLE, Edge, graph, identifier, one_line

NODE_TABLE, RELATIONSHIP_TABLE, SCRIPT = "nodes.csv", "relationships.csv", "load.cypher"
_NODE_COLUMNS = ("id:ID", "name", "type", ":LABEL")
_COLUMNS = {name: name if kind == TEXT else f"{name}:{kind}" for name, kind in PROPERTIES.items()}  # property -> column
_CONVERTED = {TEXT: "{}", WHOLE: "toInteger({})", NUMBER: "toFloat({})"}  # LOAD CSV reads texts


def write(documents: Iterable[Document], target: Path, left_out: Omissions, *, nodes: str = BY_TEXT) -> None:
    """Ids of nodes are held in memory, to write each once."""
    known, types, relations = set[str](), dict[str, None](), dict[str, None]()
    with (
        (target / NODE_TABLE).open("w", encoding="utf-8", newline="") as node_stream,
        (target / RELATIONSHIP_TABLE).open("w", encoding="utf-8", newline="") as edge_stream,
    ):
        node_rows, edge_rows = (csv.writer(stream, lineterminator="\n") for stream in (node_stream, edge_stream))
        node_rows.writerow(_NODE_COLUMNS)
        edge_rows.writerow((":START_ID", ":END_ID", "id", *_COLUMNS.values(), ":TYPE"))
        for found, edges in graph(documents, nodes):
            for node in found:
                key, kind = identifier(node.key), _type(node.type, left_out)
                types[kind] = None
                if key not in known:
                    known.add(key)
                    node_rows.writerow((key, one_line(node.name), kind, f"Entity;{_label(kind, left_out)}"))
            for edge in edges:
                kind = _type(edge.type, left_out)
                relations[kind] = None
                edge_rows.writerow(_row(edge, kind))
    (target / SCRIPT).write_text("\n".join(_statements(types, relations)) + "\n", encoding="utf-8", newline="\n")


def _type(kind: str, left_out: Omissions) -> str:
    if "\\" in kind:
        left_out.drop("types with a backslash (written as _)", repr(kind))
    return one_line(kind).replace("\\", "_")


def _label(kind: str, left_out: Omissions) -> str:
    if ";" in kind:
        left_out.drop("labels with ; (written as _, the property type has them)", repr(kind))
    return kind.replace(";", "_")


def _row(edge: Edge, kind: str) -> list[Any]:
    values = (edge.properties.get(name, "") for name in PROPERTIES)
    return [
        *map(identifier, (edge.head, edge.tail, edge.key)),
        *(one_line(value) if isinstance(value, str) else value for value in values),
        kind,
    ]


def _statements(types: Iterable[str], relations: Iterable[str]) -> Iterator[str]:
    yield f"// Put {NODE_TABLE} and {RELATIONSHIP_TABLE} into the folder that the database imports from."
    yield "// If texts hold backslashes, set db.import.csv.legacy_quote_escaping=false."
    yield "CREATE CONSTRAINT entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE;"
    yield f"LOAD CSV WITH HEADERS FROM 'file:///{NODE_TABLE}' AS row"
    yield "MERGE (n:Entity {id: row.`id:ID`}) SET n.name = row.name, n.type = row.type;"
    for kind in types:
        yield f"MATCH (n:Entity {{type: {_string(kind)}}}) SET n:{_name(kind.replace(';', '_'))};"
    values = ", ".join(f"r.{name} = {_CONVERTED[kind].format(f'row.`{_COLUMNS[name]}`')}" for name, kind in PROPERTIES.items())
    for kind in relations:
        yield f"LOAD CSV WITH HEADERS FROM 'file:///{RELATIONSHIP_TABLE}' AS row"
        yield f"WITH row WHERE row.`:TYPE` = {_string(kind)}"
        yield "MATCH (head:Entity {id: row.`:START_ID`}) MATCH (tail:Entity {id: row.`:END_ID`})"
        yield f"MERGE (head)-[r:{_name(kind)} {{id: row.id}}]->(tail) SET {values};"


def _string(text: str) -> str:
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


def _name(text: str) -> str:
    escaped = text.replace("`", "``")
    return f"`{escaped}`"


WRITER = Writer(
    name="neo4j", summary="a folder with tables for neo4j-admin, and a Cypher script that loads them", suffix="", write=write, keeps=KEPT,
    options={"nodes": NODES},
)  # fmt: skip
